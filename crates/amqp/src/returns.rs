//! Which publishes were unroutable.
//!
//! RabbitMQ returns an unroutable message before it confirms its publish. lapin hands the returned message to whichever
//! confirm it completes next, so that it can arrive with a stranger's confirm. Two facts undo that:
//!
//! 1. A confirm that carries *nothing* found no returned message waiting: if its own was returned, it has been handed
//!    out already, with a confirm that was completed earlier.
//! 2. A confirm that carries a *stranger's* message may have its own still waiting behind it. Every confirm takes one
//!    waiting message, oldest first, and no message waits longer than its own confirm; so once every publish that
//!    was made until now has been confirmed, nothing of ours waits any more.

use std::collections::{HashMap, VecDeque};

/// What tells publishes apart: message id, exchange and routing key. Equal ones share their fate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) message_id: String,
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
}

/// A publish that knows its identity.
pub(crate) trait Identified {
    fn identity(&self) -> &Identity;
}

/// What a confirm says about routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Routed {
    /// To one queue or more.
    Yes,
    /// To none.
    No,
}

/// The publishes of one channel, their confirms and the messages that came back. `T` is what the caller keeps of
/// a publish.
#[derive(Debug)]
pub(crate) struct Returns<T> {
    /// The oldest publish without confirm.
    oldest: u64,
    /// Whether each publish from `oldest` on is confirmed.
    confirmed: VecDeque<bool>,
    /// Returned messages whose publish is not known yet.
    unclaimed: HashMap<Identity, u32>,
    /// Confirmed publishes whose own message may still be returned, with the publish to wait for.
    held: Vec<(u64, T)>,
}

impl<T> Default for Returns<T> {
    fn default() -> Self {
        Self { oldest: 0, confirmed: VecDeque::new(), unclaimed: HashMap::new(), held: Vec::new() }
    }
}

impl<T: Identified> Returns<T> {
    /// Numbers a publish. To be called in the order of the publishes.
    pub(crate) fn publish(&mut self) -> u64 {
        self.confirmed.push_back(false);
        self.next() - 1
    }

    /// Notes a returned message, whichever confirm it came with. To be called for every confirm that is complete
    /// before [`Returns::confirm`] is called for any of them.
    pub(crate) fn returned(&mut self, identity: Identity) {
        *self.unclaimed.entry(identity).or_default() += 1;
    }

    /// Judges the confirm of a publish; `None` when that must wait for [`Returns::released`]. `stranger` says that
    /// it carried a returned message with another identity.
    pub(crate) fn confirm(&mut self, number: u64, stranger: bool, publish: T) -> Option<(Routed, T)> {
        self.settle(number);
        if self.claim(publish.identity()) {
            return Some((Routed::No, publish));
        }
        if stranger {
            self.held.push((self.next(), publish));
            return None;
        }
        Some((Routed::Yes, publish))
    }

    /// Notes that a publish has failed otherwise.
    pub(crate) fn settle(&mut self, number: u64) {
        let index = number.checked_sub(self.oldest).and_then(|index| usize::try_from(index).ok());
        if let Some(confirmed) = index.and_then(|index| self.confirmed.get_mut(index)) {
            *confirmed = true;
        }
        while self.confirmed.front() == Some(&true) {
            self.confirmed.pop_front();
            self.oldest += 1;
        }
    }

