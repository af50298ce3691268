//! What consumers tell each other through the group coordinator: subscriptions and assignments, in Kafka's bytes.
//! Kafka: `ConsumerProtocol`, `ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`.

use super::Opaque;
use super::primitive::{Reader, Writer};
use crate::types::TopicPartition;

/// The protocol type of consumers in `JoinGroup`.
pub const PROTOCOL_TYPE: &str = "consumer";
/// The version that this client writes: the first with the rack.
const VERSION: i16 = 3;

/// A member's wish, read by the group's leader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    pub topics: Vec<String>,
    pub user_data: Option<Vec<u8>>,
    /// What the member owned when it joined.
    pub owned_partitions: Vec<TopicPartition>,
    /// The generation in which it owned that; -1 for none.
    pub generation_id: i32,
    pub rack_id: Option<String>,
}

impl Subscription {
    /// Topics and owned partitions are written in order, whatever order they are given in.
    pub fn encode(&self) -> Opaque {
        let mut writer = Writer::new(VERSION);
        let mut topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        simulation::sorted::sort(&mut topics);
        writer.i32(topics.len() as i32);
        topics.iter().for_each(|topic| writer.string(topic));
        writer.nullable_bytes(self.user_data.as_deref());
        let mut owned = self.owned_partitions.clone();
        simulation::sorted::sort(&mut owned);
        write_partitions(&mut writer, &owned);
        writer.i32(self.generation_id);
        writer.nullable_string(self.rack_id.as_deref());
        Opaque(writer.finish())
    }

    /// None if the bytes are no subscription.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let version = reader.i16()?;
        let mut subscription = Self { generation_id: -1, ..Self::default() };
        for _ in 0..reader.i32()? {
            subscription.topics.push(reader.string()?);
        }
        subscription.user_data = reader.nullable_bytes()?.map(<[u8]>::to_vec);
        if version >= 1 {
            subscription.owned_partitions = read_partitions(&mut reader)?;
        }
        if version >= 2 {
            subscription.generation_id = reader.i32()?;
        }
        if version >= 3 {
            subscription.rack_id = reader.nullable_string()?;
        }
        Some(subscription)
    }
}

/// What the leader gives one member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    pub partitions: Vec<TopicPartition>,
    pub user_data: Option<Vec<u8>>,
}

impl Assignment {
    pub fn encode(&self) -> Opaque {
        let mut writer = Writer::new(VERSION);
        write_partitions(&mut writer, &self.partitions);
        writer.nullable_bytes(self.user_data.as_deref());
        Opaque(writer.finish())
    }

    /// None if the bytes are no assignment. No bytes at all are none either: a member that was given nothing.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        reader.i16()?;
        let partitions = read_partitions(&mut reader)?;
        Some(Self { partitions, user_data: reader.nullable_bytes()?.map(<[u8]>::to_vec) })
    }
}

/// One entry a topic, in the order in which the topics come first.
fn write_partitions(writer: &mut Writer, partitions: &[TopicPartition]) {
    let mut topics: Vec<(&str, Vec<i32>)> = Vec::new();
    for partition in partitions {
        match topics.iter_mut().find(|(topic, _)| *topic == partition.topic) {
            Some((_, indexes)) => indexes.push(partition.partition),
            None => topics.push((&partition.topic, vec![partition.partition])),
        }
    }
    writer.i32(topics.len() as i32);
    for (topic, indexes) in topics {
        writer.string(topic);
        writer.i32(indexes.len() as i32);
        indexes.into_iter().for_each(|index| writer.i32(index));
    }
}

fn read_partitions(reader: &mut Reader<'_>) -> Option<Vec<TopicPartition>> {
    let mut partitions = Vec::new();
    for _ in 0..reader.i32()? {
        let topic = reader.string()?;
        for _ in 0..reader.i32()? {
            partitions.push(TopicPartition::new(topic.clone(), reader.i32()?));
        }
    }
    Some(partitions)
}
