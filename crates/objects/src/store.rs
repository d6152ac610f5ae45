//! [`Objects`] over whatever store a URL names.

use std::{fs, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::step::ObjectRef;
use clinflow_ports::{
    StoreError,
    objects::{Objects, reference},
};
use futures_util::TryStreamExt as _;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    local::LocalFileSystem,
    memory::InMemory,
    path::Path,
    prefix::PrefixStore,
};

use crate::{
    Config,
    place::{Place, is_key},
};

/// The store's name in errors and metrics.
const STORE: &str = "objects";

/// How long connecting to S3 may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// [`Objects`] in a folder, in S3 or in memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<dyn ObjectStore>);

impl Store {
    /// Opens the store that `config` names. A folder is made if need be; S3 is not asked for anything yet.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(match Place::parse(&config.url)? {
            Place::Memory => Self(Arc::new(InMemory::new())),
            Place::Folder(path) => {
                let shown = path.display();
                fs::create_dir_all(&path).with_context(|| format!("make the folder `{shown}`"))?;
                let folder = LocalFileSystem::new_with_prefix(&path);
                let folder = folder.with_context(|| format!("open the folder `{shown}`"))?;
                Self(Arc::new(folder.with_fsync(config.fsync)))
            }
            Place::S3 { bucket, prefix } => {
                let store = s3(config, &bucket).with_context(|| format!("open the bucket `{bucket}`"))?;
                if prefix.is_empty() {
                    Self(Arc::new(store))
                } else {
                    Self(Arc::new(PrefixStore::new(store, prefix)))
                }
            }
        })
    }
}

fn s3(config: &Config, bucket: &str) -> anyhow::Result<impl ObjectStore> {
    // reqwest is built without a TLS provider and asks the process for one. The first one in wins, and it is
    // the same one everywhere in clinflow.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = ClientOptions::new().with_timeout(config.timeout).with_connect_timeout(CONNECT_TIMEOUT);
    // Retrying is decided in one place, by whoever handles the message.
    let retry =
        RetryConfig { max_retries: 0, retry_timeout: config.timeout, backoff: BackoffConfig::default() };
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_client_options(options)
        .with_retry(retry);
    if let Some(region) = &config.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &config.endpoint {
        let plain = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint).with_allow_http(plain);
        // Plain HTTP is a local server, which a developer need not have an account at.
        if plain && builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_none() {
            builder = builder.with_access_key_id("local").with_secret_access_key("local");
        }
    }
    Ok(builder.build()?)
}

/// A key as the store takes it. One that is none is a mistake of ours; it is not quoted, because nobody knows
/// what is in it.
fn path(key: &str) -> Result<Path, StoreError> {
    let wrong = || StoreError::Corrupt {
        store: STORE,
        what: "a key that is not relative, `/`-separated and made of a-z A-Z 0-9 . _ -".to_owned(),
    };
    if !is_key(key) {
        return Err(wrong());
    }
    Path::parse(key).map_err(|_| wrong())
}

fn failed(key: &str, error: Error) -> StoreError {
    match error {
        Error::NotFound { .. } => StoreError::Missing { store: STORE, key: key.to_owned() },
        other => StoreError::unavailable(STORE, other),
    }
}

#[async_trait]
impl Objects for Store {
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let found = self.0.get(&path(key)?).await.map_err(|error| failed(key, error))?;
        found.bytes().await.map_err(|error| failed(key, error))
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        let object = reference(key, &bytes);
        self.0.put(&path(key)?, bytes.into()).await.map_err(|error| failed(key, error))?;
        Ok(object)
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        let object = reference(key, &bytes);
        let options = PutOptions::from(PutMode::Create);
        match self.0.put_opts(&path(key)?, bytes.into(), options).await {
            Ok(_) => Ok(object),
            Err(Error::AlreadyExists { .. }) => Ok(reference(key, &self.get(key).await?)),
            Err(error) => Err(failed(key, error)),
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let folder = folder.trim_end_matches('/');
        let found = self.0.list(Some(&path(folder)?)).map_ok(|object| object.location.to_string());
        let mut keys: Vec<String> = found.try_collect().await.map_err(|error| failed(folder, error))?;
        keys.sort_unstable();
        Ok(keys)
    }
}
