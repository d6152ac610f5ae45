//! The Broker port.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use clinflow_ports::{
    Broker, BrokerError, Consumer, Delivery, Envelope, Health, Route, broker::Confirmed, topology::Topology,
};
use lapin::Connection;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::{
    backoff,
    config::Config,
    consumer::{AmqpConsumer, Subscriber},
    control::Control,
    declare::{self, Declared},
    health,
    link::{Endpoint, Link},
    publisher::Publisher,
    server::{self, Server},
    stats::{Counters, Stats},
};

/// RabbitMQ as a [`Broker`]: one connection to publish, one to consume. Dropping it ends both, and every consumer.
pub struct Amqp {
    config: Config,
    server: Server,
    publisher: Arc<Publisher>,
    publisher_link: Arc<Link>,
    consumer_link: Arc<Link>,
    control: Control,
    declared: Arc<Declared>,
    counters: Arc<Counters>,
    health: watch::Receiver<Health>,
    closed: CancellationToken,
    _close_on_drop: DropGuard,
    _tasks: JoinSet<()>,
}

impl Amqp {
    /// Connects; keeps trying for as long as the configured patience. Afterwards it reconnects by itself, for ever.
    pub async fn connect(config: Config) -> Result<Self, BrokerError> {
        let unavailable = BrokerError::Unavailable;
        let uri = config.uri().map_err(unavailable)?;
        let (to_publish, to_consume) = (
            Endpoint::new(&config, "publisher").map_err(unavailable)?,
            Endpoint::new(&config, "consumer").map_err(unavailable)?,
        );
        let deadline = Instant::now() + config.patience;
        let greeting =
            async || timeout(config.connect_timeout, server::greet(&uri)).await.context("no greeting")?;
        let server = persist(deadline, greeting).await?.supported()?;
        info!(product = server.product, version = server.version, "broker found");
        let publishing: Connection = persist(deadline, async || to_publish.connect().await).await?;
        let consuming: Connection = persist(deadline, async || to_consume.connect().await).await?;

        let counters = Arc::new(Counters::default());
        let publisher_link = Arc::new(Link::new(&config, counters.clone()));
        let consumer_link = Arc::new(Link::new(&config, counters.clone()));
        let publisher = Arc::new(Publisher::new(&config, publisher_link.clone(), counters.clone()));
        let declared = Arc::new(Declared::default());
        let (health_sender, health) = watch::channel(Health::Up);
        let mut tasks = JoinSet::new();
        tasks.spawn(health::follow(publisher_link.health(), consumer_link.health(), health_sender));
        let link = publisher_link.clone();
        tasks.spawn(async move { link.supervise(&to_publish, publishing).await });
        let link = consumer_link.clone();
        tasks.spawn(async move { link.supervise(&to_consume, consuming).await });
        let (supervised, topology) = (publisher.clone(), declared.clone());
        tasks.spawn(async move { supervised.supervise(&topology).await });
        if timeout_at(deadline, publisher.ready()).await.is_err() {
            return Err(BrokerError::Unavailable(anyhow::anyhow!("no channel within the patience")));
        }
        let closed = CancellationToken::new();
        Ok(Self {
            control: Control::new(consumer_link.clone(), counters.clone()),
            config,
            server,
            publisher,
            publisher_link,
            consumer_link,
            declared,
            counters,
            health,
            _close_on_drop: closed.clone().drop_guard(),
            closed,
            _tasks: tasks,
        })
    }

    /// Which server it is.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// What went wrong and was survived.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Ends every consumer and both connections, so that acks and publishes that were sent are read. To be called
    /// last in a drain.
    pub async fn close(self) {
        self.closed.cancel();
        tokio::join!(self.publisher_link.close(), self.consumer_link.close());
    }
}

#[async_trait]
impl Broker for Amqp {
    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        declare::declare(&self.consumer_link, topology).await?;
        self.declared.set(topology.clone());
        Ok(())
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Box<dyn Consumer>, BrokerError> {
        let mut consumer = AmqpConsumer::new(Subscriber {
            link: self.consumer_link.clone(),
            declared: self.declared.clone(),
            counters: self.counters.clone(),
            queue: queue.to_owned(),
            prefetch,
            watchdog: self.config.watchdog,
            closed: self.closed.clone(),
        });
        if timeout(self.config.patience, consumer.registered()).await.is_err() {
            let error = anyhow::anyhow!("no consumer on `{queue}` within {:?}", self.config.patience);
            return Err(BrokerError::Unavailable(error));
        }
        Ok(Box::new(consumer))
    }

    async fn publish(&self, to: Route, message: Envelope) -> Result<Confirmed, BrokerError> {
        self.publisher.publish(to, message).await
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        within(&self.config, self.control.depth(queue)).await
    }

    async fn take(&self, queue: &str) -> Result<Option<Box<dyn Delivery>>, BrokerError> {
        within(&self.config, self.control.take(queue)).await
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

/// The answer to a question, which may have to wait for a connection.
async fn within<T>(
    config: &Config,
    question: impl Future<Output = Result<T, BrokerError>>,
) -> Result<T, BrokerError> {
    let late = |_| BrokerError::Unavailable(anyhow::anyhow!("no answer within {:?}", config.patience));
    timeout(config.patience, question).await.map_err(late)?
}

/// Tries until it works or the deadline has passed.
async fn persist<T>(
    deadline: Instant,
    attempt: impl AsyncFn() -> anyhow::Result<T>,
) -> Result<T, BrokerError> {
    let mut failures = 0;
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) => {
                failures += 1;
                warn!(failures, error = format!("{error:#}"), "broker cannot be reached");
                if timeout_at(deadline, backoff::sleep_after(failures)).await.is_err() {
                    return Err(BrokerError::Unavailable(error));
                }
            }
        }
    }
}
