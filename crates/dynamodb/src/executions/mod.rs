//! Executions: one item each, changed under conditions on its status.

mod find;
mod stored;

use async_trait::async_trait;
use clinflow_core::{Disposition, Execution, ExecutionId, Status, audit::ChainHead};
use clinflow_ports::{
    StoreError,
    executions::{Created, Executions, Page, Transition},
};
use jiff::Timestamp;

use crate::{
    Database,
    error::{STORE, corrupt, unavailable},
    item::{Item, map, number, text},
    write::{Condition, Outcome, Write},
};

/// [`Executions`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoExecutions(Database);

impl DynamoExecutions {
    /// The executions in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    fn table(&self) -> &str {
        &self.0.tables().executions
    }

    /// Makes a change under its condition, if there is one under which it is allowed.
    async fn transition(
        &self,
        id: ExecutionId,
        change: Option<(String, Condition)>,
    ) -> Result<Transition, StoreError> {
        let Some((update, condition)) = change else {
            let current = self.get(id).await?.ok_or_else(|| missing(id))?;
            return Ok(Transition::Kept(current.status));
        };
        let write = Write::update(self.table(), stored::key(id), &update, condition);
        match self.0.write(write).await? {
            Outcome::Written => Ok(Transition::Applied),
            Outcome::Conflict(items) => {
                let current = items.first().ok_or_else(|| missing(id))?;
                Ok(Transition::Kept(stored::status(current)?))
            }
        }
    }

    /// Applies `update` if the execution still runs and still has `seen` redrives.
    async fn if_running(
        &self,
        id: ExecutionId,
        seen: u32,
        update: &str,
        values: Item,
    ) -> Result<bool, StoreError> {
        let mut condition = Condition {
            expression: "#status = :running AND redrives = :seen".to_owned(),
            names: map([("#status", "status".to_owned())]),
            values: map([(":running", text(Status::Running.as_str())), (":seen", number(seen))]),
        };
        condition.values.extend(values);
        let write = Write::update(self.table(), stored::key(id), update, condition);
        Ok(self.0.write(write).await? == Outcome::Written)
    }
}

/// The change of a transition, and the condition under which it is allowed; `None` when it never is.
fn settling(id: ExecutionId, disposition: &Disposition) -> Result<Option<(String, Condition)>, StoreError> {
    let Some((change, condition)) = changing(id, disposition, Execution::may_become)? else {
        return Ok(None);
    };
    Ok(Some((format!("{change} REMOVE check_at, watch"), condition)))
}

/// The same for a transition that a person decided on, of an execution with `seen` redrives.
fn intervening(
    id: ExecutionId,
    seen: u32,
    disposition: &Disposition,
    check_at: Option<Timestamp>,
) -> Result<Option<(String, Condition)>, StoreError> {
    let Some((mut change, mut condition)) = changing(id, disposition, Execution::may_be_made)? else {
        return Ok(None);
    };
    condition.expression.push_str(" AND redrives = :seen");
    condition.values.insert(":seen".to_owned(), number(seen));
    if disposition.status == Status::Running {
        change.push_str(", redrives = :redrives");
        condition.values.insert(":redrives".to_owned(), number(seen.saturating_add(1)));
    }
    match check_at {
        None => change.push_str(" REMOVE check_at, watch"),
        Some(at) => {
            change.push_str(", check_at = :check, watch = :watch");
            condition.values.insert(":check".to_owned(), number(stored::nanos(at)));
            condition.values.insert(":watch".to_owned(), text(stored::shard(id).to_string()));
        }
    }
    Ok(Some((change, condition)))
}

/// The attributes a transition sets, on the condition that the status is one it may come from as `allowed` says.
fn changing(
    id: ExecutionId,
    disposition: &Disposition,
    allowed: fn(Status, Status) -> bool,
) -> Result<Option<(String, Condition)>, StoreError> {
    let from: Vec<Status> =
        Status::ALL.into_iter().filter(|from| allowed(*from, disposition.status)).collect();
    if from.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(disposition).map_err(|error| corrupt(error.to_string()))?;
    let mut values = map([
        (":to", text(disposition.status.as_str())),
        (":state", text(stored::state(disposition.status, stored::shard(id)))),
        (":disposition", text(json)),
    ]);
    let mut names = Vec::new();
    for status in from {
        let name = format!(":from{}", names.len());
        values.insert(name.clone(), text(status.as_str()));
        names.push(name);
    }
    // STATUS and STATE are reserved words.
    let change = "SET #status = :to, #state = :state, disposition = :disposition";
    let condition = Condition {
        expression: format!("#status IN ({})", names.join(", ")),
        names: map([("#status", "status".to_owned()), ("#state", "state".to_owned())]),
        values,
    };
    Ok(Some((change.to_owned(), condition)))
}

