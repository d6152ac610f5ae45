//! Executions, audit log and bundles on DynamoDB; the only crate that knows the DynamoDB SDK.
