//! Exhaustive searches: past 10,000 results and past 10,000 records changed in one instant.
//!
//! A search answers at most 10,000 results, and its offsets shift while records change. So no offset is used: each page is
//! a new query for what comes after the last record seen, by id, or by time and then id.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::error::Error;
use crate::object_type::RecordId;
use crate::objects::Objects;
use crate::record::Record;
use crate::search::{Filter, FilterGroup, Operator, PAGE_MAX, SearchRequest, Sort};

const ID: &str = "hs_object_id";

/// What to scan for. The scan adds up to two filters to each group, and does the sorting.
#[derive(Clone, Debug, Default)]
pub struct ScanRequest {
    /// Which records; all when empty. At most 4 filters per group.
    pub filter_groups: Vec<FilterGroup>,
    /// Properties to answer.
    pub properties: Vec<String>,
    /// Records per page; the most that HubSpot allows, 200, when 0.
    pub page_size: u32,
}

impl ScanRequest {
    fn search(&self, added: &[Filter], sort: &str, also: &str) -> SearchRequest {
        let mut groups = self.filter_groups.clone();
        if groups.is_empty() {
            groups.push(FilterGroup::default());
        }
        for group in &mut groups {
            group.filters.extend(added.iter().cloned());
        }
        // A group without filters is no group.
        groups.retain(|group| !group.filters.is_empty());
        let mut properties = self.properties.clone();
        if !properties.iter().any(|property| property == also) {
            properties.push(also.to_owned());
        }
        let limit = if self.page_size == 0 { PAGE_MAX } else { self.page_size.min(PAGE_MAX) };
        SearchRequest {
            filter_groups: groups,
            sorts: vec![Sort::ascending(sort)],
            properties,
            limit,
            ..SearchRequest::default()
        }
    }
}

impl Objects {
    /// All records that match, in the order of their ids, without the search's cap of 10,000.
    #[must_use]
    pub fn scan_by_id(&self, request: ScanRequest) -> IdScan {
        IdScan { objects: self.clone(), request, last: 0, done: false }
    }

    /// All records that match and were changed from `since` up to and including `until`, in the order of their change,
    /// without the search's cap and however many share one instant.
    ///
    /// The search index lags: let `until` lie some minutes in the past, or scan again with an overlap. A record changed
    /// during the scan moves towards the end or out of it, and is then found by the next scan.
    #[must_use]
    pub fn scan_modified(&self, request: ScanRequest, since: Timestamp, until: Timestamp) -> ModifiedScan {
        ModifiedScan {
            objects: self.clone(),
            request,
            until_ms: until.as_millisecond(),
            place: Place::Times { from_ms: since.as_millisecond(), seen: HashSet::new() },
        }
    }
}

/// A scan in the order of ids.
#[derive(Debug)]
pub struct IdScan {
    objects: Objects,
    request: ScanRequest,
    last: u64,
    done: bool,
}

impl IdScan {
    /// The next page, or `None` after the last. After an error the same page can be asked for again.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's answer is cut short or out of order.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Record>>, Error> {
        if self.done {
            return Ok(None);
        }
        let after = Filter::new(ID, Operator::Gt, self.last.to_string());
        let page = self.objects.search(&self.request.search(&[after], ID, ID)).await?;
        let ended = end_of(page.after.is_none(), page.total, page.records.len())?;
        let last = ascending_ids(&page.records, self.last)?;
        self.last = last;
        self.done = ended;
        Ok(Some(page.records))
    }
}

/// A scan in the order of change.
#[derive(Debug)]
pub struct ModifiedScan {
    objects: Objects,
    request: ScanRequest,
    until_ms: i64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// At a time; records of exactly this time in `seen` were given out already.
    Times {
        from_ms: i64,
        seen: HashSet<RecordId>,
    },
    /// Within one instant that fills a page and more, by id; those in `seen` were given out already.
    Instant {
        at_ms: i64,
        last: u64,
        seen: HashSet<RecordId>,
    },
    Done,
}

