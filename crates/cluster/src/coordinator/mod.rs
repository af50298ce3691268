//! The group coordinator of one broker: the groups whose partition of `__consumer_offsets` this broker leads.
//!
//! # How the broker uses it
//! - [`GroupCoordinator::begin_loading`] when the broker becomes leader of a partition, [`GroupCoordinator::load_record`]
//!   for every record of its log, [`GroupCoordinator::finish_loading`]; [`GroupCoordinator::unload`] when it resigns.
//! - [`GroupCoordinator::handle_request`] decides and changes no offsets: what is to be written stands in
//!   [`CoordinatorOutput::appends`]. The broker appends each at once (acks=all) and tells [`GroupCoordinator::on_appended`];
//!   [`GroupCoordinator::on_high_watermark`] tells that records are committed, which is when answers go out.
//! - One timer is enough: [`GroupCoordinator::next_deadline`], [`GroupCoordinator::fire_deadline`] until it says false.
//! - Every call may leave responses, appends and events in its output; all are dealt with before the next call.
//!
//! Kafka: `GroupCoordinatorService` (which answers what before a partition is asked), `CoordinatorRuntime` (loading, waiting
//! for commits), `GroupCoordinatorShard`. Simplified: the membership of classic groups is seen at once, as in Kafka, but so
//! is the existence of a group, which Kafka shows once it is committed.

mod classic_group;
mod join;
mod leave;
mod listing;
mod offset;
mod offsets;
mod record;
mod shard;
mod sync;
mod timer;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};
use simulation::{Draw, Micros, NodeId};

pub use classic_group::{ClassicGroup, ClassicGroupMember, ClassicGroupState};
pub use offset::{GroupOffsets, OffsetAndMetadata, TopicOffsets};
pub use record::{CoordinatorRecord, GroupMetadataValue, MemberMetadata};

use shard::{Now, Shard};

use crate::config::ParsedConfigs;
use crate::coordinator_partition::partition_for;
use crate::event::ClusterEvent;
use crate::protocol::*;
use crate::types::{Bytes, Offset, PartitionIndex, TimestampMs};
use crate::world::wall_clock_ms;

/// The topic that holds groups and offsets.
pub const GROUP_METADATA_TOPIC_NAME: &str = "__consumer_offsets";

/// Whom to answer: the sender of a request and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestToken {
    pub from: NodeId,
    pub correlation_id: u32,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub token: RequestToken,
    pub client_id: String,
    /// As Kafka prints it: `/127.0.0.1`.
    pub client_host: String,
}

/// What a call leaves to do.
#[derive(Clone, Debug, Default)]
pub struct CoordinatorOutput {
    pub responses: Vec<(RequestToken, Response)>,
    /// To be appended in this order, at once.
    pub appends: Vec<CoordinatorAppend>,
    pub events: Vec<ClusterEvent>,
}

/// Records for one partition of `__consumer_offsets`: one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorAppend {
    pub partition: PartitionIndex,
    /// Names the append in [`GroupCoordinator::on_appended`].
    pub append_id: u64,
    /// The records' timestamp.
    pub timestamp: TimestampMs,
    /// Keys and values; no value is a tombstone.
    pub records: Vec<(Bytes, Option<Bytes>)>,
}

