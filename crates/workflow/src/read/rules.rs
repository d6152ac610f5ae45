//! Reading `rules.yaml`, and binding its rules to the fields of a workflow.

use std::{collections::BTreeMap, sync::Arc};

use clinflow_core::Severity;
use clinflow_yaml::{Item, Place, Problem, Table, unknown};

use crate::{Check, CodeList, FieldRef, FieldType, Latest, Message, Part, Rule, Value, Workflow};

/// The rules of a bundle by id.
pub(super) type Rules = BTreeMap<String, Draft>;

/// A rule before it is bound to workflows.
pub(super) struct Draft {
    rule: Rule,
    place: Place,
    checks: Vec<DraftCheck>,
    listed: bool,
}

struct DraftCheck {
    check: Check,
    place: Place,
    fits: bool,
}

const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Warning, Severity::Review, Severity::Block];

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Review => "review",
        Severity::Block => "block",
    }
}

/// Reads every rule.
pub(super) fn read(root: Item<'_>, code_lists: &BTreeMap<String, Arc<CodeList>>) -> Rules {
    let mut rules = Rules::new();
    let Some(table) = root.table() else { return rules };
    for item in table.required("rules").map(Item::list).unwrap_or_default() {
        let Some(draft) = draft(&item, code_lists) else { continue };
        let id = draft.rule.id.clone();
        if rules.insert(id.clone(), draft).is_some() {
            item.note(format!("rule `{id}` is there twice: rename or remove one"));
        }
    }
    table.finish();
    rules
}

fn draft(item: &Item<'_>, code_lists: &BTreeMap<String, Arc<CodeList>>) -> Option<Draft> {
    let table = item.clone().table()?;
    let id = table.required("id").and_then(|item| item.text().map(str::to_owned));
    let version = table.required("version").and_then(|item| item.whole(1));
    let severity =
        table.required("severity").and_then(|item| item.one_of("severity", &SEVERITIES, severity_name));
    let title = table.required("title").and_then(|item| item.text().map(str::to_owned));
    let checks: Vec<_> = table
        .required("checks")
        .map(Item::list)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| {
            Some(DraftCheck { place: item.place.clone(), check: check(item, code_lists)?, fits: false })
        })
        .collect();
    let message = table.required("message").and_then(|item| {
        let message = Message::parse(item.text()?).map_err(|wrong| item.note(wrong)).ok()?;
        places_exist(&message, &checks, &item);
        Some(message)
    });
    table.finish();
    let rule = Rule {
        id: id?,
        version: version?,
        severity: severity?,
        title: title?,
        message: message?,
        checks: Vec::new(),
    };
    Some(Draft { rule, place: item.place.clone(), checks, listed: false })
}

/// Every place of a message must be a word of every check that may say it.
fn places_exist(message: &Message, checks: &[DraftCheck], item: &Item<'_>) {
    for part in message.parts() {
        let (Part::Name(word) | Part::Value(word)) = part else { continue };
        for draft in checks {
            let mut words: Vec<_> = draft.check.fields().into_iter().map(|(word, _)| word).collect();
            words.dedup();
            if matches!(draft.check, Check::Grounded | Check::SourcesAgree) {
                words.push("field");
            }
            if !words.contains(&word.as_str()) {
                let known = words.iter().map(|word| format!("{{{word}}}")).collect::<Vec<_>>().join(", ");
                item.note(format!("`{}` has no `{{{word}}}`; it has {known}", draft.check.as_str()));
            }
        }
    }
}

