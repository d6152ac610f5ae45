//! What was asked, without its text: the other book that a ledger can be compared with.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use clinflow_cost::Usage;
use serde::Serialize;

use crate::{Fault, Plan};

/// An operation of Bedrock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Converse.
    Converse,
    /// CountTokens.
    CountTokens,
    /// ApplyGuardrail.
    ApplyGuardrail,
}

/// One HTTP request, as it was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// What was asked for.
    pub operation: Operation,
    /// The path, with everything in it decoded: `/model/us.anthropic.claude-sonnet-5-5/converse`.
    pub path: String,
    /// SHA-256 of path and body without `requestMetadata`: the same for the same question, whoever asks.
    pub body: String,
    /// `requestMetadata`.
    pub metadata: BTreeMap<String, String>,
    /// The HTTP status; `None` for a call without an answer.
    pub status: Option<u16>,
    /// What went wrong by plan.
    #[serde(serialize_with = "by_name")]
    pub fault: Option<Fault>,
    /// Whether it is on the bill.
    pub billed: bool,
    /// What is on the bill.
    pub usage: Usage,
}

fn by_name<S: serde::Serializer>(fault: &Option<Fault>, to: S) -> Result<S::Ok, S::Error> {
    fault.map(Fault::as_str).serialize(to)
}

/// All calls, and what is left of the script.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    calls: Vec<Call>,
    /// How many calls of each operation came.
    came: BTreeMap<Operation, usize>,
    /// How often each body came.
    times: HashMap<String, u32>,
}

impl Book {
    /// Notes that a call came, and says what goes wrong with it.
    pub(crate) fn fate(&self, operation: Operation, body: &str, plan: &Plan) -> Option<Fault> {
        let mut pages = self.pages();
        let times = pages.times.entry(body.to_owned()).or_default();
        let nth = *times;
        *times += 1;
        let came = pages.came.entry(operation).or_default();
        let number = *came;
        *came += 1;
        match plan.script.get(&operation).and_then(|script| script.get(number)) {
            Some(scripted) => *scripted,
            None if operation == Operation::Converse => plan.chances.draw(plan.seed, body, nth),
            None => None,
        }
    }

    /// Writes a call down.
    pub(crate) fn write(&self, call: Call) {
        self.pages().calls.push(call);
    }

    /// All calls so far, in the order they were dealt with.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.pages().calls.clone()
    }

    /// What a panic left behind is still right: every change is one step.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
