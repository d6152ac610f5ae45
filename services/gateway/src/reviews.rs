//! Review items: listed, shown with what they are about, and settled once.
//!
//! A decision counts once it is in the audit log: the first record about an item is its resolution, whoever writes
//! a second one. Everything after follows from the record, so that asking again finishes what a crash left undone.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{
    Execution, Field, Phi, ReviewId, ReviewItem, Role, Severity,
    audit::{ChainHead, Entry, Event, Record},
    id::derive,
    review::{Decision, Resolution},
    step::ObjectRef,
};
use clinflow_ports::{
    Event as Happened, Settled, StoreError,
    objects::{get_checked, key},
    reviews::State,
};
use clinflow_proto::v1;
use clinflow_runtime::{
    review::{self, Applied},
    submission, wire,
    wire::Publish as _,
};
use serde::{Deserialize, Serialize};

use crate::{auth::Caller, grpc::words, ports::Ports, provenance::Provenance, refusal::Refusal, show};

/// How many items a page has when its reader does not say, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;

/// How many pages are read to fill one, when its reader may see few of the items.
const PAGES_READ: usize = 10;

/// The longest corrected value, in bytes.
const LONGEST_VALUE: usize = 16 * 1024;

/// A corrected value as it is kept.
#[derive(Serialize, Deserialize)]
struct Corrected {
    schema: String,
    value: Phi,
}

/// The schema name written into every corrected value.
const SCHEMA: &str = "clinflow.review-value/1";

/// A decision as it was said.
pub(crate) struct Said<'a> {
    pub(crate) decision: &'a str,
    pub(crate) value: Phi,
    pub(crate) reviewer: &'a str,
}

/// Shows and settles review items.
pub(crate) struct Reviewing {
    ports: Ports,
    provenance: Arc<Provenance>,
    retry_after: Duration,
}

impl Reviewing {
    /// Shows and settles what `ports` hold.
    pub(crate) fn new(ports: Ports, provenance: Arc<Provenance>, retry_after: Duration) -> Arc<Self> {
        Arc::new(Self { ports, provenance, retry_after })
    }

    /// A page of items, the oldest first. It may be shorter than asked for: what the caller may not see is left out.
    pub(crate) async fn list(
        &self,
        caller: &Caller,
        request: &v1::ListReviewsRequest,
    ) -> Result<v1::ListReviewsResponse, Refusal> {
        let limit = match usize::try_from(request.page_size) {
            Ok(0) => PAGE,
            Ok(limit) if limit <= LARGEST_PAGE => limit,
            _ => return Err(Refusal::Unreadable { field: "limit", expected: "a number from 1 to 1000" }),
        };
        let state = match request.state.as_str() {
            "" => State::Open,
            name => State::parse(name)
                .ok_or(Refusal::Unreadable { field: "state", expected: "`open` or `resolved`" })?,
        };
        let visible = |item: &ReviewItem| caller.may(&item.workflow);
        if !request.execution_id.is_empty() {
            let id = show::execution_id(&request.execution_id)?;
            let items = self.ports.reviews.of_execution(id).await.map_err(|error| self.refuse(error))?;
            let wanted = items.iter().filter(|item| State::of(item) == state && visible(item)).take(limit);
            return Ok(v1::ListReviewsResponse {
                items: wanted.map(view).collect(),
                next_page_token: String::new(),
            });
        }
        let mut next = Some(request.page_token.clone()).filter(|token| !token.is_empty());
        let mut items = Vec::new();
        for _ in 0..PAGES_READ {
            let page = self.ports.reviews.list(state, limit - items.len(), next.as_deref()).await;
            let page = page.map_err(|error| self.refuse(error))?;
            items.extend(page.items.iter().filter(|item| visible(item)).map(view));
            next = page.next;
            if next.is_none() || items.len() == limit {
                break;
            }
        }
        Ok(v1::ListReviewsResponse { items, next_page_token: next.unwrap_or_default() })
    }

