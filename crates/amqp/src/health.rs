//! Whether the broker can be worked with, from the state of both connections.

use clinflow_ports::broker::Health;
use tokio::sync::watch;

/// The health of a process that has both connections.
pub(crate) fn overall(publisher: Health, consumer: Health) -> Health {
    match (publisher, consumer) {
        (Health::Down, _) | (_, Health::Down) => Health::Down,
        (Health::Blocked, _) | (_, Health::Blocked) => Health::Blocked,
        (Health::Up, Health::Up) => Health::Up,
    }
}

/// Keeps `sender` at the overall health until both connections are no longer watched.
pub(crate) async fn follow(
    mut publisher: watch::Receiver<Health>,
    mut consumer: watch::Receiver<Health>,
    sender: watch::Sender<Health>,
) {
    loop {
        let now = overall(*publisher.borrow_and_update(), *consumer.borrow_and_update());
        sender.send_if_modified(|health| std::mem::replace(health, now) != now);
        let changed = tokio::select! {
            changed = publisher.changed() => changed,
            changed = consumer.changed() => changed,
        };
        if changed.is_err() {
            sender.send_replace(Health::Down);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_connection_decides() {
        assert_eq!(overall(Health::Up, Health::Up), Health::Up);
        assert_eq!(overall(Health::Blocked, Health::Up), Health::Blocked);
        assert_eq!(overall(Health::Blocked, Health::Down), Health::Down);
        assert_eq!(overall(Health::Down, Health::Up), Health::Down);
    }
}
