//! The matrix of partitions by brokers.

use serde::{Deserialize, Serialize};

use super::model;
use super::{BrokerState, PartitionKey};

model! {
    /// What the Topics tab draws (sheet 18). Filled while that tab is open.
    pub struct TopicsView delta TopicsDelta {
        maps {
            topics: String => TopicRow,
            partitions: PartitionKey => PartitionRow,
        }
        values {
            /// The columns, in id order.
            brokers: Vec<BrokerColumn>,
        }
    }
}

/// One broker's column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerColumn {
    pub id: i32,
    pub state: BrokerState,
    pub fenced: bool,
}

/// One topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRow {
    /// As Kafka prints it: 22 characters of base64.
    pub topic_id: String,
    /// The session's number of the topic, from 0: its spine's tint and pattern.
    pub number: u16,
    /// `__consumer_offsets` and the like.
    pub internal: bool,
    /// Overridden configs, sorted: `retention.ms=60000`.
    pub configs: Vec<(String, String)>,
}

/// One partition's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRow {
    pub leader: Option<i32>,
    pub leader_epoch: i32,
    /// Assignment order; the first is the preferred leader.
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub elr: Vec<i32>,
    pub last_known_elr: Vec<i32>,
    pub min_insync_replicas: i32,
    pub log_start_offset: i64,
    pub high_watermark: i64,
    pub log_end_offset: i64,
    /// Bytes of the leader's log.
    pub size: u64,
    /// Records appended in the last virtual second.
    pub records_in: u32,
}
