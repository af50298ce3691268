//! OffsetCommit, OffsetFetch, OffsetDelete and the expiry of offsets. Kafka: `OffsetMetadataManager`.

use simulation::sorted::SortedMap;

use super::classic_group::{ClassicGroup, ClassicGroupState as State};
use super::offset::{GroupOffsets, OffsetAndMetadata, Offsets, TopicOffsets};
use super::record::CoordinatorRecord;
use super::shard::{Now, Shard, Then};
use super::{CoordinatorOutput, GroupCoordinator, Part, RequestToken};
use crate::protocol::*;
use crate::types::{PartitionIndex, TimestampMs};
use crate::uuid::Uuid;

/// "Nothing is committed", in OffsetFetch.
const INVALID_OFFSET: i64 = -1;

impl Shard {
    pub(super) fn commit_offsets(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &OffsetCommitRequest,
        refused: &SortedMap<String, ErrorCode>,
        out: &mut CoordinatorOutput,
    ) {
        // A group does not come into being for topics that there are not.
        if !request.topics.is_empty()
            && request.topics.iter().all(|topic| refused.contains_key(&topic.name))
        {
            let topic = |topic: &OffsetCommitRequestTopic| {
                refused_topic(topic, refused.get(&topic.name).copied().unwrap_or_default())
            };
            let topics = request.topics.iter().map(topic).collect();
            return out.respond(token, OffsetCommitResponse { throttle_time_ms: 0, topics });
        }
        if let Err(error) = self.validate_commit(now, request) {
            return out.respond(token, commit_refused(request, error));
        }
        let mut records = Vec::new();
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            if let Some(error) = refused.get(&topic.name) {
                topics.push(refused_topic(topic, *error));
                continue;
            }
            for partition in &topic.partitions {
                let metadata = partition.committed_metadata.clone().unwrap_or_default();
                let too_large =
                    metadata.encode_utf16().count() as u64 > self.config.offset_metadata_max_size;
                let error =
                    if too_large { ErrorCode::OffsetMetadataTooLarge } else { ErrorCode::None };
                partitions.push(OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error.code(),
                });
                if !too_large {
                    let value = OffsetAndMetadata {
                        committed_offset: partition.committed_offset,
                        leader_epoch: partition.committed_leader_epoch,
                        metadata,
                        commit_timestamp_ms: now.ms,
                        expire_timestamp_ms: None,
                        topic_id: topic.topic_id,
                    };
                    records.push(CoordinatorRecord::OffsetCommit {
                        group: request.group_id.clone(),
                        topic: topic.name.clone(),
                        partition: partition.partition_index,
                        value: Some(value),
                    });
                }
            }
            topics.push(OffsetCommitResponseTopic {
                topic_id: topic.topic_id,
                name: topic.name.clone(),
                partitions,
            });
        }
        let response = OffsetCommitResponse { throttle_time_ms: 0, topics };
        self.decide(now, records, true, Then::Respond(token, response.into()), out);
    }

    /// A commit of a member also counts as its heartbeat.
    fn validate_commit(
        &mut self,
        now: Now,
        request: &OffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        let generation = request.generation_id_or_member_epoch;
        let (member_id, instance) =
            (request.member_id.as_str(), request.group_instance_id.as_deref());
        let Some(group) = self.groups.get(&request.group_id) else {
            if generation >= 0 {
                return Err(ErrorCode::GroupIdNotFound);
            }
            let group = ClassicGroup::new(&request.group_id, now.ms);
            self.groups.insert(request.group_id.clone(), group);
            return Ok(());
        };
        if generation < 0 && group.state == State::Empty {
            return Ok(());
        }
        if generation < 0 && member_id.is_empty() && instance.is_none() {
            return Err(ErrorCode::UnknownMemberId); // only members commit while there are any
        }
        group.validate_member(member_id, instance)?;
        if generation != group.generation_id {
            return Err(ErrorCode::IllegalGeneration);
        }
        match group.state {
            State::CompletingRebalance => return Err(ErrorCode::RebalanceInProgress),
            State::Dead => return Err(ErrorCode::CoordinatorNotAvailable),
            State::Empty => {}
            State::Stable | State::PreparingRebalance => {
                self.with_group(&request.group_id, |shard, group| {
                    shard.reschedule_heartbeat(now, group, member_id);
                });
            }
        }
        Ok(())
    }

    fn fetch_group(
        &self,
        offsets: &Offsets,
        request: &OffsetFetchRequestGroup,
    ) -> OffsetFetchResponseGroup {
        let topics = match &request.topics {
            None => offsets
                .of_group(&request.group_id)
                .into_iter()
                .flat_map(GroupOffsets::iter)
                .map(|(name, partitions)| all_of_topic(name, partitions))
                .collect(),
            Some(topics) => topics
                .iter()
                .map(|topic| OffsetFetchResponseTopic {
                    topic_id: topic.topic_id,
                    name: topic.name.clone(),
                    partitions: topic
                        .partition_indexes
                        .iter()
                        .map(|&partition| {
                            let found = offsets
                                .get(&request.group_id, &topic.name, partition)
                                .filter(|offset| is_of_topic(offset, topic.topic_id));
                            fetched(partition, found)
                        })
                        .collect(),
                })
                .collect(),
        };
        OffsetFetchResponseGroup { group_id: request.group_id.clone(), topics, error_code: 0 }
    }

    pub(super) fn fetch_offsets_of(
        &mut self,
        now: Now,
        request: &OffsetFetchRequestGroup,
        require_stable: bool,
        gather: u64,
        slot: u32,
        out: &mut CoordinatorOutput,
    ) {
        if require_stable {
            // All that was written counts, and the answer waits until it is committed.
            let group = self.fetch_group(&self.offsets, request);
            self.decide(
                now,
                Vec::new(),
                false,
                Then::Part(gather, Part::OffsetFetch(slot, group)),
                out,
            );
        } else {
            let group = self.fetch_group(&self.committed_offsets, request);
            self.complete_now(gather, Part::OffsetFetch(slot, group));
        }
    }

    pub(super) fn delete_offsets(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &OffsetDeleteRequest,
        refused: &SortedMap<String, ErrorCode>,
        out: &mut CoordinatorOutput,
    ) {
        let refusal = |error: ErrorCode| OffsetDeleteResponse {
            error_code: error.code(),
            ..OffsetDeleteResponse::default()
        };
        let Some(group) = self.groups.get(&request.group_id) else {
            return out.respond(token, refusal(ErrorCode::GroupIdNotFound));
        };
        if group.state != State::Empty && !group.uses_consumer_group_protocol() {
            return out.respond(token, refusal(ErrorCode::NonEmptyGroup));
        }
        let mut records = Vec::new();
        let mut topics = Vec::new();
        for topic in &request.topics {
            let error = match refused.get(&topic.name) {
                Some(error) => *error,
                None if group.is_subscribed_to_topic(&topic.name) => {
                    ErrorCode::GroupSubscribedToTopic
                }
                None => ErrorCode::None,
            };
            for &partition in topic.partitions.iter().filter(|_| !error.is_error()) {
                if self.offsets.get(&request.group_id, &topic.name, partition).is_some() {
                    records.push(tombstone(&request.group_id, &topic.name, partition));
                }
            }
            let partitions = topic
                .partitions
                .iter()
                .map(|&partition_index| OffsetDeleteResponsePartition {
                    partition_index,
                    error_code: error.code(),
                })
                .collect();
            topics.push(OffsetDeleteResponseTopic { name: topic.name.clone(), partitions });
        }
        let response = OffsetDeleteResponse { error_code: 0, throttle_time_ms: 0, topics };
        self.decide(now, records, true, Then::Respond(token, response.into()), out);
    }

    /// Tombstones for everything that the group has committed.
    pub(super) fn tombstones_of(&self, group_id: &String) -> Vec<CoordinatorRecord> {
        let offsets = self.offsets.of_group(group_id).into_iter().flat_map(GroupOffsets::iter);
        offsets
            .flat_map(|(topic, partitions)| {
                partitions.iter().map(|(partition, _)| tombstone(group_id, topic, *partition))
            })
            .collect()
    }

    /// The periodic look: offsets that nobody needed for the retention time go, and groups without any.
    pub(super) fn expire_offsets(&mut self, now: Now, out: &mut CoordinatorOutput) {
        let mut records = Vec::new();
        for group in self.groups.values() {
            let mut all_expired = true;
            let expires = can_expire(group);
            for (topic, partitions) in
                self.offsets.of_group(&group.group_id).into_iter().flat_map(GroupOffsets::iter)
            {
                let kept = !expires || group.is_subscribed_to_topic(topic);
                for (partition, offset) in partitions.iter() {
                    if kept || !self.is_expired(group, offset, now.ms) {
                        all_expired = false;
                    } else {
                        records.push(tombstone(&group.group_id, topic, *partition));
                    }
                }
            }
            if all_expired && group.state == State::Empty {
                let value = None;
                records.push(CoordinatorRecord::GroupMetadata {
                    group: group.group_id.clone(),
                    value,
                });
            }
        }
        self.schedule_expiration(now);
        if !records.is_empty() {
            self.decide(now, records, true, Then::Nothing, out);
        }
    }

    fn is_expired(
        &self,
        group: &ClassicGroup,
        offset: &OffsetAndMetadata,
        now_ms: TimestampMs,
    ) -> bool {
        if let Some(at) = offset.expire_timestamp_ms {
            return now_ms >= at;
        }
        // A group of members keeps its offsets from when the last one left; others from the commit.
        let since = match (group.state, &group.protocol_type, group.current_state_timestamp) {
            (State::Empty, Some(_), Some(emptied)) => emptied,
            _ => offset.commit_timestamp_ms,
        };
        now_ms - since >= self.config.offsets_retention_ms
    }

    pub(super) fn on_topics_deleted(
        &mut self,
        now: Now,
        topics: &[(String, Uuid)],
        out: &mut CoordinatorOutput,
    ) {
        let mut records = Vec::new();
        for (group, offsets) in self.offsets.iter() {
            for (name, id) in topics {
                for (partition, offset) in
                    offsets.get(name).into_iter().flat_map(TopicOffsets::iter)
                {
                    if is_of_topic(offset, *id) {
                        records.push(tombstone(group, name, *partition));
                    }
                }
            }
        }
        if !records.is_empty() {
            self.decide(now, records, true, Then::Nothing, out);
        }
    }
}

