//! The controller: what the cluster knows about itself, and who decides it.
//!
//! A decision changes nothing: it yields [`records::MetadataRecord`]s, which are appended to the metadata log and, once the
//! quorum has committed them, applied by one `replay` function on controllers and brokers alike.
//!
//! # Where to start
//! - [`replication_control`] decides about topics and partitions, [`cluster_control`] about brokers,
//!   [`configuration_control`] about configs; [`election`] and [`placement`] are their rules.
//! - [`image`] is what the records add up to; [`raft`] and [`metadata_log`] agree on them.
pub mod api_error;
pub mod cluster_control;
pub mod configuration_control;
pub mod control;
pub mod election;
pub mod feature_control;
pub mod image;
pub mod metadata_log;
pub mod placement;
pub mod producer_ids;
pub mod quorum_controller;
pub mod raft;
pub mod records;
pub mod replication_control;
