//! Which server is at the other end, and whether it is one we know how to work with.
//!
//! An old broker takes and ignores queue arguments it does not know, so that "declare succeeded" proves nothing; its
//! version does. lapin does not hand out the server's properties, so they are read from a greeting of our own.

use anyhow::{Context as _, bail, ensure};
use clinflow_ports::BrokerError;
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
use lapin::{
    protocol::{AMQPClass, connection::AMQPMethod, parse_class},
    tcp::AMQPUriTcpExt as _,
    types::{AMQPValue, FieldTable},
    uri::AMQPUri,
};

/// The oldest release with quorum queues, message expiry on them and at-least-once dead-lettering.
const OLDEST: (u32, u32) = (3, 10);

/// The protocol header of AMQP 0-9-1.
const HEADER: &[u8] = b"AMQP\x00\x00\x09\x01";

/// A greeting is below 1 KiB; what is longer does not come from a broker.
const LONGEST_GREETING: usize = 64 * 1024;

/// What the server says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `RabbitMQ`.
    pub product: String,
    /// As in `3.10.8`.
    pub version: String,
}

impl Server {
    /// Itself, if it is a server we support.
    pub(crate) fn supported(self) -> Result<Self, BrokerError> {
        let known =
            self.product == "RabbitMQ" && release(&self.version).is_some_and(|release| release >= OLDEST);
        if known {
            Ok(self)
        } else {
            Err(BrokerError::Unsupported { found: format!("{} {}", self.product, self.version) })
        }
    }

    fn of(properties: &FieldTable) -> Self {
        let text = |name: &str| match properties.inner().get(name) {
            Some(AMQPValue::LongString(value)) => value.to_string(),
            _ => "unknown".to_owned(),
        };
        Self { product: text("product"), version: text("version") }
    }
}

/// Major and minor number of a version such as `3.10.8` or `4.2.0-beta.1`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Greets the server and reads who it is; closes without logging in.
pub(crate) async fn greet(uri: &AMQPUri) -> anyhow::Result<Server> {
    let runtime = lapin::runtime::default_runtime()?;
    let mut stream = uri.connect_async(&runtime).await.context("connect")?;
    stream.write_all(HEADER).await?;
    stream.flush().await?;
    // A frame: type, channel, length of the payload, payload, end mark.
    let mut head = [0; 7];
    stream.read_exact(&mut head).await.context("read the greeting")?;
    ensure!(head[0] == 1, "the server does not speak AMQP 0-9-1");
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    ensure!(length <= LONGEST_GREETING, "the server's greeting is {length} bytes long");
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.context("read the greeting")?;
    match parse_class(payload.as_slice()) {
        Ok((_, AMQPClass::Connection(AMQPMethod::Start(start)))) => Ok(Server::of(&start.server_properties)),
        _ => bail!("the server's greeting cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(product: &str, version: &str) -> Server {
        Server { product: product.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn rabbitmq_from_3_10_on_is_supported() {
        for version in ["3.10.0", "3.10.8", "3.13.7", "4.2.0-beta.1"] {
            assert!(server("RabbitMQ", version).supported().is_ok(), "{version}");
        }
    }

    #[test]
    fn an_older_or_other_server_is_named() {
        for (product, version) in [("RabbitMQ", "3.9.29"), ("RabbitMQ", "next"), ("LavinMQ", "4.0.0")] {
            let error = server(product, version).supported().unwrap_err();
            assert!(error.to_string().contains(&format!("`{product} {version}`")), "{error}");
        }
    }
}
