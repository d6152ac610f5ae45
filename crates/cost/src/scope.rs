//! What money is counted for, and over which time.

use std::{fmt, str::FromStr};

use clinflow_core::{AgentId, DocumentHash, SessionId, TeamId, WorkflowId};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// What a limit can be set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// Everything of a team.
    Team,
    /// Everything of a workflow.
    Workflow,
    /// A role inside a workflow.
    Agent,
    /// What a submitter groups.
    Session,
    /// One document, by its hash, whoever asks about it.
    Document,
}

impl ScopeKind {
    /// Every kind, the widest first: a refusal names the first scope that refuses.
    pub const ALL: [Self; 5] = [Self::Team, Self::Workflow, Self::Agent, Self::Session, Self::Document];

    /// The one spelling: a metric label and the word in the budgets file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Workflow => "workflow",
            Self::Agent => "agent",
            Self::Session => "session",
            Self::Document => "document",
        }
    }

    /// The time over which its money is counted. Calendar times only: they begin and end for everybody at once, and
    /// counters can be rebuilt from the ledger without guessing when they began.
    pub const fn span(self) -> Span {
        match self {
            Self::Agent => Span::Day,
            Self::Team | Self::Workflow | Self::Session | Self::Document => Span::Month,
        }
    }

    /// Whether there are so few of them that metrics may have a series for each.
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::Team | Self::Workflow | Self::Agent)
    }
}

/// One thing that money is counted for: `team:oncology`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope {
    kind: ScopeKind,
    id: String,
}

impl Scope {
    /// A team's.
    pub fn team(id: &TeamId) -> Self {
        Self { kind: ScopeKind::Team, id: id.to_string() }
    }

    /// A workflow's.
    pub fn workflow(id: &WorkflowId) -> Self {
        Self { kind: ScopeKind::Workflow, id: id.to_string() }
    }

    /// An agent's.
    pub fn agent(id: &AgentId) -> Self {
        Self { kind: ScopeKind::Agent, id: id.to_string() }
    }

    /// A session's.
    pub fn session(id: &SessionId) -> Self {
        Self { kind: ScopeKind::Session, id: id.to_string() }
    }

    /// A document's.
    pub fn document(hash: &DocumentHash) -> Self {
        Self { kind: ScopeKind::Document, id: hash.to_string() }
    }

    /// What kind of thing it is.
    pub const fn kind(&self) -> ScopeKind {
        self.kind
    }

    /// Its id among those of its kind.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// A text that names no scope or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a scope is `team:`, `workflow:`, `agent:`, `session:` or `document:` and an id; an account adds `|<period>`"
)]
pub struct InvalidScope;

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, id) = text.split_once(':').ok_or(InvalidScope)?;
        let kind = ScopeKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or(InvalidScope)?;
        // The characters of ids: none that separates names in a key, a message or a record.
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if id.is_empty() || !id.chars().all(legal) {
            return Err(InvalidScope);
        }
        Ok(Self { kind, id: id.to_owned() })
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

/// How long a calendar period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    /// From midnight to midnight; 23 or 25 hours where clocks change.
    Day,
    /// From the first to the first.
    Month,
}

/// A calendar period in the budgets' time zone. A call belongs to the period in which it was reserved, whenever it ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// `2026-11` or `2026-11-23`.
    pub name: String,
    /// When it begins.
    pub starts: Timestamp,
    /// When the next one begins.
    pub ends: Timestamp,
}

impl Period {
    /// The period of this length that `at` lies in.
    pub fn containing(at: Timestamp, span: Span, zone: &TimeZone) -> Self {
        let local = at.to_zoned(zone.clone());
        let (first, next, name) = match span {
            Span::Day => (local.start_of_day(), local.tomorrow(), local.strftime("%Y-%m-%d")),
            Span::Month => (
                local.first_of_month(),
                local.last_of_month().and_then(|last| last.tomorrow()),
                local.strftime("%Y-%m"),
            ),
        };
        let name = name.to_string();
        let first = first.and_then(|first| first.start_of_day());
        // Both exist for any time but the last days of the year 9999.
        let starts = first.map_or(Timestamp::MIN, |first| first.timestamp());
        let next = next.and_then(|next| next.start_of_day());
        let ends = next.map_or(Timestamp::MAX, |next| next.timestamp());
        Self { name, starts, ends }
    }
}

/// Where money is booked: a scope in a period. Its name is `team:oncology|2026-11`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Account {
    /// For what.
    pub scope: Scope,
    /// Over which time.
    pub period: Period,
}

impl Account {
    /// The account of `scope` that is booked to at `at`.
    pub fn at(scope: Scope, at: Timestamp, zone: &TimeZone) -> Self {
        let period = Period::containing(at, scope.kind.span(), zone);
        Self { scope, period }
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}|{}", self.scope, self.period.name)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Account, Period, Scope, Span};

    fn period(at: &str, span: Span, zone: &str) -> (String, String, String) {
        let period = Period::containing(at.parse().unwrap(), span, &TimeZone::get(zone).unwrap());
        (period.name, period.starts.to_string(), period.ends.to_string())
    }

    fn texts(name: &str, starts: &str, ends: &str) -> (String, String, String) {
        (name.to_owned(), starts.to_owned(), ends.to_owned())
    }

    #[test]
    fn a_period_begins_and_ends_where_its_time_zone_says() {
        let month = period("2026-12-01T04:59:59Z", Span::Month, "America/New_York");
        assert_eq!(month, texts("2026-11", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"));
        let day = period("2026-11-23T00:00:00Z", Span::Day, "UTC");
        assert_eq!(day, texts("2026-11-23", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"));
    }

    #[test]
    fn a_day_on_which_clocks_change_has_23_or_25_hours() {
        let short = period("2026-03-08T12:00:00Z", Span::Day, "America/New_York");
        assert_eq!(short, texts("2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"));
        let long = period("2026-11-01T12:00:00Z", Span::Day, "America/New_York");
        assert_eq!(long, texts("2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"));
    }

    #[test]
    fn a_scope_reads_back_from_its_name_and_nothing_else_does() {
        let scope: Scope = "agent:ae-report.nlp".parse().unwrap();
        assert_eq!(scope.to_string(), "agent:ae-report.nlp");
        let account = Account::at(scope, "2026-11-23T10:00:00Z".parse().unwrap(), &TimeZone::UTC);
        assert_eq!(account.name(), "agent:ae-report.nlp|2026-11-23");
        for bad in ["team", "team:", "person:x", "team:a|b", "team:a b"] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }
}
