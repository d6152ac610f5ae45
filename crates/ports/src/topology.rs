//! Every exchange, queue, binding, delay tier and policy: one table.
//!
//! The services assert it, `clinflow topology show` prints it, `clinflow topology apply` declares it.
//! To add an event: its variant of [`Event`], its place in [`Event::ALL`], its key and type, and its consumers in
//! [`CONSUMES`]; ARCHITECTURE.md lists the other places.

use std::{fmt, time::Duration};

use clinflow_core::{Lane, Role, WorkflowId};

/// What happens, by the name it has in routing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A document wants to be processed.
    DocumentSubmitted,
    /// Its text and workflow are known.
    DocumentClassified,
    /// One branch has looked for fields.
    FieldsExtracted,
    /// Every branch has arrived, or the deadline has passed.
    FieldsMerged,
    /// Both sources are reconciled and checked.
    FieldsValidated,
    /// The result is in the audit log.
    ExtractionRecorded,
    /// The outputs are written.
    ReportCompleted,
    /// A message could not be handled.
    DocumentFailed,
    /// A branch arrived that does not count.
    FieldsIgnored,
    /// A person must settle something.
    ReviewRequested,
    /// A person has settled it.
    ReviewResolved,
    /// The guardrail masked or blocked something.
    GuardrailIntervened,
    /// Spending crossed a threshold.
    BudgetThreshold,
    /// Spending does not look like itself.
    CostAnomaly,
    /// Somebody asks about an execution.
    QuestionAsked,
    /// The question was answered or refused.
    QuestionAnswered,
}

impl Event {
    /// Every event, the flow first.
    pub const ALL: [Self; 16] = [
        Self::DocumentSubmitted,
        Self::DocumentClassified,
        Self::FieldsExtracted,
        Self::FieldsMerged,
        Self::FieldsValidated,
        Self::ExtractionRecorded,
        Self::ReportCompleted,
        Self::DocumentFailed,
        Self::FieldsIgnored,
        Self::ReviewRequested,
        Self::ReviewResolved,
        Self::GuardrailIntervened,
        Self::BudgetThreshold,
        Self::CostAnomaly,
        Self::QuestionAsked,
        Self::QuestionAnswered,
    ];

    /// The first two words of its routing key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::DocumentSubmitted => "document.submitted",
            Self::DocumentClassified => "document.classified",
            Self::FieldsExtracted => "fields.extracted",
            Self::FieldsMerged => "fields.merged",
            Self::FieldsValidated => "fields.validated",
            Self::ExtractionRecorded => "extraction.recorded",
            Self::ReportCompleted => "report.completed",
            Self::DocumentFailed => "document.failed",
            Self::FieldsIgnored => "fields.ignored",
            Self::ReviewRequested => "review.requested",
            Self::ReviewResolved => "review.resolved",
            Self::GuardrailIntervened => "guardrail.intervened",
            Self::BudgetThreshold => "budget.threshold",
            Self::CostAnomaly => "cost.anomaly",
            Self::QuestionAsked => "question.asked",
            Self::QuestionAnswered => "question.answered",
        }
    }

    /// Full protobuf name of its message, the AMQP `type`.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::DocumentSubmitted => "clinflow.v1.DocumentSubmitted",
            Self::DocumentClassified => "clinflow.v1.DocumentClassified",
            Self::FieldsExtracted => "clinflow.v1.FieldsExtracted",
            Self::FieldsMerged => "clinflow.v1.FieldsMerged",
            Self::FieldsValidated => "clinflow.v1.FieldsValidated",
            Self::ExtractionRecorded => "clinflow.v1.ExtractionRecorded",
            Self::ReportCompleted => "clinflow.v1.ReportCompleted",
            Self::DocumentFailed => "clinflow.v1.DocumentFailed",
            Self::FieldsIgnored => "clinflow.v1.FieldsIgnored",
            Self::ReviewRequested => "clinflow.v1.ReviewRequested",
            Self::ReviewResolved => "clinflow.v1.ReviewResolved",
            Self::GuardrailIntervened => "clinflow.v1.GuardrailIntervened",
            Self::BudgetThreshold => "clinflow.v1.BudgetThreshold",
            Self::CostAnomaly => "clinflow.v1.CostAnomaly",
            Self::QuestionAsked => "clinflow.v1.QuestionAsked",
            Self::QuestionAnswered => "clinflow.v1.QuestionAnswered",
        }
    }

    /// The event whose message has this protobuf name.
    pub fn of_type(type_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.type_name() == type_name)
    }
}

/// Which events each role consumes. The auditor takes every event that ends or marks an execution; the steps
/// between travel with the messages.
pub const CONSUMES: [(Role, &[Event]); 7] = [
    (Role::Classifier, &[Event::DocumentSubmitted]),
    (Role::Extractor, &[Event::DocumentClassified]),
    (Role::Nlp, &[Event::DocumentClassified, Event::QuestionAsked]),
    (Role::Aggregator, &[Event::FieldsExtracted]),
    (Role::Validator, &[Event::FieldsMerged]),
    (
        Role::Auditor,
        &[
            Event::FieldsValidated,
            Event::ReportCompleted,
            Event::DocumentFailed,
            Event::FieldsIgnored,
            Event::ReviewRequested,
            Event::ReviewResolved,
            Event::GuardrailIntervened,
            Event::BudgetThreshold,
            Event::CostAnomaly,
            Event::QuestionAsked,
            Event::QuestionAnswered,
        ],
    ),
    (Role::Reporter, &[Event::ExtractionRecorded]),
];