fn check(item: Item<'_>, code_lists: &BTreeMap<String, Arc<CodeList>>) -> Option<Check> {
    let place = item.clone();
    let [(name, parameters)] = <[_; 1]>::try_from(item.named())
        .map_err(|_| place.note("a check is one name with its parameters: `dates_in_order: {...}`"))
        .ok()?;
    let table = parameters.table()?;
    let one = |key| field(&table, key);
    let many = |key| fields(&table, key);
    let value = |key| value(&table, key);
    let check =
        match name {
            "dates_in_order" => both(one("earlier"), one("later"))
                .map(|(earlier, later)| Check::DatesInOrder { earlier, later }),
            "not_after" => both(many("dates"), one("latest")).map(|(dates, latest)| {
                let today = latest.group.is_none() && latest.name == "today";
                Check::NotAfter { dates, latest: if today { Latest::Today } else { Latest::Field(latest) } }
            }),
            "days_apart" => {
                let days = table.required("days").and_then(|item| item.whole(1));
                both(both(one("from"), one("to")), days).map(|((from, to), days)| Check::DaysApart {
                    from,
                    to,
                    days,
                })
            }
            "any_true_requires" => both(many("any"), one("required"))
                .map(|(any, required)| Check::AnyTrueRequires { any, required }),
            "true_requires_any" => {
                both(one("when"), many("any")).map(|(when, any)| Check::TrueRequiresAny { when, any })
            }
            "value_requires_present" => both(value("when"), one("present"))
                .map(|(when, present)| Check::ValueRequiresPresent { when, present }),
            "value_forbids_present" => both(value("when"), one("absent"))
                .map(|(when, absent)| Check::ValueForbidsPresent { when, absent }),
            "value_implies" => {
                both(value("when"), value("then")).map(|(when, then)| Check::ValueImplies { when, then })
            }
            "values_together" => {
                both(value("left"), value("right")).map(|(left, right)| Check::ValuesTogether { left, right })
            }
            "is_number" => {
                let with = table.optional("with").and_then(|item| item.text().map(FieldRef::parse));
                one("field").map(|field| Check::IsNumber { field, with })
            }
            "number_in" => {
                let number = |key| table.required(key).and_then(|item| item.number());
                both(one("field"), both(number("low"), number("high")))
                    .map(|(field, (low, high))| Check::NumberIn { field, low, high })
            }
            "has_unit" => one("field").map(|field| Check::HasUnit { field }),
            "unit_fits" => {
                let analytes = table.required("analytes").and_then(|item| code_list(&item, code_lists));
                both(both(one("test"), one("unit")), analytes)
                    .map(|((test, unit), analytes)| Check::UnitFits { test, unit, analytes })
            }
            "range_ordered" => {
                both(one("low"), one("high")).map(|(low, high)| Check::RangeOrdered { low, high })
            }
            "flag_agrees_with_range" => both(both(one("value"), one("low")), both(one("high"), one("flag")))
                .map(|((value, low), (high, flag))| Check::FlagAgreesWithRange { value, low, high, flag }),
            "in_code_list" => one("field").map(|field| Check::InCodeList { field }),
            "one_value" => one("field").map(|field| Check::OneValue { field }),
            "grounded" => Some(Check::Grounded),
            "sources_agree" => Some(Check::SourcesAgree),
            _ => {
                place.note(unknown("check", name, &Check::NAMES));
                return None;
            }
        };
    table.finish();
    check.filter(|check| one_group(check, &place))
}

/// Both, or neither; each is read either way, so that each mistake is noted.
fn both<A, B>(a: Option<A>, b: Option<B>) -> Option<(A, B)> {
    a.zip(b)
}

/// A check is made once for each repetition of *one* group.
fn one_group(check: &Check, place: &Item<'_>) -> bool {
    if matches!(check, Check::NotAfter { .. }) {
        return true;
    }
    let mut groups: Vec<_> =
        check.fields().into_iter().filter_map(|(_, field)| field.group.clone()).collect();
    groups.sort();
    groups.dedup();
    if groups.len() > 1 {
        place.note(format!("the fields of a check are of one group, not of `{}`", groups.join("` and `")));
    }
    groups.len() < 2
}

