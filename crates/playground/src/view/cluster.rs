//! The live cluster diagram.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::model;
use super::{PartitionKey, Peer, RecordMark, ReplicaKey};

model! {
    /// What the cluster diagram draws (ui.md §6 "Cluster").
    pub struct ClusterView delta ClusterDelta {
        maps {
            /// Every broker that is registered or was part of the session's cluster, by `node.id`.
            brokers: i32 => BrokerView,
            /// The partitions that are drawn (see `layout`).
            partitions: PartitionKey => PartitionView,
            /// The copies of the drawn partitions, as each broker holds them.
            replicas: ReplicaKey => ReplicaView,
            /// Running producers, by a client id that is unique in the session.
            producers: String => ProducerView,
            /// Consumer groups, and readers without a group (their name is empty), by group id.
            groups: String => GroupCard,
            /// Which client is connected to which node.
            links: (Peer, Peer) => LinkState,
            /// The text of the keys that marks stand for, by their session number; the first 36 and those in view.
            keys: u16 => String,
        }
        values {
            quorum: QuorumView,
            /// Which topics and partitions are drawn, in order.
            layout: ClusterLayout,
        }
    }
}

/// Which partitions the diagram shows: the pinned or busiest topics, at most as many as fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterLayout {
    /// One row for each topic, in drawing order; at most 2.
    pub rows: Vec<LayoutRow>,
    /// Partitions of user topics that are not drawn.
    pub hidden_partitions: u32,
    /// User topics in all, and all partitions of all topics, for the top bar.
    pub topics: u32,
}

/// One topic's row in every rack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayoutRow {
    pub topic: String,
    /// The session's number of the topic, from 0: its spine's tint and pattern.
    pub number: u16,
    /// At most 3, left to right.
    pub partitions: Vec<i32>,
}

/// One broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerView {
    /// The container's name, e.g. `kafka2`: what `docker compose` calls it.
    pub name: String,
    /// `broker.rack`, if set.
    pub rack: Option<String>,
    pub state: BrokerState,
    /// When `state` began.
    pub since: Micros,
    /// The controller does not count on it: no leaderships, not in any ISR.
    pub fenced: bool,
    /// Leaderships it holds now, all topics.
    pub leaders: u32,
    /// Bytes received and sent in the last virtual second.
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// What a broker's process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerState {
    #[default]
    Up,
    /// Process runs, not yet registered or catching up with the metadata log.
    Starting,
    /// Controlled shutdown: leaderships leave first.
    Draining,
    /// Stopped in good order.
    Stopped,
    /// Killed, or died.
    Crashed,
    /// Frozen by `docker compose pause`.
    Paused,
}

impl BrokerState {
    /// Its process does not answer.
    pub fn is_down(self) -> bool {
        matches!(self, Self::Stopped | Self::Crashed | Self::Paused)
    }
}

/// The metadata quorum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuorumView {
    pub leader: Option<i32>,
    pub epoch: i32,
    /// End offset of the leader's metadata log.
    pub offset: i64,
    /// Voters in id order.
    pub voters: Vec<VoterView>,
}

/// One voter of the metadata quorum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterView {
    pub id: i32,
    /// End offset of its copy of the metadata log.
    pub offset: i64,
    pub up: bool,
}

/// A partition as the controller knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionView {
    pub leader: Option<i32>,
    pub leader_epoch: i32,
    /// Assignment order; the first is the preferred leader.
    pub replicas: Vec<i32>,
    /// In the controller's order.
    pub isr: Vec<i32>,
    pub elr: Vec<i32>,
    pub min_insync_replicas: i32,
    /// Who led before the current leader, while that is news (a few virtual seconds after an election).
    pub previous_leader: Option<i32>,
}

/// One copy of a partition as its broker holds it: a follower's high watermark is its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaView {
    /// This broker believes it leads.
    pub leads: bool,
    pub in_isr: bool,
    /// The broker that holds it answers.
    pub online: bool,
    /// A reassignment is adding this copy.
    pub adding: bool,
    pub log_start_offset: i64,
    /// Last stable offset; equal to the high watermark unless a transaction is open.
    pub last_stable_offset: i64,
    pub high_watermark: i64,
    pub log_end_offset: i64,
    /// Marks of the last records before the log end, oldest first, at most 20.
    pub tail: Vec<RecordMark>,
}

/// A producer and its accumulator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducerView {
    /// Its `client.id`, or the tool's name.
    pub name: String,
    /// What matters of its configuration, e.g. `acks=all, idempotent`.
    pub summary: String,
    pub state: ProducerState,
    /// Its accumulator: one lane for each partition it has written to or holds records for.
    pub lanes: Vec<LaneView>,
    /// The terminal it runs in.
    pub terminal: Option<u32>,
}

/// What a producer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProducerState {
    #[default]
    Idle,
    Batching,
    InFlight,
    /// So many batches are being sent again.
    Retrying(u32),
    BufferFull,
}

/// Records that wait in a producer for one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    pub topic: String,
    pub partition: i32,
    /// The leader its link ends at, as this producer's metadata says.
    pub leader: Option<i32>,
    /// Oldest first, at most 12.
    pub marks: Vec<RecordMark>,
}

/// A consumer group as the diagram shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCard {
    /// Kafka's word, in lower case: `stable`, `preparing rebalance`, `empty` …
    pub state: String,
    /// Group epoch or, for the classic protocol, generation.
    pub epoch: i32,
    pub coordinator: Option<i32>,
    pub members: Vec<MemberCard>,
}

/// A member of a group, or one reader without a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCard {
    /// Its id as a client (links and flights name it by this).
    pub client: String,
    /// Shown name: `client.id`, made unique in the group.
    pub name: String,
    pub owned: Vec<PartitionKey>,
    /// Records between its committed (or current) position and the ends of what it owns.
    pub lag_records: u64,
    /// Age of the oldest record it has not read yet, milliseconds of virtual time.
    pub lag_ms: u64,
}

/// State of a link between two peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Connected, nothing sent in the last virtual second.
    #[default]
    Idle,
    /// Something was sent in the last virtual second.
    Active,
    /// The connection is broken: the other side crashed or the network is cut.
    Broken,
}

/// One message on its way, for the moving marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    pub kind: FlightKind,
    pub from: Peer,
    pub to: Peer,
    pub sent_at: Micros,
    pub arrives_at: Micros,
    /// The lane, strip or gutter it belongs to.
    pub partition: Option<PartitionKey>,
    /// Records it carries, at most 8 of them.
    pub marks: Vec<RecordMark>,
    /// How many records (or messages without records) it stands for.
    pub count: u32,
    /// It will not arrive.
    pub lost: bool,
}

/// What a moving mark looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlightKind {
    /// Producer to leader: a capsule with glyphs.
    Produce,
    /// Leader to producer: a ring with a tick (a cross if it is an error).
    Ack,
    /// Leader to producer: an error.
    Refusal,
    /// Consumer to broker: an empty ring.
    Fetch,
    /// Broker to consumer: the records.
    Records,
    /// Follower to leader: an empty ring in the gutter.
    FollowerFetch,
    /// Leader to follower: the records, in the gutter.
    Replicate,
    /// Anything else that is drawn at all (heartbeats and metadata are not).
    Other,
}
