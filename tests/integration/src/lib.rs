//! Integration tests: real RabbitMQ, Redis and DynamoDB protocol.
