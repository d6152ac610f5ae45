//! What every [`Claims`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use std::time::Duration;

use clinflow_core::Role;

use super::unique;
use crate::claims::{Claim, ClaimKey, Claims};

const LEASE: Duration = Duration::from_secs(30);

fn key() -> ClaimKey {
    ClaimKey { role: Role::Nlp, message_id: unique(), redrive: 0 }
}

/// Of two owners one holds the message.
pub async fn one_owner_at_a_time_holds_a_message(claims: &dyn Claims) {
    let (key, first, second) = (key(), unique(), unique());
    assert_eq!(claims.claim(key, first, LEASE).await.unwrap(), Claim::Fresh);
    assert_eq!(claims.claim(key, second, LEASE).await.unwrap(), Claim::HeldElsewhere);
    assert_eq!(claims.claim(key, first, LEASE).await.unwrap(), Claim::Fresh, "the holder may claim again");
}

/// What is done stays done, for whoever asks.
pub async fn a_completed_message_is_already_done(claims: &dyn Claims) {
    let (key, first, second) = (key(), unique(), unique());
    claims.claim(key, first, LEASE).await.unwrap();
    claims.complete(key, LEASE).await.unwrap();
    assert_eq!(claims.claim(key, first, LEASE).await.unwrap(), Claim::AlreadyDone);
    assert_eq!(claims.claim(key, second, LEASE).await.unwrap(), Claim::AlreadyDone);
}

/// Roles and redrives do not see each other's claims.
pub async fn another_role_or_redrive_is_another_claim(claims: &dyn Claims) {
    let key = key();
    claims.complete(key, LEASE).await.unwrap();
    for other in [ClaimKey { role: Role::Extractor, ..key }, ClaimKey { redrive: 1, ..key }] {
        assert_eq!(claims.claim(other, unique(), LEASE).await.unwrap(), Claim::Fresh);
    }
}

/// Giving up frees the message; somebody else's giving up does not.
pub async fn only_the_holder_can_give_a_message_up(claims: &dyn Claims) {
    let (key, holder, other) = (key(), unique(), unique());
    claims.claim(key, holder, LEASE).await.unwrap();
    claims.abandon(key, other).await.unwrap();
    assert_eq!(claims.claim(key, other, LEASE).await.unwrap(), Claim::HeldElsewhere);
    claims.abandon(key, holder).await.unwrap();
    assert_eq!(claims.claim(key, other, LEASE).await.unwrap(), Claim::Fresh);
}

/// Giving up does not undo what is done.
pub async fn a_completed_message_cannot_be_given_up(claims: &dyn Claims) {
    let (key, holder) = (key(), unique());
    claims.claim(key, holder, LEASE).await.unwrap();
    claims.complete(key, LEASE).await.unwrap();
    claims.abandon(key, holder).await.unwrap();
    assert_eq!(claims.claim(key, holder, LEASE).await.unwrap(), Claim::AlreadyDone);
}

/// A lease of a holder that died ends by itself. Waits in a loop for what must become true.
pub async fn a_lease_ends_by_itself(claims: &dyn Claims) {
    let (key, dead, heir) = (key(), unique(), unique());
    claims.claim(key, dead, Duration::from_millis(20)).await.unwrap();
    while claims.claim(key, heir, LEASE).await.unwrap() != Claim::Fresh {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! claims_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            claims,
            $make,
            [
                one_owner_at_a_time_holds_a_message,
                a_completed_message_is_already_done,
                another_role_or_redrive_is_another_claim,
                only_the_holder_can_give_a_message_up,
                a_completed_message_cannot_be_given_up,
                a_lease_ends_by_itself,
            ]
        );
    };
}
