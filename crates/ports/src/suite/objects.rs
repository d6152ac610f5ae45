//! What every [`Objects`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use bytes::Bytes;

use super::unique;
use crate::{
    error::StoreError,
    objects::{Objects, get_checked, reference},
};

/// What is put reads back, and its reference is the hash of its bytes.
pub async fn what_is_put_reads_back(objects: &dyn Objects) {
    let key = format!("documents/{}", unique());
    let object = objects.put(&key, Bytes::from_static(b"text")).await.unwrap();
    assert_eq!(object, reference(&key, b"text"));
    assert_eq!(get_checked(objects, &object).await.unwrap(), "text");
    objects.put(&key, Bytes::from_static(b"changed")).await.unwrap();
    assert_eq!(objects.get(&key).await.unwrap(), "changed");
    assert!(matches!(get_checked(objects, &object).await, Err(StoreError::Corrupt { .. })));
}

/// The first create wins and the second is told what is there.
pub async fn a_second_create_keeps_the_first(objects: &dyn Objects) {
    let key = format!("reports/{}/record.json", unique());
    let first = objects.create(&key, Bytes::from_static(b"first")).await.unwrap();
    assert_eq!(objects.create(&key, Bytes::from_static(b"second")).await.unwrap(), first);
    assert_eq!(objects.get(&key).await.unwrap(), "first");
}

/// Of many racing creates all are told the same.
pub async fn racing_creates_agree(objects: &dyn Objects) {
    let key = format!("reports/{}/record.json", unique());
    let creates = (0..8).map(|n| objects.create(&key, Bytes::from(format!("{n}"))));
    let created = futures_util::future::try_join_all(creates).await.unwrap();
    assert!(created.iter().all(|object| *object == created[0]));
}

/// A key nobody wrote is missing, and the error names it.
pub async fn a_missing_object_is_named(objects: &dyn Objects) {
    let key = format!("documents/{}", unique());
    let error = objects.get(&key).await.unwrap_err();
    assert!(matches!(&error, StoreError::Missing { .. }), "{error}");
    assert!(error.to_string().contains(&key), "{error}");
}

/// A folder lists its objects and no others.
pub async fn a_folder_lists_its_objects(objects: &dyn Objects) {
    let folder = format!("reports/{}", unique());
    for name in ["b.csv", "a.json"] {
        objects.put(&format!("{folder}/{name}"), Bytes::from_static(b"x")).await.unwrap();
    }
    objects.put(&format!("{folder}-other/c"), Bytes::from_static(b"x")).await.unwrap();
    let expected = [format!("{folder}/a.json"), format!("{folder}/b.csv")];
    assert_eq!(objects.list(&folder).await.unwrap(), expected);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! objects_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            objects,
            $make,
            [
                what_is_put_reads_back,
                a_second_create_keeps_the_first,
                racing_creates_agree,
                a_missing_object_is_named,
                a_folder_lists_its_objects,
            ]
        );
    };
}
