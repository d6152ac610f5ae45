//! Answering a question about an execution: guardrail, reader, support, guardrail, and only then an answer.
//!
//! The question and its answer are objects; messages, sessions and the audit log hold references to them. A refusal is
//! an answer, with the message its policy configures.

mod asked;
pub mod local;
pub mod material;
mod support;

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use clinflow_core::{
    AgentId, Answer, Citation, Failure, FieldSet, Phi, Question, Role, id::ObjectHash,
    question::GuardrailFinding, step::ObjectRef,
};
use clinflow_guardrail::{Action, Content, Finding, PolicyKind, Source};
use clinflow_ingest::Text;
use clinflow_ports::{
    Guardrail, Objects, Sessions, StoreError,
    objects::{key, reference},
    sessions::Turn,
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Output, Work,
    telemetry::{Metrics, metrics::Agent},
    wire,
};
use clinflow_workflow::{Bundle, Workflow};
use futures_util::future::{try_join_all, try_join3};

use self::asked::Asked;
pub use self::material::{Answered, Exchange, Material, NOT_SAID};
use crate::{
    reader::{Client, Reader},
    stored::{parse, read_json, unknown_workflow, unwritable},
};

/// How much of a conversation is remembered.
const REMEMBERED: usize = 5;

/// What is said instead of an answer that does not rest on what it cites.
const WITHHELD: &str = "The answer was withheld: the document does not support it.";

/// Answers questions.
pub(crate) struct Questions {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) bundles: Arc<Catalog<Bundle>>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) metrics: Metrics,
}

impl Questions {
    /// Answers a question once: what is stored already is the answer, so that a redelivery asks nobody again (INV-05).
    pub(crate) async fn answer(
        &self,
        message: v1::QuestionAsked,
        context: &Context,
    ) -> Result<Done, Failure> {
        let asked = Asked::try_from(&message)?;
        let bundle = self.bundles.get(asked.run.bundle).await?;
        let workflow = bundle.workflow(&asked.workflow).ok_or_else(|| unknown_workflow(&asked.workflow))?;
        let agent_id = workflow.id.agent(Role::Nlp);
        let place = key::answer(asked.run.execution, asked.id);
        let (answer, stored) = match self.stored(&place).await? {
            Some(found) => found,
            None => {
                let answer = self.find(&asked, &bundle, workflow, &agent_id, context).await?;
                let stored = self.store(&place, answer).await?;
                self.count(&stored.0, workflow);
                stored
            }
        };
        self.remember(&asked, &stored).await?;
        let mut outputs = interventions(&message, &answer, workflow);
        outputs.push(Output::new(&workflow.id, answered(message, &answer, &stored)));
        let work = Work {
            model: answer.model.clone(),
            prompt: answer.prompt,
            cost_nano_usd: answer.cost_nano_usd,
            ..Work::of(agent_id).writing(stored)
        };
        Ok(Done { outputs, work: Some(work) })
    }

    /// The answer that is there already.
    async fn stored(&self, place: &str) -> Result<Option<(Answer, ObjectRef)>, Failure> {
        match self.objects.get(place).await {
            Ok(bytes) => Ok(Some((parse(&bytes, place, "answer")?, reference(place, &bytes)))),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores an answer, and answers which one is there: the first.
    async fn store(&self, place: &str, answer: Answer) -> Result<(Answer, ObjectRef), Failure> {
        let bytes = Bytes::from(serde_json::to_vec(&answer).map_err(unwritable)?);
        let written = ObjectHash::of(&bytes);
        let kept = self.objects.create(place, bytes).await?;
        if kept.sha256 == written {
            return Ok((answer, kept));
        }
        Ok((read_json(self.objects.as_ref(), &kept, "answer").await?, kept))
    }

    /// Counts what the guardrail found about a question and its answer.
    fn count(&self, answer: &Answer, workflow: &Workflow) {
        let agent = Agent { team: &workflow.team, workflow: &workflow.id, role: Role::Nlp };
        for found in &answer.guardrail {
            self.metrics.guardrail_intervened(agent, &found.policy, &found.action);
        }
    }

    /// Asks guardrail, reader and guardrail.
    async fn find(
        &self,
        asked: &Asked,
        bundle: &Bundle,
        workflow: &Arc<Workflow>,
        agent_id: &AgentId,
        context: &Context,
    ) -> Result<Answer, Failure> {
        let objects = self.objects.as_ref();
        let question: Question = read_json(objects, &asked.words, "question").await?;
        let mut guarded = Guarded { guardrail: workflow.guardrail.as_ref(), found: Vec::new() };
        let question = match guarded.pass(Source::Input, Content::of(question.question.expose())).await? {
            Ok(question) => question,
            Err(message) => {
                return Ok(answer(asked, Phi::default(), Err(message), guarded.found, None));
            }
        };
        let (text, fields, earlier) = try_join3(
            read_json::<Text>(objects, &asked.text, "text"),
            read_json::<FieldSet>(objects, &asked.fields, "fields"),
            self.earlier(asked),
        )
        .await?;
        let (text, fields) = (Arc::new(text), Arc::new(fields));
        let material = Material { text: &text, fields: &fields, workflow, earlier: &earlier };
        let client = Client {
            bundle,
            execution: asked.run.execution,
            workflow: &workflow.id,
            agent: agent_id,
            team: &workflow.team,
            session: asked.session.as_ref().or(asked.run.session.as_ref()),
            document: &asked.run.document.sha256,
            invocation: context.meta.message_id,
            within: context.remaining,
        };
        let said = self.reader.answer(&question, &material, &client).await?;
        let words = if support::rests_on(said.answer.expose(), &said.citations, &text.text) {
            // That the document does not say something follows from no stretch of it.
            let cites = !said.citations.is_empty();
            let content = Content {
                text: said.answer.expose(),
                grounding_source: cites.then_some(text.text.as_str()),
                query: cites.then_some(question.expose()),
            };
            guarded.pass(Source::Output, content).await?.map(|words| (words, said.citations))
        } else {
            guarded.found.push(unsupported());
            Err(WITHHELD.to_owned())
        };
        let model = Some((said.model, said.prompt, said.cost_nano_usd));
        Ok(answer(asked, question, words, guarded.found, model))
    }

    /// What was asked before in the same conversation, and was not refused.
    async fn earlier(&self, asked: &Asked) -> Result<Vec<Exchange>, Failure> {
        let Some(session) = &asked.session else { return Ok(Vec::new()) };
        let turns = self.sessions.recent(session, asked.run.execution, REMEMBERED + 1).await?;
        // Those that were there when this question was asked, so that asking again gives the same.
        let before = turns.iter().filter(|turn| turn.turn < asked.turn);
        let read = before.map(|turn| read_json::<Answer>(self.objects.as_ref(), &turn.answer, "answer"));
        let answers = try_join_all(read).await?.into_iter().filter(|answer| !answer.refused);
        let exchange = |answer: Answer| Exchange {
            question: answer.question,
            answer: answer.answer,
            citations: answer.citations,
        };
        Ok(answers.map(exchange).collect())
    }

    /// Remembers the question and its answer, by reference.
    async fn remember(&self, asked: &Asked, answer: &ObjectRef) -> Result<(), Failure> {
        let Some(session) = &asked.session else { return Ok(()) };
        let turn = Turn {
            execution: asked.run.execution,
            turn: asked.turn,
            question_id: asked.id,
            question: asked.words.clone(),
            answer: answer.clone(),
            at: asked.at,
        };
        Ok(self.sessions.append(session, &turn).await?)
    }
}

/// A guardrail with what it has found so far.
struct Guarded<'g> {
    guardrail: &'g dyn Guardrail,
    found: Vec<GuardrailFinding>,
}

impl Guarded<'_> {
    /// The words to go on with, or the message that is said instead.
    async fn pass(&mut self, source: Source, content: Content<'_>) -> Result<Result<Phi, String>, Failure> {
        let assessment = self.guardrail.assess(source, content).await?;
        self.found.extend(assessment.findings.iter().map(|finding| found(source, finding)));
        // A blocked text is replaced by the policy's own words, which are nobody's.
        Ok(if assessment.blocked { Err(assessment.text.into_exposed()) } else { Ok(assessment.text) })
    }
}

