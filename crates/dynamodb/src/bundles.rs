//! Bundles: one item a piece of a file, under the bundle's hash, and one item that says which is current.

use std::collections::BTreeMap;

use async_trait::async_trait;
use clinflow_core::{BundleFiles, BundleHash};
use clinflow_ports::{Bundles, StoreError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    Database,
    error::{corrupt, unavailable},
    item::{Item, get_text, map, text},
};

/// The most bytes of text in one item. DynamoDB takes 400 KB with keys and names.
const PIECE: usize = 300_000;

/// How many pieces are put at once.
const PUTS: usize = 8;

/// Both keys of the item that says which bundle is current. Not the text of any hash.
const CURRENT: &str = "current";

/// [`Bundles`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoBundles(Database);

impl DynamoBundles {
    /// The bundles in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }

    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let table = &self.0.tables().bundles;
        self.0
            .client()
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}

/// The items of a bundle: every file in pieces of at most `limit` bytes, in order.
fn pieces(hash: BundleHash, files: &BundleFiles, limit: usize) -> Vec<Item> {
    let file = |(path, body): (&String, &String)| {
        let item = |(n, piece): (usize, &str)| {
            map([
                ("hash", text(hash.to_string())),
                ("piece", text(format!("{path}\n{n:04}"))),
                ("path", text(path)),
                ("body", text(piece)),
            ])
        };
        split(body, limit).into_iter().enumerate().map(item).collect::<Vec<_>>()
    };
    files.0.iter().flat_map(file).collect()
}

/// `body` in pieces of at most `limit` bytes that end between characters; one empty piece when it is empty.
fn split(mut body: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while body.len() > limit {
        let (piece, rest) = body.split_at(body.floor_char_boundary(limit));
        pieces.push(piece);
        body = rest;
    }
    pieces.push(body);
    pieces
}

/// Puts the pieces of files together again, given in order.
fn join(items: &[Item]) -> Result<BundleFiles, StoreError> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for item in items {
        files.entry(get_text(item, "path")?.to_owned()).or_default().push_str(get_text(item, "body")?);
    }
    Ok(BundleFiles(files))
}

#[async_trait]
impl Bundles for DynamoBundles {
    async fn publish(&self, files: &BundleFiles) -> Result<BundleHash, StoreError> {
        let hash = files.hash();
        // It became current only after all of it had been written.
        if self.current().await? == Some(hash) {
            return Ok(hash);
        }
        let puts = pieces(hash, files, PIECE).into_iter().map(|item| self.put(item));
        stream::iter(puts).buffer_unordered(PUTS).try_collect::<()>().await?;
        let pointer =
            map([("hash", text(CURRENT)), ("piece", text(CURRENT)), ("bundle", text(hash.to_string()))]);
        self.put(pointer).await?;
        Ok(hash)
    }

    async fn current(&self) -> Result<Option<BundleHash>, StoreError> {
        let found = self
            .0
            .client()
            .get_item()
            .table_name(&self.0.tables().bundles)
            .key("hash", text(CURRENT))
            .key("piece", text(CURRENT))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let Some(item) = found.item() else { return Ok(None) };
        let hash = get_text(item, "bundle")?.parse().map_err(|_| corrupt("the current bundle's hash"))?;
        Ok(Some(hash))
    }

    async fn fetch(&self, hash: BundleHash) -> Result<Option<BundleFiles>, StoreError> {
        let mut pages = self
            .0
            .client()
            .query()
            .table_name(&self.0.tables().bundles)
            .key_condition_expression("#hash = :hash")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":hash", text(hash.to_string()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.map_err(unavailable)?.items.unwrap_or_default());
        }
        if items.is_empty() {
            return Ok(None);
        }
        let files = join(&items)?;
        if files.hash() != hash {
            return Err(corrupt(format!("bundle `{hash}` is not whole: publish it again")));
        }
        Ok(Some(files))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_split_between_characters_and_an_empty_one_is_kept() {
        assert_eq!(split("aäb", 2), ["a", "ä", "b"]);
        assert_eq!(split("abcd", 2), ["ab", "cd"]);
        assert_eq!(split("", 2), [""]);
    }

    proptest! {
        #[test]
        fn pieces_in_order_of_their_keys_make_the_same_files(files in prop::collection::btree_map("[a-c/.]{1,6}", "[a-zäλ€]{0,40}", 0..6)) {
            let files = BundleFiles(files);
            let mut items = pieces(files.hash(), &files, 7);
            items.sort_by_key(|item| get_text(item, "piece").unwrap().to_owned());
            prop_assert_eq!(join(&items).unwrap(), files);
        }
    }
}
