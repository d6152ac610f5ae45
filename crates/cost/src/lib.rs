//! Money: what a call costs, whether it may be made, and what is booked for it. Pure: no clock, no store.
//!
//! A call is paid for in this order. [`PriceTable::upper_bound`] says what it costs at most; [`Budgets::reserve`] makes
//! a [`Reservation`] of it; the counters answer an [`Answer`]; an [`Intent`] is written to the ledger before the model is
//! asked and an [`Outcome`] after; the counters settle what it cost. [`Books`] is what counters do, as a state machine:
//! the in-memory counters are it, and those on Redis are tested against it. The ledger is the truth: [`rebuild()`] makes
//! the counters from it again.

mod alert;
mod amount;
mod attempt;
mod books;
mod budgets;
mod ledger;
mod money;
mod prices;
mod rebuild;
mod report;
mod reservation;
mod scope;
mod usage;

pub use alert::{Cause, CostAlert};
pub use attempt::{Attempt, InvalidAttempt};
pub use books::{Books, KEPT, RECHECK, REMEMBERED, Recalled, RecalledAlert, Tally};
pub use budgets::{Budgets, Guard, Payer};
pub use ledger::{Billing, Entry, Intent, Outcome};
pub use money::NanoUsd;
pub use prices::{GuardrailUnits, PriceTable, Unpriced};
pub use rebuild::{Install, Resolution, horizon, rebuild, resolve};
pub use report::{By, Report, Standing, Standings, Sums};
pub use reservation::{
    Answer, Charge, Dispatch, Limit, Position, Release, Reservation, Settlement, State, Suspend, Threshold,
    Trip,
};
pub use scope::{Account, InvalidScope, Period, Scope, ScopeKind, Span};
pub use usage::Usage;
