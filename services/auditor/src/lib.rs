//! auditor.
