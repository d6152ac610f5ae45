//! What the model says: of a document's fields what the local clinical model finds, to a question the sentences that
//! answer it. It makes nothing up unless it is told to.

mod fields;
mod question;

pub(crate) use fields::{answer as fields, invent};
pub(crate) use question::{answer as question, quoted};