    /// The held publishes that can be judged now.
    pub(crate) fn released(&mut self) -> Vec<(Routed, T)> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let mut released = Vec::new();
        for (barrier, publish) in std::mem::take(&mut self.held) {
            if self.claim(publish.identity()) {
                released.push((Routed::No, publish));
            } else if self.oldest >= barrier {
                released.push((Routed::Yes, publish));
            } else {
                self.held.push((barrier, publish));
            }
        }
        released
    }

    /// The number of the next publish.
    fn next(&self) -> u64 {
        self.oldest + self.confirmed.len() as u64
    }

    fn claim(&mut self, identity: &Identity) -> bool {
        // Nearly always empty, and then nothing is hashed.
        if self.unclaimed.is_empty() {
            return false;
        }
        let Some(count) = self.unclaimed.get_mut(identity) else { return false };
        *count -= 1;
        if *count == 0 {
            self.unclaimed.remove(identity);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Identified for Identity {
        fn identity(&self) -> &Identity {
            self
        }
    }

    fn identity(number: u64) -> Identity {
        Identity {
            message_id: number.to_string(),
            exchange: "clinflow.events".to_owned(),
            routing_key: "nobody.listens".to_owned(),
        }
    }

    #[test]
    fn a_return_that_came_with_an_earlier_confirm_is_found() {
        let mut returns = Returns::default();
        let (routable, unroutable) = (returns.publish(), returns.publish());
        returns.returned(identity(unroutable));
        assert_eq!(returns.confirm(routable, true, identity(routable)), None);
        let judged = returns.confirm(unroutable, false, identity(unroutable));
        assert_eq!(judged, Some((Routed::No, identity(unroutable))));
        assert_eq!(returns.released(), [(Routed::Yes, identity(routable))]);
    }

    #[test]
    fn a_return_that_comes_with_a_later_confirm_is_waited_for() {
        let mut returns = Returns::default();
        let (first, second) = (returns.publish(), returns.publish());
        // Both are unroutable; the second is confirmed first and takes the first one's message.
        returns.returned(identity(first));
        assert_eq!(returns.confirm(second, true, identity(second)), None);
        assert!(returns.released().is_empty());
        returns.returned(identity(second));
        assert_eq!(returns.confirm(first, true, identity(first)), Some((Routed::No, identity(first))));
        assert_eq!(returns.released(), [(Routed::No, identity(second))]);
    }

    #[test]
    fn a_held_publish_does_not_wait_for_those_made_after_it() {
        let mut returns = Returns::default();
        let (first, second) = (returns.publish(), returns.publish());
        returns.returned(identity(first));
        assert_eq!(returns.confirm(second, true, identity(second)), None);
        let _later = returns.publish();
        assert_eq!(returns.confirm(first, false, identity(first)), Some((Routed::No, identity(first))));
        assert_eq!(returns.released(), [(Routed::Yes, identity(second))]);
    }

    /// One step of a broker and of lapin: a publish, and the confirm of one of the outstanding ones.
    #[derive(Debug, Clone)]
    enum Step {
        Publish {
            routable: bool,
        },
        /// The broker handles the next publish: an unroutable one is returned.
        Handle,
        /// The broker confirms one of the handled publishes, lapin attaches the oldest returned message.
        Confirm {
            which: usize,
        },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<bool>().prop_map(|routable| Step::Publish { routable }),
            Just(Step::Handle),
            (0usize..8).prop_map(|which| Step::Confirm { which }),
        ];
        prop::collection::vec(step, 0..200)
    }

    /// Judges the confirms that are complete, several at a time, as the pump does.
    fn judge(
        returns: &mut Returns<Identity>,
        batch: &mut Vec<(u64, Option<u64>)>,
        verdicts: &mut Vec<(Routed, Identity)>,
    ) {
        for (_, carried) in batch.iter() {
            if let Some(carried) = carried {
                returns.returned(identity(*carried));
            }
        }
        for (number, carried) in batch.drain(..) {
            let stranger = carried.is_some_and(|carried| carried != number);
            verdicts.extend(returns.confirm(number, stranger, identity(number)));
        }
        verdicts.extend(returns.released());
    }

    proptest! {
        #[test]
        fn every_publish_gets_its_own_verdict_in_whatever_order_confirms_come(
            steps in steps(),
            batch_size in 1usize..5,
        ) {
            let mut returns = Returns::default();
            let mut routable = Vec::new();
            let mut unhandled = VecDeque::new();
            let mut unconfirmed: Vec<u64> = Vec::new();
            let mut waiting: VecDeque<u64> = VecDeque::new();
            let mut batch = Vec::new();
            let mut verdicts = Vec::new();
            let drain = [Step::Handle, Step::Confirm { which: 0 }].into_iter().cycle().take(2 * steps.len());
            for step in steps.iter().cloned().chain(drain) {
                match step {
                    Step::Publish { routable: is_routable } => {
                        unhandled.push_back(returns.publish());
                        routable.push(is_routable);
                    }
                    Step::Handle => if let Some(number) = unhandled.pop_front() {
                        if !routable[usize::try_from(number).unwrap()] {
                            waiting.push_back(number);
                        }
                        unconfirmed.push(number);
                    },
                    Step::Confirm { which } => if !unconfirmed.is_empty() {
                        let number = unconfirmed.remove(which % unconfirmed.len());
                        batch.push((number, waiting.pop_front()));
                        if batch.len() >= batch_size {
                            judge(&mut returns, &mut batch, &mut verdicts);
                        }
                    },
                }
            }
            judge(&mut returns, &mut batch, &mut verdicts);
            prop_assert_eq!(verdicts.len(), routable.len());
            for (routed, identity) in verdicts {
                let number: usize = identity.message_id.parse().unwrap();
                prop_assert_eq!(routed == Routed::Yes, routable[number], "{}", number);
            }
        }
    }
}
