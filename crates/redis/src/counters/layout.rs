//! How counters lie in Redis: names of keys. All keys of a team share a hash tag, and with it a slot of a cluster, so that
//! one script can change them together. What belongs to one generation of the counters has the generation in its name:
//! a rebuild writes a new one beside the old, and nobody can mix them.

use clinflow_core::{DocumentHash, TeamId, id::ObjectHash};
use clinflow_cost::Attempt;
use uuid::Uuid;

/// Names of a team's keys.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// `<prefix>:{t:<team>}`.
    root: String,
}

impl Layout {
    pub(super) fn new(prefix: &str, team: &TeamId) -> Self {
        Self { root: format!("{prefix}:{{t:{team}}}") }
    }

    /// The id of the current generation; not there while the counters are closed.
    pub(super) fn epoch(&self) -> String {
        format!("{}:epoch", self.root)
    }

    /// Who is rebuilding.
    pub(super) fn lock(&self) -> String {
        format!("{}:lock", self.root)
    }

    /// The sorted set of the alerts that wait, by when they may be given out.
    pub(super) fn alerts(&self) -> String {
        format!("{}:alerts", self.root)
    }

    /// The hash of what they say.
    pub(super) fn bodies(&self) -> String {
        format!("{}:alert-bodies", self.root)
    }

    /// The sorted set of the loops that somebody was told of, by when.
    pub(super) fn told(&self) -> String {
        format!("{}:told", self.root)
    }

    /// The keys of one generation.
    pub(super) fn of(&self, epoch: Uuid) -> Generation {
        let epoch = epoch.simple().to_string();
        Generation { root: format!("{}:{}", self.root, &epoch[20..]) }
    }
}

/// Names of the keys of one generation of a team's counters.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    root: String,
}

impl Generation {
    /// The hash of an account.
    pub(super) fn account(&self, name: &str) -> String {
        format!("{}:a:{name}", self.root)
    }

    /// The set of the accounts that are listed.
    pub(super) fn listed(&self) -> String {
        format!("{}:listed", self.root)
    }

    /// The hash of an attempt.
    pub(super) fn attempt(&self, attempt: Attempt) -> String {
        format!("{}:m:{attempt}", self.root)
    }

    /// The sorted set of attempts by when somebody must look at them.
    pub(super) fn leases(&self) -> String {
        format!("{}:leases", self.root)
    }

    /// The sorted set of the calls about a document.
    pub(super) fn calls(&self, document: DocumentHash) -> String {
        format!("{}:c:{document}", self.root)
    }

    /// The attempt that is asking this now.
    pub(super) fn asked(&self, fingerprint: ObjectHash) -> String {
        format!("{}:f:{fingerprint}", self.root)
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::{DocumentHash, TeamId, id::ObjectHash};
    use clinflow_cost::Attempt;
    use uuid::Uuid;

    use super::Layout;

    #[test]
    fn all_keys_of_a_team_have_its_hash_tag() {
        let layout = Layout::new("clinflow", &TeamId::new("oncology").unwrap());
        let generation = layout.of(Uuid::from_u128(1));
        let attempt = Attempt { invocation: Uuid::from_u128(2), ordinal: 0, number: 1 };
        let keys = [
            layout.epoch(),
            layout.lock(),
            layout.alerts(),
            layout.bodies(),
            layout.told(),
            generation.account("team:oncology|2026-11"),
            generation.listed(),
            generation.attempt(attempt),
            generation.leases(),
            generation.calls(DocumentHash::of(b"d")),
            generation.asked(ObjectHash::of(b"f")),
        ];
        for key in keys {
            assert!(key.starts_with("clinflow:{t:oncology}:"), "{key}");
        }
    }
}
