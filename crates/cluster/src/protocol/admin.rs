//! Topics, configurations, elections, the cluster: what admin clients ask.

use super::message::message;
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

message! {
    CreateTopicsRequest { topics: Vec<CreatableTopic>, timeout_ms: i32, validate_only: bool }
    CreatableTopic {
        name: String,
        /// -1 for the broker's default, or when `assignments` are given.
        num_partitions: i32,
        /// -1 for the broker's default, or when `assignments` are given.
        replication_factor: i16,
        assignments: Vec<CreatableReplicaAssignment>,
        configs: Vec<CreatableTopicConfig>,
    }
    CreatableReplicaAssignment { partition_index: PartitionIndex, broker_ids: Vec<BrokerId> }
    CreatableTopicConfig { name: String, value: Option<String> }
    CreateTopicsResponse { throttle_time_ms: i32, topics: Vec<CreatableTopicResult> }
    CreatableTopicResult {
        name: String,
        topic_id: Uuid,
        error_code: i16,
        error_message: Option<String>,
        num_partitions: i32,
        replication_factor: i16,
        configs: Vec<CreatableTopicConfigs>,
    }
    CreatableTopicConfigs { name: String, value: Option<String>, read_only: bool, config_source: i8, is_sensitive: bool }

    DeleteTopicsRequest { topics: Vec<DeleteTopicState>, timeout_ms: i32 }
    DeleteTopicState { name: Option<String>, topic_id: Uuid }
    DeleteTopicsResponse { throttle_time_ms: i32, responses: Vec<DeletableTopicResult> }
    DeletableTopicResult { name: Option<String>, topic_id: Uuid, error_code: i16, error_message: Option<String> }

    CreatePartitionsRequest { topics: Vec<CreatePartitionsTopic>, timeout_ms: i32, validate_only: bool }
    CreatePartitionsTopic {
        name: String,
        /// The new total.
        count: i32,
        assignments: Option<Vec<CreatePartitionsAssignment>>,
    }
    CreatePartitionsAssignment { broker_ids: Vec<BrokerId> }
    CreatePartitionsResponse { throttle_time_ms: i32, results: Vec<CreatePartitionsTopicResult> }
    CreatePartitionsTopicResult { name: String, error_code: i16, error_message: Option<String> }

    DescribeTopicPartitionsRequest {
        topics: Vec<TopicRequest>,
        response_partition_limit: i32,
        cursor: Option<Cursor>,
    }
    TopicRequest { name: String }
    Cursor { topic_name: String, partition_index: PartitionIndex }
    DescribeTopicPartitionsResponse {
        throttle_time_ms: i32,
        topics: Vec<DescribeTopicPartitionsResponseTopic>,
        next_cursor: Option<Cursor>,
    }
    DescribeTopicPartitionsResponseTopic {
        error_code: i16,
        name: Option<String>,
        topic_id: Uuid,
        is_internal: bool,
        partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    }
    DescribeTopicPartitionsResponsePartition {
        error_code: i16,
        partition_index: PartitionIndex,
        leader_id: BrokerId,
        leader_epoch: i32,
        replica_nodes: Vec<BrokerId>,
        isr_nodes: Vec<BrokerId>,
        eligible_leader_replicas: Option<Vec<BrokerId>>,
        last_known_elr: Option<Vec<BrokerId>>,
        offline_replicas: Vec<BrokerId>,
    }

    DescribeConfigsRequest {
        resources: Vec<DescribeConfigsResource>,
        include_synonyms: bool,
        include_documentation: bool,
    }
    DescribeConfigsResource {
        /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
        resource_type: i8,
        resource_name: String,
        configuration_keys: Option<Vec<String>>,
    }
    DescribeConfigsResponse { throttle_time_ms: i32, results: Vec<DescribeConfigsResult> }
    DescribeConfigsResult {
        error_code: i16,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
        configs: Vec<DescribeConfigsResourceResult>,
    }
    DescribeConfigsResourceResult {
        name: String,
        value: Option<String>,
        read_only: bool,
        /// 1 topic, 2 dynamic broker, 3 dynamic default broker, 4 static broker, 5 default, 6 broker logger, 7 client metrics, 8 group.
        config_source: i8,
        is_sensitive: bool,
        synonyms: Vec<DescribeConfigsSynonym>,
        config_type: i8,
        documentation: Option<String>,
    }
    DescribeConfigsSynonym { name: String, value: Option<String>, source: i8 }

    IncrementalAlterConfigsRequest { resources: Vec<AlterConfigsResource>, validate_only: bool }
    AlterConfigsResource { resource_type: i8, resource_name: String, configs: Vec<AlterableConfig> }
    AlterableConfig {
        name: String,
        /// 0 set, 1 delete, 2 append, 3 subtract.
        config_operation: i8,
        value: Option<String>,
    }
    IncrementalAlterConfigsResponse { throttle_time_ms: i32, responses: Vec<AlterConfigsResourceResponse> }
    AlterConfigsResourceResponse {
        error_code: i16,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
    }

    ListConfigResourcesRequest { resource_types: Vec<i8> }
    ListConfigResourcesResponse { throttle_time_ms: i32, error_code: i16, config_resources: Vec<ConfigResource> }
    ConfigResource { resource_name: String, resource_type: i8 }

    ElectLeadersRequest {
        /// 0 preferred, 1 unclean.
        election_type: i8,
        /// None asks for all partitions.
        topic_partitions: Option<Vec<ElectLeadersTopic>>,
        timeout_ms: i32,
    }
    ElectLeadersTopic { topic: String, partitions: Vec<PartitionIndex> }
    ElectLeadersResponse {
        throttle_time_ms: i32,
        error_code: i16,
        replica_election_results: Vec<ReplicaElectionResult>,
    }
    ReplicaElectionResult { topic: String, partition_result: Vec<PartitionResult> }
    PartitionResult { partition_id: PartitionIndex, error_code: i16, error_message: Option<String> }

    AlterPartitionReassignmentsRequest {
        timeout_ms: i32,
        allow_replication_factor_change: bool,
        topics: Vec<ReassignableTopic>,
    }
    ReassignableTopic { name: String, partitions: Vec<ReassignablePartition> }
    ReassignablePartition { partition_index: PartitionIndex, replicas: Option<Vec<BrokerId>> }
    AlterPartitionReassignmentsResponse {
        throttle_time_ms: i32,
        error_code: i16,
        error_message: Option<String>,
        responses: Vec<ReassignableTopicResponse>,
    }
    ReassignableTopicResponse { name: String, partitions: Vec<ReassignablePartitionResponse> }
    ReassignablePartitionResponse { partition_index: PartitionIndex, error_code: i16, error_message: Option<String> }
    ListPartitionReassignmentsRequest { timeout_ms: i32, topics: Option<Vec<ElectLeadersTopic>> }
    ListPartitionReassignmentsResponse {
        throttle_time_ms: i32,
        error_code: i16,
        error_message: Option<String>,
        topics: Vec<OngoingTopicReassignment>,
    }
    OngoingTopicReassignment { name: String, partitions: Vec<OngoingPartitionReassignment> }
    OngoingPartitionReassignment {
        partition_index: PartitionIndex,
        replicas: Vec<BrokerId>,
        adding_replicas: Vec<BrokerId>,
        removing_replicas: Vec<BrokerId>,
    }

    DescribeClusterRequest { include_cluster_authorized_operations: bool, endpoint_type: i8, include_fenced_brokers: bool }
    DescribeClusterResponse {
        throttle_time_ms: i32,
        error_code: i16,
        error_message: Option<String>,
        endpoint_type: i8,
        cluster_id: String,
        controller_id: BrokerId,
        brokers: Vec<DescribeClusterBroker>,
    }
    DescribeClusterBroker { broker_id: BrokerId, host: String, port: i32, rack: Option<String>, is_fenced: bool }

    DescribeQuorumRequest { topics: Vec<DescribeQuorumTopic> }
    DescribeQuorumTopic { topic_name: String, partitions: Vec<PartitionIndex> }
    DescribeQuorumResponse {
        error_code: i16,
        error_message: Option<String>,
        leader_id: BrokerId,
        leader_epoch: i32,
        high_watermark: i64,
        current_voters: Vec<QuorumReplicaState>,
        observers: Vec<QuorumReplicaState>,
    }
    QuorumReplicaState {
        replica_id: BrokerId,
        replica_directory_id: Uuid,
        log_end_offset: i64,
        last_fetch_timestamp: i64,
        last_caught_up_timestamp: i64,
    }
    UnregisterBrokerRequest { broker_id: BrokerId }
    UnregisterBrokerResponse { throttle_time_ms: i32, error_code: i16, error_message: Option<String> }
}
