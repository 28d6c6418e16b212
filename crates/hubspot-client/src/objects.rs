//! Records of one type, one at a time and page by page.

use bytes::Bytes;
use http::Method;
use http_transport::Idempotency;
use serde::Serialize;

use crate::batch::{AssociationInput, NewAssociation, PropertyValues, as_map};
use crate::call::{Call, CallKind};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::object_type::{ObjectType, RecordId};
use crate::record::Record;
use crate::search::{SearchPage, SearchRequest};
use crate::wire::{Collection, Paging, Query, encode, to_body};

/// Records of one type. Batches are in the same handle: `batch_create` and its kin.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Client,
    object_type: ObjectType,
}

/// What to answer of a record.
#[derive(Clone, Debug, Default)]
pub struct GetOptions {
    /// Properties to answer, besides those HubSpot always answers. Long lists make long URLs, which HubSpot refuses: use
    /// a batch read for more than a hundred.
    pub properties: Vec<String>,
    /// Properties whose earlier values to answer.
    pub properties_with_history: Vec<String>,
    /// Types of records whose associated ids to answer; truncated, without labels.
    pub associations: Vec<String>,
    /// Look in the recycling bin instead.
    pub archived: bool,
    /// The unique property that the id is a value of; the record id when `None`.
    pub id_property: Option<String>,
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// Records per page; the most that HubSpot allows when 0: 100, or 50 with history.
    pub page_size: u32,
    /// What to answer of each record. `id_property` has no meaning here.
    pub get: GetOptions,
    /// Where to begin: the token of an earlier page. From the start when `None`.
    pub after: Option<String>,
}

/// One page of records.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The records, in HubSpot's order.
    pub records: Vec<Record>,
    /// The token of the next page; `None` at the end. An empty page is not the end.
    pub after: Option<Box<str>>,
}

#[derive(Serialize)]
struct CreateBody<'a> {
    #[serde(serialize_with = "as_map")]
    properties: PropertyValues<'a>,
    associations: Vec<AssociationInput<'a>>,
}

#[derive(Serialize)]
struct UpdateBody<'a> {
    #[serde(serialize_with = "as_map")]
    properties: PropertyValues<'a>,
}

impl Objects {
    pub(crate) fn new(client: Client, object_type: ObjectType) -> Self {
        Self { client, object_type }
    }

