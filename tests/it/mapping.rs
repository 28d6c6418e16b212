//! The mapping that these tests share.

/// Companies, contacts and machines, joined by three associations.
pub(crate) const MAPPING: &str = r#"
[mapping]
name = "acme"
version = 1

[[objects]]
name = "machines"
singular = "Machine"
plural = "Machines"
primary_display = "serial"
associated = ["companies"]

[[links]]
name = "firms"
collection = "firms"
object = "companies"
sync_key = "acme_key"
match = ["domain"]
fields = [
    { from = "name", to = "name", transform = ["trim"], required = true },
    { from = "domain", to = "domain", transform = ["domain"] },
]

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
fields = [
    { from = "email", to = "email", transform = ["email"] },
    { from = "name", to = "lastname", transform = ["trim"] },
    { from = "points", to = "points", transform = ["number"], kind = "number", create = { label = "Points" } },
]
associations = [
    { name = "works_at", to = "firms", key = "firm", kind = "primary" },
    { name = "bills", to = "firms", key = "bills", label = "Billing contact", inverse = "Billed through" },
]

[[links]]
name = "machines"
collection = "machines"
object = "machines"
sync_key = "acme_key"
fields = [
    { from = "serial", to = "serial", kind = "text", create = { label = "Serial number" } },
]
associations = [
    { name = "stands_at", to = "firms", key = "firm" },
]
"#;
