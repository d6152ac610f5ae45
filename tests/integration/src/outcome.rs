//! What became of documents, as an outsider can tell: the executions table, the audit log, the object store and
//! the reports that downstream systems heard of.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::ensure;
use clinflow_core::{
    ExecutionId, Status,
    audit::{Event, verify},
};
use clinflow_ports::{AuditLog as _, Executions as _};

use crate::fleet::{Fleet, PATIENCE};

/// How a run ended, in the words of a ledger checker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Documents whose submission was answered.
    pub accepted: usize,
    /// Executions in a terminal state, by state.
    pub terminal: BTreeMap<String, usize>,
    /// Accepted documents without a terminal state.
    pub lost: usize,
    /// Executions with more than one report in their audit chain.
    pub duplicates: usize,
    /// Executions with a broken chain, or with outputs that are not what the chain says.
    pub broken: usize,
}

/// Waits until every execution has ended, then looks at all of them.
pub async fn judge(fleet: &Fleet, accepted: &BTreeSet<ExecutionId>) -> anyhow::Result<Verdict> {
    wait_for_end(fleet, accepted).await?;
    let mut verdict = Verdict { accepted: accepted.len(), ..Verdict::default() };
    for id in accepted {
        let Some(execution) = fleet.executions.get(*id).await? else {
            verdict.lost += 1;
            continue;
        };
        if execution.status.is_terminal() {
            *verdict.terminal.entry(execution.status.to_string()).or_default() += 1;
        } else {
            verdict.lost += 1;
        }
        let records = fleet.log.read(*id).await?;
        let mut sound = verify(*id, &records).is_ok();
        let mut reports = 0;
        for record in &records {
            if let Event::Reported { outputs, .. } = &record.entry.event {
                reports += 1;
                for output in outputs {
                    sound &=
                        clinflow_ports::objects::get_checked(fleet.objects.as_ref(), output).await.is_ok();
                }
            }
        }
        let reported = matches!(execution.status, Status::Completed | Status::NeedsReview);
        verdict.duplicates += usize::from(reports > 1);
        verdict.broken += usize::from(
            !sound
                || (reported
                    && reports == 0
                    && execution.disposition.as_ref().is_none_or(|end| end.code.is_none())),
        );
    }
    Ok(verdict)
}

/// Waits until every execution has a terminal state, while anything still ends from time to time.
pub async fn wait_for_end(fleet: &Fleet, accepted: &BTreeSet<ExecutionId>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut last_progress = Instant::now();
    let mut open: Vec<ExecutionId> = accepted.iter().copied().collect();
    loop {
        let before = open.len();
        let mut still = Vec::new();
        for id in open {
            let status = fleet.executions.get(id).await?.map(|execution| execution.status);
            if !status.is_some_and(Status::is_terminal) {
                still.push(id);
            }
        }
        open = still;
        if open.is_empty() {
            return Ok(began.elapsed());
        }
        if open.len() < before {
            last_progress = Instant::now();
        }
        let example = fleet.executions.get(open[0]).await?;
        ensure!(
            last_progress.elapsed() < PATIENCE,
            "{} of {} executions do not end; one of them: {example:?}",
            open.len(),
            accepted.len()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
