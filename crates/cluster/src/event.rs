//! What observers may see of the cluster's life: the raw material of the narrative, the diagrams and the checkers.
//! Each event says what changed and why; nothing reads them back.

use serde::{Deserialize, Serialize};

use crate::types::{BrokerId, Offset, TopicPartition};

/// Why a partition's leadership or ISR changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChangeCause {
    Created,
    BrokerFenced,
    ControlledShutdown,
    UncleanShutdown,
    BrokerUnfenced,
    IsrShrunk,
    IsrExpanded,
    PreferredElection,
    UncleanElection,
    Reassignment,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterEvent {
    // The controller.
    ControllerElected {
        leader: BrokerId,
        epoch: i32,
    },
    BrokerRegistered {
        broker: BrokerId,
        epoch: i64,
        clean: bool,
    },
    BrokerUnfenced {
        broker: BrokerId,
    },
    /// `silent_ms`: since its last heartbeat.
    BrokerFenced {
        broker: BrokerId,
        silent_ms: u64,
    },
    ControlledShutdownStarted {
        broker: BrokerId,
    },
    BrokerShutDown {
        broker: BrokerId,
    },
    TopicCreated {
        topic: String,
        partitions: i32,
        replication_factor: i32,
    },
    TopicDeleted {
        topic: String,
    },
    PartitionsAdded {
        topic: String,
        count: i32,
    },
    ConfigChanged {
        resource: String,
        name: String,
        value: Option<String>,
    },
    LeaderChanged {
        partition: TopicPartition,
        from: Option<BrokerId>,
        to: Option<BrokerId>,
        epoch: i32,
        cause: ChangeCause,
        /// The new leader was in the ISR or eligible (ELR), so that it has every committed record.
        clean: bool,
    },
    IsrChanged {
        partition: TopicPartition,
        from: Vec<BrokerId>,
        to: Vec<BrokerId>,
        min_isr: i32,
        cause: ChangeCause,
    },
    /// A reassignment began, advanced or ended: replicas came or went.
    ReplicasChanged {
        partition: TopicPartition,
        from: Vec<BrokerId>,
        to: Vec<BrokerId>,
    },

    // Brokers and their logs.
    Appended {
        partition: TopicPartition,
        broker: BrokerId,
        base_offset: Offset,
        last_offset: Offset,
        leader: bool,
    },
    HighWatermarkMoved {
        partition: TopicPartition,
        broker: BrokerId,
        to: Offset,
    },
    Truncated {
        partition: TopicPartition,
        broker: BrokerId,
        to: Offset,
    },
    SegmentRolled {
        partition: TopicPartition,
        broker: BrokerId,
        base_offset: Offset,
    },
    SegmentsDeleted {
        partition: TopicPartition,
        broker: BrokerId,
        log_start_offset: Offset,
        segments: u32,
    },
    ProduceRefused {
        partition: TopicPartition,
        error_code: i16,
    },

    // Groups.
    GroupRebalancing {
        group: String,
        generation: i32,
        reason: String,
    },
    GroupStable {
        group: String,
        generation: i32,
        members: u32,
    },
    MemberJoined {
        group: String,
        member: String,
    },
    MemberLeft {
        group: String,
        member: String,
        expired: bool,
    },
    OffsetCommitted {
        group: String,
        partition: TopicPartition,
        offset: Offset,
    },
    GroupEmpty {
        group: String,
    },

    // Clients.
    /// A producer chose a partition: by the key's murmur2, or by its sticky partition (`hash` none).
    Partitioned {
        client_id: String,
        partition: TopicPartition,
        hash: Option<u32>,
    },
    Acknowledged {
        client_id: String,
        partition: TopicPartition,
        base_offset: Offset,
        records: u32,
    },
    Retrying {
        client_id: String,
        partition: TopicPartition,
        error_code: i16,
    },
    DeliveryFailed {
        client_id: String,
        partition: TopicPartition,
        records: u32,
        error: String,
    },
    Consumed {
        client_id: String,
        partition: TopicPartition,
        from: Offset,
        to: Offset,
    },
}
