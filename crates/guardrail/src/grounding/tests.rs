//! A field is grounded exactly where it stands.

use clinflow_core::{
    AgentId, Evidence, Field, Phi,
    field::{Alignment, Assertion, Confidence, Offsets, Source},
};
use proptest::prelude::*;

use super::{Kind, check, unbroken};

fn field(value: &str, evidence: Evidence) -> Field {
    Field {
        name: "field".to_owned(),
        group: None,
        index: None,
        value: Phi::new(value),
        normalized: None,
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![evidence],
        confidence: Confidence::FULL,
        source: Source::Model,
        agent_id: AgentId::new("w.nlp").unwrap(),
        invocation_id: uuid::Uuid::nil(),
        model: None,
        findings: Vec::new(),
    }
}

proptest! {
    /// A value cut out of the text is always grounded as words; moved by one it never is, unless the text repeats.
    #[test]
    fn a_stretch_of_the_text_is_grounded_exactly_where_it_stands(text in "[a-zé ]{4,40}", from in 0usize..30, length in 1usize..8) {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        prop_assume!(from + length + 1 < starts.len());
        let (start, end) = (starts[from], starts[from + length]);
        prop_assume!(!text[start..end].trim().is_empty());
        let offsets = Offsets::new(&text);
        let evidence = Evidence { span: offsets.span(start..end), page: None, status: Alignment::Verbatim };
        let mut found = field(&text[start..end], evidence);
        prop_assert_eq!(check(&offsets, &found, Kind::Text, None), Ok(()));
        let moved = starts[from + 1]..starts[from + length + 1];
        found.evidence[0].span = offsets.span(moved.clone());
        let says_the_same = unbroken(&text[moved]) == unbroken(&text[start..end]);
        prop_assert_eq!(check(&offsets, &found, Kind::Text, None).is_ok(), says_the_same);
    }
}
