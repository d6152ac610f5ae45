//! A Bedrock that runs here.
