//! Alerts that somebody must still be told of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::CostAlert;

/// Alerts by id, each with the time from which it may be given to somebody.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbox(BTreeMap<String, (Timestamp, CostAlert)>);

impl Outbox {
    /// Queues an alert, unless it is there.
    pub(super) fn put(&mut self, alert: CostAlert, now: Timestamp) {
        self.0.entry(alert.id.clone()).or_insert((now, alert));
    }

    /// Gives out up to `limit` alerts and keeps them from others until `until`.
    pub(super) fn take(&mut self, limit: usize, until: Timestamp, now: Timestamp) -> Vec<CostAlert> {
        let mut free: Vec<(Timestamp, String)> = self
            .0
            .iter()
            .filter(|(_, (from, _))| *from <= now)
            .map(|(id, (from, _))| (*from, id.clone()))
            .collect();
        free.sort_unstable();
        let mut taken = Vec::new();
        for (_, id) in free.into_iter().take(limit) {
            if let Some((from, alert)) = self.0.get_mut(&id) {
                *from = until;
                taken.push(alert.clone());
            }
        }
        taken
    }

    /// Forgets alerts.
    pub(super) fn remove(&mut self, ids: &[String]) {
        for id in ids {
            self.0.remove(id);
        }
    }
}
