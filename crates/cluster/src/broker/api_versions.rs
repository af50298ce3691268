//! ApiVersions (API key 18): what this broker understands, as a Kafka 4.3 broker says it.
//! Kafka: `DefaultApiVersionManager`, `ApiVersionsResponse`.

use super::KafkaNode;
use crate::protocol::api_keys::ApiKey;
use crate::protocol::{ApiVersion, ApiVersionsResponse, FinalizedFeature, SupportedFeature};

/// Feature levels that a 4.3 broker supports. Kafka: `BrokerFeatures`, `Feature`.
const SUPPORTED_FEATURES: [(&str, i16, i16); 7] = [
    ("eligible.leader.replicas.version", 0, 1),
    ("group.version", 0, 1),
    ("kraft.version", 0, 1),
    ("metadata.version", 7, 30),
    ("share.version", 0, 1),
    ("streams.version", 0, 1),
    ("transaction.version", 0, 2),
];

/// APIs that a broker names only where a telemetry receiver is configured.
const TELEMETRY: [ApiKey; 2] = [ApiKey::GetTelemetrySubscriptions, ApiKey::PushTelemetry];

impl KafkaNode {
    pub(super) fn handle_api_versions(&self) -> ApiVersionsResponse {
        let named = |key: &&ApiKey| key.on_broker() && !TELEMETRY.contains(key);
        let api_keys = ApiKey::ALL.iter().filter(named).map(|key| {
            let info = key.info();
            ApiVersion {
                api_key: key.id(),
                // Old librdkafka clients look for version 0 here (KAFKA-18659); nobody may send it.
                min_version: if *key == ApiKey::Produce { 0 } else { info.oldest_version },
                max_version: info.latest_stable_version,
            }
        });
        let supported = SUPPORTED_FEATURES.map(|(name, min_version, max_version)| {
            SupportedFeature { name: name.to_owned(), min_version, max_version }
        });
        let finalized = self.image().features.iter().map(|(name, &level)| FinalizedFeature {
            name: name.clone(),
            max_version_level: level,
            min_version_level: level,
        });
        ApiVersionsResponse {
            error_code: 0,
            api_keys: api_keys.collect(),
            throttle_time_ms: 0,
            finalized_features_epoch: self.controller.image_offset() - 1,
            finalized_features: finalized.collect(),
            supported_features: supported.to_vec(),
        }
    }
}