/// The answer to `asked`: words with what they rest on, or what is said instead; `model` is which one was asked, with
/// which prompt and at what cost.
fn answer(
    asked: &Asked,
    question: Phi,
    words: Result<(Phi, Vec<Citation>), String>,
    guardrail: Vec<GuardrailFinding>,
    model: Option<(String, Option<ObjectHash>, u64)>,
) -> Answer {
    let refused = words.is_err();
    let (model, prompt, cost_nano_usd) =
        model.map_or((None, None, 0), |(model, prompt, cost)| (Some(model), prompt, cost));
    let (words, citations, message) = match words {
        Ok((words, citations)) => (words, citations, None),
        Err(message) => (Phi::default(), Vec::new(), Some(message)),
    };
    Answer {
        schema: Answer::SCHEMA.to_owned(),
        execution_id: asked.run.execution,
        question_id: asked.id,
        question,
        answer: words,
        refused,
        message,
        citations,
        guardrail,
        model,
        prompt,
        cost_nano_usd,
    }
}

/// What the guardrail did, one event for each policy and action: a name found ten times is one intervention.
fn interventions(message: &v1::QuestionAsked, answer: &Answer, workflow: &Workflow) -> Vec<Output> {
    let done = answer.guardrail.iter().filter(|found| found.action != Action::Detected.as_str());
    let kinds: BTreeSet<_> = done.map(|found| (found.policy.as_str(), found.action.as_str())).collect();
    let event = |(policy, action): (&str, &str)| {
        let intervened = v1::GuardrailIntervened {
            execution: message.execution.clone(),
            workflow_id: workflow.id.to_string(),
            guardrail: workflow.guardrail.name().to_owned(),
            policy: policy.to_owned(),
            action: action.to_owned(),
            field: format!("question/{}", answer.question_id),
        };
        Output::new(&workflow.id, intervened)
    };
    kinds.into_iter().map(event).collect()
}

/// The message that says that a question has its answer.
fn answered(message: v1::QuestionAsked, answer: &Answer, stored: &ObjectRef) -> v1::QuestionAnswered {
    v1::QuestionAnswered {
        execution: message.execution,
        workflow_id: message.workflow_id,
        question_id: message.question_id,
        answer: Some(wire::to_wire(stored)),
        refused: answer.refused,
    }
}

/// A finding of the guardrail on one side of the model.
fn found(source: Source, finding: &Finding) -> GuardrailFinding {
    GuardrailFinding {
        source: source.as_str().to_ascii_lowercase(),
        policy: finding.policy.as_str().to_owned(),
        name: finding.name.clone(),
        action: finding.action.as_str().to_owned(),
    }
}

/// What is noted of an answer that does not rest on what it cites.
fn unsupported() -> GuardrailFinding {
    GuardrailFinding {
        source: Source::Output.as_str().to_ascii_lowercase(),
        policy: PolicyKind::ContextualGrounding.as_str().to_owned(),
        name: "CITATIONS".to_owned(),
        action: Action::Blocked.as_str().to_owned(),
    }
}
