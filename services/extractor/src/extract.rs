//! The extraction: every pattern is asked, then it is decided what is the value of what.

use std::{collections::BTreeMap, ops::Range};

use clinflow_core::{
    AgentId, Evidence, Field, FieldSet, Finding, Phi, Role, Severity,
    field::{Alignment, Offsets, RowCount, Source},
};
use clinflow_ingest::Text;
use clinflow_workflow::{FieldSpec, FieldType, fold};
use uuid::Uuid;

use crate::{
    boxes,
    candidate::{Candidate, Slot, choose, contradicts},
    compiled::Prepared,
    confidence,
    labels::{self, Cell},
    lists,
    normalise::{DateOrder, Normal, exact, normalise, single_spaced},
    page::Page,
    regions::{self, Repetition},
    rows, value,
};

/// A date that can be read in two ways.
pub const AMBIGUOUS_DATE: &str = "EXT-DATE-01";
/// Two cells that name the same field and say different things.
pub const CONTRADICTION: &str = "EXT-ONE-01";
/// Several answers are ticked, or answers are printed and no tick can be seen.
pub const UNREAD: &str = "EXT-READ-01";

/// Finds the fields of a workflow in a text. Pure: the same text and workflow give the same set.
pub fn extract(text: &Text, prepared: &Prepared, invocation: Uuid) -> FieldSet {
    let search = Search::new(&text.text, prepared);
    let mut found = Found::default();
    search.headings(&mut found);
    search.tables(&mut found);
    search.cells(&mut found);
    search.ticks(&mut found);
    search.lists(&mut found);
    search.loose(&mut found);
    report(text, prepared, found, invocation)
}

/// What the patterns found.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    rows: Vec<RowCount>,
}

/// One search through one document.
struct Search<'a> {
    prepared: &'a Prepared,
    page: Page<'a>,
    order: DateOrder,
    /// The repetitions that headings mark, by group.
    regions: BTreeMap<&'a str, Vec<Repetition>>,
}

impl<'a> Search<'a> {
    fn new(text: &'a str, prepared: &'a Prepared) -> Self {
        let patterns = &prepared.workflow.patterns;
        let page = Page::new(text, &patterns.ignored);
        let mut regions: BTreeMap<&str, Vec<Repetition>> = BTreeMap::new();
        for region in &patterns.regions {
            let repetitions = regions::find(&page, region);
            let known = regions.entry(&region.group).or_default();
            if known.is_empty() {
                *known = repetitions;
            }
        }
        Self { prepared, order: value::order_of_dates(text), regions, page }
    }

    fn position(&self, name: &str, group: Option<&str>) -> Option<usize> {
        let fields = &self.prepared.workflow.fields;
        fields.iter().position(|field| field.name == name && field.group.as_deref() == group)
    }