    /// One item, with the fields it is about and what the rule says.
    pub(crate) async fn get(&self, caller: &Caller, id: &str) -> Result<v1::ReviewView, Refusal> {
        let (item, execution) = self.find(caller, id).await?;
        let mut view = view(&item);
        match self.provenance.result(&execution).await {
            Ok(result) => {
                let about =
                    |field: &&Field| item.field.as_ref() == Some(&field.name) && item.index == field.index;
                view.fields =
                    result.set.fields.iter().filter(about).map(|field| result.field(field)).collect();
                let mut said = result.set.findings.iter().filter(|finding| {
                    finding.rule == item.rule && finding.field == item.field && finding.index == item.index
                });
                view.message =
                    said.next().map(|finding| finding.message.expose().to_owned()).unwrap_or_default();
            }
            // A document that nothing was read from.
            Err(Refusal::NoRecord) => {}
            Err(refusal) => return Err(refusal),
        }
        if let Some(value) = item.resolution.as_ref().and_then(|resolution| resolution.value.as_ref()) {
            view.corrected = self.corrected(value).await?.into_exposed();
        }
        tracing::info!("a review item was read");
        Ok(view)
    }

    /// Settles an item.
    pub(crate) async fn resolve(
        &self,
        caller: &Caller,
        id: &str,
        said: Said<'_>,
    ) -> Result<v1::ResolveReviewResponse, Refusal> {
        caller.check_reviewer()?;
        let by = caller.name(said.reviewer, "reviewer")?;
        let decision = decision(&said)?;
        let (item, execution) = self.find(caller, id).await?;
        let value = match decision {
            Decision::Corrected => {
                Some(self.keep(&item, said.value).await.map_err(|error| self.refuse(error))?)
            }
            Decision::Accepted | Decision::Rejected => None,
        };
        let event = Event::Resolved { item: item.id.number, decision, by, value };
        let record = self.record(&execution, item.id, event.clone()).await?;
        let resolution = resolution(&record).ok_or(Refusal::Internal { code: "gateway.internal" })?;
        self.announce(&execution, &item, &resolution, &record).await?;
        let (reviews, executions) = (self.ports.reviews.as_ref(), self.ports.executions.as_ref());
        let applied = review::apply(reviews, executions, item.id, &resolution, record.head()).await;
        let Applied { item, open } = applied.map_err(|error| self.refuse(error))?;
        if record.entry.event != event {
            return Err(Refusal::ReviewSettled { decision: resolution.decision, by: resolution.by });
        }
        let now = self.ports.executions.get(item.id.execution).await.map_err(|error| self.refuse(error))?;
        Ok(v1::ResolveReviewResponse {
            item: Some(view(&item)),
            execution: now.as_ref().map(words::execution),
            open: u32::try_from(open).unwrap_or(u32::MAX),
        })
    }

    /// An item the caller may see, and its execution.
    async fn find(&self, caller: &Caller, id: &str) -> Result<(ReviewItem, Execution), Refusal> {
        let id: ReviewId = id.parse().map_err(|_| Refusal::UnknownReview)?;
        let item = self.ports.reviews.get(id).await.map_err(|error| self.refuse(error))?;
        let item = item.filter(|item| caller.may(&item.workflow)).ok_or(Refusal::UnknownReview)?;
        let execution = self.ports.executions.get(id.execution).await.map_err(|error| self.refuse(error))?;
        Ok((item, execution.ok_or(Refusal::UnknownExecution)?))
    }

    /// Keeps a corrected value where PHI belongs.
    async fn keep(&self, item: &ReviewItem, value: Phi) -> Result<ObjectRef, StoreError> {
        let corrected = Corrected { schema: SCHEMA.to_owned(), value };
        let bytes = Bytes::from(serde_json::to_vec(&corrected).expect("two strings are JSON"));
        let name = format!("review-{}.json", item.id.number);
        let place = key::result(item.id.execution, Role::Gateway, &bytes, &name);
        self.ports.objects.put(&place, bytes).await
    }

    async fn corrected(&self, object: &ObjectRef) -> Result<Phi, Refusal> {
        let bytes = get_checked(self.ports.objects.as_ref(), object).await;
        let bytes = bytes.map_err(|error| self.refuse(error))?;
        let corrected: Result<Corrected, _> = serde_json::from_slice(&bytes);
        corrected.map(|corrected| corrected.value).map_err(|_| {
            self.refuse(StoreError::Corrupt {
                store: "objects",
                what: format!("corrected value `{}`", object.key),
            })
        })
    }

