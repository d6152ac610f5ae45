//! The issuer's keys: fetched when needed, kept for a while, fetched again when a token names an unknown one, and
//! never more often than the settings say, whoever calls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use reqwest::{Client, redirect::Policy};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{auth::settings::JwtSettings, refusal::Refusal};

/// How long the issuer may take to answer. Tokens with unknown keys wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// A token that names a key the issuer does not have.
const UNKNOWN: Refusal = Refusal::BadToken { why: "the issuer has no such key" };

/// The largest key set that is read; a set of ten RSA keys has 6 KiB.
const LARGEST_SET: usize = 256 * 1024;

/// How many times `keep_keys` keys are used while the issuer cannot be reached. Then a key that was revoked in
/// the meantime must stop counting.
const STALE: u32 = 24;

/// The keys of one issuer.
pub(super) struct Keys {
    client: Client,
    url: String,
    keep: Duration,
    at_most_every: Duration,
    retry_after: Duration,
    state: Mutex<State>,
    /// Held while fetching, so that many tokens make one request.
    fetching: tokio::sync::Mutex<()>,
}

/// What is known of the keys.
#[derive(Default)]
struct State {
    keys: HashMap<String, DecodingKey>,
    /// When the keys were fetched.
    fetched: Option<Instant>,
    /// Before when they are not fetched again.
    rests_until: Option<Instant>,
}

/// What to do about a key.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Use it.
    Use,
    /// Fetch the keys, then look again.
    Fetch,
    /// The issuer has no such key.
    Unknown,
    /// The issuer could not be asked lately.
    Unavailable,
}

impl State {
    /// Decides, at `now`, about a key that is `known` or not.
    fn next(&self, known: bool, now: Instant, keep: Duration) -> Next {
        let age = self.fetched.map(|fetched| now.saturating_duration_since(fetched));
        let rests = self.rests_until.is_some_and(|until| now < until);
        match age {
            Some(age) if known && age < keep => Next::Use,
            _ if !rests => Next::Fetch,
            Some(age) if age < keep * STALE => {
                if known {
                    Next::Use
                } else {
                    Next::Unknown
                }
            }
            _ => Next::Unavailable,
        }
    }
}

impl Keys {
    /// Keys of the issuer that `settings` name.
    pub(super) fn new(settings: &JwtSettings, retry_after: Duration) -> anyhow::Result<Arc<Self>> {
        // Fails when a provider is installed already; then it is ring, the only one in the house.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A redirect could lead to where the configuration would not go.
        let client = Client::builder().timeout(FETCH_TIMEOUT).redirect(Policy::none()).build()?;
        Ok(Arc::new(Self {
            client,
            url: settings.keys_url(),
            keep: settings.keep_keys,
            at_most_every: settings.fetch_at_most_every,
            retry_after,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }))
    }

    /// The key with this id. A fetch is a task of `tasks`, so that a caller who hangs up does not end it for those
    /// who wait for it too.
    pub(super) async fn get(self: &Arc<Self>, id: &str, tasks: &TaskTracker) -> Result<DecodingKey, Refusal> {
        if let Some(answer) = self.look(id) {
            return answer;
        }
        let (keys, wanted) = (self.clone(), id.to_owned());
        let fetched = tasks.spawn(async move { keys.fetch_for(&wanted).await });
        fetched.await.unwrap_or_else(|_| Err(self.unavailable()))
    }

    /// Fetches the keys, unless somebody else just did, and answers the one that is wanted.
    async fn fetch_for(&self, id: &str) -> Result<DecodingKey, Refusal> {
        let _fetching = self.fetching.lock().await;
        if let Some(answer) = self.look(id) {
            return answer;
        }
        match self.fetch().await {
            Ok(keys) => {
                tracing::info!(keys = keys.len(), "fetched the issuer's keys");
                let found = keys.get(id).cloned();
                let now = Instant::now();
                *self.lock() =
                    State { keys, fetched: Some(now), rests_until: Some(now + self.at_most_every) };
                found.ok_or(UNKNOWN)
            }
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "the issuer's keys were not fetched");
                self.lock().rests_until = Some(Instant::now() + self.retry_after);
                self.look(id).unwrap_or_else(|| Err(self.unavailable()))
            }
        }
    }

    /// The answer, unless the keys must be fetched first.
    fn look(&self, id: &str) -> Option<Result<DecodingKey, Refusal>> {
        let state = self.lock();
        let key = state.keys.get(id);
        match state.next(key.is_some(), Instant::now(), self.keep) {
            Next::Use => key.cloned().map(Ok),
            Next::Fetch => None,
            Next::Unknown => Some(Err(UNKNOWN)),
            Next::Unavailable => Some(Err(self.unavailable())),
        }
    }

    const fn unavailable(&self) -> Refusal {
        Refusal::NoKeys { after: self.retry_after }
    }

    async fn fetch(&self) -> anyhow::Result<HashMap<String, DecodingKey>> {
        let mut response =
            self.client.get(&self.url).send().await.context("ask the issuer")?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.context("read the key set")? {
            ensure!(
                body.len() + chunk.len() <= LARGEST_SET,
                "the key set is larger than {LARGEST_SET} bytes"
            );
            body.extend_from_slice(&chunk);
        }
        let set: JwkSet = serde_json::from_slice(&body).context("read the key set")?;
        Ok(set.keys.iter().filter_map(usable).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements, so what a panicking holder left is still good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key, if tokens may be signed with it: RSA, with an id, and for nothing else than RS256 signatures.
fn usable(key: &Jwk) -> Option<(String, DecodingKey)> {
    let signs = key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let rs256 = key.common.key_algorithm.as_ref().is_none_or(|algorithm| *algorithm == KeyAlgorithm::RS256);
    match &key.algorithm {
        AlgorithmParameters::RSA(_) if signs && rs256 => {
            Some((key.common.key_id.clone()?, DecodingKey::from_jwk(key).ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(3600);
    const REST: Duration = Duration::from_secs(30);

    /// Decides about a key when the keys were fetched so many seconds ago, and last asked for so many seconds ago.
    fn next(known: bool, fetched: Option<u64>, asked: Option<u64>) -> Next {
        let now = Instant::now() + KEEP * 100;
        let ago = |seconds: Option<u64>| seconds.map(|seconds| now - Duration::from_secs(seconds));
        let rests_until = ago(asked).map(|asked| asked + REST);
        State { keys: HashMap::new(), fetched: ago(fetched), rests_until }.next(known, now, KEEP)
    }

    #[test]
    fn keys_are_fetched_at_first_when_old_and_for_an_unknown_one() {
        assert_eq!(next(false, None, None), Next::Fetch);
        assert_eq!(next(true, Some(3599), Some(3599)), Next::Use);
        assert_eq!(next(true, Some(3600), Some(3600)), Next::Fetch);
        assert_eq!(next(false, Some(30), Some(30)), Next::Fetch);
    }

    #[test]
    fn unknown_keys_cannot_make_us_ask_the_issuer_more_often_than_allowed() {
        assert_eq!(next(false, Some(29), Some(29)), Next::Unknown);
        assert_eq!(next(false, None, Some(29)), Next::Unavailable);
    }

    #[test]
    fn old_keys_are_used_while_the_issuer_cannot_be_reached_but_not_for_ever() {
        assert_eq!(next(true, Some(3600), Some(1)), Next::Use);
        assert_eq!(next(true, Some(3600 * 24), Some(1)), Next::Unavailable);
    }
}
