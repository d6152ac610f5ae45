//! `clinflow redrive`, `rerun` and `abort`.

use clinflow_gateway::json;
use clinflow_proto::v1;
use tonic::Status;

use crate::{
    Ended,
    arguments::{self, Word},
    client::{Client, refused},
    print,
};

impl Word {
    /// The reason, empty for none.
    pub(crate) fn reason(&self) -> String {
        self.reason.clone().unwrap_or_default()
    }

    /// Who does it, empty for whom the token names.
    pub(crate) fn operator(&self) -> String {
        self.operator.clone().unwrap_or_default()
    }
}

/// `clinflow redrive EXECUTION...`
pub(crate) async fn redrive(command: arguments::Redrive) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let mut told = Told::new(command.json);
    for execution in &command.executions {
        let request = request(execution, &command.word);
        let done = client.operations.redrive(request).await.map(tonic::Response::into_inner);
        told.tell(execution, done, |done| format!("goes on with {} messages", done.messages))?;
    }
    Ok(told.ended())
}

/// `clinflow rerun EXECUTION`
pub(crate) async fn rerun(command: arguments::Rerun) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let request = v1::RerunRequest {
        execution_id: command.execution.clone(),
        reason: command.word.reason(),
        operator: command.word.operator(),
        current_bundle: command.current_bundle,
    };
    let done = client.operations.rerun(request).await.map(tonic::Response::into_inner);
    let mut told = Told::new(command.json);
    told.tell(&command.execution, done, |done| {
        let new = done.execution.as_ref().map(|execution| execution.execution_id.as_str());
        format!("runs once more as {}", new.unwrap_or_default())
    })?;
    Ok(told.ended())
}

/// `clinflow abort EXECUTION...`
pub(crate) async fn abort(command: arguments::Abort) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let mut told = Told::new(command.json);
    for execution in &command.executions {
        let request = request(execution, &command.word);
        let done = client.operations.abort(request).await.map(tonic::Response::into_inner);
        told.tell(execution, done, |_| "is aborted".to_owned())?;
    }
    Ok(told.ended())
}

fn request(execution: &str, word: &Word) -> v1::OperationRequest {
    v1::OperationRequest {
        execution_id: execution.to_owned(),
        reason: word.reason(),
        operator: word.operator(),
    }
}

/// What became of several operations: each told as it happens, and whether all worked.
pub(crate) struct Told {
    json: bool,
    failed: bool,
}

impl Told {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, failed: false }
    }

    /// Tells what became of the operation on `what`, in `words` when it worked.
    pub(crate) fn tell(
        &mut self,
        what: &str,
        done: Result<v1::OperationResponse, Status>,
        words: impl FnOnce(&v1::OperationResponse) -> String,
    ) -> anyhow::Result<()> {
        match done {
            Ok(done) if self.json => print::answer(&format!("{}\n", json::operation(&done))),
            Ok(done) => {
                let record = match done.chain_sequence {
                    0 => String::new(),
                    record => format!(" (audit record {record})"),
                };
                print::answer(&format!("{what} {}{record}\n", words(&done)))
            }
            Err(status) => {
                self.failed = true;
                eprintln!("clinflow: {what}: {:#}", refused(&status));
                Ok(())
            }
        }
    }

    pub(crate) const fn ended(&self) -> Ended {
        if self.failed { Ended::WithFailures } else { Ended::Well }
    }
}
