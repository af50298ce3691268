//! Small parts that several read models share.

use serde::{Deserialize, Serialize};

/// A topic and one of its partitions; shown as `orders-0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionKey {
    pub topic: String,
    pub partition: i32,
}

impl std::fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// One copy of a partition on one broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReplicaKey {
    pub topic: String,
    pub partition: i32,
    pub broker: i32,
}

impl ReplicaKey {
    /// The partition this is a copy of.
    pub fn partition_key(&self) -> PartitionKey {
        PartitionKey { topic: self.topic.clone(), partition: self.partition }
    }
}

/// One end of a link or a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Peer {
    /// A Kafka node by `node.id`: broker, controller, or both.
    Node(i32),
    /// A client process, by the id under which [`ClusterView::producers`](crate::view::ClusterView) or a group's member
    /// card names it.
    Client(String),
}

/// How a record is drawn: hue and shape follow from `key`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordMark {
    /// The session's number of this key, from 1 in order of first sight; 0 is a record without a key. A key keeps its
    /// number for the whole session; from 65 535 keys on, later ones share 65 535.
    pub key: u16,
    pub kind: MarkKind,
}

/// What a record is, apart from its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MarkKind {
    #[default]
    Record,
    /// The value is null: the key, crossed out.
    Tombstone,
    /// A control record that ends a transaction well.
    Commit,
    /// A control record that aborts a transaction.
    Abort,
}

/// How loud a value or a sentence is. Health is quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
}

/// A command that a click submits. What it does is shown before (`command`) and after (echo with `tag`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The button's text: a verb that names the object, e.g. `Start kafka2`.
    pub label: String,
    /// The line that is submitted, as a person would have typed it.
    pub command: String,
}

/// Something on the page that can be selected, inspected, or meant by a sentence (the yellow marker).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Broker(i32),
    Quorum,
    Topic(String),
    Partition(PartitionKey),
    Replica(ReplicaKey),
    /// A batch in one replica's log, by its base offset.
    Batch {
        replica: ReplicaKey,
        base_offset: i64,
    },
    Segment {
        replica: ReplicaKey,
        base_offset: i64,
    },
    Group(String),
    Member {
        group: String,
        member: String,
    },
    Client(String),
    /// A request or response of the RPC view, by its id there.
    Message(u64),
}
