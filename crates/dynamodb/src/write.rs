//! A conditional write as a value, so that it can wait, be grouped and be tried again.

use std::collections::HashMap;

use crate::item::{self, Item};
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem,
    Update,
};

/// The change a write makes, if its condition holds.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Writes a whole item.
    Put(Put),
    /// Changes attributes of an item.
    Update(Update),
}

/// One conditional change, and checks on other items that must hold with it.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    change: Change,
    checks: Vec<ConditionCheck>,
    keys: Vec<String>,
}

/// What became of a write.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is durable.
    Written,
    /// A condition did not hold; nothing changed. The items whose conditions failed, where they exist.
    Conflict(Vec<Item>),
}

/// A condition over an item, with its names and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: Item,
}

impl Write {
    /// Puts `item` unless its key is taken.
    pub(crate) fn create(table: &str, key: &[&str], item: Item) -> Self {
        let put = Put::builder()
            .table_name(table)
            .condition_expression("attribute_not_exists(#key)")
            .expression_attribute_names("#key", key[0])
            .return_values_on_condition_check_failure(AllOld);
        let keys = vec![identity(table, key, &item)];
        let put = put.set_item(Some(item)).build().expect("item and table are set");
        Self { change: Change::Put(put), checks: Vec::new(), keys }
    }

    /// Changes the item under `key` as `update` says, if `condition` holds. Both share names and values.
    pub(crate) fn update(table: &str, key: Item, update: &str, condition: Condition) -> Self {
        let names: Vec<&str> = key.keys().map(String::as_str).collect();
        let keys = vec![identity(table, &names, &key)];
        let update = Update::builder()
            .table_name(table)
            .update_expression(update)
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(condition.values))
            .return_values_on_condition_check_failure(AllOld)
            .set_key(Some(key))
            .build()
            .expect("key, table and expression are set");
        Self { change: Change::Update(update), checks: Vec::new(), keys }
    }

    /// Only if `condition` also holds for the item under `key`.
    pub(crate) fn checking(mut self, table: &str, key: &[&str], item: Item, condition: Condition) -> Self {
        self.keys.push(identity(table, key, &item));
        let check = ConditionCheck::builder()
            .table_name(table)
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names).filter(|names| !names.is_empty()))
            .set_expression_attribute_values(Some(condition.values).filter(|values| !values.is_empty()))
            .return_values_on_condition_check_failure(AllOld)
            .set_key(Some(item))
            .build()
            .expect("key, table and expression are set");
        self.checks.push(check);
        self
    }

    /// The items it touches: two writes that share one cannot be in one transaction.
    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// How many of a transaction's actions it takes.
    pub(crate) fn actions(&self) -> usize {
        1 + self.checks.len()
    }

    /// About how many bytes of a transaction it takes.
    pub(crate) fn size(&self) -> usize {
        match &self.change {
            Change::Put(put) => item::size(&put.item),
            Change::Update(update) => update.expression_attribute_values.as_ref().map_or(0, item::size),
        }
    }

    /// The change, when it needs no transaction.
    pub(crate) fn alone(&self) -> Option<&Change> {
        self.checks.is_empty().then_some(&self.change)
    }

    /// Its actions in a transaction.
    pub(crate) fn items(&self) -> impl Iterator<Item = TransactWriteItem> {
        let change = match self.change.clone() {
            Change::Put(put) => TransactWriteItem::builder().put(put),
            Change::Update(update) => TransactWriteItem::builder().update(update),
        };
        let check =
            |check: &ConditionCheck| TransactWriteItem::builder().condition_check(check.clone()).build();
        std::iter::once(change.build()).chain(self.checks.iter().map(check))
    }
}

/// One text for one item of one table.
fn identity(table: &str, key: &[&str], item: &Item) -> String {
    let mut identity = table.to_owned();
    for name in key {
        identity.push('\n');
        if let Some(AttributeValue::S(value) | AttributeValue::N(value)) = item.get(*name) {
            identity.push_str(value);
        }
    }
    identity
}
