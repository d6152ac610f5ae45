//! The suite against a folder, memory and S3, and what only a folder can get wrong.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use clinflow_objects::{Config, Store};

fn open(url: &str) -> Store {
    Store::open(&Config { url: url.to_owned(), ..Config::default() }).unwrap()
}

mod folder {
    use std::sync::LazyLock;

    use bytes::Bytes;
    use clinflow_ports::{Objects as _, StoreError};
    use tempfile::TempDir;

    use super::{Config, Store, open};

    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().unwrap());

    clinflow_ports::objects_suite!(async { open(FOLDER.path().to_str().unwrap()) });

    #[tokio::test]
    async fn a_folder_is_made_and_what_is_in_it_is_there_when_it_is_opened_again() {
        let folder = TempDir::new().unwrap();
        let url = format!("file://{}/not/there/yet", folder.path().display());
        open(&url).put("documents/a", Bytes::from_static(b"text")).await.unwrap();
        assert_eq!(open(&url).get("documents/a").await.unwrap(), "text");
        assert_eq!(std::fs::read(folder.path().join("not/there/yet/documents/a")).unwrap(), b"text");
    }

    #[tokio::test]
    async fn a_key_outside_the_folder_is_refused_and_not_quoted() {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), b"secret").unwrap();
        let store = open(folder.path().join("objects").to_str().unwrap());
        for key in ["../secret", "/etc/passwd", "a/../../secret", "Jane Roe.pdf"] {
            let errors = [
                store.get(key).await.unwrap_err(),
                store.put(key, Bytes::new()).await.unwrap_err(),
                store.create(key, Bytes::new()).await.unwrap_err(),
                store.list(key).await.unwrap_err(),
            ];
            for error in errors {
                assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
                assert!(!error.to_string().contains(key), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_left_beside_the_objects() {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path().to_str().unwrap());
        for _ in 0..3 {
            store.put("a/b", Bytes::from_static(b"text")).await.unwrap();
            store.create("a/c", Bytes::from_static(b"text")).await.unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(folder.path().join("a"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["b", "c"]);
    }

    #[tokio::test]
    async fn a_folder_that_is_a_file_is_unavailable() {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path().to_str().unwrap());
        store.put("a", Bytes::from_static(b"text")).await.unwrap();
        let error = store.put("a/b", Bytes::from_static(b"text")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { store: "objects", .. }), "{error:?}");
    }

    #[test]
    fn a_place_that_is_none_is_refused() {
        let config = Config { url: "gs://bucket".to_owned(), ..Config::default() };
        assert!(Store::open(&config).unwrap_err().to_string().contains("no place for objects"));
    }
}

mod memory {
    clinflow_ports::objects_suite!(async { super::open("memory:") });
}
