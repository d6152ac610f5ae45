//! Reading `code_lists.yaml`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use clinflow_core::field::Code;
use clinflow_yaml::Item;

use crate::{CodeList, Term, code_list::fold};

/// Reads every list, by id.
pub(super) fn read(root: Item<'_>) -> BTreeMap<String, Arc<CodeList>> {
    let mut lists = BTreeMap::new();
    for (id, item) in root.named() {
        let mut terms = Vec::new();
        let mut seen: HashMap<String, String> = HashMap::new();
        for item in item.list() {
            let Some(term) = term(&item) else { continue };
            for spelling in std::iter::once(&term.value).chain(&term.synonyms) {
                let folded = fold(spelling);
                if let Some(other) = seen.get(&folded).filter(|other| **other != term.value) {
                    item.note(format!("`{spelling}` is a spelling of `{other}` too: keep one"));
                }
                seen.insert(folded, term.value.clone());
            }
            terms.push(term);
        }
        lists.insert(id.to_owned(), Arc::new(CodeList::new(id, terms)));
    }
    lists
}

fn term(item: &Item<'_>) -> Option<Term> {
    let table = item.clone().table()?;
    let value = table.required("value").and_then(|item| item.text().map(str::to_owned));
    let synonyms = table.optional("synonyms").map(Item::texts).unwrap_or_default();
    let units = table.optional("units").map(Item::texts).unwrap_or_default();
    let codes = table
        .optional("codes")
        .map(Item::named)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(system, item)| {
            Some(Code { system: system.to_owned(), code: item.text()?.to_owned(), display: None })
        })
        .collect();
    table.finish();
    Some(Term { value: value?, synonyms, codes, units })
}
