//! HubSpot's CRM API in HubSpot's words: typed calls, exhaustive iterators, row accounting.
