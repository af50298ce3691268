//! In one epoch there is at most one leader: of a partition, and of the metadata quorum.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::Broken;
use crate::broker::partition::TopicIdPartition;
use crate::types::{BrokerId, TopicPartition};

/// Epochs remembered of each partition; a broker that still leads in an older one has been away for very long.
const EPOCHS: usize = 8;

/// Shown to people as `one-leader-per-epoch`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SingleLeader {
    partitions: SortedMap<TopicIdPartition, SortedMap<i32, BrokerId>>,
    quorum: SortedMap<i32, BrokerId>,
}

impl SingleLeader {
    /// `leader` leads the partition in `epoch`.
    pub fn of_partition(
        &mut self,
        id: TopicIdPartition,
        leader: BrokerId,
        epoch: i32,
        partition: &TopicPartition,
    ) -> Result<(), Broken> {
        let leaders = self.partitions.entry(id).or_default();
        check(leaders, leader, epoch)
            .map_err(|other| broken(&partition.to_string(), leader, other, epoch))
    }

    /// `leader` is the active controller in `epoch`.
    pub fn of_the_quorum(&mut self, leader: BrokerId, epoch: i32) -> Result<(), Broken> {
        check(&mut self.quorum, leader, epoch)
            .map_err(|other| broken("the metadata quorum", leader, other, epoch))
    }

    pub fn retain(&mut self, keep: impl Fn(&TopicIdPartition) -> bool) {
        self.partitions.retain(|id, _| keep(id));
    }
}

/// Remembers the leader, or gives the other one of the same epoch.
fn check(
    leaders: &mut SortedMap<i32, BrokerId>,
    leader: BrokerId,
    epoch: i32,
) -> Result<(), BrokerId> {
    let known = *leaders.entry(epoch).or_insert(leader);
    if leaders.len() > EPOCHS {
        leaders.pop_first();
    }
    if known == leader { Ok(()) } else { Err(known) }
}

fn broken(of: &str, leader: BrokerId, other: BrokerId, epoch: i32) -> Broken {
    let what = format!("{of} in leader epoch {epoch}: both {other} and {leader} lead");
    ("one-leader-per-epoch", what)
}
