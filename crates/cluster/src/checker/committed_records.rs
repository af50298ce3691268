//! What was committed stays: every later leader has it, every replica has the same below its high watermark, and what a
//! producer with `acks=all` was told is written is committed.
//!
//! Of each committed batch its offsets, leader epoch and checksum are remembered. A replica is compared with that as its
//! high watermark moves, so each batch is looked at once per replica.

use std::collections::VecDeque;

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};

use super::{Anomaly, Broken, Replica};
use crate::broker::partition::TopicIdPartition;
use crate::log::PartitionLog;
use crate::log::record_batch::Batch;
use crate::types::{BrokerId, Offset, TopicPartition};
use crate::uuid::Uuid;
use crate::world::World;

/// Shown to people as `committed-records-survive`, `replicas-agree`, `committed-is-on-all-in-sync-replicas` and
/// `acknowledged-is-committed`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct CommittedRecords {
    partitions: SortedMap<TopicIdPartition, History>,
    /// Acknowledgements name topics. None: there were several topics of that name.
    ids: SortedMap<String, Option<Uuid>>,
}

/// What is known of one partition's committed records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct History {
    /// In order of offset, from the leader's log start on.
    batches: VecDeque<Committed>,
    /// All below is committed.
    end: Offset,
    /// All below was committed once.
    furthest_end: Offset,
    /// Of each broker: below this its log was compared with `batches`.
    compared: SortedMap<BrokerId, Offset>,
    /// The last leader epoch whose leader was seen to have all that is committed.
    complete_epoch: Option<i32>,
    /// The last leader epoch that began by an unclean election.
    unclean_epoch: Option<i32>,
    /// Eligible leader replicas that were moved away: see [`CommittedRecords::stale_elr`].
    stale_elr: SortedSet<BrokerId>,
}

/// Tells one batch from every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Committed {
    base_offset: Offset,
    last_offset: Offset,
    leader_epoch: i32,
    crc: u32,
}

impl From<&Batch> for Committed {
    fn from(batch: &Batch) -> Self {
        Self {
            base_offset: batch.base_offset(),
            last_offset: batch.last_offset(),
            leader_epoch: batch.partition_leader_epoch().0,
            crc: batch.crc(),
        }
    }
}

impl CommittedRecords {
    /// A replica has changed.
    pub fn look_at(
        &mut self,
        world: &World,
        replica: Replica<'_>,
    ) -> Result<Option<Anomaly>, Broken> {
        let partition = replica.partition;
        let mut lost = None;
        if partition.is_leader()
            && self.history(replica).complete_epoch < Some(partition.leader_epoch())
        {
            lost = self.new_leader(replica, partition.leader_epoch())?;
        }
        let history = self.history(replica);
        let high_watermark = partition.log.high_watermark();
        // A leader that an unclean election has overthrown, and does not know it, is a world of its own: what it still
        // acknowledges is lost.
        if history.unclean_epoch > Some(partition.leader_epoch()) {
            if partition.is_leader() && high_watermark > history.furthest_end {
                lost = Some(Anomaly::RecordsLost {
                    partition: partition.log.topic_partition().clone(),
                    leader: replica.broker,
                    from: std::mem::replace(&mut history.furthest_end, high_watermark),
                    to: high_watermark,
                });
            }
            return Ok(lost);
        }
        // Nor does a follower know it that has nothing of the new history yet: it has still to be truncated.
        if !partition.is_leader()
            && history.unclean_epoch > partition.log.latest_epoch().map(|epoch| epoch.0)
        {
            return Ok(lost);
        }
        let grows = partition.is_leader() && high_watermark > history.end;
        history.compare(replica, high_watermark)?;
        if grows {
            check_in_sync_replicas(world, replica)?;
        }
        if partition.is_leader() {
            history.forget_below(partition.log.log_start_offset());
        }
        Ok(lost)
    }

    /// `epoch` began without regard to what is committed.
    pub fn unclean_election(&mut self, id: TopicIdPartition, topic: &str, epoch: i32) {
        let history = self.history_of(id, topic);
        history.unclean_epoch = history.unclean_epoch.max(Some(epoch));
    }

    /// A reassignment deletes logs, and begins others anew: what was compared in them counts no more.
    pub fn moved(&mut self, id: TopicIdPartition, from: &[BrokerId], to: &[BrokerId]) {
        if let Some(history) = self.partitions.get_mut(&id) {
            history.compared.retain(|replica, _| from.contains(replica) && to.contains(replica));
        }
    }