    fn spec(&self, field: usize) -> &'a FieldSpec {
        &self.prepared.workflow.fields[field]
    }

    /// The repetition that a line lies in; `None` when the group has headings and the line is under none of them.
    fn slot(&self, field: usize, line: usize) -> Option<Slot> {
        let Some(group) = &self.spec(field).group else { return Some(Slot::Whole) };
        let repetitions = self.regions.get(group.as_str()).map(Vec::as_slice).unwrap_or_default();
        if repetitions.is_empty() {
            return Some(Slot::Whole);
        }
        repetitions.iter().position(|one| one.lines.contains(&line)).map(|at| Slot::Region(number(at)))
    }

    /// Reads a stretch as a value of a field, and keeps it.
    fn keep(&self, found: &mut Found, field: usize, slot: Slot, at: Range<usize>, confidence: u16) {
        let Some(reading) = value::read(self.spec(field), self.page.text, at, self.order) else { return };
        found.candidates.push(Candidate {
            field,
            slot,
            pieces: reading.pieces,
            normal: reading.normal,
            confidence: confidence.saturating_sub(reading.doubt),
        });
    }

    fn headings(&self, found: &mut Found) {
        for (group, repetitions) in &self.regions {
            for (at, repetition) in repetitions.iter().enumerate() {
                for (name, bytes) in &repetition.heading {
                    let Some(field) = self.position(name, Some(group)) else { continue };
                    self.keep(found, field, Slot::Region(number(at)), bytes.clone(), confidence::HEADING);
                }
            }
        }
    }

    fn tables(&self, found: &mut Found) {
        for table in &self.prepared.workflow.patterns.tables {
            let rows = rows::find(&self.page, table, &|words| self.prepared.labels.knows(words));
            if rows.rows.is_empty() {
                continue;
            }
            // A row the count did not expect was there all the same.
            let extracted = number(rows.rows.len());
            found.rows.push(RowCount {
                group: table.group.clone(),
                found: rows.found.max(extracted),
                extracted,
            });
            for (at, row) in rows.rows.iter().enumerate() {
                for (name, pieces) in &row.cells {
                    let Some(field) = self.position(name, Some(&table.group)) else { continue };
                    let words = &self.page.text[pieces[0].clone()];
                    let criterion = matches!(self.spec(field).kind, FieldType::Boolean)
                        && normalise(self.spec(field), words, self.order).is_none();
                    if criterion {
                        // The name of a criterion in its column is a tick.
                        found.candidates.push(yes(
                            field,
                            Slot::Row(number(at)),
                            pieces[0].clone(),
                            confidence::CELL,
                        ));
                        continue;
                    }
                    self.keep_pieces(found, field, Slot::Row(number(at)), pieces.clone(), confidence::CELL);
                }
            }
        }
    }

    /// Reads several stretches as one value, and keeps it.
    fn keep_pieces(
        &self,
        found: &mut Found,
        field: usize,
        slot: Slot,
        pieces: Vec<Range<usize>>,
        confidence: u16,
    ) {
        if let [only] = pieces.as_slice() {
            self.keep(found, field, slot, only.clone(), confidence);
            return;
        }
        let words: Vec<_> = pieces.iter().map(|piece| &self.page.text[piece.clone()]).collect();
        let Some(normal) = normalise(self.spec(field), &words.join(" "), self.order) else { return };
        found.candidates.push(Candidate { field, slot, pieces, normal, confidence });
    }

    fn cells(&self, found: &mut Found) {
        let labelled = &self.prepared.workflow.patterns.labelled;
        for cell in self.prepared.labels.cells(&self.page, labelled) {
            let pattern = &labelled[cell.pattern];
            let Some(field) = self.position(&pattern.field.name, pattern.field.group.as_deref()) else {
                continue;
            };
            let Some(slot) = self.slot(field, cell.line) else { continue };
            self.cell(found, field, slot, &cell);
        }
    }

    fn cell(&self, found: &mut Found, field: usize, slot: Slot, cell: &Cell) {
        let labelled = &self.prepared.workflow.patterns.labelled;
        let pattern = &labelled[cell.pattern];
        let date = matches!(self.spec(field).kind, FieldType::Date);
        let place = if date { self.last_date(cell) } else { cell.all.clone() };
        let inside = value::trimmed(self.page.text, place);
        let all = &self.page.text[inside.clone()];
        if let Some(shape) = &pattern.value {
            // What is looked for in words is not looked for among the words of boxes.
            let Some(captures) = shape.captures(all).filter(|_| !boxes::any(all)) else { return };
            let Some(part) = captures.name("value").or_else(|| captures.get(0)) else { return };
            let at = inside.start + part.start()..inside.start + part.end();
            if matches!(self.spec(field).kind, FieldType::Boolean) {
                // The words themselves say yes: "serious: yes, hospitalised".
                found.candidates.push(yes(field, slot, at, cell.confidence - confidence::PARTLY_READ));
            } else {
                self.keep(found, field, slot, at, cell.confidence);
            }
        } else if boxes::any(all) {
            let below = labels::continuation(&self.prepared.labels, &self.page, cell, labelled);
            // Boxes may go on below, each line beginning with one.
            let more = below.iter().take_while(|piece| boxes::any(&self.page.text[(*piece).clone()])).last();
            let end = more.map_or(cell.all.end, |piece| piece.end);
            self.keep(found, field, slot, cell.all.start..end, cell.confidence);
        } else if self.offers_a_choice(field, cell) {
            // Answers to choose from, and no tick in sight: whatever was chosen, it cannot be read here.
            let normal = Normal::default();
            let confidence = cell.confidence.saturating_sub(confidence::CONTRADICTED);
            found.candidates.push(Candidate { field, slot, pieces: vec![inside], normal, confidence });
        } else if pattern.wraps {
            let mut pieces = vec![value::trimmed(self.page.text, cell.first.clone())];
            pieces.extend(labels::continuation(&self.prepared.labels, &self.page, cell, labelled));
            self.keep_pieces(found, field, slot, pieces, cell.confidence);
        } else {
            let at = if date { inside } else { cell.first.clone() };
            self.keep(found, field, slot, at, cell.confidence);
        }
    }

    /// Whether a cell holds two or more different answers side by side: a printed choice whose marks were lost.
    fn offers_a_choice(&self, field: usize, cell: &Cell) -> bool {
        let inside = |bytes: &Range<usize>| bytes.start >= cell.all.start && bytes.end <= cell.all.end;
        let chunks = self.page.lines[cell.line].chunks.iter().filter(|chunk| inside(&chunk.bytes));
        let mut answers: Vec<_> = chunks
            .filter_map(|chunk| match self.spec(field).kind {
                FieldType::Code(_) => exact(self.spec(field), self.page.words(chunk))?.form,
                FieldType::Boolean => normalise(self.spec(field), self.page.words(chunk), self.order)?.form,
                FieldType::Text
                | FieldType::Date
                | FieldType::Number
                | FieldType::Quantity
                | FieldType::Unit => None,
            })
            .collect();
        answers.sort_unstable();
        answers.dedup();
        answers.len() > 1
    }

    /// Where the date of a cell is: anywhere in it, for its parts may stand in boxes of their own. Of several
    /// columns of dates the last is the current one, as cumulative reports have it.
    fn last_date(&self, cell: &Cell) -> Range<usize> {
        let line = &self.page.lines[cell.line];
        let inside = |bytes: &Range<usize>| bytes.start >= cell.all.start && bytes.end <= cell.all.end;
        let mut dates = line.chunks.iter().filter(|chunk| {
            inside(&chunk.bytes) && value::date_in(self.page.words(chunk)).is_some_and(|date| date.start == 0)
        });
        match (dates.next(), dates.next_back()) {
            (Some(_), Some(last)) => last.bytes.clone(),
            _ => cell.all.clone(),
        }
    }

    fn ticks(&self, found: &mut Found) {
        if self.prepared.ticks.is_empty() {
            return;
        }
        for (number, line) in self.page.lines.iter().enumerate() {
            if line.chunks.is_empty() {
                continue;
            }
            for tick in boxes::find(self.page.text, line.bytes.clone()).into_iter().filter(|tick| tick.ticked)
            {
                let words = fold(&self.page.text[tick.label.clone()]);
                let begins = |label: &str| {
                    words.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                };
                let Some((_, field)) = self.prepared.ticks.iter().find(|(label, _)| begins(label)) else {
                    continue;
                };
                let Some(slot) = self.slot(*field, number) else { continue };
                found.candidates.push(yes(*field, slot, tick.bytes, confidence::TICKED));
            }
        }
    }

    fn lists(&self, found: &mut Found) {
        for list in &self.prepared.workflow.patterns.lists {
            let items = lists::find(&self.page, list);
            if items.items.is_empty() {
                continue;
            }
            let extracted = number(items.items.len());
            found.rows.push(RowCount { group: list.group.clone(), found: items.found, extracted });
            for (at, item) in items.items.iter().enumerate() {
                for (name, bytes) in item {
                    let Some(field) = self.position(name, Some(&list.group)) else { continue };
                    self.keep(found, field, Slot::Item(number(at)), bytes.clone(), confidence::LISTED);
                }
            }
        }
    }

    fn loose(&self, found: &mut Found) {
        for loose in &self.prepared.workflow.patterns.loose {
            let names: Vec<_> = loose.pattern.capture_names().flatten().collect();
            for (at, captures) in loose.pattern.captures_iter(self.page.text).enumerate() {
                for name in &names {
                    let Some(part) = captures.name(name) else { continue };
                    let line = self.page.line_of(part.start());
                    // A line that says nothing says nothing here either.
                    if self.page.lines[line].chunks.is_empty() {
                        continue;
                    }
                    let Some(field) = self.position(name, loose.group.as_deref()) else { continue };
                    let slot =
                        if loose.each { Some(Slot::Match(number(at))) } else { self.slot(field, line) };
                    let Some(slot) = slot else { continue };
                    self.keep(found, field, slot, part.range(), confidence::loose(loose.strength));
                }
            }
        }
    }
}

