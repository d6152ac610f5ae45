//! Executions: one item each, changed under conditions on its status.

mod find;
mod stored;

use async_trait::async_trait;
use clinflow_core::{Disposition, Execution, ExecutionId, Status};
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
    let from: Vec<Status> =
        Status::ALL.into_iter().filter(|from| Execution::may_become(*from, disposition.status)).collect();
    if from.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(disposition).map_err(|error| corrupt(error.to_string()))?;
    let mut values = map([
        (":to", text(disposition.status.as_str())),
        (":state", text(stored::state(disposition.status, stored::shard(id)))),
        (":disposition", text(json)),
    ]);
    let mut allowed = Vec::new();
    for status in from {
        let name = format!(":from{}", allowed.len());
        values.insert(name.clone(), text(status.as_str()));
        allowed.push(name);
    }
    // STATUS and STATE are reserved words.
    let update = "SET #status = :to, #state = :state, disposition = :disposition REMOVE check_at, watch";
    let condition = Condition {
        expression: format!("#status IN ({})", allowed.join(", ")),
        names: map([("#status", "status".to_owned()), ("#state", "state".to_owned())]),
        values,
    };
    Ok(Some((update.to_owned(), condition)))
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
        let Some((update, condition)) = settling(id, disposition)? else {
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
    use clinflow_core::audit::ChainHead;
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
