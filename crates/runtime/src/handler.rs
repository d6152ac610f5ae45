//! What a service is: a handler of one kind of message.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use clinflow_core::{
    AgentId, Failure, Role, WorkflowId,
    id::{ObjectHash, output_id},
    step::ObjectRef,
};
use clinflow_ports::{Event, Meta};
use clinflow_proto::v1;
use jiff::Timestamp;
use uuid::Uuid;

use crate::wire::{Publish, Receive};

/// One role's work on one message. Implementations hold the ports they were given and nothing else.
pub trait Handler: Send + Sync + 'static {
    /// The role.
    const ROLE: Role;
    /// What it consumes: one message of the contract, or an enum of several.
    type Input: Receive;

    /// Fetches, decides, stores; answers everything the message caused, or why it could not be done this time.
    /// The same input must give the same outputs, because a redelivery calls this again.
    fn handle(
        &self,
        input: Self::Input,
        context: &Context,
    ) -> impl Future<Output = Result<Done, Failure>> + Send;
}

/// What a handler may know about the delivery: who, when, how long it has left.
#[derive(Debug, Clone)]
pub struct Context {
    /// The message's properties and headers.
    pub meta: Meta,
    /// When handling began.
    pub now: Timestamp,
    /// How long the answer is of use: the smaller of stage timeout and deadline.
    pub remaining: Duration,
}

/// What a message caused.
#[derive(Default)]
pub struct Done {
    /// The messages to publish.
    pub outputs: Vec<Output>,
    /// What the history says about it; `None` when nothing was done (a duplicate).
    pub work: Option<Work>,
}

impl Done {
    /// Nothing to do.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// One output and what was done for it.
    pub fn one(output: Output, work: Work) -> Self {
        Self { outputs: vec![output], work: Some(work) }
    }
}

/// What the history says about an invocation; the runtime adds times, attempt and ids.
#[derive(Debug, Clone)]
pub struct Work {
    /// The role inside its workflow.
    pub agent_id: AgentId,
    /// What was written to the object store.
    pub output: Option<ObjectRef>,
    /// Model id and version, when a model took part.
    pub model: Option<String>,
    /// SHA-256 of the prompt it was given, when it was given one.
    pub prompt: Option<ObjectHash>,
    /// What it cost, in nano-dollars.
    pub cost_nano_usd: u64,
    /// The code of what was found wrong with the document, when its way ends here.
    pub code: Option<&'static str>,
}

impl Work {
    /// Work of `agent_id` that wrote nothing and cost nothing.
    pub const fn of(agent_id: AgentId) -> Self {
        Self { agent_id, output: None, model: None, prompt: None, cost_nano_usd: 0, code: None }
    }

    /// The same, having written `output`.
    #[must_use]
    pub fn writing(self, output: ObjectRef) -> Self {
        Self { output: Some(output), ..self }
    }

    /// The same, having found something wrong with the document.
    #[must_use]
    pub fn failing(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }
}

/// A message to publish. Its event, and with it its route, follows from its type.
pub struct Output {
    /// The workflow in its routing key.
    pub workflow: WorkflowId,
    /// What its id is derived from, where that is not the input's id: the execution, for a fan-in whose inputs
    /// are many.
    pub cause: Option<Uuid>,
    message: Box<dyn Publish>,
}

impl Output {
    /// `message`, for `workflow`.
    pub fn new(workflow: &WorkflowId, message: impl Publish + 'static) -> Self {
        Self { workflow: workflow.clone(), cause: None, message: Box::new(message) }
    }

    /// The same, with its id derived from `cause` instead of the input.
    #[must_use]
    pub fn caused_by(self, cause: Uuid) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// What happened, according to this message.
    pub fn event(&self) -> Event {
        self.message.event()
    }

    /// The message, for tests that look at what a handler made of an input.
    pub fn message(&self) -> &dyn Publish {
        self.message.as_ref()
    }

    /// Adds a step to the history the message carries.
    pub(crate) fn add_step(&mut self, step: v1::Step) {
        if let Some(execution) = self.message.execution_mut() {
            execution.steps.push(step);
        }
    }

    /// The id of this output: the same input gives the same id.
    pub fn id(&self, role: Role, input: Uuid, index: u32) -> Uuid {
        output_id(role, self.event().key(), self.cause.unwrap_or(input), index)
    }

    /// The body.
    pub fn body(&self) -> Bytes {
        self.message.encode_body()
    }

    /// The execution it belongs to, as the body says.
    pub fn execution(&self) -> Option<&v1::ExecutionContext> {
        self.message.execution()
    }
}
