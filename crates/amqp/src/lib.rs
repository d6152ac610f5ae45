//! The Broker port on RabbitMQ; the only crate that knows lapin.
