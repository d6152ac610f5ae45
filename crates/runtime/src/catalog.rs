//! Bundles as a service uses them: read once, kept by hash, the current one looked up again every few seconds,
//! so that an edited pattern takes effect without a restart and a running execution keeps what it began with.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clinflow_core::{BundleFiles, BundleHash, Failure};
use clinflow_ports::Bundles;
use tokio::time::Instant;

/// How long the answer to "which bundle is current?" is used.
const FRESH: Duration = Duration::from_secs(5);

/// How many bundles are kept: the current one and those of executions that are still under way.
const KEPT: usize = 8;

/// How a service reads the files of a bundle.
type Read<T> = Box<dyn Fn(&BundleFiles) -> anyhow::Result<T> + Send + Sync>;

/// Bundles read into `T`.
pub struct Catalog<T> {
    port: Arc<dyn Bundles>,
    read: Read<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    current: Option<(BundleHash, Instant)>,
    bundles: HashMap<BundleHash, (Arc<T>, Instant)>,
}

impl<T: Send + Sync + 'static> Catalog<T> {
    /// Bundles from `port`, read by `read`.
    pub fn new<E: Into<anyhow::Error>>(
        port: Arc<dyn Bundles>,
        read: impl Fn(&BundleFiles) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        let read: Read<T> = Box::new(move |files| read(files).map_err(Into::into));
        Self { port, read, state: Mutex::new(State { current: None, bundles: HashMap::new() }) }
    }

    /// The bundle new executions run under.
    pub async fn current(&self) -> Result<(BundleHash, Arc<T>), Failure> {
        let known = self.lock().current.filter(|(_, at)| at.elapsed() < FRESH).map(|(hash, _)| hash);
        let hash = match known {
            Some(hash) => hash,
            None => {
                let hash = self.port.current().await?.ok_or_else(|| {
                    Failure::retry(
                        "bundle.none",
                        anyhow::anyhow!("no bundle is published; run `clinflow workflow publish`"),
                    )
                })?;
                self.lock().current = Some((hash, Instant::now()));
                hash
            }
        };
        Ok((hash, self.get(hash).await?))
    }

    /// The bundle an execution runs under.
    pub async fn get(&self, hash: BundleHash) -> Result<Arc<T>, Failure> {
        if let Some((bundle, used)) = self.lock().bundles.get_mut(&hash) {
            *used = Instant::now();
            return Ok(bundle.clone());
        }
        let files = self.port.fetch(hash).await?.ok_or_else(|| {
            Failure::park("bundle.unknown", anyhow::anyhow!("bundle `{hash}` is not in the table"))
        })?;
        let bundle = Arc::new((self.read)(&files).map_err(|error| Failure::park("bundle.invalid", error))?);
        let mut state = self.lock();
        if state.bundles.len() >= KEPT {
            let oldest = state.bundles.iter().min_by_key(|(_, (_, used))| *used).map(|(hash, _)| *hash);
            oldest.map(|hash| state.bundles.remove(&hash));
        }
        state.bundles.insert(hash, (bundle.clone(), Instant::now()));
        Ok(bundle)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<T>> {
        // The maps are consistent between any two statements, so what a panicking holder left is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use clinflow_ports::memory::MemoryBundles;

    use super::*;

    fn files(text: &str) -> BundleFiles {
        BundleFiles([("a.yaml".to_owned(), text.to_owned())].into())
    }

    fn read(files: &BundleFiles) -> anyhow::Result<String> {
        Ok(files.0["a.yaml"].clone())
    }

    #[tokio::test(start_paused = true)]
    async fn a_published_bundle_takes_effect_without_a_restart_and_old_ones_stay_readable() {
        let port = Arc::new(MemoryBundles::default());
        let catalog = Catalog::new(port.clone(), read);
        assert_eq!(catalog.current().await.unwrap_err().code, "bundle.none");
        let old = port.publish(&files("one")).await.unwrap();
        assert_eq!(*catalog.current().await.unwrap().1, "one");
        port.publish(&files("two")).await.unwrap();
        assert_eq!(*catalog.current().await.unwrap().1, "one", "still fresh");
        tokio::time::advance(FRESH).await;
        assert_eq!(*catalog.current().await.unwrap().1, "two");
        assert_eq!(*catalog.get(old).await.unwrap(), "one");
    }
}