/// What a mark stands for.
fn yes(field: usize, slot: Slot, at: Range<usize>, confidence: u16) -> Candidate {
    let normal = Normal { form: Some("Y".to_owned()), ..Normal::default() };
    Candidate { field, slot, pieces: vec![at], normal, confidence }
}

/// A position as the number of a repetition. A text has fewer lines than `u32::MAX`, so nothing is cut off.
fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Decides and writes the set.
fn report(text: &Text, prepared: &Prepared, found: Found, invocation: Uuid) -> FieldSet {
    let workflow = &prepared.workflow;
    let agent = workflow.id.agent(Role::Extractor);
    let groups = workflow.groups();
    let group_of = |field: usize| {
        let group = workflow.fields[field].group.as_deref()?;
        groups.iter().position(|known| *known == group)
    };
    let all = found.candidates.clone();
    let mut chosen = choose(found.candidates, group_of);
    chosen.sort_by_key(|(_, candidate)| candidate.pieces.first().map_or(0, |piece| piece.start));

    let offsets = Offsets::new(&text.text);
    let mut set = FieldSet::new(Role::Extractor);
    for (index, mut candidate) in chosen {
        let spec = &workflow.fields[candidate.field];
        let index = (index > 0).then_some(index);
        let finding = judge(spec, index, &candidate, &all);
        if let Some(finding) = &finding
            && finding.rule == CONTRADICTION
        {
            candidate.confidence = candidate.confidence.saturating_sub(confidence::CONTRADICTED);
        }
        let rules = finding.iter().map(|finding| finding.rule.clone()).collect();
        set.findings.extend(finding);
        set.fields.push(field(text, &offsets, spec, index, candidate, (&agent, invocation, rules)));
    }
    // The validator says what a difference between both counts means (ROWS-01).
    set.rows = found.rows;
    set
}

