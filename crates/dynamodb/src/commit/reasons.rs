//! What a cancelled transaction says about each of its writes.

use aws_sdk_dynamodb::types::CancellationReason;

use crate::item::Item;

/// What stood in the way of one write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nothing: it was cancelled along with the others, and is tried again without them.
    Innocent,
    /// A condition did not hold. The items whose conditions failed, where they exist.
    Conflict(Vec<Item>),
    /// Somebody else is writing the same item, or there is no capacity: it may work in a moment.
    Busy,
    /// DynamoDB will not take it: the code says why.
    Refused(String),
}

/// The verdict on each write, given how many actions each has. A conflict outweighs everything: the condition
/// was evaluated, so the answer is known.
pub(super) fn verdicts(actions: &[usize], reasons: &[CancellationReason]) -> Vec<Verdict> {
    let mut reasons = reasons.iter();
    actions
        .iter()
        .map(|actions| {
            let own: Vec<&CancellationReason> = reasons.by_ref().take(*actions).collect();
            verdict(&own)
        })
        .collect()
}

fn verdict(reasons: &[&CancellationReason]) -> Verdict {
    let code = |reason: &CancellationReason| reason.code.clone().unwrap_or_else(|| "None".to_owned());
    let codes: Vec<String> = reasons.iter().map(|reason| code(reason)).collect();
    if codes.iter().any(|code| code == "ConditionalCheckFailed") {
        return Verdict::Conflict(reasons.iter().filter_map(|reason| reason.item.clone()).collect());
    }
    let mut verdict = Verdict::Innocent;
    for code in codes {
        match code.as_str() {
            "None" => {}
            "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded" => {
                verdict = Verdict::Busy;
            }
            _ => return Verdict::Refused(code),
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{map, text};

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn each_write_gets_the_verdict_of_its_own_actions() {
        let kept = map([("id", text("a"))]);
        let failed =
            CancellationReason::builder().code("ConditionalCheckFailed").set_item(Some(kept.clone())).build();
        let reasons = [
            reason("None"),
            failed,
            reason("None"),
            reason("TransactionConflict"),
            reason("ValidationError"),
        ];
        assert_eq!(
            verdicts(&[1, 2, 1, 1], &reasons),
            [
                Verdict::Innocent,
                Verdict::Conflict(vec![kept]),
                Verdict::Busy,
                Verdict::Refused("ValidationError".to_owned())
            ]
        );
    }

    #[test]
    fn a_failed_condition_outweighs_a_conflicting_transaction() {
        let reasons = [reason("TransactionConflict"), reason("ConditionalCheckFailed")];
        assert_eq!(verdicts(&[2], &reasons), [Verdict::Conflict(Vec::new())]);
    }

    #[test]
    fn a_write_nobody_says_anything_about_is_innocent() {
        assert_eq!(verdicts(&[1, 1], &[]), [Verdict::Innocent, Verdict::Innocent]);
        assert_eq!(verdicts(&[1], &[CancellationReason::builder().build()]), [Verdict::Innocent]);
    }
}
