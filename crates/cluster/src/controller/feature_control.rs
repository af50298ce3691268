//! The cluster's finalized features: what a cluster of Kafka 4.3 has after formatting. Kafka: `FeatureControlManager`,
//! `BootstrapMetadata`, `Feature`.

use super::image::{MetadataImage, resource_type};
use super::records::MetadataRecord;
use crate::config::NodeConfig;

/// The feature that keeps eligible leader replicas (KIP-966).
pub const ELIGIBLE_LEADER_REPLICAS_VERSION: &str = "eligible.leader.replicas.version";

/// Features and their levels in a new cluster of release 4.3, by name. `metadata.version` 30 is 4.3-IV0.
pub const FINALIZED_FEATURES: &[(&str, i16)] = &[
    (ELIGIBLE_LEADER_REPLICAS_VERSION, 1),
    ("group.version", 1),
    ("metadata.version", 30),
    ("share.version", 1),
    ("streams.version", 1),
    ("transaction.version", 2),
];

/// Whether the controller keeps eligible leader replicas.
pub fn elr_enabled(image: &MetadataImage) -> bool {
    image.features.get(ELIGIBLE_LEADER_REPLICAS_VERSION).is_some_and(|level| *level > 0)
}

/// What the first active controller writes into an empty metadata log. With ELR, `min.insync.replicas` becomes a
/// dynamic default of the cluster, so that all nodes agree on it. Kafka: `ActivationRecordsGenerator`.
pub fn bootstrap_records(node: &NodeConfig) -> Vec<MetadataRecord> {
    let features = FINALIZED_FEATURES.iter().map(|(name, level)| MetadataRecord::FeatureLevel {
        name: (*name).to_owned(),
        feature_level: *level,
    });
    let min_isr = MetadataRecord::Config {
        resource_type: resource_type::BROKER,
        resource_name: String::new(),
        name: "min.insync.replicas".to_owned(),
        value: Some(node.integer("min.insync.replicas").to_string()),
    };
    features.chain([min_isr]).collect()
}