    /// A reassignment left a replica eligible that is none any more: when it is one again it may lead, though its log was
    /// deleted meanwhile.
    pub fn stale_elr(&mut self, id: TopicIdPartition, topic: &str, replica: BrokerId) {
        self.history_of(id, topic).stale_elr.insert(replica);
    }

    /// Whether it was moved away while it was eligible, and never in sync since.
    pub fn is_stale(&self, id: TopicIdPartition, replica: BrokerId) -> bool {
        self.partitions.get(&id).is_some_and(|history| history.stale_elr.contains(&replica))
    }

    /// These have everything again, as their leader says.
    pub fn in_sync(&mut self, id: TopicIdPartition, replicas: &[BrokerId]) {
        if let Some(history) = self.partitions.get_mut(&id) {
            history.stale_elr.retain(|replica| !replicas.contains(replica));
        }
    }

    /// `leader` begins an epoch: it has everything, or what it lacks is lost.
    pub fn new_leader(
        &mut self,
        leader: Replica<'_>,
        epoch: i32,
    ) -> Result<Option<Anomaly>, Broken> {
        let history = self.history(leader);
        let lost_from = history.first_missing(leader);
        let before = std::mem::replace(&mut history.complete_epoch, Some(epoch));
        let Some(from) = lost_from else { return Ok(None) };
        let to = history.end;
        let name = leader.partition.log.topic_partition();
        let is_unclean = history.unclean_epoch.is_some() && history.unclean_epoch > before;
        if !is_unclean {
            let what = format!(
                "{name} in leader epoch {epoch}: leader {} lacks the committed offsets {from} to {}",
                leader.broker,
                to - 1
            );
            return Err(("committed-records-survive", what));
        }
        history.lose(from);
        Ok(Some(Anomaly::RecordsLost { partition: name.clone(), leader: leader.broker, from, to }))
    }

    /// A replica has given up its records from `to` on: none of them was committed.
    pub fn truncated(&mut self, replica: Replica<'_>, to: Offset) -> Result<(), Broken> {
        let history = self.history(replica);
        let compared = history.compared.entry(replica.broker).or_default();
        let had = std::mem::replace(compared, to.min(*compared));
        if had > to && to < history.end && history.unclean_epoch.is_none() {
            let what = format!(
                "{} on broker {}: truncated to {to}, but all below {} is committed",
                replica.partition.log.topic_partition(),
                replica.broker,
                history.end
            );
            return Err(("committed-records-survive", what));
        }
        Ok(())
    }

    /// A producer was told that all in-sync replicas have its records below `end`.
    pub fn acknowledged(&self, partition: &TopicPartition, end: Offset) -> Result<(), Broken> {
        let Some(Some(topic_id)) = self.ids.get(&partition.topic) else { return Ok(()) };
        let id = TopicIdPartition { topic_id: *topic_id, partition: partition.partition };
        let committed = self.partitions.get(&id).map_or(0, |history| history.furthest_end);
        if end <= committed {
            return Ok(());
        }
        let what = format!(
            "{partition}: offsets below {end} were acknowledged, those below {committed} are committed"
        );
        Err(("acknowledged-is-committed", what))
    }

    pub fn retain(&mut self, keep: impl Fn(&TopicIdPartition) -> bool) {
        self.partitions.retain(|id, _| keep(id));
        let partitions = &self.partitions;
        let is_kept = |topic_id: Uuid| {
            let first = TopicIdPartition { topic_id, partition: 0 };
            partitions.range(first..).next().is_some_and(|(id, _)| id.topic_id == topic_id)
        };
        // A topic that comes again under its name gets late answers that were meant for the one before it.
        for id in self.ids.values_mut().filter(|id| id.is_some_and(|id| !is_kept(id))) {
            *id = None;
        }
    }

    fn history(&mut self, replica: Replica<'_>) -> &mut History {
        self.history_of(replica.partition.id, &replica.partition.topic)
    }

    fn history_of(&mut self, id: TopicIdPartition, topic: &str) -> &mut History {
        if !self.partitions.contains_key(&id) {
            let known = self.ids.entry(topic.to_owned()).or_insert(Some(id.topic_id));
            if *known != Some(id.topic_id) {
                *known = None;
            }
        }
        self.partitions.entry(id).or_default()
    }
}

