//! `clinflow audit`: the log checked and exported.

use clinflow_gateway::json;
use clinflow_proto::v1;

use crate::{
    Ended, arguments,
    client::{Client, refused},
    print,
};

/// `clinflow audit verify|export`
pub(crate) async fn command(command: arguments::Audit) -> anyhow::Result<Ended> {
    match command {
        arguments::Audit::Verify { chains, json } => verify(&chains, json).await,
        arguments::Audit::Export { chains } => export(&chains).await,
    }
}

/// Which chains a command is about.
fn request(chains: &arguments::Chains) -> v1::AuditRequest {
    v1::AuditRequest { execution_id: chains.execution.clone().unwrap_or_default() }
}

async fn verify(chains: &arguments::Chains, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&chains.place).await?;
    let verified = client.audit.verify(request(chains)).await.map_err(|status| refused(&status))?;
    let mut verified = verified.into_inner();
    let (mut all, mut records, mut broken) = (0_u64, 0_u64, 0_u64);
    while let Some(chain) = verified.message().await.map_err(|status| refused(&status))? {
        all += 1;
        records += u64::from(chain.records);
        broken += u64::from(!chain.verified);
        if as_json {
            print::answer(&format!("{}\n", json::verified(&chain)))?;
        } else if !chain.verified {
            print::answer(&format!("{}  BROKEN  {}\n", chain.execution_id, chain.broken))?;
        }
    }
    if !as_json {
        let summary = match broken {
            0 => format!("{all} chains with {records} records verify\n"),
            broken => format!("{broken} of {all} chains do not verify\n"),
        };
        print::answer(&summary)?;
    }
    Ok(if broken == 0 { Ended::Well } else { Ended::WithFailures })
}

async fn export(chains: &arguments::Chains) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&chains.place).await?;
    let exported = client.audit.export(request(chains)).await.map_err(|status| refused(&status))?;
    let mut exported = exported.into_inner();
    while let Some(record) = exported.message().await.map_err(|status| refused(&status))? {
        print::answer(&format!("{}\n", record.json))?;
    }
    Ok(Ended::Well)
}
