//! What a URL and a key mean.

use std::path::PathBuf;

/// Where objects are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder of the file system.
    Folder(PathBuf),
    /// A bucket, and what every key in it begins with.
    S3 {
        /// The bucket.
        bucket: String,
        /// The prefix, without slashes around it; may be empty.
        prefix: String,
    },
    /// This process's memory.
    Memory,
}

/// A URL that names no place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{url}` is no place for objects: write a folder, `file:///folder`, `s3://bucket/prefix` or `memory:`"
)]
pub(crate) struct NoPlace {
    /// The URL.
    url: String,
}

impl Place {
    /// Reads a URL. What has no scheme is a folder.
    pub(crate) fn parse(url: &str) -> Result<Self, NoPlace> {
        let no_place = || NoPlace { url: url.to_owned() };
        let Some((scheme, rest)) = url.split_once(':') else {
            return if url.is_empty() { Err(no_place()) } else { Ok(Self::Folder(url.into())) };
        };
        match (scheme, rest.strip_prefix("//")) {
            ("memory", _) if rest.is_empty() => Ok(Self::Memory),
            ("file", Some(path)) if path.starts_with('/') => Ok(Self::Folder(path.into())),
            ("s3", Some(rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(no_place());
                }
                Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
            }
            _ => Err(no_place()),
        }
    }
}

/// Whether `key` is relative, `/`-separated and made of `a-z A-Z 0-9 . _ -`: nothing that a file system, a URL
/// or a shell could understand as something else, and no way out of the folder.
pub(crate) fn is_key(key: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    key.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn s3(bucket: &str, prefix: &str) -> Place {
        Place::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() }
    }

    #[test]
    fn every_kind_of_place_is_read() {
        for (url, place) in [
            ("data/objects", Place::Folder("data/objects".into())),
            ("/var/lib/clinflow", Place::Folder("/var/lib/clinflow".into())),
            ("file:///var/lib/clinflow", Place::Folder("/var/lib/clinflow".into())),
            ("s3://documents", s3("documents", "")),
            ("s3://documents/trial/a/", s3("documents", "trial/a")),
            ("memory:", Place::Memory),
        ] {
            assert_eq!(Place::parse(url).unwrap(), place, "{url}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_with_what_to_write() {
        for url in ["", "file://relative", "s3:///prefix", "s3:bucket", "memory:x", "gs://bucket"] {
            assert!(Place::parse(url).unwrap_err().to_string().contains("s3://bucket/prefix"), "{url}");
        }
    }

    #[test]
    fn a_key_cannot_leave_its_folder() {
        for yes in ["documents/ab12", "executions/1/nlp-0a-text.json", "a", "..a/b..c"] {
            assert!(is_key(yes), "{yes}");
        }
        for no in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.", "a b", "a\\b", "ä", "a#1", "a%2f", "a\0"]
        {
            assert!(!is_key(no), "{no}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_taken_by_the_store_as_it_is(key in "[a-zA-Z0-9./_ #%-]{0,12}") {
            if is_key(&key) {
                prop_assert_eq!(object_store::path::Path::parse(&key).unwrap().to_string(), key);
            }
        }
    }
}
