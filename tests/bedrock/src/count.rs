//! Tokens: four bytes are one, rounded up for every text.

use crate::{
    error::Refusal,
    models::Served,
    wire::{Block, CountInput, CountTokens, Message, System},
};

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> u64 {
    u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX)
}

/// The tokens of all texts of a conversation.
pub(crate) fn of(system: &[System], messages: &[Message]) -> u64 {
    let system = system.iter().filter_map(|block| match block {
        System::Text(text) => Some(text.as_str()),
        System::CachePoint(_) => None,
    });
    let messages = messages.iter().flat_map(|message| message.content.iter().map(Block::text));
    system.chain(messages).map(tokens).sum()
}

/// Answers CountTokens.
pub(crate) fn answer(served: &Served, body: &CountTokens) -> Result<u64, Refusal> {
    if !served.counts {
        return Err(Refusal::invalid("The provided model doesn't support counting tokens."));
    }
    let CountInput::Converse(counted) = &body.input;
    Ok(of(&counted.system, &counted.messages))
}
