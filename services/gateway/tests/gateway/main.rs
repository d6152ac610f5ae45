//! The gateway as its callers meet it: over TCP, with ports in memory.

#[cfg(test)]
mod access;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod executions;
#[cfg(test)]
mod house;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod streams;
