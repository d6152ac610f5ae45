//! ApplyGuardrail, and Converse with a guardrail, against a policy that is really evaluated.

use clinflow_bedrock::{ApplyGuardrail, Bedrock, Config};
use clinflow_guardrail::{Action, Content, Policy, PolicyKind, Source};
use clinflow_ports::{Guardrail as _, model::Stop};
use clinflow_stand_in_bedrock::{Operation, Plan, Server};

use crate::support::{CANARIES, SONNET, STORY, ask, config, guardrail, request};

const POLICY: &str = r#"
Name: test-guardrail
BlockedInputMessaging: This query is outside the permitted scope.
BlockedOutputsMessaging: This response was blocked.
WordPolicyConfig:
  WordsConfig:
    - Text: Zorvexatinib
SensitiveInformationPolicyConfig:
  PiiEntitiesConfig:
    - Type: PHONE
      Action: ANONYMIZE
    - Type: EMAIL
      Action: NONE
  RegexesConfig:
    - Name: MRN
      Pattern: '\bMRN [0-9A-Z-]+\b'
      Action: ANONYMIZE
"#;

async fn server() -> Server {
    let policy = Policy::read("policy.yaml", POLICY).unwrap();
    let mut plan = Plan::default();
    plan.guardrails.insert("abcd1234".to_owned(), policy);
    Server::start(plan).await.unwrap()
}

async fn guardrail_at(server: &Server, id: &str) -> ApplyGuardrail {
    let config = Config { guardrail: Some(guardrail(id)), ..config(&server.url(), SONNET) };
    ApplyGuardrail::connect(&config).await.unwrap()
}

#[tokio::test]
async fn what_identifies_is_masked_and_the_rest_goes_on() {
    let server = server().await;
    let guardrail = guardrail_at(&server, "abcd1234").await;
    assert_eq!(guardrail.name(), "bedrock:abcd1234/1");
    let text = "MRN 4711-CANARY, call +1 202-555-0142. He was treated with meropenem.";
    let assessment = guardrail.assess(Source::Input, Content::of(text)).await.unwrap();
    assert!(assessment.intervened() && !assessment.blocked);
    let masked = assessment.text.expose();
    assert!(masked.contains("{MRN}") && !masked.contains("4711") && masked.contains("meropenem"), "{masked}");
    let found: Vec<_> = assessment
        .findings
        .iter()
        .map(|finding| (finding.policy, finding.name.as_str(), finding.action))
        .collect();
    assert!(found.contains(&(PolicyKind::SensitiveInformation, "MRN", Action::Anonymized)), "{found:?}");
    let shown = format!("{assessment:?}");
    assert!(CANARIES.iter().all(|canary| !shown.contains(canary)), "{shown}");
}

#[tokio::test]
async fn what_is_forbidden_is_replaced_by_the_configured_message() {
    let server = server().await;
    let guardrail = guardrail_at(&server, "abcd1234").await;
    for (source, message) in [
        (Source::Input, "This query is outside the permitted scope."),
        (Source::Output, "This response was blocked."),
    ] {
        let text = Content::of("Zorvexatinib was given.");
        let assessment = guardrail.assess(source, text).await.unwrap();
        assert!(assessment.blocked);
        assert_eq!(assessment.text.expose(), message);
        assert_eq!(assessment.findings[0].policy, PolicyKind::Word);
    }
}

#[tokio::test]
async fn what_is_only_reported_goes_on_as_it_was() {
    let server = server().await;
    let guardrail = guardrail_at(&server, "abcd1234").await;
    let text = "Write to site@trial.example.org about the visit.";
    let assessment = guardrail.assess(Source::Output, Content::of(text)).await.unwrap();
    assert_eq!((assessment.text.expose(), assessment.blocked), (text, false));
    assert_eq!(assessment.findings[0].action, Action::Detected);
    let nothing = guardrail.assess(Source::Output, Content::of("  ")).await.unwrap();
    assert!(!nothing.blocked);
    let calls = server.calls();
    assert_eq!(calls.iter().filter(|call| call.operation == Operation::ApplyGuardrail).count(), 1);
}

#[tokio::test]
async fn a_guardrail_that_does_not_exist_lets_nothing_pass() {
    let server = server().await;
    let guardrail = guardrail_at(&server, "efgh5678").await;
    let failure = guardrail.assess(Source::Input, Content::of("hello")).await.unwrap_err();
    assert_eq!((failure.code, failure.verdict.to_string().as_str()), ("guardrail.refused", "parked"));
}

#[tokio::test]
async fn a_call_with_a_guardrail_is_masked_and_still_whole() {
    let server = server().await;
    let config = Config { guardrail: Some(guardrail("abcd1234")), ..config(&server.url(), SONNET) };
    let bedrock = Bedrock::connect(&config).await.unwrap();
    // The story holds a record number, which is masked on its way in.
    let reply = ask(&bedrock, &request()).await.unwrap();
    assert_eq!(reply.stop, Stop::Whole);
    assert!(STORY.contains("4711") && !reply.text.expose().contains("4711"));
    assert!(reply.text.expose().contains("meropenem"));

    let mut forbidden = request();
    forbidden.document = "Zorvexatinib was given.".into();
    let reply = ask(&bedrock, &forbidden).await.unwrap();
    assert_eq!(reply.stop, Stop::Blocked);
    assert_eq!(reply.text.expose(), "This query is outside the permitted scope.");
    assert_eq!(reply.usage.total(), 0, "a blocked input costs no tokens");
}
