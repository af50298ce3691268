//! Kafka's protocol: the messages, their API keys and error codes. Only these cross between actors.
//!
//! A message is defined once, as data ([`message`]); the enums [`Request`] and [`Response`] have one variant per API.

pub mod admin;
pub mod api_keys;
pub mod consumer_protocol;
pub mod data;
pub mod errors;
pub mod group;
pub mod message;
pub(crate) mod primitive;
pub mod quorum;

use serde::{Deserialize, Serialize};
use simulation::Payload;

pub use admin::*;
pub use api_keys::ApiKey;
pub use data::*;
pub use errors::ErrorCode;
pub use group::*;
pub use quorum::*;

use message::{Described, Field};

macro_rules! apis {
    ($($name:ident = $key:literal : $request:ident, $response:ident;)*) => {
        /// A request of any API.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Request { $($name(Box<$request>)),* }

        /// The answer to a request of the same name.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Response { $($name(Box<$response>)),* }

        impl Request {
            /// The protocol's number of this API.
            pub const fn api_key(&self) -> i16 {
                match self { $(Self::$name(_) => $key),* }
            }
            /// The API's name, as Kafka prints it.
            pub const fn api_name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),* }
            }
            /// The fields of this request.
            pub const fn fields(&self) -> &'static [Field] {
                match self { $(Self::$name(_) => $request::FIELDS),* }
            }
        }
        impl Response {
            pub const fn api_key(&self) -> i16 {
                match self { $(Self::$name(_) => $key),* }
            }
            pub const fn api_name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name)),* }
            }
            pub const fn fields(&self) -> &'static [Field] {
                match self { $(Self::$name(_) => $response::FIELDS),* }
            }
        }
        $(
            impl From<$request> for Request { fn from(message: $request) -> Self { Self::$name(Box::new(message)) } }
            impl From<$response> for Response { fn from(message: $response) -> Self { Self::$name(Box::new(message)) } }
        )*
    };
}

apis! {
    Produce = 0: ProduceRequest, ProduceResponse;
    Fetch = 1: FetchRequest, FetchResponse;
    FetchMetadata = 1: FetchMetadataRequest, FetchMetadataResponse;
    ListOffsets = 2: ListOffsetsRequest, ListOffsetsResponse;
    Metadata = 3: MetadataRequest, MetadataResponse;
    OffsetCommit = 8: OffsetCommitRequest, OffsetCommitResponse;
    OffsetFetch = 9: OffsetFetchRequest, OffsetFetchResponse;
    FindCoordinator = 10: FindCoordinatorRequest, FindCoordinatorResponse;
    JoinGroup = 11: JoinGroupRequest, JoinGroupResponse;
    Heartbeat = 12: HeartbeatRequest, HeartbeatResponse;
    LeaveGroup = 13: LeaveGroupRequest, LeaveGroupResponse;
    SyncGroup = 14: SyncGroupRequest, SyncGroupResponse;
    DescribeGroups = 15: DescribeGroupsRequest, DescribeGroupsResponse;
    ListGroups = 16: ListGroupsRequest, ListGroupsResponse;
    ApiVersions = 18: ApiVersionsRequest, ApiVersionsResponse;
    CreateTopics = 19: CreateTopicsRequest, CreateTopicsResponse;
    DeleteTopics = 20: DeleteTopicsRequest, DeleteTopicsResponse;
    DeleteRecords = 21: DeleteRecordsRequest, DeleteRecordsResponse;
    InitProducerId = 22: InitProducerIdRequest, InitProducerIdResponse;
    OffsetForLeaderEpoch = 23: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    DescribeConfigs = 32: DescribeConfigsRequest, DescribeConfigsResponse;
    CreatePartitions = 37: CreatePartitionsRequest, CreatePartitionsResponse;
    DeleteGroups = 42: DeleteGroupsRequest, DeleteGroupsResponse;
    ElectLeaders = 43: ElectLeadersRequest, ElectLeadersResponse;
    IncrementalAlterConfigs = 44: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    AlterPartitionReassignments = 45: AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
    ListPartitionReassignments = 46: ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
    OffsetDelete = 47: OffsetDeleteRequest, OffsetDeleteResponse;
    Vote = 52: VoteRequest, VoteResponse;
    BeginQuorumEpoch = 53: BeginQuorumEpochRequest, BeginQuorumEpochResponse;
    EndQuorumEpoch = 54: EndQuorumEpochRequest, EndQuorumEpochResponse;
    DescribeQuorum = 55: DescribeQuorumRequest, DescribeQuorumResponse;
    AlterPartition = 56: AlterPartitionRequest, AlterPartitionResponse;
    Envelope = 58: EnvelopeRequest, EnvelopeResponse;
    DescribeCluster = 60: DescribeClusterRequest, DescribeClusterResponse;
    BrokerRegistration = 62: BrokerRegistrationRequest, BrokerRegistrationResponse;
    BrokerHeartbeat = 63: BrokerHeartbeatRequest, BrokerHeartbeatResponse;
    UnregisterBroker = 64: UnregisterBrokerRequest, UnregisterBrokerResponse;
    AllocateProducerIds = 67: AllocateProducerIdsRequest, AllocateProducerIdsResponse;
    ConsumerGroupHeartbeat = 68: ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    ConsumerGroupDescribe = 69: ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    ListConfigResources = 74: ListConfigResourcesRequest, ListConfigResourcesResponse;
    DescribeTopicPartitions = 75: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
}

/// Which of a node's listeners a request is for: clients and brokers talk to the broker, brokers and voters to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Listener {
    Broker,
    Controller,
}

/// What crosses a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {
    Request {
        /// Chosen by the sender; the response repeats it.
        correlation_id: u32,
        client_id: String,
        listener: Listener,
        request: Request,
    },
    Response {
        correlation_id: u32,
        response: Response,
    },
}

/// Bytes of a request's or response's header and of a message without records: near enough for a link's bandwidth.
const MESSAGE_BYTES: u64 = 120;

impl Payload for Message {
    fn size_bytes(&self) -> u64 {
        let records = match self {
            Self::Request { request: Request::Produce(request), .. } => request
                .topic_data
                .iter()
                .flat_map(|topic| &topic.partition_data)
                .filter_map(|partition| partition.records.as_ref())
                .map(|batch| u64::from(batch.size_in_bytes()))
                .sum(),
            Self::Response { response: Response::Fetch(response), .. } => response
                .responses
                .iter()
                .flat_map(|topic| &topic.partitions)
                .flat_map(|partition| &partition.records)
                .map(|batch| u64::from(batch.size_in_bytes()))
                .sum(),
            _ => 0,
        };
        MESSAGE_BYTES + records
    }
}
