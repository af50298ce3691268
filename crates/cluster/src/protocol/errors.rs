//! Kafka's error codes: number, name, kind, exception and default message. Kafka: `Errors`.
//!
//! One row per error; everything else is derived from the row.

use serde::{Deserialize, Serialize};

/// What a client may do about an error. Kafka: the exception's super-classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Not a `RetriableException`.
    Fatal,
    /// A `RetriableException`: the same request may succeed later.
    Retry,
    /// An `InvalidMetadataException`: retry after a refresh of the metadata.
    Metadata,
}

struct Row {
    name: &'static str,
    kind: Kind,
    exception: Option<&'static str>,
    message: &'static str,
}

macro_rules! error_codes {
    ($($(#[$attr:meta])* $variant:ident = $code:literal, $name:literal, $kind:ident, $exception:expr, $message:literal;)*) => {
        /// The outcome of a request or of a part of it. Kafka: `Errors`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $message] $(#[$attr])* $variant = $code,)*
        }

        impl ErrorCode {
            /// Every error, by ascending code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        const ROWS: &[Row] = &[$(Row { name: $name, kind: Kind::$kind, exception: $exception, message: $message },)*];
    };
}

error_codes! {
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR", Fatal, Some("UnknownServerException"), "The server experienced an unexpected error when processing the request.";
    #[default] None = 0, "NONE", Fatal, None, "NONE";
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE", Fatal, Some("OffsetOutOfRangeException"), "The requested offset is not within the range of offsets maintained by the server.";
    CorruptMessage = 2, "CORRUPT_MESSAGE", Retry, Some("CorruptRecordException"), "This message has failed its CRC checksum, exceeds the valid size, has a null key for a compacted topic, or is otherwise corrupt.";
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION", Metadata, Some("UnknownTopicOrPartitionException"), "This server does not host this topic-partition.";
    InvalidFetchSize = 4, "INVALID_FETCH_SIZE", Fatal, Some("InvalidFetchSizeException"), "The requested fetch size is invalid.";
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE", Metadata, Some("LeaderNotAvailableException"), "There is no leader for this topic-partition as we are in the middle of a leadership election.";
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER", Metadata, Some("NotLeaderOrFollowerException"), "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition.";
    RequestTimedOut = 7, "REQUEST_TIMED_OUT", Retry, Some("TimeoutException"), "The request timed out.";
    BrokerNotAvailable = 8, "BROKER_NOT_AVAILABLE", Fatal, Some("BrokerNotAvailableException"), "The broker is not available.";
    ReplicaNotAvailable = 9, "REPLICA_NOT_AVAILABLE", Metadata, Some("ReplicaNotAvailableException"), "The replica is not available for the requested topic-partition. Produce/Fetch requests and other requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a replica of the topic-partition.";
    MessageTooLarge = 10, "MESSAGE_TOO_LARGE", Fatal, Some("RecordTooLargeException"), "The request included a message larger than the max message size the server will accept.";
    StaleControllerEpoch = 11, "STALE_CONTROLLER_EPOCH", Fatal, Some("ControllerMovedException"), "The controller moved to another broker.";
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE", Fatal, Some("OffsetMetadataTooLarge"), "The metadata field of the offset request was too large.";
    NetworkException = 13, "NETWORK_EXCEPTION", Metadata, Some("NetworkException"), "The server disconnected before a response was received.";
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS", Retry, Some("CoordinatorLoadInProgressException"), "The coordinator is loading and hence can't process requests.";
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE", Retry, Some("CoordinatorNotAvailableException"), "The coordinator is not available.";
    NotCoordinator = 16, "NOT_COORDINATOR", Retry, Some("NotCoordinatorException"), "This is not the correct coordinator.";
    InvalidTopicException = 17, "INVALID_TOPIC_EXCEPTION", Fatal, Some("InvalidTopicException"), "The request attempted to perform an operation on an invalid topic.";
    RecordListTooLarge = 18, "RECORD_LIST_TOO_LARGE", Fatal, Some("RecordBatchTooLargeException"), "The request included message batch larger than the configured segment size on the server.";
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS", Retry, Some("NotEnoughReplicasException"), "Messages are rejected since there are fewer in-sync replicas than required.";
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", Retry, Some("NotEnoughReplicasAfterAppendException"), "Messages are written to the log, but to fewer in-sync replicas than required.";
    InvalidRequiredAcks = 21, "INVALID_REQUIRED_ACKS", Fatal, Some("InvalidRequiredAcksException"), "Produce request specified an invalid value for required acks.";
    IllegalGeneration = 22, "ILLEGAL_GENERATION", Fatal, Some("IllegalGenerationException"), "Specified group generation id is not valid.";
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL", Fatal, Some("InconsistentGroupProtocolException"), "The group member's supported protocols are incompatible with those of existing members or first group member tried to join with empty protocol type or empty protocol list.";
    InvalidGroupId = 24, "INVALID_GROUP_ID", Fatal, Some("InvalidGroupIdException"), "The group id is invalid.";
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID", Fatal, Some("UnknownMemberIdException"), "The coordinator is not aware of this member.";
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT", Fatal, Some("InvalidSessionTimeoutException"), "The session timeout is not within the range allowed by the broker (as configured by group.min.session.timeout.ms and group.max.session.timeout.ms).";
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS", Fatal, Some("RebalanceInProgressException"), "The group is rebalancing, so a rejoin is needed.";
    InvalidCommitOffsetSize = 28, "INVALID_COMMIT_OFFSET_SIZE", Fatal, Some("InvalidCommitOffsetSizeException"), "The committing offset data size is not valid.";
    TopicAuthorizationFailed = 29, "TOPIC_AUTHORIZATION_FAILED", Fatal, Some("TopicAuthorizationException"), "Topic authorization failed.";
    GroupAuthorizationFailed = 30, "GROUP_AUTHORIZATION_FAILED", Fatal, Some("GroupAuthorizationException"), "Group authorization failed.";
    ClusterAuthorizationFailed = 31, "CLUSTER_AUTHORIZATION_FAILED", Fatal, Some("ClusterAuthorizationException"), "Cluster authorization failed.";
    InvalidTimestamp = 32, "INVALID_TIMESTAMP", Fatal, Some("InvalidTimestampException"), "The timestamp of the message is out of acceptable range.";
    UnsupportedSaslMechanism = 33, "UNSUPPORTED_SASL_MECHANISM", Fatal, Some("UnsupportedSaslMechanismException"), "The broker does not support the requested SASL mechanism.";
    IllegalSaslState = 34, "ILLEGAL_SASL_STATE", Fatal, Some("IllegalSaslStateException"), "Request is not valid given the current SASL state.";
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION", Fatal, Some("UnsupportedVersionException"), "The version of API is not supported.";
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS", Fatal, Some("TopicExistsException"), "Topic with this name already exists.";
    InvalidPartitions = 37, "INVALID_PARTITIONS", Fatal, Some("InvalidPartitionsException"), "Number of partitions is below 1.";
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR", Fatal, Some("InvalidReplicationFactorException"), "Replication factor is below 1 or larger than the number of available brokers.";
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT", Fatal, Some("InvalidReplicaAssignmentException"), "Replica assignment is invalid.";
    InvalidConfig = 40, "INVALID_CONFIG", Fatal, Some("InvalidConfigurationException"), "Configuration is invalid.";
    NotController = 41, "NOT_CONTROLLER", Retry, Some("NotControllerException"), "This is not the correct controller for this cluster.";
    InvalidRequest = 42, "INVALID_REQUEST", Fatal, Some("InvalidRequestException"), "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.";
    UnsupportedForMessageFormat = 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", Fatal, Some("UnsupportedForMessageFormatException"), "The message format version on the broker does not support the request.";
    PolicyViolation = 44, "POLICY_VIOLATION", Fatal, Some("PolicyViolationException"), "Request parameters do not satisfy the configured policy.";
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", Fatal, Some("OutOfOrderSequenceException"), "The broker received an out of order sequence number.";
    DuplicateSequenceNumber = 46, "DUPLICATE_SEQUENCE_NUMBER", Fatal, Some("DuplicateSequenceException"), "The broker received a duplicate sequence number.";
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH", Fatal, Some("InvalidProducerEpochException"), "Producer attempted to produce with an old epoch.";
    InvalidTxnState = 48, "INVALID_TXN_STATE", Fatal, Some("InvalidTxnStateException"), "The producer attempted a transactional operation in an invalid state.";
    InvalidProducerIdMapping = 49, "INVALID_PRODUCER_ID_MAPPING", Fatal, Some("InvalidPidMappingException"), "The producer attempted to use a producer id which is not currently assigned to its transactional id.";
    InvalidTransactionTimeout = 50, "INVALID_TRANSACTION_TIMEOUT", Fatal, Some("InvalidTxnTimeoutException"), "The transaction timeout is larger than the maximum value allowed by the broker (as configured by transaction.max.timeout.ms).";
    ConcurrentTransactions = 51, "CONCURRENT_TRANSACTIONS", Retry, Some("ConcurrentTransactionsException"), "The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing.";
    TransactionCoordinatorFenced = 52, "TRANSACTION_COORDINATOR_FENCED", Fatal, Some("TransactionCoordinatorFencedException"), "Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer.";
    TransactionalIdAuthorizationFailed = 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Fatal, Some("TransactionalIdAuthorizationException"), "Transactional Id authorization failed.";
    SecurityDisabled = 54, "SECURITY_DISABLED", Fatal, Some("SecurityDisabledException"), "Security features are disabled.";
    OperationNotAttempted = 55, "OPERATION_NOT_ATTEMPTED", Fatal, Some("OperationNotAttemptedException"), "The broker did not attempt to execute this operation. This may happen for batched RPCs where some operations in the batch failed, causing the broker to respond without trying the rest.";
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR", Metadata, Some("KafkaStorageException"), "Disk error when trying to access log file on the disk.";
    LogDirNotFound = 57, "LOG_DIR_NOT_FOUND", Fatal, Some("LogDirNotFoundException"), "The user-specified log directory is not found in the broker config.";
    SaslAuthenticationFailed = 58, "SASL_AUTHENTICATION_FAILED", Fatal, Some("SaslAuthenticationException"), "SASL Authentication failed.";
    UnknownProducerId = 59, "UNKNOWN_PRODUCER_ID", Fatal, Some("UnknownProducerIdException"), "This exception is raised by the broker if it could not locate the producer metadata associated with the producerId in question. This could happen if, for instance, the producer's records were deleted because their retention time had elapsed. Once the last records of the producerId are removed, the producer's metadata is removed from the broker, and future appends by the producer will return this exception.";
    ReassignmentInProgress = 60, "REASSIGNMENT_IN_PROGRESS", Fatal, Some("ReassignmentInProgressException"), "A partition reassignment is in progress.";
    DelegationTokenAuthDisabled = 61, "DELEGATION_TOKEN_AUTH_DISABLED", Fatal, Some("DelegationTokenDisabledException"), "Delegation Token feature is not enabled.";
    DelegationTokenNotFound = 62, "DELEGATION_TOKEN_NOT_FOUND", Fatal, Some("DelegationTokenNotFoundException"), "Delegation Token is not found on server.";
    DelegationTokenOwnerMismatch = 63, "DELEGATION_TOKEN_OWNER_MISMATCH", Fatal, Some("DelegationTokenOwnerMismatchException"), "Specified Principal is not valid Owner/Renewer.";
    DelegationTokenRequestNotAllowed = 64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", Fatal, Some("UnsupportedByAuthenticationException"), "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token authenticated channels.";
    DelegationTokenAuthorizationFailed = 65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", Fatal, Some("DelegationTokenAuthorizationException"), "Delegation Token authorization failed.";
    DelegationTokenExpired = 66, "DELEGATION_TOKEN_EXPIRED", Fatal, Some("DelegationTokenExpiredException"), "Delegation Token is expired.";
    InvalidPrincipalType = 67, "INVALID_PRINCIPAL_TYPE", Fatal, Some("InvalidPrincipalTypeException"), "Supplied principalType is not supported.";
    NonEmptyGroup = 68, "NON_EMPTY_GROUP", Fatal, Some("GroupNotEmptyException"), "The group is not empty.";
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND", Fatal, Some("GroupIdNotFoundException"), "The group id does not exist.";
    FetchSessionIdNotFound = 70, "FETCH_SESSION_ID_NOT_FOUND", Retry, Some("FetchSessionIdNotFoundException"), "The fetch session ID was not found.";
    InvalidFetchSessionEpoch = 71, "INVALID_FETCH_SESSION_EPOCH", Retry, Some("InvalidFetchSessionEpochException"), "The fetch session epoch is invalid.";
    ListenerNotFound = 72, "LISTENER_NOT_FOUND", Metadata, Some("ListenerNotFoundException"), "There is no listener on the leader broker that matches the listener on which metadata request was processed.";
    TopicDeletionDisabled = 73, "TOPIC_DELETION_DISABLED", Fatal, Some("TopicDeletionDisabledException"), "Topic deletion is disabled.";
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH", Metadata, Some("FencedLeaderEpochException"), "The leader epoch in the request is older than the epoch on the broker.";
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH", Retry, Some("UnknownLeaderEpochException"), "The leader epoch in the request is newer than the epoch on the broker.";
    UnsupportedCompressionType = 76, "UNSUPPORTED_COMPRESSION_TYPE", Fatal, Some("UnsupportedCompressionTypeException"), "The requesting client does not support the compression type of given partition.";
    StaleBrokerEpoch = 77, "STALE_BROKER_EPOCH", Fatal, Some("StaleBrokerEpochException"), "Broker epoch has changed.";
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE", Retry, Some("OffsetNotAvailableException"), "The leader high watermark has not caught up from a recent leader election so the offsets cannot be guaranteed to be monotonically increasing.";
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED", Fatal, Some("MemberIdRequiredException"), "The group member needs to have a valid member id before actually entering a consumer group.";
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE", Metadata, Some("PreferredLeaderNotAvailableException"), "The preferred leader was not available.";
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED", Fatal, Some("GroupMaxSizeReachedException"), "The group has reached its maximum size.";
    FencedInstanceId = 82, "FENCED_INSTANCE_ID", Fatal, Some("FencedInstanceIdException"), "The broker rejected this static consumer since another consumer with the same group.instance.id has registered with a different member.id.";
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", Metadata, Some("EligibleLeadersNotAvailableException"), "Eligible topic partition leaders are not available.";
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED", Metadata, Some("ElectionNotNeededException"), "Leader election not needed for topic partition.";
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS", Fatal, Some("NoReassignmentInProgressException"), "No partition reassignment is in progress.";
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC", Fatal, Some("GroupSubscribedToTopicException"), "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.";
    InvalidRecord = 87, "INVALID_RECORD", Fatal, Some("InvalidRecordException"), "This record has failed the validation on broker and hence will be rejected.";
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT", Retry, Some("UnstableOffsetCommitException"), "There are unstable offsets that need to be cleared.";
    ThrottlingQuotaExceeded = 89, "THROTTLING_QUOTA_EXCEEDED", Retry, Some("ThrottlingQuotaExceededException"), "The throttling quota has been exceeded.";
    ProducerFenced = 90, "PRODUCER_FENCED", Fatal, Some("ProducerFencedException"), "There is a newer producer with the same transactionalId which fences the current one.";
    ResourceNotFound = 91, "RESOURCE_NOT_FOUND", Fatal, Some("ResourceNotFoundException"), "A request illegally referred to a resource that does not exist.";
    DuplicateResource = 92, "DUPLICATE_RESOURCE", Fatal, Some("DuplicateResourceException"), "A request illegally referred to the same resource twice.";
    UnacceptableCredential = 93, "UNACCEPTABLE_CREDENTIAL", Fatal, Some("UnacceptableCredentialException"), "Requested credential would not meet criteria for acceptability.";
    InconsistentVoterSet = 94, "INCONSISTENT_VOTER_SET", Fatal, Some("InconsistentVoterSetException"), "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters.";
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION", Fatal, Some("InvalidUpdateVersionException"), "The given update version was invalid.";
    FeatureUpdateFailed = 96, "FEATURE_UPDATE_FAILED", Fatal, Some("FeatureUpdateFailedException"), "Unable to update finalized features due to an unexpected server error.";
    PrincipalDeserializationFailure = 97, "PRINCIPAL_DESERIALIZATION_FAILURE", Fatal, Some("PrincipalDeserializationException"), "Request principal deserialization failed during forwarding. This indicates an internal error on the broker cluster security setup.";
    SnapshotNotFound = 98, "SNAPSHOT_NOT_FOUND", Fatal, Some("SnapshotNotFoundException"), "Requested snapshot was not found.";
    PositionOutOfRange = 99, "POSITION_OUT_OF_RANGE", Fatal, Some("PositionOutOfRangeException"), "Requested position is not greater than or equal to zero, and less than the size of the snapshot.";
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID", Metadata, Some("UnknownTopicIdException"), "This server does not host this topic ID.";
    DuplicateBrokerRegistration = 101, "DUPLICATE_BROKER_REGISTRATION", Fatal, Some("DuplicateBrokerRegistrationException"), "This broker ID is already in use.";
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED", Fatal, Some("BrokerIdNotRegisteredException"), "The given broker ID was not registered.";
    InconsistentTopicId = 103, "INCONSISTENT_TOPIC_ID", Metadata, Some("InconsistentTopicIdException"), "The log's topic ID did not match the topic ID in the request.";
    InconsistentClusterId = 104, "INCONSISTENT_CLUSTER_ID", Fatal, Some("InconsistentClusterIdException"), "The clusterId in the request does not match that found on the server.";
    TransactionalIdNotFound = 105, "TRANSACTIONAL_ID_NOT_FOUND", Fatal, Some("TransactionalIdNotFoundException"), "The transactionalId could not be found.";
    FetchSessionTopicIdError = 106, "FETCH_SESSION_TOPIC_ID_ERROR", Retry, Some("FetchSessionTopicIdException"), "The fetch session encountered inconsistent topic ID usage.";
    IneligibleReplica = 107, "INELIGIBLE_REPLICA", Fatal, Some("IneligibleReplicaException"), "The new ISR contains at least one ineligible replica.";
    NewLeaderElected = 108, "NEW_LEADER_ELECTED", Fatal, Some("NewLeaderElectedException"), "The AlterPartition request successfully updated the partition state but the leader has changed.";
    OffsetMovedToTieredStorage = 109, "OFFSET_MOVED_TO_TIERED_STORAGE", Fatal, Some("OffsetMovedToTieredStorageException"), "The requested offset is moved to tiered storage.";
    FencedMemberEpoch = 110, "FENCED_MEMBER_EPOCH", Fatal, Some("FencedMemberEpochException"), "The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin.";
    UnreleasedInstanceId = 111, "UNRELEASED_INSTANCE_ID", Fatal, Some("UnreleasedInstanceIdException"), "The instance ID is still used by another member in the consumer group. That member must leave first.";
    UnsupportedAssignor = 112, "UNSUPPORTED_ASSIGNOR", Fatal, Some("UnsupportedAssignorException"), "The assignor or its version range is not supported by the consumer group.";
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH", Fatal, Some("StaleMemberEpochException"), "The member epoch is stale. The member must retry after receiving its updated member epoch via the ConsumerGroupHeartbeat API.";
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE", Fatal, Some("MismatchedEndpointTypeException"), "The request was sent to an endpoint of the wrong type.";
    UnsupportedEndpointType = 115, "UNSUPPORTED_ENDPOINT_TYPE", Fatal, Some("UnsupportedEndpointTypeException"), "This endpoint type is not supported yet.";
    UnknownControllerId = 116, "UNKNOWN_CONTROLLER_ID", Fatal, Some("UnknownControllerIdException"), "This controller ID is not known.";
    UnknownSubscriptionId = 117, "UNKNOWN_SUBSCRIPTION_ID", Fatal, Some("UnknownSubscriptionIdException"), "Client sent a push telemetry request with an invalid or outdated subscription ID.";
    TelemetryTooLarge = 118, "TELEMETRY_TOO_LARGE", Fatal, Some("TelemetryTooLargeException"), "Client sent a push telemetry request larger than the maximum size the broker will accept.";
    InvalidRegistration = 119, "INVALID_REGISTRATION", Fatal, Some("InvalidRegistrationException"), "The controller has considered the broker registration to be invalid.";
    TransactionAbortable = 120, "TRANSACTION_ABORTABLE", Fatal, Some("TransactionAbortableException"), "The server encountered an error with the transaction. The client can abort the transaction to continue using this transactional ID.";
    InvalidRecordState = 121, "INVALID_RECORD_STATE", Fatal, Some("InvalidRecordStateException"), "The record state is invalid. The acknowledgement of delivery could not be completed.";
    ShareSessionNotFound = 122, "SHARE_SESSION_NOT_FOUND", Retry, Some("ShareSessionNotFoundException"), "The share session was not found.";
    InvalidShareSessionEpoch = 123, "INVALID_SHARE_SESSION_EPOCH", Retry, Some("InvalidShareSessionEpochException"), "The share session epoch is invalid.";
    FencedStateEpoch = 124, "FENCED_STATE_EPOCH", Fatal, Some("FencedStateEpochException"), "The share coordinator rejected the request because the share-group state epoch did not match.";
    InvalidVoterKey = 125, "INVALID_VOTER_KEY", Fatal, Some("InvalidVoterKeyException"), "The voter key doesn't match the receiving replica's key.";
    DuplicateVoter = 126, "DUPLICATE_VOTER", Fatal, Some("DuplicateVoterException"), "The voter is already part of the set of voters.";
    VoterNotFound = 127, "VOTER_NOT_FOUND", Fatal, Some("VoterNotFoundException"), "The voter is not part of the set of voters.";
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION", Fatal, Some("InvalidRegularExpression"), "The regular expression is not valid.";
    RebootstrapRequired = 129, "REBOOTSTRAP_REQUIRED", Fatal, Some("RebootstrapRequiredException"), "Client metadata is stale. The client should rebootstrap to obtain new metadata.";
    StreamsInvalidTopology = 130, "STREAMS_INVALID_TOPOLOGY", Fatal, Some("StreamsInvalidTopologyException"), "The supplied topology is invalid.";
    StreamsInvalidTopologyEpoch = 131, "STREAMS_INVALID_TOPOLOGY_EPOCH", Fatal, Some("StreamsInvalidTopologyEpochException"), "The supplied topology epoch is invalid.";
    StreamsTopologyFenced = 132, "STREAMS_TOPOLOGY_FENCED", Fatal, Some("StreamsTopologyFencedException"), "The supplied topology epoch is outdated.";
    ShareSessionLimitReached = 133, "SHARE_SESSION_LIMIT_REACHED", Retry, Some("ShareSessionLimitReachedException"), "The limit of share sessions has been reached.";
}

impl ErrorCode {
    fn row(self) -> &'static Row {
        &ROWS[(self as i16 + 1) as usize]
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The error of a number on the wire; a number that Kafka 4.3 does not know is `UNKNOWN_SERVER_ERROR`.
    pub fn from_code(code: i16) -> Self {
        Self::ALL.get((i32::from(code) + 1) as usize).copied().unwrap_or(Self::UnknownServerError)
    }

    /// `UNKNOWN_TOPIC_OR_PARTITION`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The simple name of the Java exception; none for `NONE`.
    pub fn exception(self) -> Option<&'static str> {
        self.row().exception
    }

    /// The error whose exception has this simple name.
    pub fn of_exception(exception: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|error| error.exception() == Some(exception))
    }

    /// The text that Kafka shows when the answer has none of its own.
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// Whether the same request may succeed later. Kafka: `RetriableException`.
    pub fn is_retriable(self) -> bool {
        self.row().kind != Kind::Fatal
    }

    /// Whether it tells that the client's metadata is stale. Kafka: `InvalidMetadataException`.
    pub fn is_invalid_metadata(self) -> bool {
        self.row().kind == Kind::Metadata
    }

    /// Whether it is anything but `NONE`.
    pub fn is_error(self) -> bool {
        self != Self::None
    }
}
