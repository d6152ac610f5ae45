//! The suites of the ports over HTTP against dynoxide: writes grouped, and each alone.
#![expect(clippy::unwrap_used, reason = "tests: a failure is the answer")]

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

use clinflow_dynamodb::{
    Config, Database, DynamoAuditLog, DynamoBundles, DynamoExecutions, DynamoLedger, DynamoReviews,
    DynamoSessions,
};
use clinflow_testkit::dynamodb::DynamoDb;

static SERVER: LazyLock<DynamoDb> = LazyLock::new(|| DynamoDb::start().unwrap());

/// The database whose tables all tests with this `prefix` share.
async fn database(prefix: &str, group: u16) -> Database {
    let config = Config { group: Some(group), ..SERVER.config(prefix) };
    let database = Database::connect(&config).await.unwrap();
    database.create_tables().await.unwrap();
    database
}

mod grouped {
    use super::{DynamoAuditLog, DynamoExecutions, database};

    mod executions {
        clinflow_ports::executions_suite!(async {
            super::DynamoExecutions::new(super::database("many", 100).await)
        });
    }
    mod audit_log {
        clinflow_ports::audit_log_suite!(async {
            super::DynamoAuditLog::new(super::database("many", 100).await)
        });
    }
}

mod alone {
    use super::{DynamoAuditLog, DynamoExecutions, database};

    mod executions {
        clinflow_ports::executions_suite!(async {
            super::DynamoExecutions::new(super::database("one", 1).await)
        });
    }
    mod audit_log {
        clinflow_ports::audit_log_suite!(async {
            super::DynamoAuditLog::new(super::database("one", 1).await)
        });
    }
}

mod sessions {
    use super::{DynamoSessions, database};

    clinflow_ports::sessions_suite!(async { DynamoSessions::new(database("sessions", 100).await) });
}

mod reviews {
    use super::{DynamoReviews, database};

    clinflow_ports::reviews_suite!(async { DynamoReviews::new(database("reviews", 100).await) });
}

mod ledger {
    use super::{DynamoLedger, database};

    mod grouped {
        clinflow_ports::ledger_suite!(async { super::DynamoLedger::new(super::database("many", 100).await) });
    }
    mod alone {
        clinflow_ports::ledger_suite!(async { super::DynamoLedger::new(super::database("one", 1).await) });
    }
}

mod bundles {
    use super::{AtomicU32, DynamoBundles, Ordering, database};

    /// Tables of its own for every test, because "current" is shared.
    async fn bundles() -> DynamoBundles {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        DynamoBundles::new(database(&format!("bundles-{}", NEXT.fetch_add(1, Ordering::Relaxed)), 100).await)
    }

    clinflow_ports::bundles_suite!(bundles());

    #[tokio::test]
    async fn a_file_larger_than_an_item_reads_back_whole() {
        use clinflow_core::BundleFiles;
        use clinflow_ports::Bundles as _;
        let bundles = bundles().await;
        let text = "äöü\n".repeat(200_000);
        let files =
            BundleFiles([("large.yaml".to_owned(), text), ("empty.yaml".to_owned(), String::new())].into());
        let hash = bundles.publish(&files).await.unwrap();
        assert_eq!(bundles.fetch(hash).await.unwrap(), Some(files));
    }
}