    /// Writes the decision down, or answers the record of the one that was made before.
    async fn record(&self, execution: &Execution, id: ReviewId, event: Event) -> Result<Record, Refusal> {
        let records = self.ports.log.read(execution.id).await.map_err(|error| self.refuse(error))?;
        let head = records.last().map_or_else(|| ChainHead::genesis(execution.id), Record::head);
        let entry = Entry {
            execution: execution.id,
            message_id: message_id(id),
            document: execution.document.sha256,
            bundle: execution.bundle,
            session: execution.session.clone(),
            at: self.ports.clock.now(),
            event,
        };
        let record = self.ports.log.append(head, entry).await.map_err(|error| self.refuse(error))?;
        let witnessed = self.ports.executions.witness(execution.id, record.head()).await;
        witnessed.map_err(|error| self.refuse(error))?;
        Ok(record)
    }

    /// Tells everybody, under the id that the record has: the auditor finds it recorded, and applies it as well.
    async fn announce(
        &self,
        execution: &Execution,
        item: &ReviewItem,
        resolution: &Resolution,
        record: &Record,
    ) -> Result<(), Refusal> {
        let message = v1::ReviewResolved {
            execution: Some(submission::context(execution)),
            workflow_id: item.workflow.to_string(),
            review_id: item.id.to_string(),
            reviewer: resolution.by.clone(),
            decision: resolution.decision.to_string(),
            value: resolution.value.as_ref().map(wire::to_wire),
        };
        let about = Execution { requested_workflow: item.workflow.clone(), ..execution.clone() };
        let (id, now) = (record.entry.message_id, self.ports.clock.now());
        let message = submission::address(&about, Happened::ReviewResolved, id, now, message.encode_body());
        let sent = Settled::publishing(self.ports.broker.as_ref(), vec![message]).await;
        sent.map(|_: Settled| ()).map_err(|error| Refusal::of_broker(&error, self.retry_after))
    }

    fn refuse(&self, error: StoreError) -> Refusal {
        Refusal::of_store(error, self.retry_after)
    }
}

/// The id of everything that says how an item was settled: there is one.
fn message_id(id: ReviewId) -> uuid::Uuid {
    derive(&[b"review-resolved", id.to_string().as_bytes()])
}

/// Reads a decision: a corrected item needs a value, another one has none.
fn decision(said: &Said<'_>) -> Result<Decision, Refusal> {
    let unreadable = |field, expected| Err(Refusal::Unreadable { field, expected });
    let Some(decision) = Decision::parse(said.decision) else {
        return unreadable("decision", "`accepted`, `corrected` or `rejected`");
    };
    match (decision, said.value.is_empty()) {
        (Decision::Corrected, true) => unreadable("value", "the right value, because the item is corrected"),
        (Decision::Accepted | Decision::Rejected, false) => {
            unreadable("value", "nothing, because only a corrected item has a value")
        }
        _ if said.value.expose().len() > LONGEST_VALUE => unreadable("value", "at most 16 KiB"),
        _ => Ok(decision),
    }
}

/// The resolution that a record holds.
fn resolution(record: &Record) -> Option<Resolution> {
    let Event::Resolved { decision, by, value, .. } = &record.entry.event else { return None };
    Some(Resolution { decision: *decision, by: by.clone(), at: record.entry.at, value: value.clone() })
}

/// An item without PHI.
fn view(item: &ReviewItem) -> v1::ReviewView {
    let settled = item.resolution.as_ref();
    v1::ReviewView {
        review_id: item.id.to_string(),
        workflow_id: item.workflow.to_string(),
        rule: item.rule.clone(),
        severity: if item.severity == Severity::Block { "block" } else { "review" }.to_owned(),
        field: item.field.clone().unwrap_or_default(),
        index: item.index.unwrap_or_default(),
        created_at: Some(wire::timestamp_to_wire(item.created_at)),
        state: State::of(item).as_str().to_owned(),
        decision: settled.map(|settled| settled.decision.to_string()).unwrap_or_default(),
        reviewer: settled.map(|settled| settled.by.clone()).unwrap_or_default(),
        resolved_at: settled.map(|settled| wire::timestamp_to_wire(settled.at)),
        fields: Vec::new(),
        message: String::new(),
        corrected: String::new(),
    }
}
