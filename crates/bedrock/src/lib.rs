//! Amazon Bedrock behind the ports.
