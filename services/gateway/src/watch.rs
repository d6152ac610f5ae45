//! An execution, watched until it is terminal: looked at every so often, told when something is new.

use std::{sync::Arc, time::Duration};

use clinflow_core::{Execution, ExecutionId, Status, Step};
use futures_util::{Stream, stream::unfold};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::Caller,
    config::{Config, WatchSettings},
    refusal::Refusal,
    show::Show,
};

/// Something new about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// The execution as it stands now.
    pub(crate) execution: Execution,
    /// Steps that were not told before.
    pub(crate) steps: Vec<Step>,
    /// How many steps were told, these included.
    pub(crate) told: usize,
}

/// Whether somebody who watches wants the steps too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The status alone.
    Status,
    /// The status and the steps.
    Steps,
}

/// Watches executions for callers, so many at once.
#[derive(Clone)]
pub(crate) struct Watcher {
    show: Arc<Show>,
    settings: WatchSettings,
    retry_after: Duration,
    room: Arc<Semaphore>,
    soft: CancellationToken,
}

/// What one watch remembers between two looks.
struct Watch {
    watcher: Watcher,
    caller: Caller,
    id: ExecutionId,
    depth: Depth,
    ticks: Interval,
    until: Instant,
    last: Option<(Status, usize)>,
    over: bool,
    _room: OwnedSemaphorePermit,
}

impl Watcher {
    /// Watches as `config` says, until `soft` is cancelled.
    pub(crate) fn new(config: &Config, show: Arc<Show>, soft: CancellationToken) -> Self {
        Self {
            show,
            settings: config.watch,
            retry_after: config.retry_after,
            room: Arc::new(Semaphore::new(config.watch.most)),
            soft,
        }
    }

    /// How often a stream without news says that it is alive.
    pub(crate) const fn keep_alive(&self) -> Duration {
        self.settings.keep_alive
    }

    /// News of an execution, the first at once; ends after the one that says it is terminal. A refusal ends it
    /// too: the gateway drains, a store is down, or it was watched long enough.
    pub(crate) async fn watch(
        &self,
        caller: Caller,
        id: ExecutionId,
        depth: Depth,
    ) -> Result<impl Stream<Item = Result<News, Refusal>> + Send + use<>, Refusal> {
        let room = self.room.clone().try_acquire_owned();
        let room = room.map_err(|_| Refusal::TooManyWatchers { after: self.retry_after })?;
        // Asked before the stream begins, so that an unknown execution is an answer and not a broken stream.
        self.show.execution(&caller, id).await?;
        let mut ticks = interval(self.settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = Watch {
            watcher: self.clone(),
            caller,
            id,
            depth,
            ticks,
            until: Instant::now() + self.settings.longest,
            last: None,
            over: false,
            _room: room,
        };
        Ok(unfold(watch, |mut watch| async {
            let news = watch.next().await?;
            Some((news, watch))
        }))
    }
}

impl Watch {
    /// The next news, or why there will be none.
    async fn next(&mut self) -> Option<Result<News, Refusal>> {
        while !self.over {
            let ended = tokio::select! {
                biased;
                () = self.watcher.soft.cancelled() => Some(Refusal::Draining),
                () = sleep_until(self.until) => Some(Refusal::WatchedLongEnough),
                _ = self.ticks.tick() => None,
            };
            let looked = match ended {
                Some(refusal) => Err(refusal),
                None => self.look().await,
            };
            match looked {
                Ok(None) => {}
                Ok(Some(news)) => {
                    self.over = news.execution.status.is_terminal();
                    return Some(Ok(news));
                }
                Err(refusal) => {
                    self.over = true;
                    return Some(Err(refusal));
                }
            }
        }
        None
    }

    /// Looks once; answers what is new.
    async fn look(&mut self) -> Result<Option<News>, Refusal> {
        // The execution first: an auditor records steps before it settles, so that a terminal execution's steps
        // are complete.
        let execution = self.watcher.show.execution(&self.caller, self.id).await?;
        let steps = match self.depth {
            Depth::Status => Vec::new(),
            Depth::Steps => self.watcher.show.history(&execution).await?.steps,
        };
        let now = (execution.status, steps.len());
        if self.last == Some(now) {
            return Ok(None);
        }
        let known = self.last.map_or(0, |(_, known)| known);
        self.last = Some(now);
        let told = steps.len();
        Ok(Some(News { execution, steps: steps.into_iter().skip(known).collect(), told }))
    }
}
