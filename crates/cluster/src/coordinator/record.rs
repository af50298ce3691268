//! What the coordinator writes to `__consumer_offsets`: keys and values in Kafka's own bytes.
//!
//! Kafka: `GroupCoordinatorRecordHelpers`, `OffsetCommitKey/Value`, `GroupMetadataKey/Value` (coordinator-common
//! serde: two bytes of record type before a key, two bytes of version before a value).

use serde::{Deserialize, Serialize};

use super::offset::OffsetAndMetadata;
use crate::protocol::Opaque;
use crate::protocol::primitive::{Reader, Writer};
use crate::types::{Bytes, Offset, PartitionIndex, TimestampMs};
use crate::uuid::Uuid;

/// `OffsetCommitKey`'s record type; type 0 is the same key as older Kafkas wrote it.
const OFFSET_COMMIT: i16 = 1;
/// `GroupMetadataKey`'s record type.
const GROUP_METADATA: i16 = 2;
/// The version of `OffsetCommitValue` that this coordinator writes: flexible, with the topic id as tag 0.
const OFFSET_COMMIT_VALUE_VERSION: i16 = 4;
/// The version of `GroupMetadataValue` that this coordinator writes.
const GROUP_METADATA_VALUE_VERSION: i16 = 3;

/// One fact of the coordinator's state; a value of none is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoordinatorRecord {
    OffsetCommit {
        group: String,
        topic: String,
        partition: PartitionIndex,
        value: Option<OffsetAndMetadata>,
    },
    GroupMetadata {
        group: String,
        value: Option<GroupMetadataValue>,
    },
}

/// A classic group as it is stored. Kafka: `GroupMetadataValue`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMetadataValue {
    /// Empty for a group that never had a member.
    pub protocol_type: String,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    /// -1 where it is not known.
    pub current_state_timestamp: TimestampMs,
    pub members: Vec<MemberMetadata>,
}

/// A member as it is stored. Kafka: `GroupMetadataValue.MemberMetadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberMetadata {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Milliseconds; -1 means the session timeout.
    pub rebalance_timeout: i32,
    /// Milliseconds.
    pub session_timeout: i32,
    pub subscription: Opaque,
    pub assignment: Opaque,
}

impl CoordinatorRecord {
    /// The record's key and value as they stand in the log; no value is a tombstone.
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        match self {
            Self::OffsetCommit { group, topic, partition, value } => {
                let mut key = Writer::new(OFFSET_COMMIT);
                key.string(group);
                key.string(topic);
                key.i32(*partition);
                (key.finish(), value.as_ref().map(encode_offset))
            }
            Self::GroupMetadata { group, value } => {
                let mut key = Writer::new(GROUP_METADATA);
                key.string(group);
                (key.finish(), value.as_ref().map(encode_group))
            }
        }
    }

    /// Reads a record of the log; none for types and versions that this coordinator does not know.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Option<Self> {
        let mut key = Reader(key);
        match key.i16()? {
            0 | OFFSET_COMMIT => Some(Self::OffsetCommit {
                group: key.string()?,
                topic: key.string()?,
                partition: key.i32()?,
                value: match value {
                    Some(value) => Some(decode_offset(value)?),
                    None => None,
                },
            }),
            GROUP_METADATA => Some(Self::GroupMetadata {
                group: key.string()?,
                value: match value {
                    Some(value) => Some(decode_group(value)?),
                    None => None,
                },
            }),
            _ => None,
        }
    }
}

fn encode_offset(value: &OffsetAndMetadata) -> Bytes {
    let mut writer = Writer::new(OFFSET_COMMIT_VALUE_VERSION);
    writer.i64(value.committed_offset);
    writer.i32(value.leader_epoch);
    writer.compact_string(&value.metadata);
    writer.i64(value.commit_timestamp_ms);
    if value.topic_id == Uuid::ZERO {
        writer.raw(&[0]);
    } else {
        writer.raw(&[1, 0, 16]); // one tagged field: tag 0, 16 bytes
        writer.i64(value.topic_id.most_significant_bits());
        writer.i64(value.topic_id.least_significant_bits());
    }
    writer.finish()
}

fn decode_offset(bytes: &[u8]) -> Option<OffsetAndMetadata> {
    let mut reader = Reader(bytes);
    let version = reader.i16()?;
    if !(0..=OFFSET_COMMIT_VALUE_VERSION).contains(&version) {
        return None;
    }
    let committed_offset: Offset = reader.i64()?;
    let leader_epoch = if version >= 3 { reader.i32()? } else { -1 };
    let metadata = if version >= 4 { reader.compact_string()? } else { reader.string()? };
    let commit_timestamp_ms = reader.i64()?;
    let expire_timestamp_ms =
        if version == 1 { Some(reader.i64()?).filter(|at| *at >= 0) } else { None };
    let mut topic_id = Uuid::ZERO;
    if version >= 4 {
        for _ in 0..reader.unsigned_varint()? {
            let (tag, size) = (reader.unsigned_varint()?, reader.unsigned_varint()?);
            let mut field = Reader(reader.take(size as usize)?);
            if tag == 0 {
                topic_id = Uuid::new(field.i64()?, field.i64()?);
            }
        }
    }
    Some(OffsetAndMetadata {
        committed_offset,
        leader_epoch,
        metadata,
        commit_timestamp_ms,
        expire_timestamp_ms,
        topic_id,
    })
}

fn encode_group(value: &GroupMetadataValue) -> Bytes {
    let mut writer = Writer::new(GROUP_METADATA_VALUE_VERSION);
    writer.string(&value.protocol_type);
    writer.i32(value.generation);
    writer.nullable_string(value.protocol.as_deref());
    writer.nullable_string(value.leader.as_deref());
    writer.i64(value.current_state_timestamp);
    writer.i32(value.members.len() as i32);
    for member in &value.members {
        writer.string(&member.member_id);
        writer.nullable_string(member.group_instance_id.as_deref());
        writer.string(&member.client_id);
        writer.string(&member.client_host);
        writer.i32(member.rebalance_timeout);
        writer.i32(member.session_timeout);
        writer.bytes(&member.subscription.0);
        writer.bytes(&member.assignment.0);
    }
    writer.finish()
}

fn decode_group(bytes: &[u8]) -> Option<GroupMetadataValue> {
    let mut reader = Reader(bytes);
    let version = reader.i16()?;
    if !(0..=GROUP_METADATA_VALUE_VERSION).contains(&version) {
        return None;
    }
    let mut value = GroupMetadataValue {
        protocol_type: reader.string()?,
        generation: reader.i32()?,
        protocol: reader.nullable_string()?,
        leader: reader.nullable_string()?,
        current_state_timestamp: if version >= 2 { reader.i64()? } else { -1 },
        members: Vec::new(),
    };
    for _ in 0..reader.i32()? {
        value.members.push(MemberMetadata {
            member_id: reader.string()?,
            group_instance_id: if version >= 3 { reader.nullable_string()? } else { None },
            client_id: reader.string()?,
            client_host: reader.string()?,
            rebalance_timeout: if version >= 1 { reader.i32()? } else { -1 },
            session_timeout: reader.i32()?,
            subscription: Opaque(reader.bytes()?.into()),
            assignment: Opaque(reader.bytes()?.into()),
        });
    }
    Some(value)
}