fn field(table: &Table<'_>, key: &'static str) -> Option<FieldRef> {
    table.required(key).and_then(|item| item.text().map(FieldRef::parse))
}

fn fields(table: &Table<'_>, key: &'static str) -> Option<Vec<FieldRef>> {
    let fields: Vec<_> = table.required(key)?.texts().iter().map(|text| FieldRef::parse(text)).collect();
    if fields.is_empty() {
        table.note(format!("`{key}` names at least one field"));
        return None;
    }
    Some(fields)
}

fn value(table: &Table<'_>, key: &'static str) -> Option<Value> {
    let inner = table.required(key)?.table()?;
    let field = field(&inner, "field");
    let is = inner.required("is").map(Item::texts).filter(|is| !is.is_empty());
    inner.finish();
    Some(Value { field: field?, is: is? })
}

/// Looks a code list up.
pub(super) fn code_list(
    item: &Item<'_>,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
) -> Option<Arc<CodeList>> {
    let id = item.text()?;
    let found = code_lists.get(id).cloned();
    if found.is_none() {
        let known: Vec<_> = code_lists.keys().map(String::as_str).collect();
        item.note(unknown("code list", id, &known));
    }
    found
}

/// The rule `item` names, with those of its checks whose fields `workflow` has.
pub(super) fn bind(item: &Item<'_>, rules: &mut Rules, workflow: &Workflow) -> Option<Rule> {
    let id = item.text()?;
    let Some(draft) = rules.get_mut(id) else {
        let known: Vec<_> = rules.keys().map(String::as_str).collect();
        item.note(unknown("rule", id, &known));
        return None;
    };
    draft.listed = true;
    let mut rule = draft.rule.clone();
    for draft in &mut draft.checks {
        if draft.check.fields().iter().all(|(_, field)| workflow.resolve(field).is_some()) {
            draft.fits = true;
            values_exist(&draft.check, workflow, item);
            rule.checks.push(draft.check.clone());
        }
    }
    if rule.checks.is_empty() {
        item.note(format!(
            "rule `{id}` has no check whose fields this workflow has: remove it or add the fields"
        ));
        return None;
    }
    Some(rule)
}

/// The values a check compares with must be values its fields can have.
fn values_exist(check: &Check, workflow: &Workflow, item: &Item<'_>) {
    let values = match check {
        Check::ValueRequiresPresent { when, .. } | Check::ValueForbidsPresent { when, .. } => vec![when],
        Check::ValueImplies { when, then } => vec![when, then],
        Check::ValuesTogether { left, right } => vec![left, right],
        _ => return,
    };
    for Value { field, is } in values {
        let Some(spec) = workflow.resolve(field) else { continue };
        for value in is {
            let possible = match &spec.kind {
                FieldType::Code(list) => list.term(value).is_some(),
                FieldType::Boolean => value == "Y" || value == "N",
                FieldType::Text
                | FieldType::Date
                | FieldType::Number
                | FieldType::Quantity
                | FieldType::Unit => true,
            };
            if !possible {
                item.note(format!("a check compares `{field}` with `{value}`, which it can never be"));
            }
        }
    }
}

/// Notes rules no workflow lists, and checks that fit no workflow: most often a misspelt field.
pub(super) fn unused(rules: &Rules, file: &str, problems: &mut Vec<Problem>) {
    let mut note = |place: &Place, message: String| {
        problems.push(Problem {
            file: file.to_owned(),
            line: place.line,
            field: place.path.clone(),
            message,
        });
    };
    for (id, draft) in rules {
        if !draft.listed {
            note(&draft.place, format!("no workflow lists rule `{id}`"));
            continue;
        }
        for check in draft.checks.iter().filter(|check| !check.fits) {
            let fields: Vec<_> = check.check.fields().iter().map(|(_, field)| format!("`{field}`")).collect();
            note(&check.place, format!("no workflow that lists `{id}` has all of {}", fields.join(", ")));
        }
    }
}
