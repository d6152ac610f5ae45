//! Objects: documents, texts, field sets and reports. The only place where PHI lives.

use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::{id::ObjectHash, step::ObjectRef};

use crate::error::StoreError;

/// The object store. Keys are relative, `/`-separated and made of `a-z A-Z 0-9 . _ -`.
#[async_trait]
pub trait Objects: Send + Sync + 'static {
    /// The object's bytes; [`StoreError::Missing`] when there is none.
    async fn get(&self, key: &str) -> Result<Bytes, StoreError>;

    /// Writes an object, replacing what was there, all or nothing.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError>;

    /// Writes an object unless the key is taken; answers the reference of whichever is there.
    async fn create(&self, key: &str, bytes: Bytes) -> Result<ObjectRef, StoreError>;

    /// Keys under a folder, in order.
    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError>;
}

/// The reference of `bytes` under `key`.
pub fn reference(key: &str, bytes: &[u8]) -> ObjectRef {
    ObjectRef { key: key.to_owned(), sha256: ObjectHash::of(bytes), size: bytes.len() as u64 }
}

/// Reads an object and checks that it is the one its reference says.
pub async fn get_checked(objects: &dyn Objects, object: &ObjectRef) -> Result<Bytes, StoreError> {
    let bytes = objects.get(&object.key).await?;
    if ObjectHash::of(&bytes) != object.sha256 {
        return Err(StoreError::Corrupt {
            store: "objects",
            what: format!("`{}` has another hash", object.key),
        });
    }
    Ok(bytes)
}

/// Where things are kept. Everything a step writes is named by its content, so that a second run of the step
/// cannot change what the first one's message refers to.
pub mod key {
    use clinflow_core::{DocumentHash, ExecutionId, Role, id::ObjectHash};
    use uuid::Uuid;

    /// A document's bytes.
    pub fn document(document: &DocumentHash) -> String {
        format!("documents/{document}")
    }

    /// What the submitter said about the document: its name, which may identify a patient.
    pub fn submission(execution: ExecutionId) -> String {
        format!("executions/{execution}/submission.json")
    }

    /// What `role` wrote for an execution; `name` says what it is: `text.json`, `fields.json`.
    pub fn result(execution: ExecutionId, role: Role, bytes: &[u8], name: &str) -> String {
        let hash = ObjectHash::of(bytes).prefix();
        format!("executions/{execution}/{role}-{hash}-{name}")
    }

    /// The words of a question.
    pub fn question(execution: ExecutionId, question: Uuid) -> String {
        format!("executions/{execution}/questions/{question}/question.json")
    }

    /// The answer to a question, under a name that whoever asked knows before there is one.
    pub fn answer(execution: ExecutionId, question: Uuid) -> String {
        format!("executions/{execution}/questions/{question}/answer.json")
    }

    /// What a model answered to a call, by the call's fingerprint: an identical call is answered with it.
    pub fn reply(fingerprint: &ObjectHash) -> String {
        format!("replies/{fingerprint}.json")
    }

    /// The folder of an execution's outputs.
    pub fn report_folder(execution: ExecutionId) -> String {
        format!("reports/{execution}")
    }
}
