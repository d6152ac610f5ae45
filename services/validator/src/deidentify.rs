//! De-identification: no value and no word of a finding leaves before the workflow's guardrail has seen it.
//!
//! What must be masked is masked in place; the field keeps its evidence, which is spans and not words. What must be
//! blocked is withheld, and a person is asked (INV-07, INV-08).

use clinflow_core::{
    Field, Finding, Guarded, Intervention, Phi, Severity,
    field::{Alignment, Evidence},
};
use clinflow_guardrail::{Action, Assessment, Engine};
use clinflow_workflow::Workflow;

/// The rule of every finding about a value that the guardrail withheld.
pub(crate) const WITHHELD: &str = "GRD-03";

/// Fields and findings that may leave, and what was done to them.
pub(crate) struct Deidentified {
    pub(crate) fields: Vec<Field>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) guarded: Guarded,
}

/// Lets the workflow's guardrail see every word that is about to leave.
pub(crate) fn deidentify(workflow: &Workflow, fields: Vec<Field>, findings: Vec<Finding>) -> Deidentified {
    let engine = workflow.guardrail.as_ref();
    let mut done = Deidentified {
        fields: Vec::with_capacity(fields.len()),
        findings: Vec::with_capacity(findings.len()),
        guarded: Guarded { guardrail: engine.name().to_owned(), interventions: Vec::new() },
    };
    for finding in findings {
        let said = engine.quotation(finding.message.expose());
        done.findings.push(Finding { message: said.text, ..finding });
    }
    for field in fields {
        let phi = workflow.field(&field.name, field.group.as_deref()).and_then(|spec| spec.phi);
        let value = engine.value(phi, field.value.expose());
        done.note(&field, &value);
        if value.blocked {
            done.findings.push(withheld(&field));
            continue;
        }
        done.fields.push(if value.intervened() { masked(engine, phi, field, value) } else { field });
    }
    done
}

impl Deidentified {
    fn note(&mut self, field: &Field, value: &Assessment) {
        let path = match &field.group {
            Some(group) => format!("{group}.{}", field.name),
            None => field.name.clone(),
        };
        for finding in value.findings.iter().filter(|finding| finding.action != Action::Detected) {
            let intervention = Intervention {
                policy: finding.policy.as_str().to_owned(),
                name: finding.name.clone(),
                action: finding.action.as_str().to_owned(),
                field: Some(path.clone()),
                index: field.index,
            };
            if !self.guarded.interventions.contains(&intervention) {
                self.guarded.interventions.push(intervention);
            }
        }
    }
}

/// A field whose value was masked: its normal form is masked too, and its codes, which would say it, are gone.
fn masked(
    engine: &Engine,
    phi: Option<clinflow_guardrail::PiiType>,
    field: Field,
    value: Assessment,
) -> Field {
    let normalized = field.normalized.map(|form| engine.value(phi, form.expose()).text);
    let evidence = field.evidence.into_iter().map(|one| Evidence { status: Alignment::Normalised, ..one });
    Field { value: value.text, normalized, codes: Vec::new(), evidence: evidence.collect(), ..field }
}

/// The guardrail does not let a value leave.
fn withheld(field: &Field) -> Finding {
    Finding {
        rule: WITHHELD.to_owned(),
        version: 1,
        severity: Severity::Block,
        field: Some(field.name.clone()),
        index: field.index,
        message: Phi::new(format!("the guardrail withheld `{}`: please look at the document", field.name)),
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::Severity;
    use clinflow_workflow::{Bundle, shipped};

    use super::deidentify;
    use crate::testing::pattern;

    #[test]
    fn a_name_is_masked_a_number_of_the_state_is_withheld_and_what_the_document_orders_stays() {
        let bundle = Bundle::read(&shipped()).unwrap();
        let workflow = bundle.workflows().find(|workflow| workflow.id.as_str() == "ae-report").unwrap();
        let text = |name: &str, value: &str| pattern(value, name, value, value);
        let fields = vec![
            text("reporter_name", "Zoe Example"),
            text("reporter_role", "SSN 219-09-9999"),
            text("study_id", "The dose should be reduced to 50 mg"),
        ];
        let done = deidentify(workflow, fields, Vec::new());
        let left: Vec<_> = done.fields.iter().map(|field| field.value.expose()).collect();
        assert_eq!(left, ["{NAME}", "The dose should be reduced to 50 mg"]);
        let told: Vec<_> = done
            .guarded
            .interventions
            .iter()
            .map(|one| (one.name.as_str(), one.action.as_str(), one.field.as_deref().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("NAME", "anonymized", "reporter_name"),
                ("US_SOCIAL_SECURITY_NUMBER", "blocked", "reporter_role")
            ]
        );
        let [finding] = done.findings.as_slice() else { panic!("one value was withheld") };
        assert_eq!((finding.rule.as_str(), finding.severity), ("GRD-03", Severity::Block));
        assert!(!finding.message.expose().contains("219"));
    }
}
