//! A certificate as a page for people.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, context};
use sync_core::Level;
use sync_core::certificate::Certificate;

use crate::Failure;
use crate::screen::thousands;

const PAGE: &str = include_str!("page.html");

pub(super) fn write(certificate: &Certificate, hash: &str, public_key: &str) -> Result<String, Failure> {
    let failed = |error: minijinja::Error| {
        Failure::new("the page of the certificate cannot be made").caused_by(&error)
    };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Lines that hold nothing but a tag leave no trace.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    environment.add_filter("count", thousands);
    let page = environment.template_from_str(PAGE).map_err(failed)?;
    let (compares_values, compares_edges) =
        (certificate.level.compares_values(), certificate.level >= Level::Edges);
    let it = Value::from(Serde(certificate));
    page.render(context! { it, hash, public_key, compares_values, compares_edges }).map_err(failed)
}