impl GroupCoordinator {
    pub(super) fn fetch_offsets(
        &mut self,
        now: Now,
        token: RequestToken,
        request: &OffsetFetchRequest,
        out: &mut CoordinatorOutput,
    ) {
        let groups = vec![OffsetFetchResponseGroup::default(); request.groups.len()];
        let response = OffsetFetchResponse { throttle_time_ms: 0, groups };
        let gather = self.gather(token, response.into(), request.groups.len() as u32, out);
        for (slot, group) in request.groups.iter().enumerate() {
            let slot = slot as u32;
            match self.active(&group.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.fetch_offsets_of(now, group, request.require_stable, gather, slot, out);
                }),
                Err(error) => {
                    let refused = OffsetFetchResponseGroup {
                        group_id: group.group_id.clone(),
                        topics: Vec::new(),
                        error_code: error.code(),
                    };
                    self.complete_part(gather, Part::OffsetFetch(slot, refused), out);
                }
            }
        }
    }
}

/// Whether offsets of the group can expire at all: of consumers that are there, those of topics that none reads.
fn can_expire(group: &ClassicGroup) -> bool {
    match (&group.protocol_type, group.state) {
        (None, _) | (Some(_), State::Empty) => true,
        (Some(_), State::Stable) => {
            group.uses_consumer_group_protocol() && group.subscribed_topics().is_some()
        }
        _ => false,
    }
}

