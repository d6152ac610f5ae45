//! A language model as a reader: told what is wanted, asked about each piece of the text, and read with suspicion.

pub mod answer;
pub mod chunk;
pub mod prompt;
mod reply;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, ops::Range};

use async_trait::async_trait;
use clinflow_core::{Failure, Phi, field::Offsets, id::ObjectHash};
use clinflow_ports::model::{Request, Stop};

use self::answer::Unreadable;
use crate::{
    answering::{Answered, Material, NOT_SAID},
    billing::{Billing, Bought},
    question::Wanted,
    reader::{Client, Reader, Reading},
};

/// What a document has cost so far, and how often the model was asked.
#[derive(Default)]
struct Spent {
    calls: u32,
    nano_usd: u64,
}

/// Bytes of a document that are shown at once. Answers about longer texts get less complete long before a context is
/// full.
const PIECE: usize = 48_000;

/// A piece smaller than this is not halved once more.
const SMALLEST: usize = 400;

/// Tokens an answer about one piece may have.
const ANSWER_TOKENS: u32 = 8_192;

/// A language model that reads documents for money.
pub struct PromptedModel {
    billing: Billing,
}

/// What came of asking.
enum Asked<T> {
    /// The answer could be read.
    Read(T),
    /// The model's provider stopped it; its guardrail says so, and there is nothing to read.
    Stopped,
    /// The call was made and its answer never came.
    Lost,
}

impl PromptedModel {
    /// Reads with the model that `billing` pays for.
    pub const fn new(billing: Billing) -> Self {
        Self { billing }
    }

    /// What the model answers. An answer that cannot be read is asked for again with what was wrong with it; how often
    /// is the loop guard's decision, because an identical call is what a loop consists of.
    async fn ask<T>(
        &self,
        request: Request,
        read: impl Fn(&str) -> Result<T, Unreadable> + Send,
        client: &Client<'_>,
        spent: &mut Spent,
    ) -> Result<Asked<T>, Failure> {
        let mut asked = request.clone();
        loop {
            let bought = self.billing.converse(&asked, client, spent.calls).await?;
            // The next call is another one, whatever became of this.
            spent.calls += 1;
            let Bought::Paid(paid) = bought else { return Ok(Asked::Lost) };
            spent.nano_usd = spent.nano_usd.saturating_add(paid.cost.get());
            let read = match &paid.reply.stop {
                Stop::Whole => read(paid.reply.text.expose()),
                Stop::Blocked => return Ok(Asked::Stopped),
                Stop::CutOff => Err(Unreadable::CutOff),
                Stop::Malformed | Stop::Unknown(_) => Err(Unreadable::Malformed),
            };
            match read {
                Ok(answer) => return Ok(Asked::Read(answer)),
                Err(reason) => {
                    tracing::warn!(%reason, "the model's answer cannot be read; it is asked again");
                    asked = prompt::again(&request, paid.reply.text.expose(), &reason.to_string());
                }
            }
        }
    }
}

/// The pieces of a text that are still to be asked about, the first first. A piece whose answer was lost comes back as
/// its halves: asking about less is another call, and one that takes less time.
struct Pieces<'t> {
    text: &'t str,
    open: VecDeque<Range<usize>>,
}

impl<'t> Pieces<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, open: chunk::chunks(text, PIECE).into() }
    }

    fn next(&mut self) -> Option<Range<usize>> {
        self.open.pop_front()
    }

    fn halve(&mut self, lost: &Range<usize>) -> Result<(), Failure> {
        if lost.len() < SMALLEST {
            let words = anyhow::anyhow!("the model does not answer about {} bytes either", lost.len());
            return Err(Failure::park("model.lost", words));
        }
        let halves = chunk::chunks(&self.text[lost.clone()], lost.len().div_ceil(2));
        for half in halves.into_iter().rev() {
            self.open.push_front(lost.start + half.start..lost.start + half.end);
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for PromptedModel {
    fn id(&self) -> &str {
        self.billing.model()
    }

    async fn read(&self, text: &str, wanted: &[Wanted], client: &Client<'_>) -> Result<Reading, Failure> {
        let (offsets, mut pieces) = (Offsets::new(text), Pieces::of(text));
        let (mut spent, mut said) = (Spent::default(), Vec::new());
        while let Some(piece) = pieces.next() {
            let is_whole = piece.len() == text.len();
            let request = prompt::request(wanted, &text[piece.clone()], is_whole, ANSWER_TOKENS);
            let read = |reply: &str| answer::claims(reply, wanted, &offsets, &piece);
            match self.ask(request, read, client, &mut spent).await? {
                Asked::Read(claims) => said.push(claims),
                Asked::Stopped => {}
                Asked::Lost => pieces.halve(&piece)?,
            }
        }
        let prompt = Some(ObjectHash::of(prompt::instructions(wanted).as_bytes()));
        Ok(Reading { claims: answer::join(said), prompt, cost_nano_usd: spent.nano_usd })
    }

    /// Of a long text, the first piece that answers does.
    async fn answer(
        &self,
        question: &Phi,
        material: &Material<'_>,
        client: &Client<'_>,
    ) -> Result<Answered, Failure> {
        let (text, mut spent) = (material.text, Spent::default());
        let (mut pieces, mut found) = (Pieces::of(&text.text), None);
        while let Some(piece) = pieces.next() {
            let request = reply::request(question.expose(), &text.text[piece.clone()], material.earlier);
            let read = |answer: &str| reply::read(answer, text);
            match self.ask(request, read, client, &mut spent).await? {
                Asked::Read(Some(answer)) => {
                    found = Some(answer);
                    break;
                }
                Asked::Read(None) | Asked::Stopped => {}
                Asked::Lost => pieces.halve(&piece)?,
            }
        }
        let (answer, citations) = found.unwrap_or_else(|| (Phi::new(NOT_SAID), Vec::new()));
        let model = self.billing.model().to_owned();
        let prompt = Some(ObjectHash::of(reply::RULES.as_bytes()));
        Ok(Answered { answer, citations, model, prompt, cost_nano_usd: spent.nano_usd })
    }
}
