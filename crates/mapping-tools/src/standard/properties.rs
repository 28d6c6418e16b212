//! The standard properties that mappings write, by object type.

use sync_types::PropertyKind::{self, Bool, DateTime, Number, Option, Options, Text};

use super::StandardProperty;

/// What a property's values mean, where that has a form of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing special.
    Plain,
    /// A person's or a thing's name: its white space means nothing.
    Name,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The domain of a web site.
    Domain,
    /// A web address.
    Url,
    /// Longer text.
    Long,
}

use Meaning::{Domain, Email, Long, Name, Phone, Plain, Url};

const fn row(
    name: &'static str,
    kind: PropertyKind,
    meaning: Meaning,
    label: &'static str,
    called: &'static [&'static str],
) -> StandardProperty {
    StandardProperty { name, kind, label, called, meaning, options: &[] }
}

const fn choice(
    name: &'static str,
    kind: PropertyKind,
    label: &'static str,
    called: &'static [&'static str],
    options: &'static [(&'static str, &'static str)],
) -> StandardProperty {
    StandardProperty { name, kind, label, called, meaning: Plain, options }
}

const LIFECYCLE: &[(&str, &str)] = &[
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
];

const LEAD_STATUS: &[(&str, &str)] = &[
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
];

const INDUSTRY: &[(&str, &str)] = &[
    ("ACCOUNTING", "Accounting"),
    ("AUTOMOTIVE", "Automotive"),
    ("BANKING", "Banking"),
    ("BIOTECHNOLOGY", "Biotechnology"),
    ("BUILDING_MATERIALS", "Building Materials"),
    ("CHEMICALS", "Chemicals"),
    ("COMPUTER_HARDWARE", "Computer Hardware"),
    ("COMPUTER_SOFTWARE", "Computer Software"),
    ("CONSTRUCTION", "Construction"),
    ("CONSUMER_GOODS", "Consumer Goods"),
    ("EDUCATION_MANAGEMENT", "Education Management"),
    ("ENTERTAINMENT", "Entertainment"),
    ("FINANCIAL_SERVICES", "Financial Services"),
    ("FOOD_BEVERAGES", "Food & Beverages"),
    ("FOOD_PRODUCTION", "Food Production"),
    ("HOSPITAL_HEALTH_CARE", "Hospital & Health Care"),
    ("HOSPITALITY", "Hospitality"),
    ("INFORMATION_TECHNOLOGY_AND_SERVICES", "Information Technology and Services"),
    ("INSURANCE", "Insurance"),
    ("LOGISTICS_AND_SUPPLY_CHAIN", "Logistics and Supply Chain"),
    ("MACHINERY", "Machinery"),
    ("MANAGEMENT_CONSULTING", "Management Consulting"),
    ("MARKETING_AND_ADVERTISING", "Marketing and Advertising"),
    ("MUSIC", "Music"),
    ("REAL_ESTATE", "Real Estate"),
    ("RETAIL", "Retail"),
    ("TELECOMMUNICATIONS", "Telecommunications"),
    ("TEXTILES", "Textiles"),
    ("TRANSPORTATION_TRUCKING_RAILROAD", "Transportation/Trucking/Railroad"),
    ("UTILITIES", "Utilities"),
    ("WHOLESALE", "Wholesale"),
];

const COMPANY_TYPE: &[(&str, &str)] = &[
    ("PROSPECT", "Prospect"),
    ("PARTNER", "Partner"),
    ("RESELLER", "Reseller"),
    ("VENDOR", "Vendor"),
    ("OTHER", "Other"),
];

const DEAL_TYPE: &[(&str, &str)] =
    &[("newbusiness", "New Business"), ("existingbusiness", "Existing Business")];

const PRIORITY: &[(&str, &str)] = &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High")];

/// HubSpot's own sales pipeline, which every portal begins with.
const DEAL_STAGE: &[(&str, &str)] = &[
    ("appointmentscheduled", "Appointment Scheduled"),
    ("qualifiedtobuy", "Qualified To Buy"),
    ("presentationscheduled", "Presentation Scheduled"),
    ("decisionmakerboughtin", "Decision Maker Bought-In"),
    ("contractsent", "Contract Sent"),
    ("closedwon", "Closed Won"),
    ("closedlost", "Closed Lost"),
];

const TICKET_PRIORITY: &[(&str, &str)] =
    &[("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"), ("URGENT", "Urgent")];

