//! How a process ends: soft (finish what you hold) and hard (let go now).

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Reaches every task of a process.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// Cancelled first: stop taking work, finish what is in hand.
    pub soft: CancellationToken,
    /// Cancelled at the end of the drain, or by a second signal: let go. A parent of `soft`.
    pub hard: CancellationToken,
    /// Every task of the process.
    pub tasks: TaskTracker,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let hard = CancellationToken::new();
        Self { soft: hard.child_token(), hard, tasks: TaskTracker::new() }
    }
}

impl Lifecycle {
    /// Waits for SIGTERM or SIGINT, or for a task to ask for the end.
    pub(crate) async fn wait_for_end(&self) -> std::io::Result<()> {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
            _ = tokio::signal::ctrl_c() => tracing::info!("SIGINT: draining"),
            () = self.soft.cancelled() => tracing::info!("draining"),
        }
        self.soft.cancel();
        Ok(())
    }

    /// Stops taking work and waits until everything is finished, at most `limit`; a second signal ends the
    /// waiting. Answers whether all finished.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.soft.cancel();
        self.tasks.close();
        let finished = tokio::select! {
            () = self.tasks.wait() => true,
            () = tokio::time::sleep(limit) => false,
            _ = tokio::signal::ctrl_c() => false,
        };
        self.hard.cancel();
        if !finished {
            // What was in hand is not acked, so the broker hands it out again.
            tracing::warn!(?limit, "drain ended before everything was finished");
        }
        finished
    }
}
