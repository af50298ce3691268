//! Consumer groups: finding coordinators, joining, heartbeats, offsets.

use super::message::message;
use crate::types::{Bytes, Offset, PartitionIndex};
use crate::uuid::Uuid;

/// Bytes a client attaches and the broker does not read (subscriptions, assignments).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Opaque(pub Bytes);

impl Default for Opaque {
    fn default() -> Self {
        Self(Bytes::from([]))
    }
}

message! {
    FindCoordinatorRequest {
        /// 0 group, 1 transaction, 2 share.
        key_type: i8,
        coordinator_keys: Vec<String>,
    }
    FindCoordinatorResponse { throttle_time_ms: i32, coordinators: Vec<Coordinator> }
    Coordinator { key: String, node_id: i32, host: String, port: i32, error_code: i16, error_message: Option<String> }

    JoinGroupRequest {
        group_id: String,
        session_timeout_ms: i32,
        rebalance_timeout_ms: i32,
        member_id: String,
        group_instance_id: Option<String>,
        protocol_type: String,
        protocols: Vec<JoinGroupRequestProtocol>,
        reason: Option<String>,
    }
    JoinGroupRequestProtocol { name: String, metadata: Opaque }
    JoinGroupResponse {
        throttle_time_ms: i32,
        error_code: i16,
        generation_id: i32,
        protocol_type: Option<String>,
        protocol_name: Option<String>,
        leader: String,
        skip_assignment: bool,
        member_id: String,
        members: Vec<JoinGroupResponseMember>,
    }
    JoinGroupResponseMember { member_id: String, group_instance_id: Option<String>, metadata: Opaque }

    SyncGroupRequest {
        group_id: String,
        generation_id: i32,
        member_id: String,
        group_instance_id: Option<String>,
        protocol_type: Option<String>,
        protocol_name: Option<String>,
        assignments: Vec<SyncGroupRequestAssignment>,
    }
    SyncGroupRequestAssignment { member_id: String, assignment: Opaque }
    SyncGroupResponse {
        throttle_time_ms: i32,
        error_code: i16,
        protocol_type: Option<String>,
        protocol_name: Option<String>,
        assignment: Opaque,
    }

    HeartbeatRequest { group_id: String, generation_id: i32, member_id: String, group_instance_id: Option<String> }
    HeartbeatResponse { throttle_time_ms: i32, error_code: i16 }

    LeaveGroupRequest { group_id: String, members: Vec<MemberIdentity> }
    MemberIdentity { member_id: String, group_instance_id: Option<String>, reason: Option<String> }
    LeaveGroupResponse { throttle_time_ms: i32, error_code: i16, members: Vec<MemberResponse> }
    MemberResponse { member_id: String, group_instance_id: Option<String>, error_code: i16 }

    OffsetCommitRequest {
        group_id: String,
        generation_id_or_member_epoch: i32,
        member_id: String,
        group_instance_id: Option<String>,
        topics: Vec<OffsetCommitRequestTopic>,
    }
    OffsetCommitRequestTopic { topic_id: Uuid, name: String, partitions: Vec<OffsetCommitRequestPartition> }
    OffsetCommitRequestPartition {
        partition_index: PartitionIndex,
        committed_offset: Offset,
        committed_leader_epoch: i32,
        committed_metadata: Option<String>,
    }
    OffsetCommitResponse { throttle_time_ms: i32, topics: Vec<OffsetCommitResponseTopic> }
    OffsetCommitResponseTopic { topic_id: Uuid, name: String, partitions: Vec<OffsetCommitResponsePartition> }
    OffsetCommitResponsePartition { partition_index: PartitionIndex, error_code: i16 }

    OffsetFetchRequest { groups: Vec<OffsetFetchRequestGroup>, require_stable: bool }
    OffsetFetchRequestGroup {
        group_id: String,
        member_id: Option<String>,
        member_epoch: i32,
        /// None asks for all topics.
        topics: Option<Vec<OffsetFetchRequestTopic>>,
    }
    OffsetFetchRequestTopic { topic_id: Uuid, name: String, partition_indexes: Vec<PartitionIndex> }
    OffsetFetchResponse { throttle_time_ms: i32, groups: Vec<OffsetFetchResponseGroup> }
    OffsetFetchResponseGroup { group_id: String, topics: Vec<OffsetFetchResponseTopic>, error_code: i16 }
    OffsetFetchResponseTopic { topic_id: Uuid, name: String, partitions: Vec<OffsetFetchResponsePartition> }
    OffsetFetchResponsePartition {
        partition_index: PartitionIndex,
        /// -1 for none.
        committed_offset: Offset,
        committed_leader_epoch: i32,
        metadata: Option<String>,
        error_code: i16,
    }

    OffsetDeleteRequest { group_id: String, topics: Vec<OffsetDeleteRequestTopic> }
    OffsetDeleteRequestTopic { name: String, partitions: Vec<PartitionIndex> }
    OffsetDeleteResponse { error_code: i16, throttle_time_ms: i32, topics: Vec<OffsetDeleteResponseTopic> }
    OffsetDeleteResponseTopic { name: String, partitions: Vec<OffsetDeleteResponsePartition> }
    OffsetDeleteResponsePartition { partition_index: PartitionIndex, error_code: i16 }

    ListGroupsRequest { states_filter: Vec<String>, types_filter: Vec<String> }
    ListGroupsResponse { throttle_time_ms: i32, error_code: i16, groups: Vec<ListedGroup> }
    ListedGroup { group_id: String, protocol_type: String, group_state: String, group_type: String }

    DescribeGroupsRequest { groups: Vec<String>, include_authorized_operations: bool }
    DescribeGroupsResponse { throttle_time_ms: i32, groups: Vec<DescribedGroup> }
    DescribedGroup {
        error_code: i16,
        error_message: Option<String>,
        group_id: String,
        group_state: String,
        protocol_type: String,
        protocol_data: String,
        members: Vec<DescribedGroupMember>,
    }
    DescribedGroupMember {
        member_id: String,
        group_instance_id: Option<String>,
        client_id: String,
        client_host: String,
        member_metadata: Opaque,
        member_assignment: Opaque,
    }

    DeleteGroupsRequest { groups_names: Vec<String> }
    DeleteGroupsResponse { throttle_time_ms: i32, results: Vec<DeletableGroupResult> }
    DeletableGroupResult { group_id: String, error_code: i16 }

    ConsumerGroupHeartbeatRequest {
        group_id: String,
        member_id: String,
        member_epoch: i32,
        instance_id: Option<String>,
        rack_id: Option<String>,
        rebalance_timeout_ms: i32,
        subscribed_topic_names: Option<Vec<String>>,
        subscribed_topic_regex: Option<String>,
        server_assignor: Option<String>,
        topic_partitions: Option<Vec<TopicPartitions>>,
    }
    TopicPartitions { topic_id: Uuid, topic_name: String, partitions: Vec<PartitionIndex> }
    ConsumerGroupHeartbeatResponse {
        throttle_time_ms: i32,
        error_code: i16,
        error_message: Option<String>,
        member_id: Option<String>,
        member_epoch: i32,
        heartbeat_interval_ms: i32,
        assignment: Option<Vec<TopicPartitions>>,
    }
    ConsumerGroupDescribeRequest { group_ids: Vec<String>, include_authorized_operations: bool }
    ConsumerGroupDescribeResponse { throttle_time_ms: i32, groups: Vec<ConsumerGroupDescribedGroup> }
    ConsumerGroupDescribedGroup {
        error_code: i16,
        error_message: Option<String>,
        group_id: String,
        group_state: String,
        group_epoch: i32,
        assignment_epoch: i32,
        assignor_name: String,
        members: Vec<ConsumerGroupMember>,
    }
    ConsumerGroupMember {
        member_id: String,
        instance_id: Option<String>,
        rack_id: Option<String>,
        member_epoch: i32,
        client_id: String,
        client_host: String,
        subscribed_topic_names: Vec<String>,
        subscribed_topic_regex: Option<String>,
        assignment: Vec<TopicPartitions>,
        target_assignment: Vec<TopicPartitions>,
        member_type: i8,
    }
}