    /// The type of these records.
    #[must_use]
    pub fn object_type(&self) -> &ObjectType {
        &self.object_type
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.client.version().objects, self.object_type)
    }

    /// One record. Asked by the id of a record that was merged away, HubSpot answers the survivor: compare the ids.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none; see [`find`](Self::find).
    pub async fn get(&self, id: &str, options: &GetOptions) -> Result<Record, Error> {
        let mut query = options.query();
        if let Some(property) = &options.id_property {
            query.push("idProperty", property);
        }
        self.client.fetch(Call::get(self.path(&format!("/{}{}", encode(id), query.as_str())))).await
    }

    /// One record, or `None` when there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get), not found aside. A 404 counts as an error in HubSpot's statistics of an app; many keys are
    /// better asked for by a batch read.
    pub async fn find(&self, id: &str, options: &GetOptions) -> Result<Option<Record>, Error> {
        match self.get(id, options).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One page of all records, in the order of their ids.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn list_page(&self, options: &ListOptions) -> Result<Page, Error> {
        let history = !options.get.properties_with_history.is_empty();
        let most = if history { 50 } else { 100 };
        let size = if options.page_size == 0 { most } else { options.page_size.min(most) };
        let mut query = Query::default();
        query.push("limit", &size.to_string());
        if let Some(after) = &options.after {
            query.push("after", after);
        }
        options.get.push_to(&mut query);
        let page: Collection<Record> = self.client.fetch(Call::get(self.path(query.as_str()))).await?;
        Ok(Page { records: page.results, after: Paging::after(page.paging) })
    }

    /// All records, page by page: an exhaustive scan without the search's cap. Records created or archived meanwhile may or
    /// may not be seen.
    #[must_use]
    pub fn list(&self, options: ListOptions) -> ListPager {
        ListPager { objects: self.clone(), options, done: false }
    }

    /// Creates a record, with associations.
    ///
    /// # Errors
    /// [`ErrorKind::Duplicate`] with the holder when a unique value is taken. After an unknown outcome, look the record up
    /// before creating again.
    pub async fn create(
        &self,
        properties: PropertyValues<'_>,
        associations: &[NewAssociation<'_>],
    ) -> Result<Record, Error> {
        let associations = associations.iter().map(AssociationInput::from).collect();
        let body = to_body(&CreateBody { properties, associations }, 1_024)?;
        self.client.fetch(Call::post(self.path(""), body)).await
    }

    /// Changes the named properties of a record, by id.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn update(&self, id: &str, properties: PropertyValues<'_>) -> Result<Record, Error> {
        self.update_with(id, None, properties).await
    }

    /// Changes the named properties of the record that holds `key` in a unique property.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub async fn update_by(
        &self,
        id_property: &str,
        key: &str,
        properties: PropertyValues<'_>,
    ) -> Result<Record, Error> {
        self.update_with(key, Some(id_property), properties).await
    }

    async fn update_with(
        &self,
        id: &str,
        id_property: Option<&str>,
        properties: PropertyValues<'_>,
    ) -> Result<Record, Error> {
        let mut query = Query::default();
        if let Some(property) = id_property {
            query.push("idProperty", property);
        }
        let path = self.path(&format!("/{}{}", encode(id), query.as_str()));
        let body = to_body(&UpdateBody { properties }, 1_024)?;
        self.client.fetch(Call::new(Method::PATCH, path, body)).await
    }

    /// Puts a record into the recycling bin, from which people restore it within 90 days.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn archive(&self, id: &str) -> Result<(), Error> {
        let path = self.path(&format!("/{}", encode(id)));
        self.client.perform(Call::new(Method::DELETE, path, Bytes::new())).await
    }

    /// Merges `loser` into `primary`. The survivor may be a new record; merges cannot be undone.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown.
    pub async fn merge(&self, primary: &RecordId, loser: &RecordId) -> Result<Record, Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            primary_object_id: &'a RecordId,
            object_id_to_merge: &'a RecordId,
        }
        let body = Body { primary_object_id: primary, object_id_to_merge: loser };
        self.client.fetch(Call::post(self.path("/merge"), to_body(&body, 64)?)).await
    }

    /// Deletes a contact for good, as privacy law asks; contacts only (HubSpot docs: contacts). With
    /// `id_property` `email`, `id` is the address, which then may be refused for ever after.
    ///
    /// # Errors
    /// When refused, or when the outcome is unknown; repeating is harmless.
    pub async fn gdpr_delete(&self, id: &str, id_property: Option<&str>) -> Result<(), Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            object_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id_property: Option<&'a str>,
        }
        let body = to_body(&Body { object_id: id, id_property }, 64)?;
        let call = Call::post(self.path("/gdpr-delete"), body).idempotency(Idempotency::Idempotent);
        self.client.perform(call).await
    }

    /// One page of a search. The search index lags behind writes by seconds, answers at most 10,000 records a query and
    /// counts against a limit of its own; see [`scan_by_id`](Self::scan_by_id) and
    /// [`scan_modified`](Self::scan_modified) for more.
    ///
    /// # Errors
    /// Kind [`InvalidRequest`](ErrorKind::InvalidRequest) when the request breaks a documented limit.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchPage, Error> {
        request.check()?;
        let call = Call::post(self.path("/search"), to_body(request, 512)?)
            .kind(CallKind::Search)
            .idempotency(Idempotency::Safe);
        self.client.fetch(call).await
    }
}

impl GetOptions {
    fn query(&self) -> Query {
        let mut query = Query::default();
        self.push_to(&mut query);
        query
    }

    fn push_to(&self, query: &mut Query) {
        query.push_list("properties", &self.properties);
        query.push_list("propertiesWithHistory", &self.properties_with_history);
        query.push_list("associations", &self.associations);
        if self.archived {
            query.push("archived", "true");
        }
    }
}

/// All records of a type, page by page.
#[derive(Debug)]
pub struct ListPager {
    objects: Objects,
    options: ListOptions,
    done: bool,
}

impl ListPager {
    /// The next page, or `None` after the last. After an error the same page can be asked for again.
    ///
    /// # Errors
    /// When a call fails, or when HubSpot's paging does not advance.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Record>>, Error> {
        if self.done {
            return Ok(None);
        }
        let page = self.objects.list_page(&self.options).await?;
        match page.after {
            None => self.done = true,
            Some(after) if self.options.after.as_deref() == Some(&*after) => {
                return Err(Error::unreadable("the paging does not advance: the same page follows itself"));
            }
            Some(after) => self.options.after = Some(after.into()),
        }
        Ok(Some(page.records))
    }

    /// The token of the page that comes next; give it to [`ListOptions::after`] to go on later.
    #[must_use]
    pub fn position(&self) -> Option<&str> {
        self.options.after.as_deref()
    }
}