const TICKET_CATEGORY: &[(&str, &str)] = &[
    ("PRODUCT_ISSUE", "Product Issue"),
    ("BILLING_ISSUE", "Billing Issue"),
    ("FEATURE_REQUEST", "Feature Request"),
    ("GENERAL_INQUIRY", "General Inquiry"),
];

/// HubSpot's own support pipeline, which every portal begins with.
const TICKET_STAGE: &[(&str, &str)] =
    &[("1", "New"), ("2", "Waiting on contact"), ("3", "Waiting on us"), ("4", "Closed")];

pub(super) const CONTACT: &[StandardProperty] = &[
    row("email", Text, Email, "Email", &["email"]),
    row("firstname", Text, Name, "First Name", &["firstname", "first name", "given name", "first"]),
    row("lastname", Text, Name, "Last Name", &["lastname", "last name", "family name", "last"]),
    row(
        "salutation",
        Text,
        Plain,
        "Salutation",
        &["salutation", "title of courtesy", "courtesy title", "name prefix"],
    ),
    row("phone", Text, Phone, "Phone Number", &["phone", "phone number", "phone business", "work phone"]),
    row("mobilephone", Text, Phone, "Mobile Phone Number", &["mobile", "mobile phone", "mobile number"]),
    row("fax", Text, Phone, "Fax Number", &["fax", "fax number"]),
    row("company", Text, Name, "Company Name", &["company", "company name"]),
    row("jobtitle", Text, Plain, "Job Title", &["jobtitle", "job title", "job", "title", "contact title"]),
    row("website", Text, Url, "Website URL", &["website", "website url", "url"]),
    row("address", Text, Plain, "Street Address", &["street", "address", "street address", "address 1"]),
    row("city", Text, Plain, "City", &["city"]),
    row("state", Text, Plain, "State/Region", &["state"]),
    row("zip", Text, Plain, "Postal Code", &["zip", "postal code"]),
    row("country", Text, Plain, "Country/Region", &["country"]),
    row("date_of_birth", Text, Plain, "Date of birth", &["birthdate", "birth date", "date of birth"]),
    row("hs_language", Text, Plain, "Preferred language", &["language", "preferred language"]),
    row("message", Text, Long, "Message", &["message"]),
    row("industry", Text, Plain, "Industry", &["industry"]),
    row("numemployees", Text, Plain, "Number of Employees", &["number of employees", "employees"]),
    row("annualrevenue", Text, Plain, "Annual Revenue", &["annual revenue", "annualrevenue"]),
    choice("lifecyclestage", Option, "Lifecycle Stage", &["lifecycle stage", "lifecycle"], LIFECYCLE),
    choice("hs_lead_status", Option, "Lead Status", &["lead status"], LEAD_STATUS),
];

pub(super) const COMPANY: &[StandardProperty] = &[
    row("name", Text, Name, "Company name", &["name", "company name", "company", "customer name"]),
    row("domain", Text, Domain, "Company Domain Name", &["domain", "website", "domain name", "web domain"]),
    row("website", Text, Url, "Website URL", &["website url", "url"]),
    row("phone", Text, Phone, "Phone Number", &["phone", "phone number"]),
    row("description", Text, Long, "Description", &["description", "about"]),
    choice("industry", Option, "Industry", &["industry"], INDUSTRY),
    choice("type", Option, "Type", &["type", "company type"], COMPANY_TYPE),
    row("address", Text, Plain, "Street Address", &["street", "address", "street address", "address 1"]),
    row("address2", Text, Plain, "Street Address 2", &["address 2", "street 2", "address line 2"]),
    row("city", Text, Plain, "City", &["city"]),
    row("state", Text, Plain, "State/Region", &["state"]),
    row("zip", Text, Plain, "Postal Code", &["zip", "postal code"]),
    row("country", Text, Plain, "Country/Region", &["country"]),
    row("timezone", Text, Plain, "Time Zone", &["timezone", "time zone"]),
    row(
        "numberofemployees",
        Number,
        Plain,
        "Number of Employees",
        &["number of employees", "employees", "employee quantity", "employee", "headcount", "staff"],
    ),
    row("annualrevenue", Number, Plain, "Annual Revenue", &["annual revenue", "annualrevenue", "revenue"]),
    row("founded_year", Text, Plain, "Year Founded", &["year founded", "founded", "founded year"]),
    row("is_public", Bool, Plain, "Is Public", &["is public"]),
    row("linkedin_company_page", Text, Url, "LinkedIn Company Page", &["linkedin", "linkedin company page"]),
    choice("lifecyclestage", Option, "Lifecycle Stage", &["lifecycle stage", "lifecycle"], LIFECYCLE),
    choice("hs_lead_status", Option, "Lead Status", &["lead status"], LEAD_STATUS),
];

