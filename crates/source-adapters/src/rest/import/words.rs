//! Names that APIs use for the same things, the most usual first.

/// The number of a page.
pub(super) const PAGE: &[&str] =
    &["page", "pageNumber", "page_number", "pageNo", "page[number]", "p", "currentPage"];
/// Records to leave out.
pub(super) const OFFSET: &[&str] =
    &["offset", "skip", "$skip", "startAt", "start", "startIndex", "start_index", "from_index"];
/// The place to go on from.
pub(super) const CURSOR: &[&str] = &[
    "cursor",
    "after",
    "page_token",
    "pageToken",
    "next_token",
    "nextToken",
    "page[after]",
    "next_cursor",
    "nextCursor",
    "continuation",
    "continuation_token",
    "continuationToken",
    "page[cursor]",
    "page_info",
    "start_cursor",
    "marker",
];
/// The last id of the page before.
pub(super) const AFTER_ID: &[&str] = &["starting_after", "since_id", "after_id", "last_id", "from_id"];
/// Records of a page.
pub(super) const SIZE: &[&str] = &[
    "limit",
    "per_page",
    "perPage",
    "page_size",
    "pageSize",
    "pagesize",
    "size",
    "count",
    "maxResults",
    "max_results",
    "$top",
    "top",
    "take",
    "page[size]",
    "page[limit]",
    "first",
    "num_per_page",
];
/// Changed since.
pub(super) const SINCE: &[&str] = &[
    "updated_since",
    "updated_after",
    "updatedSince",
    "updatedAfter",
    "modified_since",
    "modifiedSince",
    "modified_after",
    "modifiedAfter",
    "updated_at_min",
    "updated_at__gte",
    "updated_from",
    "changed_since",
    "changedSince",
    "last_modified_after",
    "min_updated_at",
    "since",
    "start_modified_date",
    "modifiedStart",
    "lastModifiedFrom",
];
/// Changed until.
pub(super) const UNTIL: &[&str] = &[
    "updated_before",
    "updatedBefore",
    "modified_before",
    "modifiedBefore",
    "updated_at_max",
    "updated_to",
    "until",
    "max_updated_at",
    "end_modified_date",
    "modifiedEnd",
    "lastModifiedTo",
    "modified_until",
];
/// Where a list of records stands.
pub(super) const RECORDS: &[&str] = &[
    "data", "items", "results", "records", "value", "values", "content", "entries", "list", "rows",
    "objects", "elements",
];
/// Where the next cursor stands.
pub(super) const NEXT_CURSOR: &[&str] = &[
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_token",
    "nextToken",
    "next_page",
    "cursor",
    "after",
    "continuation",
    "continuation_token",
    "continuationToken",
    "end_cursor",
    "endCursor",
    "nextPage",
    "marker",
];
/// Where the next address stands.
pub(super) const NEXT_URL: &[&str] = &[
    "next",
    "next_url",
    "nextUrl",
    "next_page_url",
    "nextLink",
    "@odata.nextLink",
    "next_href",
    "nextPageUrl",
    "href",
];
/// Whether there is more.
pub(super) const MORE: &[&str] = &[
    "has_more",
    "hasMore",
    "more",
    "has_next",
    "hasNext",
    "has_next_page",
    "hasNextPage",
    "more_items_in_collection",
];
/// The number of the last page.
pub(super) const PAGES: &[&str] =
    &["total_pages", "totalPages", "last_page", "lastPage", "page_count", "pageCount", "pages"];
/// The number of records in all.
pub(super) const TOTAL: &[&str] = &[
    "total",
    "total_count",
    "totalCount",
    "total_results",
    "totalResults",
    "totalElements",
    "total_records",
    "totalRecords",
    "total_items",
    "totalItems",
];
/// A record's id.
pub(super) const KEY: &[&str] =
    &["id", "Id", "ID", "_id", "uuid", "guid", "uid", "key", "code", "number", "slug"];
/// A record's time of change.
pub(super) const MODIFIED: &[&str] = &[
    "updated_at",
    "updatedAt",
    "modified_at",
    "modifiedAt",
    "last_modified",
    "lastModified",
    "date_modified",
    "modified",
    "updated",
    "lastModifiedDate",
    "last_modified_at",
    "lastUpdated",
    "last_updated",
    "updated_on",
    "updatedDate",
    "modifiedDate",
    "dateModified",
    "date_updated",
    "dateUpdated",
    "changed_at",
    "changedAt",
    "UpdatedDateUTC",
    "SystemModstamp",
    "LastModifiedDate",
    "modified_time",
    "update_time",
    "updateTime",
    "changed",
];
/// Whether or when it was deleted.
pub(super) const DELETED: &[&str] = &[
    "deleted_at",
    "deletedAt",
    "deleted",
    "is_deleted",
    "isDeleted",
    "IsDeleted",
    "archived",
    "archived_at",
    "date_deleted",
];
/// Secrets in a query.
pub(super) const SECRET: &[&str] = &[
    "api_key",
    "apikey",
    "apiKey",
    "key",
    "token",
    "access_token",
    "auth",
    "auth_token",
    "secret",
    "client_secret",
    "signature",
    "sig",
    "password",
    "api_token",
    "session",
    "consumer_key",
    "consumer_secret",
];

/// The first of `words` that is among `names`, whatever the case; as the name is written.
pub(super) fn find<'n>(names: impl Iterator<Item = &'n str> + Clone, words: &[&str]) -> Option<&'n str> {
    words
        .iter()
        .find_map(|word| names.clone().find(|name| name == word))
        .or_else(|| words.iter().find_map(|word| names.clone().find(|name| name.eq_ignore_ascii_case(word))))
}
