//! The tables and their indexes.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_dynamodb::{
    Client,
    operation::create_table::{CreateTableError, builders::CreateTableFluentBuilder},
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
        ProjectionType,
        ScalarAttributeType::{self, N, S},
        TableStatus,
    },
};

/// How long a table may take to become active. AWS takes some seconds.
const ACTIVE_WITHIN: Duration = Duration::from_secs(120);

/// Index of the executions by status, newest first.
pub(crate) const BY_STATUS: &str = "by-status";
/// Index of the running executions by when they are looked at next. Only those have its key (a sparse index).
pub(crate) const BY_CHECK: &str = "by-check";

/// Index of the review items by state, the oldest first.
pub(crate) const BY_STATE: &str = "by-state";

/// The names of the tables.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// One item an execution.
    pub(crate) executions: String,
    /// One item an audit record.
    pub(crate) audit: String,
    /// One item a piece of a bundle's file, and one that says which bundle is current.
    pub(crate) bundles: String,
    /// One item an intent, an outcome, a pointer, a stored answer or an alert of the cost ledger.
    pub(crate) ledger: String,
    /// One item a turn of a session.
    pub(crate) sessions: String,
    /// One item a review item.
    pub(crate) reviews: String,
}

impl Tables {
    pub(crate) fn new(prefix: &str) -> Self {
        let name = |name: &str| format!("{prefix}-{name}");
        Self {
            executions: name("executions"),
            audit: name("audit"),
            bundles: name("bundles"),
            ledger: name("ledger"),
            sessions: name("sessions"),
            reviews: name("reviews"),
        }
    }
}

/// Creates the tables that are not there, and waits until all can be used. In production they come from the
/// CloudFormation template, which also sets backups and encryption.
pub(crate) async fn create(client: &Client, tables: &Tables) -> anyhow::Result<()> {
    let executions = client
        .create_table()
        .table_name(&tables.executions)
        .set_key_schema(Some(keys("id", None)))
        .global_secondary_indexes(index(BY_STATUS, "state", "place"))
        .global_secondary_indexes(index(BY_CHECK, "watch", "check_at"));
    let executions = [("id", S), ("state", S), ("place", S), ("watch", S), ("check_at", N)]
        .into_iter()
        .fold(executions, |table, (name, kind)| table.attribute_definitions(attribute(name, kind)));
    let audit = client
        .create_table()
        .table_name(&tables.audit)
        .set_key_schema(Some(keys("execution", Some("sequence"))))
        .attribute_definitions(attribute("execution", S))
        .attribute_definitions(attribute("sequence", N));
    let bundles = client
        .create_table()
        .table_name(&tables.bundles)
        .set_key_schema(Some(keys("hash", Some("piece"))))
        .attribute_definitions(attribute("hash", S))
        .attribute_definitions(attribute("piece", S));
    let ledger = client
        .create_table()
        .table_name(&tables.ledger)
        .set_key_schema(Some(keys("part", Some("entry"))))
        .attribute_definitions(attribute("part", S))
        .attribute_definitions(attribute("entry", S));
    let sessions = client
        .create_table()
        .table_name(&tables.sessions)
        .set_key_schema(Some(keys("session", Some("turn"))))
        .attribute_definitions(attribute("session", S))
        .attribute_definitions(attribute("turn", S));
    let reviews = client
        .create_table()
        .table_name(&tables.reviews)
        .set_key_schema(Some(keys("execution", Some("number"))))
        .global_secondary_indexes(index(BY_STATE, "state", "place"));
    let reviews = [("execution", S), ("number", N), ("state", S), ("place", S)]
        .into_iter()
        .fold(reviews, |table, (name, kind)| table.attribute_definitions(attribute(name, kind)));
    futures_util::try_join!(
        create_one(client, &tables.executions, executions),
        create_one(client, &tables.audit, audit),
        create_one(client, &tables.bundles, bundles),
        create_one(client, &tables.ledger, ledger),
        create_one(client, &tables.sessions, sessions),
        create_one(client, &tables.reviews, reviews),
    )?;
    Ok(())
}

async fn create_one(client: &Client, name: &str, table: CreateTableFluentBuilder) -> anyhow::Result<()> {
    if let Err(error) = table.billing_mode(BillingMode::PayPerRequest).send().await
        && !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception)
    {
        return Err(error).with_context(|| format!("create table `{name}`"));
    }
    tokio::time::timeout(ACTIVE_WITHIN, active(client, name))
        .await
        .with_context(|| format!("table `{name}` does not become active"))?
}

/// Waits until a table can be used.
async fn active(client: &Client, name: &str) -> anyhow::Result<()> {
    loop {
        let described = client.describe_table().table_name(name).send().await;
        let described = described.with_context(|| format!("describe table `{name}`"))?;
        if described.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
        .expect("name and type are set")
}

fn keys(partition: &str, sort: Option<&str>) -> Vec<KeySchemaElement> {
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .expect("name and type are set")
    };
    std::iter::once(key(partition, KeyType::Hash)).chain(sort.map(|sort| key(sort, KeyType::Range))).collect()
}

/// An index that holds keys only: what it finds is read from the table, where it is up to date.
fn index(name: &str, partition: &str, sort: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(keys(partition, Some(sort))))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("name and keys are set")
}
