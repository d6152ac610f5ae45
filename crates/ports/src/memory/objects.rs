//! Objects in a map.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::step::ObjectRef;

use super::lock;
use crate::{
    error::StoreError,
    objects::{Objects, reference},
};

/// [`Objects`] in memory.
#[derive(Debug, Default)]
pub struct MemoryObjects(Mutex<BTreeMap<String, Bytes>>);

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let found = lock(&self.0).get(key).cloned();
        found.ok_or_else(|| StoreError::Missing { store: "objects", key: key.to_owned() })
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        let object = reference(key, &bytes);
        lock(&self.0).insert(key.to_owned(), bytes);
        Ok(object)
    }

    async fn create(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError> {
        let mut objects = lock(&self.0);
        let kept = objects.entry(key.to_owned()).or_insert(bytes);
        Ok(reference(key, kept))
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        Ok(lock(&self.0).keys().filter(|key| key.starts_with(&prefix)).cloned().collect())
    }
}
