//! Claims and joins on Redis; the only crate that knows redis-rs.
