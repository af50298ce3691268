//! Between brokers and controllers: registration, heartbeats, ISR changes, producer id blocks, the Raft quorum.

use super::data::EpochEndOffset;
use super::message::message;
use super::{Request, Response};
use crate::controller::records::{MetadataBatch, MetadataSnapshot};
use crate::types::{BrokerId, Offset, PartitionIndex};
use crate::uuid::Uuid;

message! {
    BrokerRegistrationRequest {
        broker_id: BrokerId,
        cluster_id: String,
        incarnation_id: Uuid,
        listeners: Vec<RegistrationListener>,
        rack: Option<String>,
        /// The epoch of a clean shutdown's registration, or -1.
        previous_broker_epoch: i64,
    }
    RegistrationListener { name: String, host: String, port: i32 }
    BrokerRegistrationResponse { throttle_time_ms: i32, error_code: i16, broker_epoch: i64 }

    BrokerHeartbeatRequest {
        broker_id: BrokerId,
        broker_epoch: i64,
        current_metadata_offset: Offset,
        want_fence: bool,
        want_shut_down: bool,
    }
    BrokerHeartbeatResponse {
        throttle_time_ms: i32,
        error_code: i16,
        is_caught_up: bool,
        is_fenced: bool,
        should_shut_down: bool,
    }

    AlterPartitionRequest { broker_id: BrokerId, broker_epoch: i64, topics: Vec<AlterPartitionTopic> }
    AlterPartitionTopic { topic_id: Uuid, partitions: Vec<AlterPartitionPartition> }
    AlterPartitionPartition {
        partition_index: PartitionIndex,
        leader_epoch: i32,
        new_isr_with_epochs: Vec<BrokerState>,
        /// 0 recovered, 1 recovering.
        leader_recovery_state: i8,
        partition_epoch: i32,
    }
    BrokerState { broker_id: BrokerId, broker_epoch: i64 }
    AlterPartitionResponse { throttle_time_ms: i32, error_code: i16, topics: Vec<AlterPartitionTopicResponse> }
    AlterPartitionTopicResponse { topic_id: Uuid, partitions: Vec<AlterPartitionPartitionResponse> }
    AlterPartitionPartitionResponse {
        partition_index: PartitionIndex,
        error_code: i16,
        leader_id: BrokerId,
        leader_epoch: i32,
        isr: Vec<BrokerId>,
        leader_recovery_state: i8,
        partition_epoch: i32,
    }

    /// A client's request that a broker passes on to the active controller. Kafka wraps its bytes; here it is typed.
    EnvelopeRequest { request: Option<Box<Request>>, client_id: String }
    /// `error_code` is NOT_CONTROLLER where the asked node is not the active one.
    EnvelopeResponse { error_code: i16, response: Option<Box<Response>> }

    AllocateProducerIdsRequest { broker_id: BrokerId, broker_epoch: i64 }
    AllocateProducerIdsResponse {
        throttle_time_ms: i32,
        error_code: i16,
        producer_id_start: i64,
        producer_id_len: i32,
    }

    VoteRequest {
        cluster_id: Option<String>,
        voter_id: BrokerId,
        replica_epoch: i32,
        replica_id: BrokerId,
        last_offset_epoch: i32,
        last_offset: Offset,
        pre_vote: bool,
    }
    VoteResponse { error_code: i16, leader_id: BrokerId, leader_epoch: i32, vote_granted: bool }
    BeginQuorumEpochRequest { cluster_id: Option<String>, voter_id: BrokerId, leader_id: BrokerId, leader_epoch: i32 }
    BeginQuorumEpochResponse { error_code: i16, leader_id: BrokerId, leader_epoch: i32 }
    EndQuorumEpochRequest {
        cluster_id: Option<String>,
        leader_id: BrokerId,
        leader_epoch: i32,
        preferred_candidates: Vec<BrokerId>,
    }
    EndQuorumEpochResponse { error_code: i16, leader_id: BrokerId, leader_epoch: i32 }
}

message! {
    /// Fetch (API key 1) of `__cluster_metadata` by voters and brokers; the records are typed here, not bytes.
    FetchMetadataRequest {
        cluster_id: Option<String>,
        replica_id: BrokerId,
        current_leader_epoch: i32,
        fetch_offset: Offset,
        last_fetched_epoch: i32,
        high_watermark: Offset,
        max_wait_ms: i32,
    }
    FetchMetadataResponse {
        error_code: i16,
        leader_id: BrokerId,
        leader_epoch: i32,
        high_watermark: Offset,
        diverging_epoch: Option<EpochEndOffset>,
        /// The follower is behind the start of the log: it must take `snapshot` first (FetchSnapshot).
        snapshot_needed: bool,
        snapshot: Option<MetadataSnapshot>,
        batches: Vec<MetadataBatch>,
    }
}
