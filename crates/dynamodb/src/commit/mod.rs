//! Group commit: writes that wait at the same time go out in one call.
//!
//! A local server spends most of a write's time on the call and on making it durable, so a hundred writes in
//! one transaction cost little more than one. A write that waits alone goes out at once, as a plain put or
//! update. Each write keeps its own condition and its own answer: when one condition fails, the transaction is
//! sent again without that write.

mod group;
mod reasons;
mod send;

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use anyhow::anyhow;
use aws_sdk_dynamodb::{Client, types::CancellationReason};
use clinflow_ports::StoreError;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    error::{STORE, failed},
    write::{Outcome, Write},
};
use group::next_group;
use reasons::{Verdict, verdicts};
use send::Sent;

/// How often a write that another transaction gets in the way of is tried at once, before its caller is told
/// to come back later. Contention on one execution is between a handful of replicas at most.
const TRIES: u8 = 4;

/// How many writes may wait to be taken up. Beyond it callers wait to be let in.
const QUEUE: usize = 1024;

/// How writes are grouped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most actions in one call; 1 sends every write at once and alone.
    pub(crate) group: u16,
    /// How many calls are under way at once.
    pub(crate) commits: u16,
    /// How long a caller waits for its write.
    pub(crate) patience: Duration,
}

/// Takes writes and makes them durable. The task that groups them ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Committer {
    client: Client,
    patience: Duration,
    /// `None` when writes are not grouped.
    queue: Option<mpsc::Sender<Waiting>>,
    _task: JoinSet<()>,
}

/// A write somebody waits for.
struct Waiting {
    write: Write,
    tries: u8,
    answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl AsRef<Write> for Waiting {
    fn as_ref(&self) -> &Write {
        &self.write
    }
}

impl Waiting {
    /// Answers the caller, who may have given up meanwhile.
    fn answer(self, outcome: Result<Outcome, StoreError>) {
        let _ = self.answer.send(outcome);
    }
}

impl Committer {
    /// A committer over `client`. Must be called inside a tokio runtime.
    pub(crate) fn new(client: Client, limits: Limits) -> Self {
        let mut task = JoinSet::new();
        let queue = (limits.group > 1).then(|| {
            let (queue, writes) = mpsc::channel(QUEUE);
            task.spawn(run(client.clone(), writes, limits));
            queue
        });
        Self { client, patience: limits.patience, queue, _task: task }
    }

    /// Makes `write` durable, or says what was in its way. After [`StoreError::Unavailable`] it may or may not
    /// have been made.
    pub(crate) async fn write(&self, write: Write) -> Result<Outcome, StoreError> {
        let (answer, outcome) = oneshot::channel();
        let waiting = Waiting { write, tries: 0, answer };
        let sent = async {
            match &self.queue {
                Some(queue) => queue.send(waiting).await.map_err(|_| anyhow!("the committer has ended"))?,
                None => commit(&self.client, vec![waiting]).await,
            }
            outcome.await.map_err(|_| anyhow!("the write was given up"))
        };
        match tokio::time::timeout(self.patience, sent).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(StoreError::unavailable(STORE, error)),
            Err(elapsed) => Err(StoreError::unavailable(STORE, elapsed)),
        }
    }
}

/// Groups and commits until every sender is gone.
async fn run(client: Client, mut writes: mpsc::Receiver<Waiting>, limits: Limits) {
    let mut waiting: VecDeque<Waiting> = VecDeque::new();
    let mut busy: HashSet<String> = HashSet::new();
    let mut commits = FuturesUnordered::new();
    let mut received = Vec::new();
    loop {
        waiting.retain(|waiting| !waiting.answer.is_closed());
        while commits.len() < usize::from(limits.commits.max(1)) {
            let group = next_group(&mut waiting, &busy, usize::from(limits.group));
            if group.is_empty() {
                break;
            }
            let keys: Vec<String> = group.iter().flat_map(|waiting| waiting.write.keys()).cloned().collect();
            busy.extend(keys.iter().cloned());
            let client = &client;
            commits.push(async move {
                commit(client, group).await;
                keys
            });
        }
        tokio::select! {
            Some(keys) = commits.next(), if !commits.is_empty() => {
                for key in keys {
                    busy.remove(&key);
                }
            }
            count = writes.recv_many(&mut received, QUEUE), if waiting.len() < QUEUE => {
                if count == 0 {
                    return;
                }
                waiting.extend(received.drain(..));
            }
        }
    }
}