pub(super) const DEAL: &[StandardProperty] = &[
    row("dealname", Text, Name, "Deal Name", &["name", "deal name", "title", "opportunity name"]),
    choice("pipeline", Option, "Pipeline", &["pipeline"], &[("default", "Sales Pipeline")]),
    choice("dealstage", Option, "Deal Stage", &["stage", "deal stage", "status", "order status"], DEAL_STAGE),
    row(
        "amount",
        Number,
        Plain,
        "Amount",
        &["amount", "order amount", "invoice amount", "value", "deal value"],
    ),
    row(
        "closedate",
        DateTime,
        Plain,
        "Close Date",
        &["close date", "closed", "order date", "invoice date", "ordered on", "date"],
    ),
    choice("dealtype", Option, "Deal Type", &["deal type", "type"], DEAL_TYPE),
    row("description", Text, Long, "Deal Description", &["description", "note"]),
    choice("hs_priority", Option, "Priority", &["priority"], PRIORITY),
    row("deal_currency_code", Text, Plain, "Currency", &["currency", "currency code"]),
    row("hs_forecast_amount", Number, Plain, "Forecast Amount", &["forecast amount"]),
    row("closed_won_reason", Text, Long, "Closed Won Reason", &["closed won reason", "won reason"]),
    row("closed_lost_reason", Text, Long, "Closed Lost Reason", &["closed lost reason", "lost reason"]),
    row("hs_next_step", Text, Plain, "Next Step", &["next step"]),
];

pub(super) const TICKET: &[StandardProperty] = &[
    row("subject", Text, Name, "Ticket name", &["subject", "title", "ticket name", "name"]),
    row("content", Text, Long, "Ticket description", &["description", "content", "body", "message"]),
    choice("hs_pipeline", Option, "Pipeline", &["pipeline"], &[("0", "Support Pipeline")]),
    choice("hs_pipeline_stage", Option, "Ticket status", &["status", "stage", "ticket status"], TICKET_STAGE),
    choice("hs_ticket_priority", Option, "Priority", &["priority"], TICKET_PRIORITY),
    choice("hs_ticket_category", Options, "Category", &["category"], TICKET_CATEGORY),
    row("hs_resolution", Text, Plain, "Resolution", &["resolution"]),
    row("closed_date", DateTime, Plain, "Close date", &["closed date", "close date", "closed", "closed at"]),
];

pub(super) const PRODUCT: &[StandardProperty] = &[
    row("name", Text, Name, "Name", &["name", "title", "product name"]),
    row("description", Text, Long, "Product description", &["description"]),
    row("price", Number, Plain, "Unit price", &["price", "unit price", "list price"]),
    row("hs_sku", Text, Plain, "SKU", &["sku", "product number", "item number", "product code", "code"]),
    row("hs_cost_of_goods_sold", Number, Plain, "Unit cost", &["cost", "unit cost"]),
    row("hs_folder", Text, Plain, "Folder", &["folder"]),
    row("hs_images", Text, Url, "Image URL", &["image", "image url", "picture"]),
    row("hs_url", Text, Url, "URL", &["url", "website", "link"]),
    row("tax", Number, Plain, "Tax", &["tax"]),
];

pub(super) const LINE_ITEM: &[StandardProperty] = &[
    row("name", Text, Name, "Name", &["name", "title", "product name"]),
    row("description", Text, Long, "Description", &["description"]),
    row("quantity", Number, Plain, "Quantity", &["quantity"]),
    row("price", Number, Plain, "Unit price", &["price", "unit price"]),
    row("discount", Number, Plain, "Unit discount", &["discount"]),
    row(
        "hs_discount_percentage",
        Number,
        Plain,
        "Discount percentage",
        &["discount percent", "discount percentage"],
    ),
    row("tax", Number, Plain, "Tax", &["tax"]),
    row("hs_sku", Text, Plain, "SKU", &["sku", "product number", "item number"]),
    row("hs_cost_of_goods_sold", Number, Plain, "Unit cost", &["cost", "unit cost"]),
    row("hs_line_item_currency_code", Text, Plain, "Currency", &["currency", "currency code"]),
    row("hs_position_on_quote", Number, Plain, "Position on quote", &["line number"]),
];
