//! What makes two calls the same call: who asks which model what about which document.

use clinflow_core::{AgentId, DocumentHash, id::ObjectHash};
use clinflow_ports::model::Request;

/// The hash of a call. Each part is preceded by its length, so that no two calls run together into the same bytes.
pub fn fingerprint(document: &DocumentHash, agent: &AgentId, model: &str, request: &Request) -> ObjectHash {
    let schema = request.schema.as_ref();
    let parts = [
        document.to_string(),
        agent.to_string(),
        model.to_owned(),
        request.instructions.clone(),
        request.document.expose().to_owned(),
        request.query.expose().to_owned(),
        schema.map(|schema| schema.name.clone()).unwrap_or_default(),
        schema.map(|schema| schema.json.clone()).unwrap_or_default(),
        request.max_output_tokens.to_string(),
    ];
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in &parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    ObjectHash::of(&bytes)
}

#[cfg(test)]
mod tests {
    use clinflow_core::{DocumentHash, Role, WorkflowId};
    use clinflow_ports::model::Request;

    use super::fingerprint;

    #[test]
    fn moving_a_word_from_one_part_to_the_next_is_another_call() {
        let agent = WorkflowId::new("ae-report").unwrap().agent(Role::Nlp);
        let document = DocumentHash::of(b"document");
        let of = |instructions: &str, text: &str| {
            let request = Request {
                instructions: instructions.to_owned(),
                document: text.into(),
                query: "What?".into(),
                schema: None,
                max_output_tokens: 10,
            };
            fingerprint(&document, &agent, "model", &request)
        };
        assert_eq!(of("one", "two"), of("one", "two"));
        assert_ne!(of("one two", ""), of("one", " two"));
    }
}
