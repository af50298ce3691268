//! Kafka's APIs: number, name, versions and where they are served. Kafka: `ApiKeys`.

use serde::{Deserialize, Serialize};

/// Which listeners serve an API. Kafka: `ApiMessageType.ListenerType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listeners {
    /// None: an API of former releases, kept as a number.
    None,
    Broker,
    Controller,
    Both,
}

/// What Kafka 4.3 says of one API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiInfo {
    /// The message's name: `CreateTopics`.
    pub name: &'static str,
    /// The enum's name: `CREATE_TOPICS`.
    pub key: &'static str,
    pub oldest_version: i16,
    /// The latest version, unstable ones included; -1 if there is none.
    pub latest_version: i16,
    /// The latest version that a release enables.
    pub latest_stable_version: i16,
    pub listeners: Listeners,
}

macro_rules! api_keys {
    ($($variant:ident = $id:literal, $name:literal, $key:literal, $oldest:literal..$latest:literal, $stable:literal, $listeners:ident;)*) => {
        /// The API that a request belongs to. Kafka: `ApiKeys`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(i16)]
        pub enum ApiKey {
            $(#[doc = $key] $variant = $id,)*
        }

        impl ApiKey {
            /// Every API, by ascending number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The API's row in Kafka's table.
            pub const fn info(self) -> ApiInfo {
                match self {
                    $(Self::$variant => ApiInfo {
                        name: $name,
                        key: $key,
                        oldest_version: $oldest,
                        latest_version: $latest,
                        latest_stable_version: $stable,
                        listeners: Listeners::$listeners,
                    },)*
                }
            }
        }
    };
}

api_keys! {
    Produce = 0, "Produce", "PRODUCE", 3..13, 13, Broker;
    Fetch = 1, "Fetch", "FETCH", 4..18, 18, Both;
    ListOffsets = 2, "ListOffsets", "LIST_OFFSETS", 1..11, 11, Broker;
    Metadata = 3, "Metadata", "METADATA", 0..13, 13, Broker;
    LeaderAndIsr = 4, "LeaderAndIsr", "LEADER_AND_ISR", 0..-1, -1, None;
    StopReplica = 5, "StopReplica", "STOP_REPLICA", 0..-1, -1, None;
    UpdateMetadata = 6, "UpdateMetadata", "UPDATE_METADATA", 0..-1, -1, None;
    ControlledShutdown = 7, "ControlledShutdown", "CONTROLLED_SHUTDOWN", 0..-1, -1, None;
    OffsetCommit = 8, "OffsetCommit", "OFFSET_COMMIT", 2..10, 10, Broker;
    OffsetFetch = 9, "OffsetFetch", "OFFSET_FETCH", 1..10, 10, Broker;
    FindCoordinator = 10, "FindCoordinator", "FIND_COORDINATOR", 0..6, 6, Broker;
    JoinGroup = 11, "JoinGroup", "JOIN_GROUP", 0..9, 9, Broker;
    Heartbeat = 12, "Heartbeat", "HEARTBEAT", 0..4, 4, Broker;
    LeaveGroup = 13, "LeaveGroup", "LEAVE_GROUP", 0..5, 5, Broker;
    SyncGroup = 14, "SyncGroup", "SYNC_GROUP", 0..5, 5, Broker;
    DescribeGroups = 15, "DescribeGroups", "DESCRIBE_GROUPS", 0..6, 6, Broker;
    ListGroups = 16, "ListGroups", "LIST_GROUPS", 0..5, 5, Broker;
    SaslHandshake = 17, "SaslHandshake", "SASL_HANDSHAKE", 0..1, 1, Both;
    ApiVersions = 18, "ApiVersions", "API_VERSIONS", 0..4, 4, Both;
    CreateTopics = 19, "CreateTopics", "CREATE_TOPICS", 2..7, 7, Both;
    DeleteTopics = 20, "DeleteTopics", "DELETE_TOPICS", 1..6, 6, Both;
    DeleteRecords = 21, "DeleteRecords", "DELETE_RECORDS", 0..2, 2, Broker;
    InitProducerId = 22, "InitProducerId", "INIT_PRODUCER_ID", 0..6, 5, Broker;
    OffsetForLeaderEpoch = 23, "OffsetForLeaderEpoch", "OFFSET_FOR_LEADER_EPOCH", 2..4, 4, Broker;
    AddPartitionsToTxn = 24, "AddPartitionsToTxn", "ADD_PARTITIONS_TO_TXN", 0..5, 5, Broker;
    AddOffsetsToTxn = 25, "AddOffsetsToTxn", "ADD_OFFSETS_TO_TXN", 0..4, 4, Broker;
    EndTxn = 26, "EndTxn", "END_TXN", 0..5, 5, Broker;
    WriteTxnMarkers = 27, "WriteTxnMarkers", "WRITE_TXN_MARKERS", 1..2, 2, Broker;
    TxnOffsetCommit = 28, "TxnOffsetCommit", "TXN_OFFSET_COMMIT", 0..5, 5, Broker;
    DescribeAcls = 29, "DescribeAcls", "DESCRIBE_ACLS", 1..3, 3, Both;
    CreateAcls = 30, "CreateAcls", "CREATE_ACLS", 1..3, 3, Both;
    DeleteAcls = 31, "DeleteAcls", "DELETE_ACLS", 1..3, 3, Both;
    DescribeConfigs = 32, "DescribeConfigs", "DESCRIBE_CONFIGS", 1..4, 4, Both;
    AlterConfigs = 33, "AlterConfigs", "ALTER_CONFIGS", 0..2, 2, Both;
    AlterReplicaLogDirs = 34, "AlterReplicaLogDirs", "ALTER_REPLICA_LOG_DIRS", 1..2, 2, Broker;
    DescribeLogDirs = 35, "DescribeLogDirs", "DESCRIBE_LOG_DIRS", 1..5, 5, Broker;
    SaslAuthenticate = 36, "SaslAuthenticate", "SASL_AUTHENTICATE", 0..2, 2, Both;
    CreatePartitions = 37, "CreatePartitions", "CREATE_PARTITIONS", 0..3, 3, Both;
    CreateDelegationToken = 38, "CreateDelegationToken", "CREATE_DELEGATION_TOKEN", 1..3, 3, Both;
    RenewDelegationToken = 39, "RenewDelegationToken", "RENEW_DELEGATION_TOKEN", 1..2, 2, Both;
    ExpireDelegationToken = 40, "ExpireDelegationToken", "EXPIRE_DELEGATION_TOKEN", 1..2, 2, Both;
    DescribeDelegationToken = 41, "DescribeDelegationToken", "DESCRIBE_DELEGATION_TOKEN", 1..3, 3, Both;
    DeleteGroups = 42, "DeleteGroups", "DELETE_GROUPS", 0..2, 2, Broker;
    ElectLeaders = 43, "ElectLeaders", "ELECT_LEADERS", 0..2, 2, Both;
    IncrementalAlterConfigs = 44, "IncrementalAlterConfigs", "INCREMENTAL_ALTER_CONFIGS", 0..1, 1, Both;
    AlterPartitionReassignments = 45, "AlterPartitionReassignments", "ALTER_PARTITION_REASSIGNMENTS", 0..1, 1, Both;
    ListPartitionReassignments = 46, "ListPartitionReassignments", "LIST_PARTITION_REASSIGNMENTS", 0..0, 0, Both;
    OffsetDelete = 47, "OffsetDelete", "OFFSET_DELETE", 0..0, 0, Broker;
    DescribeClientQuotas = 48, "DescribeClientQuotas", "DESCRIBE_CLIENT_QUOTAS", 0..1, 1, Broker;
    AlterClientQuotas = 49, "AlterClientQuotas", "ALTER_CLIENT_QUOTAS", 0..1, 1, Both;
    DescribeUserScramCredentials = 50, "DescribeUserScramCredentials", "DESCRIBE_USER_SCRAM_CREDENTIALS", 0..0, 0, Both;
    AlterUserScramCredentials = 51, "AlterUserScramCredentials", "ALTER_USER_SCRAM_CREDENTIALS", 0..0, 0, Both;
    Vote = 52, "Vote", "VOTE", 0..2, 2, Controller;
    BeginQuorumEpoch = 53, "BeginQuorumEpoch", "BEGIN_QUORUM_EPOCH", 0..1, 1, Controller;
    EndQuorumEpoch = 54, "EndQuorumEpoch", "END_QUORUM_EPOCH", 0..1, 1, Controller;
    DescribeQuorum = 55, "DescribeQuorum", "DESCRIBE_QUORUM", 0..2, 2, Both;
    AlterPartition = 56, "AlterPartition", "ALTER_PARTITION", 2..3, 3, Controller;
    UpdateFeatures = 57, "UpdateFeatures", "UPDATE_FEATURES", 0..2, 2, Both;
    Envelope = 58, "Envelope", "ENVELOPE", 0..0, 0, Controller;
    FetchSnapshot = 59, "FetchSnapshot", "FETCH_SNAPSHOT", 0..1, 1, Controller;
    DescribeCluster = 60, "DescribeCluster", "DESCRIBE_CLUSTER", 0..2, 2, Both;
    DescribeProducers = 61, "DescribeProducers", "DESCRIBE_PRODUCERS", 0..0, 0, Broker;
    BrokerRegistration = 62, "BrokerRegistration", "BROKER_REGISTRATION", 0..4, 4, Controller;
    BrokerHeartbeat = 63, "BrokerHeartbeat", "BROKER_HEARTBEAT", 0..2, 2, Controller;
    UnregisterBroker = 64, "UnregisterBroker", "UNREGISTER_BROKER", 0..0, 0, Both;
    DescribeTransactions = 65, "DescribeTransactions", "DESCRIBE_TRANSACTIONS", 0..0, 0, Broker;
    ListTransactions = 66, "ListTransactions", "LIST_TRANSACTIONS", 0..2, 2, Broker;
    AllocateProducerIds = 67, "AllocateProducerIds", "ALLOCATE_PRODUCER_IDS", 0..0, 0, Controller;
    ConsumerGroupHeartbeat = 68, "ConsumerGroupHeartbeat", "CONSUMER_GROUP_HEARTBEAT", 0..1, 1, Broker;
    ConsumerGroupDescribe = 69, "ConsumerGroupDescribe", "CONSUMER_GROUP_DESCRIBE", 0..1, 1, Broker;
    ControllerRegistration = 70, "ControllerRegistration", "CONTROLLER_REGISTRATION", 0..0, 0, Controller;
    GetTelemetrySubscriptions = 71, "GetTelemetrySubscriptions", "GET_TELEMETRY_SUBSCRIPTIONS", 0..0, 0, Broker;
    PushTelemetry = 72, "PushTelemetry", "PUSH_TELEMETRY", 0..0, 0, Broker;
    AssignReplicasToDirs = 73, "AssignReplicasToDirs", "ASSIGN_REPLICAS_TO_DIRS", 0..0, 0, Controller;
    ListConfigResources = 74, "ListConfigResources", "LIST_CONFIG_RESOURCES", 0..1, 1, Broker;
    DescribeTopicPartitions = 75, "DescribeTopicPartitions", "DESCRIBE_TOPIC_PARTITIONS", 0..0, 0, Broker;
    ShareGroupHeartbeat = 76, "ShareGroupHeartbeat", "SHARE_GROUP_HEARTBEAT", 1..1, 1, Broker;
    ShareGroupDescribe = 77, "ShareGroupDescribe", "SHARE_GROUP_DESCRIBE", 1..1, 1, Broker;
    ShareFetch = 78, "ShareFetch", "SHARE_FETCH", 1..2, 2, Broker;
    ShareAcknowledge = 79, "ShareAcknowledge", "SHARE_ACKNOWLEDGE", 1..2, 2, Broker;
    AddRaftVoter = 80, "AddRaftVoter", "ADD_RAFT_VOTER", 0..1, 1, Both;
    RemoveRaftVoter = 81, "RemoveRaftVoter", "REMOVE_RAFT_VOTER", 0..0, 0, Both;
    UpdateRaftVoter = 82, "UpdateRaftVoter", "UPDATE_RAFT_VOTER", 0..0, 0, Controller;
    InitializeShareGroupState = 83, "InitializeShareGroupState", "INITIALIZE_SHARE_GROUP_STATE", 0..0, 0, Broker;
    ReadShareGroupState = 84, "ReadShareGroupState", "READ_SHARE_GROUP_STATE", 0..0, 0, Broker;
    WriteShareGroupState = 85, "WriteShareGroupState", "WRITE_SHARE_GROUP_STATE", 0..1, 1, Broker;
    DeleteShareGroupState = 86, "DeleteShareGroupState", "DELETE_SHARE_GROUP_STATE", 0..0, 0, Broker;
    ReadShareGroupStateSummary = 87, "ReadShareGroupStateSummary", "READ_SHARE_GROUP_STATE_SUMMARY", 0..1, 1, Broker;
    StreamsGroupHeartbeat = 88, "StreamsGroupHeartbeat", "STREAMS_GROUP_HEARTBEAT", 0..0, 0, Broker;
    StreamsGroupDescribe = 89, "StreamsGroupDescribe", "STREAMS_GROUP_DESCRIBE", 0..0, 0, Broker;
    DescribeShareGroupOffsets = 90, "DescribeShareGroupOffsets", "DESCRIBE_SHARE_GROUP_OFFSETS", 0..1, 1, Broker;
    AlterShareGroupOffsets = 91, "AlterShareGroupOffsets", "ALTER_SHARE_GROUP_OFFSETS", 0..0, 0, Broker;
    DeleteShareGroupOffsets = 92, "DeleteShareGroupOffsets", "DELETE_SHARE_GROUP_OFFSETS", 0..0, 0, Broker;
}

impl ApiKey {
    /// The number on the wire.
    pub const fn id(self) -> i16 {
        self as i16
    }

    /// The API of a number on the wire.
    pub fn from_id(id: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.id() == id)
    }

    /// Whether brokers serve it to clients.
    pub fn on_broker(self) -> bool {
        matches!(self.info().listeners, Listeners::Broker | Listeners::Both)
    }

    /// Whether controllers serve it.
    pub fn on_controller(self) -> bool {
        matches!(self.info().listeners, Listeners::Controller | Listeners::Both)
    }
}