impl History {
    /// Compares what was not yet compared below the replica's high watermark; what nobody had before is committed now.
    fn compare(&mut self, replica: Replica<'_>, high_watermark: Offset) -> Result<(), Broken> {
        let log = &replica.partition.log;
        let compared = self.compared_up_to(replica);
        if high_watermark <= compared {
            return Ok(());
        }
        for batch in batches_from(log, compared.max(log.log_start_offset())) {
            if batch.last_offset() >= high_watermark {
                break;
            }
            let found = Committed::from(batch);
            if found.base_offset >= self.end {
                self.batches.push_back(found);
                self.end = found.last_offset + 1;
            } else if let Some(expected) = self.at(found.base_offset)
                && *expected != found
            {
                let what = format!(
                    "{} on broker {}: committed was {expected:?}, but its log has {found:?}",
                    log.topic_partition(),
                    replica.broker
                );
                return Err(("replicas-agree", what));
            }
        }
        // What retention removed in the same step was committed too.
        self.end = self.end.max(high_watermark);
        self.furthest_end = self.furthest_end.max(self.end);
        self.compared.insert(replica.broker, high_watermark);
        Ok(())
    }

    /// A replica that was moved away and came back begins with an empty log.
    fn compared_up_to(&self, replica: Replica<'_>) -> Offset {
        let compared = self.compared.get(&replica.broker).copied().unwrap_or(0);
        compared.min(replica.partition.log.log_end_offset())
    }

    /// The remembered batch that holds `offset`; none if that is forgotten.
    fn at(&self, offset: Offset) -> Option<&Committed> {
        self.batches.get(self.index(offset)).filter(|batch| batch.base_offset <= offset)
    }

    /// Of the first batch that ends at or behind `offset`.
    fn index(&self, offset: Offset) -> usize {
        self.batches.partition_point(|batch| batch.last_offset < offset)
    }

    /// The first committed offset that the replica has not, or has otherwise.
    fn first_missing(&self, replica: Replica<'_>) -> Option<Offset> {
        let log = &replica.partition.log;
        let from = self.compared_up_to(replica).max(log.log_start_offset());
        let remembered = self.batches.front().and_then(|first| {
            let from = from.max(first.base_offset);
            let mut found = batches_from(log, from).map(Committed::from);
            let mut expected = self.batches.range(self.index(from)..).copied();
            expected.find(|expected| found.next() != Some(*expected))
        });
        // What was before it may have expired, but a complete log does not end earlier.
        let end = log.log_end_offset();
        let lacks_the_end = (end < self.end).then_some(end);
        remembered.map(|batch| batch.base_offset).into_iter().chain(lacks_the_end).min()
    }

    /// An unclean leader does not have what begins at `from`: it is no longer committed.
    fn lose(&mut self, from: Offset) {
        self.batches.truncate(self.index(from));
        self.end = from;
        self.compared.values_mut().for_each(|compared| *compared = from.min(*compared));
    }

    fn forget_below(&mut self, log_start_offset: Offset) {
        while self.batches.front().is_some_and(|batch| batch.last_offset < log_start_offset) {
            self.batches.pop_front();
        }
    }
}

/// A leader counts records as committed when every member of its ISR has them.
fn check_in_sync_replicas(world: &World, leader: Replica<'_>) -> Result<(), Broken> {
    let high_watermark = leader.partition.log.high_watermark();
    for member in leader.partition.isr() {
        let replica = world.node(member).and_then(|node| node.replica_by_id(leader.partition.id));
        let Some(end) = replica.map(|replica| replica.log.log_end_offset()) else { continue };
        if end < high_watermark {
            let what = format!(
                "{} in leader epoch {}: the high watermark is {high_watermark}, but in-sync replica {member} ends at {end}",
                leader.partition.log.topic_partition(),
                leader.partition.leader_epoch()
            );
            return Err(("committed-is-on-all-in-sync-replicas", what));
        }
    }
    Ok(())
}

/// The batches from the one that holds `offset` on. What is asked for is usually near the end.
fn batches_from(log: &PartitionLog, offset: Offset) -> impl Iterator<Item = &Batch> {
    let mut segments: Vec<_> = Vec::new();
    for segment in log.segments().rev() {
        segments.push(segment);
        if segment.base_offset() <= offset {
            break;
        }
    }
    segments.into_iter().rev().flat_map(move |segment| {
        let batches = segment.batches();
        &batches[batches.partition_point(|batch| batch.last_offset() < offset)..]
    })
}
