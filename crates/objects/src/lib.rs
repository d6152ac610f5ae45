//! The Objects port on object_store: a local folder or S3.
