//! `clinflow topology`: the table, as people or RabbitMQ read it, and on the broker.

use std::fmt::Write as _;

use anyhow::Context as _;
use clinflow_amqp::Amqp;
use clinflow_ports::{
    Broker as _,
    topology::{Argument, Topology},
};
use serde_json::{Map, Value, json};

use crate::{arguments, print};

pub(crate) async fn command(command: arguments::Topology) -> anyhow::Result<()> {
    let topology = Topology::standard();
    match command {
        arguments::Topology::Show { definitions: false } => print::answer(&show(&topology)),
        arguments::Topology::Show { definitions: true } => {
            print::answer(&format!("{:#}\n", definitions(&topology)))
        }
        arguments::Topology::Apply { broker } => {
            let config = clinflow_amqp::Config { url: broker, ..clinflow_amqp::Config::default() };
            let amqp = Amqp::connect(config).await.context("connect to the broker")?;
            amqp.declare(&topology).await?;
            print::answer(&format!(
                "{} exchanges, {} queues and {} bindings are in place\n",
                topology.exchanges.len(),
                topology.queues.len(),
                topology.bindings.len()
            ))
        }
    }
}

/// The table as text.
fn show(topology: &Topology) -> String {
    let mut text = String::from("exchanges (topic, durable)\n");
    for exchange in &topology.exchanges {
        let _ = writeln!(text, "  {exchange}");
    }
    text.push_str("\nqueues (quorum, durable)\n");
    for queue in &topology.queues {
        let arguments: Vec<String> =
            queue.arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let _ = writeln!(text, "  {}  {}", queue.name, arguments.join(" "));
    }
    text.push_str("\nbindings\n");
    for binding in &topology.bindings {
        let _ = writeln!(text, "  {} --{}--> {}", binding.exchange, binding.pattern, binding.queue);
    }
    text.push_str("\npolicies (import the definitions to set them)\n");
    for policy in &topology.policies {
        let definition: Vec<String> =
            policy.definition.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let _ = writeln!(text, "  {}  {}  {}", policy.name, policy.pattern, definition.join(" "));
    }
    text
}

/// The table as a RabbitMQ definitions file for the default virtual host.
fn definitions(topology: &Topology) -> Value {
    let value = |argument: &Argument| match argument {
        Argument::Number(number) => json!(number),
        Argument::Text(text) => json!(text),
    };
    let map = |pairs: &[(&'static str, Argument)]| {
        pairs.iter().map(|(name, argument)| ((*name).to_owned(), value(argument))).collect::<Map<_, _>>()
    };
    let queue = |queue: &clinflow_ports::topology::Queue| {
        let mut arguments = map(&queue.arguments);
        arguments.insert("x-queue-type".to_owned(), json!("quorum"));
        json!({"name": queue.name, "vhost": "/", "durable": true, "auto_delete": false, "arguments": arguments})
    };
    let exchange = |name: &&str| {
        json!({"name": name, "vhost": "/", "type": "topic", "durable": true, "auto_delete": false, "internal": false,
               "arguments": {}})
    };
    let binding = |binding: &clinflow_ports::topology::Binding| {
        json!({"source": binding.exchange, "vhost": "/", "destination": binding.queue, "destination_type": "queue",
               "routing_key": binding.pattern, "arguments": {}})
    };
    let policy = |policy: &clinflow_ports::topology::Policy| {
        json!({"name": policy.name, "vhost": "/", "pattern": policy.pattern, "apply-to": "queues", "priority": 0,
               "definition": map(&policy.definition)})
    };
    json!({
        "vhosts": [{"name": "/"}],
        "exchanges": topology.exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "queues": topology.queues.iter().map(queue).collect::<Vec<_>>(),
        "bindings": topology.bindings.iter().map(binding).collect::<Vec<_>>(),
        "policies": topology.policies.iter().map(policy).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_as_it_did() {
        insta::assert_snapshot!(show(&Topology::standard()));
    }
}