/// The broker configurations that the coordinator needs; milliseconds where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCoordinatorConfig {
    /// `offsets.topic.num.partitions`.
    pub num_partitions: PartitionIndex,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: u64,
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.max.size`.
    pub max_size: u64,
    /// `offset.metadata.max.bytes`.
    pub offset_metadata_max_size: u64,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: u64,
}

impl GroupCoordinatorConfig {
    pub fn new(broker: &ParsedConfigs) -> Self {
        let natural = |name: &str| broker.integer(name).max(0) as u64;
        Self {
            num_partitions: broker.integer("offsets.topic.num.partitions") as PartitionIndex,
            initial_rebalance_delay_ms: natural("group.initial.rebalance.delay.ms"),
            min_session_timeout_ms: broker.integer("group.min.session.timeout.ms") as i32,
            max_session_timeout_ms: broker.integer("group.max.session.timeout.ms") as i32,
            max_size: natural("group.max.size"),
            offset_metadata_max_size: natural("offset.metadata.max.bytes"),
            offsets_retention_ms: broker.integer("offsets.retention.minutes") * 60_000,
            offsets_retention_check_interval_ms: natural("offsets.retention.check.interval.ms"),
        }
    }
}

/// A response of several parts, of which some still wait for their partition.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Gather {
    token: RequestToken,
    response: Response,
    remaining: u32,
}

/// The groups that this broker coordinates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupCoordinator {
    config: GroupCoordinatorConfig,
    epoch_ms: TimestampMs,
    shards: SortedMap<PartitionIndex, Shard>,
    gathers: SortedMap<u64, Gather>,
    next_gather: u64,
}

impl GroupCoordinator {
    /// `epoch_ms` is what virtual time zero is on the wall.
    pub fn new(config: GroupCoordinatorConfig, epoch_ms: TimestampMs) -> Self {
        Self {
            config,
            epoch_ms,
            shards: SortedMap::new(),
            gathers: SortedMap::new(),
            next_gather: 0,
        }
    }

    /// How many partitions `__consumer_offsets` really has, where that differs from the configuration.
    pub fn set_num_partitions(&mut self, partitions: PartitionIndex) {
        self.config.num_partitions = partitions;
    }

    /// The partition of `__consumer_offsets` that holds `group_id`.
    pub fn partition_of(&self, group_id: &str) -> PartitionIndex {
        partition_for(group_id, self.config.num_partitions)
    }

    /// The groups of all loaded partitions with their committed offsets, for observers.
    pub fn groups(&self) -> impl Iterator<Item = (&ClassicGroup, Option<&GroupOffsets>)> {
        self.shards.values().filter(|shard| shard.is_active()).flat_map(Shard::groups)
    }

    /// Whether the partition is here and loaded.
    pub fn is_active(&self, partition: PartitionIndex) -> bool {
        self.shards.get(&partition).is_some_and(Shard::is_active)
    }

    /// This broker became leader of the partition: until [`Self::finish_loading`] requests for it are refused.
    pub fn begin_loading(&mut self, partition: PartitionIndex) {
        self.shards.insert(partition, Shard::new(partition, self.config.clone()));
    }

    /// One record of the partition's log, in the order of the log.
    pub fn load_record(
        &mut self,
        partition: PartitionIndex,
        offset: Offset,
        key: &[u8],
        value: Option<&[u8]>,
    ) {
        if let (Some(shard), Some(record)) =
            (self.shards.get_mut(&partition), CoordinatorRecord::decode(key, value))
        {
            shard.replay(offset, &record);
        }
    }

    /// All records up to the end of the log were loaded. What is beyond `high_watermark` is not yet committed.
    pub fn finish_loading(
        &mut self,
        now: Micros,
        partition: PartitionIndex,
        high_watermark: Offset,
        out: &mut CoordinatorOutput,
    ) {
        let now = self.now(now);
        if let Some(shard) = self.shards.get_mut(&partition) {
            shard.finish_loading(now, high_watermark, out);
        }
    }

    /// This broker leads the partition no longer: whoever waits is told to look elsewhere.
    pub fn unload(&mut self, partition: PartitionIndex, out: &mut CoordinatorOutput) {
        if let Some(mut shard) = self.shards.remove(&partition) {
            shard.unload(out);
            self.complete_parts(&mut shard, out);
        }
    }

    /// An append of an output was done: the offset of its last record, or why it was refused.
    pub fn on_appended(
        &mut self,
        now: Micros,
        partition: PartitionIndex,
        append_id: u64,
        result: Result<Offset, ErrorCode>,
        out: &mut CoordinatorOutput,
    ) {
        let now = self.now(now);
        self.in_shard(partition, out, |shard, out| shard.on_appended(now, append_id, result, out));
    }

    /// Everything below `high_watermark` is committed.
    pub fn on_high_watermark(
        &mut self,
        now: Micros,
        partition: PartitionIndex,
        high_watermark: Offset,
        out: &mut CoordinatorOutput,
    ) {
        let now = self.now(now);
        self.in_shard(partition, out, |shard, out| {
            shard.on_high_watermark(now, high_watermark, out);
        });
    }

    /// When [`Self::fire_deadline`] has something to do.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.shards.values().filter_map(Shard::next_deadline).min()
    }

    /// Does what the first deadline that has passed is for; false if none has.
    pub fn fire_deadline(&mut self, now: Micros, out: &mut CoordinatorOutput) -> bool {
        let due = self
            .shards
            .iter()
            .filter_map(|(partition, shard)| Some((shard.next_deadline()?, *partition)))
            .min();
        let Some((_, partition)) = due.filter(|(at, _)| *at <= now) else {
            return false;
        };
        let clock = self.now(now);
        self.in_shard(partition, out, |shard, out| shard.fire_deadline(clock, out));
        true
    }

    /// Handles a request of the group APIs; the response is in `out` now or in that of a later call. None of its
    /// records are applied before they are appended. `draw` makes member ids. Topics in `refused` do not exist (any
    /// more): their parts of an OffsetCommit or OffsetDelete are answered with that error.
    /// A request that is not of these APIs is given back.
    pub fn handle_request(
        &mut self,
        now: Micros,
        caller: &Caller,
        request: Request,
        refused: &SortedMap<String, ErrorCode>,
        draw: &mut impl Draw,
        out: &mut CoordinatorOutput,
    ) -> Result<(), Request> {
        let clock = self.now(now);
        let token = caller.token;
        match request {
            Request::JoinGroup(request) => {
                let refusal = |error: ErrorCode| JoinGroupResponse {
                    error_code: error.code(),
                    member_id: request.member_id.clone(),
                    ..no_join()
                };
                let session = request.session_timeout_ms;
                let allowed =
                    self.config.min_session_timeout_ms..=self.config.max_session_timeout_ms;
                let checked = if request.group_id.is_empty() {
                    Err(ErrorCode::InvalidGroupId)
                } else if allowed.contains(&session) {
                    self.active(&request.group_id)
                } else {
                    Err(ErrorCode::InvalidSessionTimeout)
                };
                match checked {
                    Ok(partition) => self.in_shard(partition, out, |shard, out| {
                        shard.join_group(clock, caller, &request, draw, out);
                    }),
                    Err(error) => out.respond(token, refusal(error)),
                }
            }
            Request::SyncGroup(request) => match self.checked(&request.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.sync_group(clock, token, &request, out);
                }),
                Err(error) => out.respond(
                    token,
                    SyncGroupResponse { error_code: error.code(), ..SyncGroupResponse::default() },
                ),
            },
            Request::Heartbeat(request) => match self.checked(&request.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.heartbeat(clock, token, &request, out);
                }),
                // While the group is loading, its members are kept in good hope.
                Err(ErrorCode::CoordinatorLoadInProgress) => {
                    out.respond(token, HeartbeatResponse::default());
                }
                Err(error) => out.respond(
                    token,
                    HeartbeatResponse { error_code: error.code(), ..HeartbeatResponse::default() },
                ),
            },
            Request::LeaveGroup(request) => match self.checked(&request.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.leave_group(clock, token, &request, out);
                }),
                Err(error) => out.respond(
                    token,
                    LeaveGroupResponse {
                        error_code: error.code(),
                        ..LeaveGroupResponse::default()
                    },
                ),
            },
            Request::OffsetCommit(request) => match self.active(&request.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.commit_offsets(clock, token, &request, refused, out);
                }),
                Err(error) => out.respond(token, offsets::commit_refused(&request, error)),
            },
            Request::OffsetFetch(request) => self.fetch_offsets(clock, token, &request, out),
            Request::OffsetDelete(request) => match self.checked(&request.group_id) {
                Ok(partition) => self.in_shard(partition, out, |shard, out| {
                    shard.delete_offsets(clock, token, &request, refused, out);
                }),
                Err(error) => out.respond(
                    token,
                    OffsetDeleteResponse {
                        error_code: error.code(),
                        ..OffsetDeleteResponse::default()
                    },
                ),
            },
            Request::ListGroups(request) => out.respond(token, self.list_groups(&request)),
            Request::DescribeGroups(request) => out.respond(token, self.describe_groups(&request)),
            Request::ConsumerGroupDescribe(request) => {
                out.respond(token, self.describe_consumer_groups(&request));
            }
            Request::DeleteGroups(request) => self.delete_groups(clock, token, &request, out),
            other => return Err(other),
        }
        Ok(())
    }

    /// These topics exist no longer: their offsets are forgotten.
    pub fn on_topics_deleted(
        &mut self,
        now: Micros,
        topics: &[(String, crate::uuid::Uuid)],
        out: &mut CoordinatorOutput,
    ) {
        let clock = self.now(now);
        let partitions: Vec<PartitionIndex> = self.shards.keys().copied().collect();
        for partition in partitions {
            self.in_shard(partition, out, |shard, out| shard.on_topics_deleted(clock, topics, out));
        }
    }

    fn now(&self, now: Micros) -> Now {
        Now { at: now, ms: wall_clock_ms(self.epoch_ms, now) }
    }

    /// The loaded partition of the group.
    fn active(&self, group_id: &str) -> Result<PartitionIndex, ErrorCode> {
        let partition = self.partition_of(group_id);
        match self.shards.get(&partition) {
            Some(shard) if shard.is_active() => Ok(partition),
            Some(_) => Err(ErrorCode::CoordinatorLoadInProgress),
            None => Err(ErrorCode::NotCoordinator),
        }
    }

    /// The same for the APIs that refuse an empty group id.
    fn checked(&self, group_id: &str) -> Result<PartitionIndex, ErrorCode> {
        if group_id.is_empty() { Err(ErrorCode::InvalidGroupId) } else { self.active(group_id) }
    }

    fn in_shard(
        &mut self,
        partition: PartitionIndex,
        out: &mut CoordinatorOutput,
        act: impl FnOnce(&mut Shard, &mut CoordinatorOutput),
    ) {
        if let Some(mut shard) = self.shards.remove(&partition) {
            act(&mut shard, out);
            self.complete_parts(&mut shard, out);
            self.shards.insert(partition, shard);
        }
    }

    /// Opens a response that several partitions fill; it goes out when all have.
    fn gather(
        &mut self,
        token: RequestToken,
        response: Response,
        parts: u32,
        out: &mut CoordinatorOutput,
    ) -> u64 {
        self.next_gather += 1;
        if parts == 0 {
            out.responses.push((token, response));
        } else {
            self.gathers.insert(self.next_gather, Gather { token, response, remaining: parts });
        }
        self.next_gather
    }

    fn complete_parts(&mut self, shard: &mut Shard, out: &mut CoordinatorOutput) {
        for (gather_id, part) in shard.take_parts() {
            self.complete_part(gather_id, part, out);
        }
    }

    fn complete_part(&mut self, gather_id: u64, part: Part, out: &mut CoordinatorOutput) {
        let Some(gather) = self.gathers.get_mut(&gather_id) else { return };
        match (&mut gather.response, part) {
            (Response::OffsetFetch(response), Part::OffsetFetch(slot, group)) => {
                response.groups[slot as usize] = group;
            }
            (Response::DeleteGroups(response), Part::DeleteGroup(slot, result)) => {
                response.results[slot as usize] = result;
            }
            _ => {}
        }
        gather.remaining -= 1;
        if gather.remaining == 0
            && let Some(done) = self.gathers.remove(&gather_id)
        {
            out.responses.push((done.token, done.response));
        }
    }
}

/// What one partition contributes to a response, and its place there.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Part {
    OffsetFetch(u32, OffsetFetchResponseGroup),
    DeleteGroup(u32, DeletableGroupResult),
}

impl CoordinatorOutput {
    fn respond(&mut self, token: RequestToken, response: impl Into<Response>) {
        self.responses.push((token, response.into()));
    }
}

/// What stands in a JoinGroup response that brings nobody into a generation.
fn no_join() -> JoinGroupResponse {
    JoinGroupResponse { generation_id: -1, ..JoinGroupResponse::default() }
}
