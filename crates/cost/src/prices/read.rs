//! From a file to a price table.

use std::collections::BTreeMap;

use clinflow_core::id::ObjectHash;
use clinflow_yaml::{Item, Problems, Table};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Band, Endpoint, PriceTable, Rates, Row, key};
use crate::amount;

/// Decimals of a price: a dollar for a million tokens is a million pico-dollars for one.
const PER_MILLION: usize = 6;
/// Decimals of a guardrail's price: a dollar for a thousand text units is a thousand million pico-dollars for one.
const PER_THOUSAND: usize = 9;

/// Rows by model and endpoint, the earliest first.
type Models = BTreeMap<(String, Endpoint), Vec<Row>>;

/// Reads the file.
pub(super) fn table(file: &str, text: &str) -> Result<PriceTable, Problems> {
    let mut problems = Vec::new();
    let read = clinflow_yaml::read(file, text, &mut problems, |item, _| {
        let table = item.table()?;
        let verified =
            table.required("verified").and_then(|item| date(&item, "on which the prices were checked"));
        let models = table.required("models").map(models).unwrap_or_default();
        let profiles = table.optional("profiles").map(|item| profiles(item, &models)).unwrap_or_default();
        let guardrail = table.required("guardrail").and_then(guardrail);
        table.finish();
        Some((verified?, models, profiles, guardrail?))
    });
    match read.flatten() {
        Some((verified, models, profiles, guardrail)) if problems.is_empty() => {
            let version = ObjectHash::of(text.as_bytes());
            Ok(PriceTable { version, verified, models, profiles, guardrail })
        }
        _ => {
            problems.sort();
            Err(Problems(problems))
        }
    }
}

fn models(item: Item<'_>) -> Models {
    let mut models = Models::new();
    for item in item.list() {
        let place = item.clone();
        let Some((id, endpoints, row)) = model(item) else { continue };
        for endpoint in endpoints {
            let rows = models.entry((id.clone(), endpoint)).or_default();
            if rows.iter().any(|known| known.from == row.from) {
                place.note("another row has this model, endpoint and date: remove one");
            }
            rows.push(row.clone());
        }
    }
    for rows in models.values_mut() {
        rows.sort_by_key(|row| row.from);
    }
    models
}

/// One row: its model, its endpoints, its prices. What is wrong with any of it is noted before the row is given up.
fn model(item: Item<'_>) -> Option<(String, Vec<Endpoint>, Row)> {
    let table = item.table()?;
    let id = table.required("model").and_then(|item| item.text().map(str::to_owned));
    let endpoints = table.required("endpoints").map(|item| endpoints(item));
    let from = table.required("effective_from").and_then(|item| date(&item, "from which the price holds"));
    source(&table);
    let bands = table.required("bands").map(bands);
    table.finish();
    Some((id?, endpoints?, Row { from: from?, bands: bands? }))
}

fn endpoints(item: Item<'_>) -> Vec<Endpoint> {
    let all = [Endpoint::Region, Endpoint::Geo, Endpoint::Global];
    item.list().iter().filter_map(|item| item.one_of("endpoint", &all, Endpoint::as_str)).collect()
}

/// The beginning of a day; `which` says in a mistake's words what happens on it.
fn date(item: &Item<'_>, which: &str) -> Option<Timestamp> {
    let from = item.text()?.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC));
    from.map(|from| from.timestamp())
        .map_err(|_| item.note(format!("expected the date {which}: `2026-10-07`")))
        .ok()
}

/// Where a price comes from must be said, so that it can be checked.
fn source(table: &Table<'_>) {
    if let Some(item) = table.required("source") {
        item.text();
    }
}

fn bands(item: Item<'_>) -> Vec<Band> {
    let place = item.clone();
    let read: Vec<(Item<'_>, Option<Band>)> =
        item.list().into_iter().map(|item| (item.clone(), band(item))).collect();
    if read.is_empty() {
        place.note("a row needs a band of prices");
    }
    let mut before = None;
    for (at, (item, band)) in read.iter().enumerate() {
        // After a band that cannot be read, nobody knows what comes in order.
        let Some(band) = band else { break };
        if !before.map_or(at > 0 || band.above == 0, |before| band.above > before) {
            item.note(
                "the first band has no `above`, and every further one a higher one than the band before",
            );
        }
        before = Some(band.above);
    }
    read.into_iter().filter_map(|(_, band)| band).collect()
}

fn band(item: Item<'_>) -> Option<Band> {
    let table = item.table()?;
    let above = table.optional("above").map_or(Some(0), |item| amount::read(&item, 0));
    let rate = |name| table.required(name).and_then(|item| amount::read(&item, PER_MILLION));
    let (input, cache_read, output) = (rate("input"), rate("cache_read"), rate("output"));
    let (cache_write_5m, cache_write_1h) = (rate("cache_write_5m"), rate("cache_write_1h"));
    table.finish();
    let rates = Rates {
        input: input?,
        cache_read: cache_read?,
        cache_write_5m: cache_write_5m?,
        cache_write_1h: cache_write_1h?,
        output: output?,
    };
    Some(Band { above: above?, rates })
}

/// Ids of profiles, each with the model id it stands for, which must have a row.
fn profiles(item: Item<'_>, models: &Models) -> BTreeMap<String, String> {
    let mut profiles = BTreeMap::new();
    for (id, item) in item.named() {
        let Some(model) = item.text() else { continue };
        if !models.contains_key(&key(model)) {
            item.note(format!("no row for the model `{model}`: add it, with this endpoint"));
        }
        profiles.insert(id.to_owned(), model.to_owned());
    }
    profiles
}

fn guardrail(item: Item<'_>) -> Option<[u64; 4]> {
    let table = item.table()?;
    source(&table);
    let kinds = ["content", "topic", "sensitive_information", "contextual_grounding"];
    let units = kinds.map(|kind| table.required(kind).and_then(|item| amount::read(&item, PER_THOUSAND)));
    table.finish();
    let [content, topic, sensitive, grounding] = units;
    Some([content?, topic?, sensitive?, grounding?])
}