impl ModifiedScan {
    /// The next page, or `None` after the last. Pages may be empty before the end. After an error the same page can be
    /// asked for again.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's answer is cut short or out of order.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Record>>, Error> {
        match &self.place {
            Place::Done => Ok(None),
            Place::Times { from_ms, .. } if *from_ms > self.until_ms => {
                self.place = Place::Done;
                Ok(None)
            }
            Place::Times { from_ms, .. } => self.page_of_times(*from_ms).await.map(Some),
            Place::Instant { at_ms, last, .. } => self.page_of_instant(*at_ms, *last).await.map(Some),
        }
    }

    async fn page_of_times(&mut self, from_ms: i64) -> Result<Vec<Record>, Error> {
        let modified = self.objects.object_type().modified_property();
        let bounds = [
            Filter::new(modified, Operator::Gte, from_ms.to_string()),
            Filter::new(modified, Operator::Lte, self.until_ms.to_string()),
        ];
        let page = self.objects.search(&self.request.search(&bounds, modified, modified)).await?;
        let ended = end_of(page.after.is_none(), page.total, page.records.len())?;
        let times =
            page.records.iter().map(|record| time_of(record, modified)).collect::<Result<Vec<_>, _>>()?;
        if times.first().is_some_and(|first| *first < from_ms) || !times.is_sorted() {
            return Err(Error::unreadable("the search results are not in the order asked for"));
        }
        let Place::Times { seen, .. } = &mut self.place else {
            return Err(Error::unreadable("the scan lost its place"));
        };
        let Some(last_ms) = times.last().copied().filter(|_| !ended) else {
            let fresh = page.records.into_iter().filter(|record| !seen.contains(&record.id)).collect();
            self.place = Place::Done;
            return Ok(fresh);
        };
        if last_ms == from_ms {
            // The whole page is one instant: only ids tell its records apart. Start it anew, by id.
            self.place = Place::Instant { at_ms: from_ms, last: 0, seen: std::mem::take(seen) };
            return Ok(Vec::new());
        }
        let at_last = page.records.iter().zip(&times).filter(|(_, time)| **time == last_ms);
        let next_seen = at_last.map(|(record, _)| record.id.clone()).collect();
        let fresh = page.records.iter().filter(|record| !seen.contains(&record.id)).cloned().collect();
        self.place = Place::Times { from_ms: last_ms, seen: next_seen };
        Ok(fresh)
    }

    async fn page_of_instant(&mut self, at_ms: i64, last: u64) -> Result<Vec<Record>, Error> {
        let modified = self.objects.object_type().modified_property();
        let bounds = [
            Filter::between(modified, at_ms.to_string(), at_ms.to_string()),
            Filter::new(ID, Operator::Gt, last.to_string()),
        ];
        let page = self.objects.search(&self.request.search(&bounds, ID, modified)).await?;
        let ended = end_of(page.after.is_none(), page.total, page.records.len())?;
        let last = ascending_ids(&page.records, last)?;
        let Place::Instant { seen, .. } = &mut self.place else {
            return Err(Error::unreadable("the scan lost its place"));
        };
        let seen = std::mem::take(seen);
        let fresh = page.records.into_iter().filter(|record| !seen.contains(&record.id)).collect();
        self.place = if ended {
            Place::Times { from_ms: at_ms.saturating_add(1), seen: HashSet::new() }
        } else {
            Place::Instant { at_ms, last, seen }
        };
        Ok(fresh)
    }
}

/// Whether this was the last page. An answer that has no next page although more matched was cut short, and a next page
/// after an empty one never ends.
fn end_of(no_next: bool, total: u64, count: usize) -> Result<bool, Error> {
    if no_next && total > count as u64 {
        return Err(Error::unreadable(format!(
            "the search answered {count} of {total} records and no next page"
        )));
    }
    if !no_next && count == 0 {
        return Err(Error::unreadable("the search does not advance: an empty page with a next one"));
    }
    Ok(no_next)
}

/// Proves progress: every id is a number above `last` and above the one before. Returns the highest.
fn ascending_ids(records: &[Record], mut last: u64) -> Result<u64, Error> {
    for record in records {
        match record.id.as_str().parse::<u64>() {
            Ok(id) if id > last => last = id,
            _ => return Err(Error::unreadable("the search results are not in the order asked for")),
        }
    }
    Ok(last)
}

fn time_of(record: &Record, property: &str) -> Result<i64, Error> {
    let text = record.get(property).or(record.updated_at.as_deref()).unwrap_or_default();
    // ISO 8601, or epoch milliseconds in older answers.
    text.parse::<Timestamp>()
        .map(|time| time.as_millisecond())
        .or_else(|_| text.parse::<i64>())
        .map_err(|_| Error::unreadable(format!("record {} has no readable {property}", record.id)))
}