/// Every event is published here.
pub const EVENTS: &str = "clinflow.events";
/// What must wait is published here, with key `<tier>.<queue>`.
pub const DELAY: &str = "clinflow.delay";
/// What has waited comes back through here to the queue it was meant for.
pub const RETURN: &str = "clinflow.return";
/// Wrong messages.
pub const DEAD: &str = "clinflow.dead";
/// Right messages that wait for a person or a budget.
pub const PARKED: &str = "clinflow.parked";

/// How often the broker may hand out one message before it gives up on it. A backstop only: attempts are
/// counted in our own header. 20 is the default of RabbitMQ 4; older versions have none.
pub const DELIVERY_LIMIT: u32 = 20;

/// How often people may look at a dead or parked message: looking hands it out and takes it back. As good as without
/// end, and said because RabbitMQ 4 drops a message after 20 times in a queue that says nothing.
pub const LOOKS: u32 = 2_000_000_000;

/// One delay tier: a queue with one fixed time to live, because a per-message time to live waits behind the
/// message at the head of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The tier's word in routing keys and queue names.
    pub name: &'static str,
    /// How long a message waits in it.
    pub delay: Duration,
}

/// The delay tiers, shortest first. Six are enough for a backoff from a second to half an hour, and few
/// enough that idle quorum queues cost little.
pub const TIERS: [Tier; 6] = [
    Tier { name: "1s", delay: Duration::from_secs(1) },
    Tier { name: "5s", delay: Duration::from_secs(5) },
    Tier { name: "30s", delay: Duration::from_secs(30) },
    Tier { name: "2m", delay: Duration::from_secs(120) },
    Tier { name: "10m", delay: Duration::from_secs(600) },
    Tier { name: "30m", delay: Duration::from_secs(1800) },
];

impl Tier {
    /// The longest tier that does not exceed `delay`; the shortest for anything below it.
    pub fn for_delay(delay: Duration) -> Self {
        TIERS.into_iter().rev().find(|tier| tier.delay <= delay).unwrap_or(TIERS[0])
    }
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// The exchange.
    pub exchange: &'static str,
    /// The routing key.
    pub key: String,
}

impl Route {
    /// To everybody who consumes `event`: `<event>.<workflow>.<lane>`.
    pub fn event(event: Event, workflow: &WorkflowId, lane: Lane) -> Self {
        // A dot in a workflow id would shift the words of the key.
        Self {
            exchange: EVENTS,
            key: format!("{}.{}.{lane}", event.key(), workflow.as_str().replace('.', "_")),
        }
    }

    /// Back to `queue` after the tier that fits `delay`.
    pub fn delayed(delay: Duration, queue: &str) -> Self {
        Self { exchange: DELAY, key: format!("{}.{queue}", Tier::for_delay(delay).name) }
    }

    /// Back to `queue` at once, and to no other.
    pub fn returned(queue: &str) -> Self {
        Self { exchange: RETURN, key: format!("now.{queue}") }
    }

    /// To the dead letters; the key keeps the queue it came from.
    pub fn dead(queue: &str) -> Self {
        Self { exchange: DEAD, key: queue.to_owned() }
    }

    /// To the parked messages; the key keeps the queue it came from.
    pub fn parked(queue: &str) -> Self {
        Self { exchange: PARKED, key: queue.to_owned() }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.exchange, self.key)
    }
}

/// The queue of a role on a lane: `clinflow.nlp.batch`.
pub fn queue_name(role: Role, lane: Lane) -> String {
    format!("clinflow.{role}.{lane}")
}

/// A queue argument's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A number.
    Number(u32),
    /// A text.
    Text(String),
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A durable quorum queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments beside `x-queue-type=quorum`, by name.
    pub arguments: Vec<(&'static str, Argument)>,
}

/// Messages with a matching key on a topic exchange reach a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The exchange.
    pub exchange: &'static str,
    /// The queue.
    pub queue: String,
    /// The topic pattern: `*` is one word, `#` any number.
    pub pattern: String,
}

/// What an operator may tune on the broker without declaring anything anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: &'static str,
    /// Queues it applies to, as a regular expression.
    pub pattern: &'static str,
    /// Definition, by key.
    pub definition: Vec<(&'static str, Argument)>,
}

/// Everything the broker must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Durable topic exchanges.
    pub exchanges: Vec<&'static str>,
    /// Durable quorum queues.
    pub queues: Vec<Queue>,
    /// Bindings.
    pub bindings: Vec<Binding>,
    /// Policies. AMQP cannot declare them; `clinflow topology show --definitions` prints them for
    /// `rabbitmqctl import_definitions`.
    pub policies: Vec<Policy>,
}

