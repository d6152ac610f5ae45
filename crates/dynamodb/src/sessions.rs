//! Sessions: one item a turn, the session in its partition key, the conversation and the turn's place in its sort key.

use async_trait::async_trait;
use clinflow_core::{ExecutionId, SessionId};
use clinflow_ports::{Sessions, StoreError, sessions::Turn};
use uuid::Uuid;

use crate::{
    Database,
    error::{corrupt, failed, unavailable},
    item::{Item, get_json, get_number, get_text, map, number, text},
    write::Write,
};

/// The key of a turn.
const KEY: [&str; 2] = ["session", "turn"];

/// [`Sessions`] on DynamoDB.
#[derive(Debug)]
pub struct DynamoSessions(Database);

impl DynamoSessions {
    /// The sessions in `database`.
    pub const fn new(database: Database) -> Self {
        Self(database)
    }
}

/// The sort key of a turn. Numbers have the same length, so that the order of texts is the order of turns.
fn place(turn: &Turn) -> String {
    format!("{}{:010}#{}", conversation(turn.execution), turn.turn, turn.question_id)
}

/// What the sort keys of a conversation begin with.
fn conversation(execution: ExecutionId) -> String {
    format!("{execution}#")
}

fn item(session: &SessionId, turn: &Turn) -> Result<Item, StoreError> {
    let json =
        |value| serde_json::to_string(value).map_err(|error| failed(&format!("write a turn: {error}")));
    Ok(map([
        ("session", text(session.as_str())),
        ("turn", text(place(turn))),
        ("execution", text(turn.execution.to_string())),
        ("number", number(turn.turn)),
        ("question_id", text(turn.question_id.to_string())),
        ("question", text(json(&turn.question)?)),
        ("answer", text(json(&turn.answer)?)),
        ("at", text(turn.at.to_string())),
    ]))
}

fn turn(item: &Item) -> Result<Turn, StoreError> {
    let unreadable = |what: &str| corrupt(format!("a turn's `{what}`"));
    let question_id: Uuid = get_text(item, "question_id")?.parse().map_err(|_| unreadable("question_id"))?;
    Ok(Turn {
        execution: get_text(item, "execution")?.parse().map_err(|_| unreadable("execution"))?,
        turn: get_number(item, "number")?.ok_or_else(|| unreadable("number"))?,
        question_id,
        question: get_json(item, "question")?,
        answer: get_json(item, "answer")?,
        at: get_text(item, "at")?.parse().map_err(|_| unreadable("at"))?,
    })
}

#[async_trait]
impl Sessions for DynamoSessions {
    async fn append(&self, session: &SessionId, turn: &Turn) -> Result<(), StoreError> {
        // Whether it is written or was there before, it is remembered.
        self.0.write(Write::create(&self.0.tables().sessions, &KEY, item(session, turn)?)).await.map(|_| ())
    }

    async fn recent(
        &self,
        session: &SessionId,
        execution: ExecutionId,
        limit: usize,
    ) -> Result<Vec<Turn>, StoreError> {
        let limit = i32::try_from(limit.clamp(1, 1_000)).unwrap_or(1_000);
        let found = self
            .0
            .client()
            .query()
            .table_name(&self.0.tables().sessions)
            // SESSION is a reserved word.
            .key_condition_expression("#session = :session AND begins_with(turn, :conversation)")
            .expression_attribute_names("#session", "session")
            .expression_attribute_values(":session", text(session.as_str()))
            .expression_attribute_values(":conversation", text(conversation(execution)))
            .scan_index_forward(false)
            .limit(limit)
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        // Turns have a few hundred bytes, so that a thousand of them are one page.
        found.items().iter().rev().map(turn).collect()
    }
}
