//! Which page a URL asks for.

use http::Uri;
use percent_encoding::percent_decode_str;

/// One page or file of the browser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    Overview,
    /// One page of a type's records; pages count from 1.
    Table {
        object_type: String,
        query: String,
        page: usize,
    },
    Record {
        object_type: String,
        id: String,
    },
    Asset(Asset),
}

/// A file the pages load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asset {
    Style,
    Script,
    Icon,
}

impl Asset {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Asset::Style => "text/css; charset=utf-8",
            Asset::Script => "text/javascript; charset=utf-8",
            Asset::Icon => "image/svg+xml",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Asset::Style => include_str!("assets/browser.css"),
            Asset::Script => include_str!("assets/browser.js"),
            Asset::Icon => include_str!("assets/browser.svg"),
        }
    }
}

impl Route {
    /// `None` for everything that belongs to the API.
    pub(super) fn of(uri: &Uri) -> Option<Route> {
        let mut parts = uri.path().strip_prefix('/')?.split('/');
        let route = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("", None, ..) => Route::Overview,
            ("assets", Some("browser.css"), None, _) => Route::Asset(Asset::Style),
            ("assets", Some("browser.js"), None, _) => Route::Asset(Asset::Script),
            ("assets", Some("browser.svg"), None, _) => Route::Asset(Asset::Icon),
            ("records", Some(object_type), None, _) => Route::Table {
                object_type: decode(object_type),
                query: parameter(uri, "q").unwrap_or_default().trim().to_owned(),
                page: parameter(uri, "page")
                    .and_then(|page| page.parse().ok())
                    .filter(|page| *page > 0)
                    .unwrap_or(1),
            },
            ("records", Some(object_type), Some(id), None) => {
                Route::Record { object_type: decode(object_type), id: decode(id) }
            }
            _ => return None,
        };
        Some(route)
    }
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    // A form writes a space as `+`; a plus sign itself is escaped.
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| decode(&value.replace('+', " "))).next()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_url_has_its_page_and_the_rest_is_the_apis() {
        let table = |query: &str, page| {
            Some(Route::Table { object_type: "contacts".to_owned(), query: query.to_owned(), page })
        };
        let record = Route::Record { object_type: "p1_árvore".to_owned(), id: "7".to_owned() };
        for (uri, expected) in [
            ("/", Some(Route::Overview)),
            ("/?x=1", Some(Route::Overview)),
            ("/assets/browser.css", Some(Route::Asset(Asset::Style))),
            ("/assets/other.css", None),
            ("/records", None),
            ("/records/contacts", table("", 1)),
            ("/records/contacts?q=caf%C3%A9+au%2Blait&page=3", table("café au+lait", 3)),
            ("/records/contacts?page=0", table("", 1)),
            ("/records/contacts?page=-1&q=%20", table("", 1)),
            ("/records/p1_%C3%A1rvore/7", Some(record)),
            ("/records/contacts/7/8", None),
            ("/crm/v3/objects/contacts", None),
            ("/_sandbox/log", None),
        ] {
            assert_eq!(Route::of(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