impl Topology {
    /// The topology of this version.
    pub fn standard() -> Self {
        let text = |value: &str| Argument::Text(value.to_owned());
        let mut queues = Vec::new();
        let mut bindings = Vec::new();
        // At-least-once dead-lettering needs reject-publish; the default strategy loses messages.
        let keeps_dead_letters =
            [("x-dead-letter-strategy", text("at-least-once")), ("x-overflow", text("reject-publish"))];
        for (role, events) in CONSUMES {
            for lane in Lane::ALL {
                let name = queue_name(role, lane);
                for event in events {
                    let pattern = format!("{}.*.{lane}", event.key());
                    bindings.push(Binding { exchange: EVENTS, queue: name.clone(), pattern });
                }
                bindings.push(Binding {
                    exchange: RETURN,
                    queue: name.clone(),
                    pattern: format!("*.{name}"),
                });
                let mut arguments = vec![
                    ("x-dead-letter-exchange", text(DEAD)),
                    ("x-delivery-limit", Argument::Number(DELIVERY_LIMIT)),
                ];
                arguments.extend(keeps_dead_letters.clone());
                queues.push(Queue { name, arguments });
            }
        }
        for tier in TIERS {
            let name = format!("{DELAY}.{}", tier.name);
            bindings.push(Binding {
                exchange: DELAY,
                queue: name.clone(),
                pattern: format!("{}.#", tier.name),
            });
            let millis = u32::try_from(tier.delay.as_millis()).expect("the longest tier is half an hour");
            let mut arguments =
                vec![("x-dead-letter-exchange", text(RETURN)), ("x-message-ttl", Argument::Number(millis))];
            arguments.extend(keeps_dead_letters.clone());
            queues.push(Queue { name, arguments });
        }
        for exchange in [DEAD, PARKED] {
            bindings.push(Binding { exchange, queue: exchange.to_owned(), pattern: "#".to_owned() });
            let arguments = vec![("x-delivery-limit", Argument::Number(LOOKS))];
            queues.push(Queue { name: exchange.to_owned(), arguments });
        }
        let policies = vec![Policy {
            name: "clinflow-ingress",
            pattern: "^clinflow\\.classifier\\.",
            // A full ingress queue refuses publishes, which the gateway turns into 429.
            definition: vec![
                ("max-length", Argument::Number(1_000_000)),
                ("overflow", text("reject-publish")),
            ],
        }];
        Self { exchanges: vec![EVENTS, DELAY, RETURN, DEAD, PARKED], queues, bindings, policies }
    }
}

/// Whether a topic pattern matches a routing key, as AMQP 0-9-1 defines it.
pub fn matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern, key) {
            ([], []) => true,
            (["#", rest @ ..], key) => words(rest, key) || (!key.is_empty() && words(pattern, &key[1..])),
            (["*", rest @ ..], [_, key @ ..]) => words(rest, key),
            ([word, rest @ ..], [first, key @ ..]) => word == first && words(rest, key),
            _ => false,
        }
    }
    let split = |text: &'_ str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, key) = (split(pattern), split(key));
    words(
        &pattern.iter().map(String::as_str).collect::<Vec<_>>(),
        &key.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_never_waits_longer_than_asked_unless_less_than_a_second_was_asked() {
        assert_eq!(Tier::for_delay(Duration::from_millis(10)).name, "1s");
        assert_eq!(Tier::for_delay(Duration::from_secs(29)).name, "5s");
        assert_eq!(Tier::for_delay(Duration::from_secs(30)).name, "30s");
        assert_eq!(Tier::for_delay(Duration::from_secs(86_400)).name, "30m");
    }

    #[test]
    fn topic_patterns_match_word_by_word() {
        assert!(matches("document.submitted.*.batch", "document.submitted.ae-report.batch"));
        assert!(!matches("document.submitted.*.batch", "document.submitted.ae-report.interactive"));
        assert!(matches("*.clinflow.nlp.batch", "5s.clinflow.nlp.batch"));
        assert!(matches("1s.#", "1s.clinflow.nlp.batch"));
        assert!(matches("#", "anything.at.all"));
        assert!(!matches("*", "two.words"));
    }

    #[test]
    fn every_event_has_a_consumer() {
        for event in Event::ALL {
            assert!(CONSUMES.iter().any(|(_, events)| events.contains(&event)), "{event:?}");
        }
    }

    #[test]
    fn a_returning_message_reaches_only_the_queue_it_was_meant_for() {
        let topology = Topology::standard();
        let queue = queue_name(Role::Nlp, Lane::Batch);
        for key in [format!("30s.{queue}"), Route::returned(&queue).key] {
            let reached: Vec<_> = topology
                .bindings
                .iter()
                .filter(|binding| binding.exchange == RETURN && matches(&binding.pattern, &key))
                .map(|binding| binding.queue.as_str())
                .collect();
            assert_eq!(reached, ["clinflow.nlp.batch"], "{key}");
        }
    }
}