fn tombstone(group: &str, topic: &str, partition: PartitionIndex) -> CoordinatorRecord {
    CoordinatorRecord::OffsetCommit {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
        value: None,
    }
}

/// An offset of a topic that was deleted and made again is none of the new one's. Zero ids match all.
fn is_of_topic(offset: &OffsetAndMetadata, topic_id: Uuid) -> bool {
    offset.topic_id == Uuid::ZERO || topic_id == Uuid::ZERO || offset.topic_id == topic_id
}

fn all_of_topic(name: &str, partitions: &TopicOffsets) -> OffsetFetchResponseTopic {
    OffsetFetchResponseTopic {
        topic_id: Uuid::ZERO,
        name: name.to_owned(),
        partitions: partitions
            .iter()
            .map(|(partition, offset)| fetched(*partition, Some(offset)))
            .collect(),
    }
}

fn fetched(
    partition_index: PartitionIndex,
    offset: Option<&OffsetAndMetadata>,
) -> OffsetFetchResponsePartition {
    OffsetFetchResponsePartition {
        partition_index,
        committed_offset: offset.map_or(INVALID_OFFSET, |offset| offset.committed_offset),
        committed_leader_epoch: offset.map_or(-1, |offset| offset.leader_epoch),
        metadata: Some(offset.map(|offset| offset.metadata.clone()).unwrap_or_default()),
        error_code: 0,
    }
}

/// The answer that refuses every partition alike.
pub(super) fn commit_refused(
    request: &OffsetCommitRequest,
    error: ErrorCode,
) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| refused_topic(topic, error)).collect();
    OffsetCommitResponse { throttle_time_ms: 0, topics }
}

fn refused_topic(topic: &OffsetCommitRequestTopic, error: ErrorCode) -> OffsetCommitResponseTopic {
    OffsetCommitResponseTopic {
        topic_id: topic.topic_id,
        name: topic.name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
            })
            .collect(),
    }
}
