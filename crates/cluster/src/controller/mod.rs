//! The controller: what the cluster knows about itself, and who decides it.
//!
//! A decision changes nothing: it yields [`records::MetadataRecord`]s, which are appended to the metadata log and, once the
//! quorum has committed them, applied by one `replay` function on controllers and brokers alike.
pub mod heartbeats;
pub mod image;
pub mod metadata_log;
pub mod raft;
pub mod records;
