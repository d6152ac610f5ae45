//! What errors mean, as far as Bedrock names them; what breaks on the way is tested over TCP.

use super::*;

const WAIT: Option<Duration> = Some(Duration::from_secs(7));

/// The meaning as one word with what is kept of the error, and whether it may be billed.
fn meaning(code: Option<&str>, message: &str, status: u16) -> (String, bool) {
    let error = said_by_service(code, message, status, WAIT);
    let billed = error.may_be_billed();
    let word = match error {
        ModelError::Throttled { after } => format!("throttled {}", after.unwrap().as_secs()),
        ModelError::Unavailable { code } => format!("unavailable {code}"),
        ModelError::TimedOut => "timed out".to_owned(),
        ModelError::Failed { code } => format!("failed {code}"),
        ModelError::Refused { code } => format!("refused {code}"),
    };
    (word, billed)
}

#[test]
fn an_error_means_what_its_name_says() {
    let expected = [
        ("ThrottlingException", 429, "throttled 7", false),
        ("ServiceQuotaExceededException", 400, "throttled 7", false),
        ("ModelNotReadyException", 429, "unavailable ModelNotReadyException", false),
        ("InternalServerException", 500, "unavailable InternalServerException", false),
        ("ServiceUnavailableException", 503, "unavailable ServiceUnavailableException", false),
        ("ExpiredTokenException", 403, "unavailable ExpiredTokenException", false),
        ("ModelTimeoutException", 408, "timed out", true),
        ("ModelErrorException", 424, "failed ModelErrorException", true),
        ("ValidationException", 400, "refused ValidationException", false),
        ("AccessDeniedException", 403, "refused AccessDeniedException", false),
        ("ResourceNotFoundException", 404, "refused ResourceNotFoundException", false),
    ];
    for (code, status, word, billed) in expected {
        assert_eq!(meaning(Some(code), "", status), (word.to_owned(), billed), "{code}");
    }
}

#[test]
fn an_error_without_a_name_means_what_its_status_says() {
    let expected = [
        (429, "throttled 7", false),
        (408, "timed out", true),
        (504, "timed out", true),
        (424, "failed HTTP 424", true),
        (502, "failed HTTP 502", true),
        (500, "unavailable HTTP 500", false),
        (413, "refused HTTP 413", false),
        (200, "failed unreadable response", true),
    ];
    for (status, word, billed) in expected {
        assert_eq!(meaning(None, "", status), (word.to_owned(), billed), "{status}");
    }
}

#[test]
fn of_a_message_only_a_known_mistake_is_kept() {
    let said = "Invocation of model ID anthropic.claude-opus-5-5 with on-demand throughput isn't supported. Retry \
        with an inference profile.";
    assert_eq!(
        meaning(Some("ValidationException"), said, 400).0,
        "refused ValidationException: needs an inference profile"
    );
    let quoting = "1 validation error: value 'Zoë Example, 1 Test Way' failed to satisfy constraint";
    assert_eq!(meaning(Some("ValidationException"), quoting, 400).0, "refused ValidationException");
}

#[test]
fn a_name_that_is_no_name_is_not_kept() {
    assert_eq!(meaning(Some("Zoë Example"), "", 400).0, "refused unreadable");
    assert_eq!(name(&"x".repeat(65)), "unreadable");
    assert_eq!(name("ThrottlingException"), "ThrottlingException");
}
