//! Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, Metadata and their like: the data path.
//! Field names are those of `clients/src/main/resources/common/message/*.json`, newest version.

use super::message::message;
use crate::log::Batch;
use crate::types::{BrokerId, Offset, PartitionIndex, TimestampMs};
use crate::uuid::Uuid;

message! {
    /// A partition's leader, as errors about leadership carry it (KIP-951).
    LeaderIdAndEpoch { leader_id: BrokerId, leader_epoch: i32 }
    /// A broker's address for clients.
    NodeEndpoint { node_id: BrokerId, host: String, port: i32, rack: Option<String> }

    ProduceRequest {
        transactional_id: Option<String>,
        /// 0, 1, or -1 for all.
        acks: i16,
        timeout_ms: i32,
        topic_data: Vec<TopicProduceData>,
    }
    TopicProduceData { name: String, topic_id: Uuid, partition_data: Vec<PartitionProduceData> }
    PartitionProduceData { index: PartitionIndex, records: Option<Batch> }
    ProduceResponse { responses: Vec<TopicProduceResponse>, throttle_time_ms: i32, node_endpoints: Vec<NodeEndpoint> }
    TopicProduceResponse { name: String, topic_id: Uuid, partition_responses: Vec<PartitionProduceResponse> }
    PartitionProduceResponse {
        index: PartitionIndex,
        error_code: i16,
        base_offset: Offset,
        log_append_time_ms: TimestampMs,
        log_start_offset: Offset,
        record_errors: Vec<BatchIndexAndErrorMessage>,
        error_message: Option<String>,
        current_leader: Option<LeaderIdAndEpoch>,
    }
    BatchIndexAndErrorMessage { batch_index: i32, batch_index_error_message: Option<String> }

    FetchRequest {
        /// -1 and -1 for a consumer.
        replica_state: ReplicaState,
        max_wait_ms: i32,
        min_bytes: i32,
        max_bytes: i32,
        /// 0 read_uncommitted, 1 read_committed.
        isolation_level: i8,
        session_id: i32,
        session_epoch: i32,
        topics: Vec<FetchTopic>,
        forgotten_topics_data: Vec<ForgottenTopic>,
        rack_id: String,
    }
    ReplicaState { replica_id: BrokerId, replica_epoch: i64 }
    FetchTopic { topic_id: Uuid, partitions: Vec<FetchPartition> }
    FetchPartition {
        partition: PartitionIndex,
        current_leader_epoch: i32,
        fetch_offset: Offset,
        last_fetched_epoch: i32,
        log_start_offset: Offset,
        partition_max_bytes: i32,
        /// The follower's high watermark, so that the leader answers when only that moved (KIP-1166).
        high_watermark: Offset,
    }
    ForgottenTopic { topic_id: Uuid, partitions: Vec<PartitionIndex> }
    FetchResponse {
        throttle_time_ms: i32,
        error_code: i16,
        session_id: i32,
        responses: Vec<FetchableTopicResponse>,
        node_endpoints: Vec<NodeEndpoint>,
    }
    FetchableTopicResponse { topic_id: Uuid, partitions: Vec<FetchPartitionData> }
    FetchPartitionData {
        partition_index: PartitionIndex,
        error_code: i16,
        high_watermark: Offset,
        last_stable_offset: Offset,
        log_start_offset: Offset,
        diverging_epoch: Option<EpochEndOffset>,
        current_leader: Option<LeaderIdAndEpoch>,
        aborted_transactions: Vec<AbortedTransaction>,
        /// -1 for none.
        preferred_read_replica: BrokerId,
        records: Vec<Batch>,
    }
    EpochEndOffset { epoch: i32, end_offset: Offset }
    AbortedTransaction { producer_id: i64, first_offset: Offset }

    ListOffsetsRequest { replica_id: BrokerId, isolation_level: i8, topics: Vec<ListOffsetsTopic>, timeout_ms: i32 }
    ListOffsetsTopic { name: String, partitions: Vec<ListOffsetsPartition> }
    ListOffsetsPartition {
        partition_index: PartitionIndex,
        current_leader_epoch: i32,
        /// A time, or -1 latest, -2 earliest, -3 max timestamp, -4 earliest local, -5 latest tiered, -6 earliest pending upload.
        timestamp: TimestampMs,
    }
    ListOffsetsResponse { throttle_time_ms: i32, topics: Vec<ListOffsetsTopicResponse> }
    ListOffsetsTopicResponse { name: String, partitions: Vec<ListOffsetsPartitionResponse> }
    ListOffsetsPartitionResponse {
        partition_index: PartitionIndex,
        error_code: i16,
        timestamp: TimestampMs,
        offset: Offset,
        leader_epoch: i32,
    }

    OffsetForLeaderEpochRequest { replica_id: BrokerId, topics: Vec<OffsetForLeaderTopic> }
    OffsetForLeaderTopic { topic: String, partitions: Vec<OffsetForLeaderPartition> }
    OffsetForLeaderPartition { partition: PartitionIndex, current_leader_epoch: i32, leader_epoch: i32 }
    OffsetForLeaderEpochResponse { throttle_time_ms: i32, topics: Vec<OffsetForLeaderTopicResult> }
    OffsetForLeaderTopicResult { topic: String, partitions: Vec<OffsetForLeaderPartitionResult> }
    OffsetForLeaderPartitionResult { error_code: i16, partition: PartitionIndex, leader_epoch: i32, end_offset: Offset }

    DeleteRecordsRequest { topics: Vec<DeleteRecordsTopic>, timeout_ms: i32 }
    DeleteRecordsTopic { name: String, partitions: Vec<DeleteRecordsPartition> }
    DeleteRecordsPartition { partition_index: PartitionIndex, offset: Offset }
    DeleteRecordsResponse { throttle_time_ms: i32, topics: Vec<DeleteRecordsTopicResult> }
    DeleteRecordsTopicResult { name: String, partitions: Vec<DeleteRecordsPartitionResult> }
    DeleteRecordsPartitionResult { partition_index: PartitionIndex, low_watermark: Offset, error_code: i16 }

    InitProducerIdRequest {
        transactional_id: Option<String>,
        transaction_timeout_ms: i32,
        producer_id: i64,
        producer_epoch: i16,
    }
    InitProducerIdResponse { throttle_time_ms: i32, error_code: i16, producer_id: i64, producer_epoch: i16 }

    MetadataRequest {
        /// None asks for all topics.
        topics: Option<Vec<MetadataRequestTopic>>,
        allow_auto_topic_creation: bool,
    }
    MetadataRequestTopic { topic_id: Uuid, name: Option<String> }
    MetadataResponse {
        throttle_time_ms: i32,
        brokers: Vec<NodeEndpoint>,
        cluster_id: Option<String>,
        controller_id: BrokerId,
        topics: Vec<MetadataResponseTopic>,
        error_code: i16,
    }
    MetadataResponseTopic {
        error_code: i16,
        name: Option<String>,
        topic_id: Uuid,
        is_internal: bool,
        partitions: Vec<MetadataResponsePartition>,
    }
    MetadataResponsePartition {
        error_code: i16,
        partition_index: PartitionIndex,
        leader_id: BrokerId,
        leader_epoch: i32,
        replica_nodes: Vec<BrokerId>,
        isr_nodes: Vec<BrokerId>,
        offline_replicas: Vec<BrokerId>,
    }

    ApiVersionsRequest { client_software_name: String, client_software_version: String }
    ApiVersionsResponse { error_code: i16, api_keys: Vec<ApiVersion>, throttle_time_ms: i32, finalized_features_epoch: i64, finalized_features: Vec<FinalizedFeature>, supported_features: Vec<SupportedFeature> }
    ApiVersion { api_key: i16, min_version: i16, max_version: i16 }
    SupportedFeature { name: String, min_version: i16, max_version: i16 }
    FinalizedFeature { name: String, max_version_level: i16, min_version_level: i16 }
}
