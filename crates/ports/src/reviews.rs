//! Review items: what people must settle, and how they did.

use async_trait::async_trait;
use clinflow_core::{ExecutionId, ReviewId, ReviewItem, review::Resolution};

use crate::error::StoreError;

/// Whether an item waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It does.
    Open,
    /// It was settled.
    Resolved,
}

impl State {
    /// Both states.
    pub const ALL: [Self; 2] = [Self::Open, Self::Resolved];

    /// The one spelling of this state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }

    /// Reads a state from its one spelling.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The state of `item`.
    pub const fn of(item: &ReviewItem) -> Self {
        if item.is_open() { Self::Open } else { Self::Resolved }
    }
}

/// A page of review items.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The oldest first.
    pub items: Vec<ReviewItem>,
    /// Opaque: where the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// The table of review items.
#[async_trait]
pub trait Reviews: Send + Sync + 'static {
    /// Writes the items that are not there yet. One that is there stays as it is, so that a redelivery changes
    /// nothing (INV-03).
    async fn create(&self, items: &[ReviewItem]) -> Result<(), StoreError>;

    /// One item.
    async fn get(&self, id: ReviewId) -> Result<Option<ReviewItem>, StoreError>;

    /// Every item of an execution as of now, in the order of their numbers.
    async fn of_execution(&self, execution: ExecutionId) -> Result<Vec<ReviewItem>, StoreError>;

    /// Items in `state`, the oldest first, at most `limit`, from where a page ended. May lag behind writes.
    async fn list(&self, state: State, limit: usize, from: Option<&str>) -> Result<Page, StoreError>;

    /// Settles an item, once: answers it as it stands now, with the first resolution it was given.
    async fn resolve(&self, id: ReviewId, resolution: &Resolution) -> Result<ReviewItem, StoreError>;
}
