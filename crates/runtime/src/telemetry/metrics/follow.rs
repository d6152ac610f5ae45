//! Names of the current bundle as label values, also of a bundle that becomes current while the process runs.

use std::{sync::Arc, time::Duration};

use clinflow_core::{Role, TeamId, WorkflowId};

use crate::{catalog::Catalog, lifecycle::Lifecycle};

/// How often the current bundle is looked at.
const PAUSE: Duration = Duration::from_secs(10);

impl super::Metrics {
    /// Until the end of `life`, admits what `names` finds in the current bundle, for `role` and the models it may call;
    /// see [`super::Metrics::admit`].
    pub fn follow<T: Send + Sync + 'static>(
        &self,
        role: Role,
        models: Vec<String>,
        catalog: Arc<Catalog<T>>,
        names: impl Fn(&T) -> Vec<(TeamId, WorkflowId)> + Send + 'static,
        life: &Lifecycle,
    ) {
        let (metrics, soft) = (self.clone(), life.soft.clone());
        life.tasks.spawn(async move {
            let mut seen = None;
            loop {
                // Without a bundle there are no names; it is looked for again.
                if let Ok((hash, bundle)) = catalog.current().await
                    && seen.replace(hash) != Some(hash)
                {
                    let models: Vec<&str> = models.iter().map(String::as_str).collect();
                    for (team, workflow) in names(&bundle) {
                        metrics.admit(role, &team, &workflow, &models);
                    }
                }
                tokio::select! {
                    () = soft.cancelled() => break,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::BundleFiles;
    use clinflow_ports::{Bundles as _, memory::MemoryBundles};

    use super::*;
    use crate::telemetry::Metrics;

    fn files(workflow: &str) -> BundleFiles {
        BundleFiles([("workflow".to_owned(), workflow.to_owned())].into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_workflow_that_is_published_later_gets_series_without_a_restart() {
        let port = Arc::new(MemoryBundles::default());
        let read = |files: &BundleFiles| anyhow::Ok(files.0["workflow"].clone());
        let (life, metrics) = (Lifecycle::default(), Metrics::default());
        let names = |workflow: &String| {
            vec![(TeamId::new("safety").unwrap(), WorkflowId::new(workflow.clone()).unwrap())]
        };
        let catalog = Arc::new(Catalog::new(port.clone(), read));
        metrics.follow(Role::Auditor, Vec::new(), catalog, names, &life);
        let has = |workflow: &str| {
            metrics.render().unwrap().contains(&format!(
                r#"clinflow_documents_total{{team_id="safety",workflow_id="{workflow}",result="failed"}} 0"#
            ))
        };
        for workflow in ["ae-report", "lab-report"] {
            assert!(!has(workflow));
            port.publish(&files(workflow)).await.unwrap();
            tokio::time::sleep(2 * PAUSE).await;
            assert!(has(workflow), "{workflow}");
        }
    }
}
