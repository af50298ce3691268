//! Every config of Kafka 4.3 outside Streams and Connect, a row each: name, type, default, validator, importance.

pub mod admin;
pub mod broker;
pub mod client_metrics;
pub mod consumer;
pub mod group;
pub mod producer;
pub mod quota;
pub mod topic;