fn missing(id: ExecutionId) -> StoreError {
    StoreError::Missing { store: STORE, key: id.to_string() }
}

#[async_trait]
impl Executions for DynamoExecutions {
    async fn create(&self, execution: &Execution) -> Result<Created, StoreError> {
        let write = Write::create(self.table(), &["id"], stored::write(execution)?);
        match self.0.write(write).await? {
            Outcome::Written => Ok(Created::New),
            Outcome::Conflict(items) => {
                let existing = items.first().ok_or_else(|| corrupt("a taken id without its execution"))?;
                Ok(Created::Existing(Box::new(stored::read(existing)?)))
            }
        }
    }

    async fn get(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        let found = self
            .0
            .client()
            .get_item()
            .table_name(self.table())
            .set_key(Some(stored::key(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        found.item().map(stored::read).transpose()
    }

    async fn list(
        &self,
        status: Option<Status>,
        limit: usize,
        from: Option<&str>,
    ) -> Result<Page, StoreError> {
        find::page(&self.0, status, limit, from).await
    }

    async fn settle(&self, id: ExecutionId, disposition: &Disposition) -> Result<Transition, StoreError> {
        self.transition(id, settling(id, disposition)?).await
    }

    async fn intervene(
        &self,
        id: ExecutionId,
        seen: u32,
        disposition: &Disposition,
        check_at: Option<Timestamp>,
    ) -> Result<Transition, StoreError> {
        self.transition(id, intervening(id, seen, disposition, check_at)?).await
    }

    async fn witness(&self, id: ExecutionId, head: ChainHead) -> Result<(), StoreError> {
        let json = serde_json::to_string(&head).map_err(|error| corrupt(error.to_string()))?;
        let newer =
            "attribute_exists(id) AND (attribute_not_exists(head_sequence) OR head_sequence < :sequence)";
        let condition = Condition {
            expression: newer.to_owned(),
            names: [].into(),
            values: map([(":head", text(json)), (":sequence", number(head.sequence))]),
        };
        let update = "SET head = :head, head_sequence = :sequence";
        match self.0.write(Write::update(self.table(), stored::key(id), update, condition)).await? {
            Outcome::Written => Ok(()),
            Outcome::Conflict(items) if items.is_empty() => Err(missing(id)),
            Outcome::Conflict(_) => Ok(()),
        }
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Execution>, StoreError> {
        find::overdue(&self.0, now, limit).await
    }

    async fn redrive(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError> {
        let values = map([
            (":next", number(seen.saturating_add(1))),
            (":check", number(stored::nanos(check_at))),
            (":watch", text(stored::shard(id).to_string())),
        ]);
        self.if_running(id, seen, "SET redrives = :next, check_at = :check, watch = :watch", values).await
    }

    async fn postpone(&self, id: ExecutionId, seen: u32, check_at: Timestamp) -> Result<bool, StoreError> {
        let values = map([
            (":check", number(stored::nanos(check_at))),
            (":watch", text(stored::shard(id).to_string())),
        ]);
        self.if_running(id, seen, "SET check_at = :check, watch = :watch", values).await
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// The condition under which an execution may get `status`, with values in place of their names.
    fn condition(status: Status) -> Option<String> {
        let id = ExecutionId::from_uuid(Uuid::from_u128(1));
        let disposition = Disposition {
            status,
            workflow: None,
            code: None,
            message: None,
            outputs: None,
            head: ChainHead::genesis(id),
            at: Timestamp::UNIX_EPOCH,
        };
        let (_, condition) = settling(id, &disposition).unwrap()?;
        let mut names: Vec<_> =
            condition.values.iter().filter(|(name, _)| name.starts_with(":from")).collect();
        names.sort_by_key(|(name, _)| name.as_str());
        Some(names.iter().map(|(_, value)| value.as_s().unwrap().as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_transition_is_conditional_on_the_states_it_may_come_from() {
        assert_eq!(condition(Status::Completed).unwrap(), "running parked");
        assert_eq!(condition(Status::Parked).unwrap(), "running");
        assert_eq!(condition(Status::Running), None);
    }
}
