//! nlp.