/// What is doubtful about a value.
fn judge(spec: &FieldSpec, index: Option<u32>, candidate: &Candidate, all: &[Candidate]) -> Option<Finding> {
    let finding = |rule: &str, message: String| Finding {
        rule: rule.to_owned(),
        version: 1,
        severity: Severity::Review,
        field: Some(spec.name.clone()),
        index,
        message: Phi::new(message),
    };
    if candidate.normal.ambiguous {
        let message =
            format!("The date of `{}` can be read as day/month or month/day: please decide.", spec.name);
        return Some(finding(AMBIGUOUS_DATE, message));
    }
    if candidate.normal.form.is_none() {
        return Some(finding(
            UNREAD,
            format!("More than one answer is ticked for `{}`: please decide.", spec.name),
        ));
    }
    if spec.group.is_none() && spec.required && all.iter().any(|other| contradicts(candidate, other)) {
        let message = format!("The document gives more than one value for `{}`: please decide.", spec.name);
        return Some(finding(CONTRADICTION, message));
    }
    None
}

fn field(
    text: &Text,
    offsets: &Offsets<'_>,
    spec: &FieldSpec,
    index: Option<u32>,
    candidate: Candidate,
    (agent, invocation, findings): (&AgentId, Uuid, Vec<String>),
) -> Field {
    let words: Vec<_> = candidate.pieces.iter().map(|piece| &text.text[piece.clone()]).collect();
    let value = single_spaced(&words.join(" "));
    let verbatim = candidate.normal.form.as_deref() == Some(words.concat().as_str());
    let status = match (candidate.pieces.len(), verbatim) {
        (1, true) => Alignment::Verbatim,
        (1, false) => Alignment::Normalised,
        _ => Alignment::Assembled,
    };
    let evidence = candidate
        .pieces
        .iter()
        .map(|piece| Evidence { span: offsets.span(piece.clone()), page: text.page_of(piece.start), status })
        .collect();
    Field {
        name: spec.name.clone(),
        group: spec.group.clone(),
        index,
        value: Phi::new(value),
        normalized: candidate.normal.form.map(Phi::new),
        unit: candidate.normal.unit,
        codes: candidate.normal.codes,
        assertion: clinflow_core::field::Assertion::default(),
        evidence,
        confidence: confidence::of(candidate.confidence),
        source: Source::Pattern,
        agent_id: agent.clone(),
        invocation_id: invocation,
        model: None,
        findings,
    }
}
