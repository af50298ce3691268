//! The records of `__cluster_metadata`, under Kafka's names (`metadata/src/main/resources/common/metadata/*.json`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::types::{BrokerId, Offset, PartitionIndex, TimestampMs};
use crate::uuid::Uuid;

/// One change of the cluster's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetadataRecord {
    FeatureLevel {
        name: String,
        feature_level: i16,
    },
    RegisterBroker {
        broker_id: BrokerId,
        incarnation_id: Uuid,
        broker_epoch: i64,
        host: String,
        port: i32,
        rack: Option<String>,
        fenced: bool,
        in_controlled_shutdown: bool,
    },
    UnregisterBroker {
        broker_id: BrokerId,
        broker_epoch: i64,
    },
    /// `fenced` and `in_controlled_shutdown`: none leaves as is.
    BrokerRegistrationChange {
        broker_id: BrokerId,
        broker_epoch: i64,
        fenced: Option<bool>,
        in_controlled_shutdown: Option<bool>,
    },
    Topic {
        name: String,
        topic_id: Uuid,
    },
    Partition {
        partition_id: PartitionIndex,
        topic_id: Uuid,
        replicas: Vec<BrokerId>,
        isr: Vec<BrokerId>,
        removing_replicas: Vec<BrokerId>,
        adding_replicas: Vec<BrokerId>,
        leader: BrokerId,
        leader_recovery_state: i8,
        leader_epoch: i32,
        partition_epoch: i32,
        eligible_leader_replicas: Vec<BrokerId>,
        last_known_elr: Vec<BrokerId>,
    },
    /// Only what is `Some` changes. A `leader` equal to the old one means an epoch bump.
    PartitionChange {
        partition_id: PartitionIndex,
        topic_id: Uuid,
        isr: Option<Vec<BrokerId>>,
        leader: Option<BrokerId>,
        replicas: Option<Vec<BrokerId>>,
        removing_replicas: Option<Vec<BrokerId>>,
        adding_replicas: Option<Vec<BrokerId>>,
        leader_recovery_state: Option<i8>,
        eligible_leader_replicas: Option<Vec<BrokerId>>,
        last_known_elr: Option<Vec<BrokerId>>,
    },
    RemoveTopic {
        topic_id: Uuid,
    },
    /// `value` none removes the key. Types as in DescribeConfigs: 2 topic, 4 broker (name empty: the cluster default), 32 group.
    Config {
        resource_type: i8,
        resource_name: String,
        name: String,
        value: Option<String>,
    },
    ProducerIds {
        broker_id: BrokerId,
        broker_epoch: i64,
        next_producer_id: i64,
    },
    ClearElr {
        topic_name: Option<String>,
    },
    NoOp,
    /// The control record a new leader of the quorum writes first.
    LeaderChange {
        leader_id: BrokerId,
        voters: Vec<BrokerId>,
    },
}

/// Records that were appended together, held once however many nodes have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataBatch {
    /// Offset of the first record; each record takes one.
    pub base_offset: Offset,
    /// Epoch of the quorum leader that appended it.
    pub leader_epoch: i32,
    pub append_timestamp_ms: TimestampMs,
    pub records: Arc<[MetadataRecord]>,
}

impl MetadataBatch {
    /// Offset after the last record.
    pub fn end_offset(&self) -> Offset {
        self.base_offset + self.records.len() as Offset
    }
}

/// An image and the offset it is the state of: what a replica far behind starts anew from. Kafka: a snapshot of the metadata log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetadataSnapshot {
    pub image: Arc<super::image::MetadataImage>,
    /// Offset after the last record in the image.
    pub end_offset: Offset,
    /// Epoch of that record.
    pub epoch: i32,
}
