//! Consume, handle, publish with confirms, acknowledge: written once.
