//! What a consumer reads and where it stands. Kafka: `SubscriptionState`.

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::metadata::Metadata;
use super::settings::ResetStrategy;
use crate::types::{BrokerId, Offset, TopicPartition};

/// How the consumer comes by its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    None,
    /// The group assigns partitions of these topics.
    Topics(SortedSet<String>),
    /// The group assigns partitions of the topics that match any of the expressions.
    Pattern {
        expressions: Vec<String>,
        matching: SortedSet<String>,
    },
    /// The application chose them.
    UserAssigned,
}

/// The next record to return. Kafka: `FetchPosition`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub offset: Offset,
    /// Epoch of the last record returned, or of the committed offset; -1 if not known.
    pub offset_epoch: i32,
    /// The leader's epoch when the position was last checked; -1 if not known.
    pub leader_epoch: i32,
}

/// Where a partition is on its way to being read. Kafka: `FetchStates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchState {
    /// No position yet: the committed offset is asked for first.
    Initializing,
    /// The reset strategy decides, by the leader's answer to ListOffsets.
    AwaitReset(ResetStrategy),
    /// The leader changed: it is asked whether it has the same history.
    AwaitValidation,
    Fetching,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartitionState {
    pub state: FetchState,
    pub position: Option<Position>,
    /// No request for a reset or a validation before this.
    pub retry_at: Micros,
    /// A request for a reset, a validation or the committed offset is on its way.
    pub asking: bool,
    /// Not fetched until the metadata is newer than this.
    pub awaits_metadata_after: Option<u32>,
    pub high_watermark: Option<Offset>,
    /// A follower to fetch from, and until when.
    pub preferred_read_replica: Option<(BrokerId, Micros)>,
}

impl Default for PartitionState {
    fn default() -> Self {
        Self {
            state: FetchState::Initializing,
            position: None,
            retry_at: Micros::ZERO,
            asking: false,
            awaits_metadata_after: None,
            high_watermark: None,
            preferred_read_replica: None,
        }
    }
}

/// Subscription and assignment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscriptions {
    pub mode: Mode,
    partitions: SortedMap<TopicPartition, PartitionState>,
    /// In the order in which they were assigned, which is the order in which they are fetched.
    order: Vec<TopicPartition>,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self::new()
    }
}

impl Subscriptions {
    pub fn new() -> Self {
        Self { mode: Mode::None, partitions: SortedMap::new(), order: Vec::new() }
    }

    /// The topics that the group is asked for.
    pub fn topics(&self) -> SortedSet<String> {
        match &self.mode {
            Mode::Topics(topics) => topics.clone(),
            Mode::Pattern { matching, .. } => matching.clone(),
            Mode::None | Mode::UserAssigned => {
                self.order.iter().map(|partition| partition.topic.clone()).collect()
            }
        }
    }

    /// Whether partitions come from the group.
    pub fn is_auto_assigned(&self) -> bool {
        matches!(self.mode, Mode::Topics(_) | Mode::Pattern { .. })
    }

    pub fn assigned(&self) -> &[TopicPartition] {
        &self.order
    }

    pub fn is_assigned(&self, partition: &TopicPartition) -> bool {
        self.partitions.contains_key(partition)
    }

    /// Takes a new assignment; what stays keeps its position.
    pub fn assign(&mut self, partitions: Vec<TopicPartition>) {
        let mut old = std::mem::take(&mut self.partitions);
        self.partitions = partitions
            .iter()
            .map(|partition| (partition.clone(), old.remove(partition).unwrap_or_default()))
            .collect();
        self.order = partitions;
    }

    pub fn get(&self, partition: &TopicPartition) -> Option<&PartitionState> {
        self.partitions.get(partition)
    }

    pub fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut PartitionState> {
        self.partitions.get_mut(partition)
    }

    pub fn states(&self) -> impl Iterator<Item = (&TopicPartition, &PartitionState)> {
        self.order.iter().filter_map(|partition| Some((partition, self.partitions.get(partition)?)))
    }

    /// The partitions for which `wanted` holds, in order.
    pub fn partitions_where(
        &self,
        wanted: impl Fn(&PartitionState) -> bool,
    ) -> Vec<TopicPartition> {
        self.states()
            .filter(|(_, state)| wanted(state))
            .map(|(partition, _)| partition.clone())
            .collect()
    }

    /// Reading goes on there, whatever was before.
    pub fn seek(&mut self, partition: &TopicPartition, position: Position) {
        if let Some(state) = self.partitions.get_mut(partition) {
            state.position = Some(position);
            state.state = FetchState::Fetching;
            state.asking = false;
        }
    }

    pub fn request_reset(&mut self, partition: &TopicPartition, strategy: ResetStrategy) {
        if let Some(state) = self.partitions.get_mut(partition) {
            state.state = FetchState::AwaitReset(strategy);
            state.position = None;
            state.asking = false;
            state.retry_at = Micros::ZERO;
        }
    }

    /// Every position whose leader has changed since it was checked must be checked again, if its epoch is known.
    pub fn maybe_validate_positions(&mut self, metadata: &Metadata) {
        for (partition, state) in &mut self.partitions {
            let Some(position) = state.position.as_mut() else { continue };
            if !matches!(state.state, FetchState::Fetching | FetchState::AwaitValidation) {
                continue;
            }
            let Some((_, epoch)) = metadata.leader(&partition.topic, partition.partition) else {
                continue;
            };
            if epoch == position.leader_epoch {
                continue;
            }
            position.leader_epoch = epoch;
            state.awaits_metadata_after = None;
            if position.offset_epoch >= 0 && epoch >= 0 {
                state.state = FetchState::AwaitValidation;
                state.asking = false;
                state.retry_at = Micros::ZERO;
            }
        }
    }

    /// Positions that may be committed: offset and epoch of the next record to read.
    pub fn all_consumed(&self) -> Vec<(TopicPartition, Offset, i32)> {
        self.states()
            .filter(|(_, state)| {
                matches!(state.state, FetchState::Fetching | FetchState::AwaitValidation)
            })
            .filter_map(|(partition, state)| {
                let position = state.position?;
                Some((partition.clone(), position.offset, position.offset_epoch))
            })
            .collect()
    }
}
