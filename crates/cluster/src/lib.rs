//! A Kafka cluster as deterministic state machines: protocol, log, brokers, controllers, coordinators, clients.
//!
//! # Where to start
//! - [`protocol`] is the table of contents: what may cross between actors.
//! - `broker/<api>.rs` answers one API each; [`log`] holds the bytes; [`controller`] decides; `coordinator` runs groups; [`client`] is the other side.
//! - `world` puts nodes and clients on a simulated network.
//!
//! # Promises
//! - Same seed and same calls: same bytes, native and wasm. No clock, entropy, floats, threads or I/O.
//! - No text meant for people but Kafka's own messages; no console, no views.
#![forbid(unsafe_code)]

pub mod broker;
pub mod checker;
pub mod client;
pub mod config;
pub mod controller;
pub mod coordinator;
pub mod coordinator_partition;
pub mod event;
pub mod java;
pub mod log;
#[cfg(feature = "planted-bug")]
pub mod planted_bug;
pub mod protocol;
pub mod topic_names;
pub mod types;
pub mod uuid;
pub mod world;
