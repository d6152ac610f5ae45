//! What every [`Bundles`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::BundleFiles;

use super::unique;
use crate::bundles::Bundles;

fn files(text: &str) -> BundleFiles {
    let path = format!("{}/workflow.yaml", unique());
    BundleFiles([(path, text.to_owned()), ("prices.yaml".to_owned(), "models: []\n".to_owned())].into())
}

/// What is published is current and reads back, and what was published before stays readable.
pub async fn a_published_bundle_is_current_and_old_ones_stay(bundles: &dyn Bundles) {
    let (old, new) = (files("version: 1"), files("version: 2"));
    let old_hash = bundles.publish(&old).await.unwrap();
    let new_hash = bundles.publish(&new).await.unwrap();
    assert_eq!(bundles.current().await.unwrap(), Some(new_hash));
    assert_eq!(bundles.fetch(old_hash).await.unwrap(), Some(old));
    assert_eq!(bundles.fetch(new_hash).await.unwrap(), Some(new));
}

/// Publishing the same files again changes nothing but which bundle is current.
pub async fn publishing_again_answers_the_same_hash(bundles: &dyn Bundles) {
    let one = files("version: 1");
    let hash = bundles.publish(&one).await.unwrap();
    bundles.publish(&files("version: 2")).await.unwrap();
    assert_eq!(bundles.publish(&one).await.unwrap(), hash);
    assert_eq!(bundles.current().await.unwrap(), Some(hash));
}

/// A hash nobody published is not there.
pub async fn an_unknown_bundle_is_none(bundles: &dyn Bundles) {
    assert_eq!(bundles.fetch(files("never published").hash()).await.unwrap(), None);
}

/// A bundle of many large files reads back whole.
pub async fn a_large_bundle_reads_back_whole(bundles: &dyn Bundles) {
    let text = "pattern: '(?i)onset'\n".repeat(4_000);
    let many = BundleFiles((0..30).map(|n| (format!("{}/{n}.yaml", unique()), text.clone())).collect());
    let hash = bundles.publish(&many).await.unwrap();
    assert_eq!(bundles.fetch(hash).await.unwrap(), Some(many));
}

/// Runs the suite against one implementation, which must be one of its own for every test: "current" is shared.
#[macro_export]
macro_rules! bundles_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            bundles,
            $make,
            [
                a_published_bundle_is_current_and_old_ones_stay,
                publishing_again_answers_the_same_hash,
                an_unknown_bundle_is_none,
                a_large_bundle_reads_back_whole,
            ]
        );
    };
}