/// Commits a group: answers every one of its callers.
async fn commit(client: &Client, mut group: Vec<Waiting>) {
    while !group.is_empty() {
        group = attempt(client, group).await;
    }
}

/// Sends a group once. Answers whom it can, and hands back who is to be tried again.
async fn attempt(client: &Client, mut group: Vec<Waiting>) -> Vec<Waiting> {
    if let [only] = group.as_slice()
        && let Some(change) = only.write.alone()
    {
        let outcome = send::alone(client, change).await;
        group.remove(0).answer(outcome);
        return Vec::new();
    }
    match send::together(client, group.iter().map(|waiting| &waiting.write)).await {
        Ok(Sent::All) => {
            group.into_iter().for_each(|waiting| waiting.answer(Ok(Outcome::Written)));
            Vec::new()
        }
        Ok(Sent::Cancelled(reasons)) => sort_out(group, &reasons),
        // DynamoDB does not say which write it could not take: each goes alone, so that the others live.
        Ok(Sent::Malformed(_)) if group.len() > 1 => {
            for waiting in group {
                Box::pin(commit(client, vec![waiting])).await;
            }
            Vec::new()
        }
        Ok(Sent::Malformed(why)) | Err(why) => {
            group.into_iter().for_each(|waiting| waiting.answer(Err(failed(&why))));
            Vec::new()
        }
    }
}

/// Answers those whom a cancelled transaction gives an answer, and hands back the others.
fn sort_out(group: Vec<Waiting>, reasons: &[CancellationReason]) -> Vec<Waiting> {
    let actions: Vec<usize> = group.iter().map(|waiting| waiting.write.actions()).collect();
    let verdicts = verdicts(&actions, reasons);
    // Trying again without the guilty ones ends, because there is one fewer each time; so somebody must be.
    let somebody = verdicts.iter().any(|verdict| *verdict != Verdict::Innocent);
    let mut again = Vec::new();
    for (mut waiting, verdict) in group.into_iter().zip(verdicts) {
        let outcome = match verdict {
            Verdict::Innocent if somebody => {
                again.push(waiting);
                continue;
            }
            Verdict::Busy if waiting.tries < TRIES => {
                waiting.tries += 1;
                again.push(waiting);
                continue;
            }
            Verdict::Conflict(items) => Ok(Outcome::Conflict(items)),
            Verdict::Innocent => Err(failed("the transaction was cancelled without a reason")),
            Verdict::Busy => Err(failed("another transaction is writing the same item")),
            Verdict::Refused(code) => Err(failed(&code)),
        };
        waiting.answer(outcome);
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{map, text};

    type Answer = oneshot::Receiver<Result<Outcome, StoreError>>;

    fn group(keys: &[&str]) -> (Vec<Waiting>, Vec<Answer>) {
        keys.iter()
            .map(|key| {
                let (answer, outcome) = oneshot::channel();
                let write = Write::create("table", &["id"], map([("id", text(*key))]));
                (Waiting { write, tries: 0, answer }, outcome)
            })
            .unzip()
    }

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn a_failed_condition_is_answered_and_the_rest_is_tried_again() {
        let (waiting, mut answers) = group(&["a", "b", "c"]);
        let again = sort_out(waiting, &[reason("None"), reason("ConditionalCheckFailed"), reason("None")]);
        assert_eq!(
            again.iter().map(|waiting| waiting.write.keys()[0].as_str()).collect::<Vec<_>>(),
            ["table\na", "table\nc"]
        );
        assert_eq!(answers[1].try_recv().unwrap().unwrap(), Outcome::Conflict(Vec::new()));
        assert!(answers[0].try_recv().is_err(), "not answered yet");
    }

    #[test]
    fn a_busy_item_is_tried_a_few_times_and_then_unavailable() {
        let (mut waiting, mut answers) = group(&["a"]);
        let mut rounds = 0;
        while !waiting.is_empty() {
            waiting = sort_out(waiting, &[reason("TransactionConflict")]);
            rounds += 1;
        }
        assert_eq!(rounds, 1 + u32::from(TRIES));
        assert!(matches!(answers[0].try_recv().unwrap(), Err(StoreError::Unavailable { .. })));
    }

    #[test]
    fn a_transaction_cancelled_for_no_reason_is_not_tried_for_ever() {
        let (waiting, mut answers) = group(&["a", "b"]);
        assert!(sort_out(waiting, &[]).is_empty());
        assert!(answers.iter_mut().all(|answer| answer.try_recv().unwrap().is_err()));
    }
}
