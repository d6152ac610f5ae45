//! The bundle: reading, checking and hashing workflows.
