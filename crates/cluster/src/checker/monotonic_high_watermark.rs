//! Within one leader epoch the high watermark never moves backwards.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::{Broken, Replica};
use crate::broker::partition::TopicIdPartition;
use crate::types::{BrokerId, Offset};

/// Shown to people as `monotonic-high-watermark`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct MonotonicHighWatermark {
    /// Of each broker as leader: the epoch in which it was last seen leading, and its high watermark then.
    seen: SortedMap<(TopicIdPartition, BrokerId), (i32, Offset)>,
}

impl MonotonicHighWatermark {
    pub fn check(&mut self, leader: Replica<'_>) -> Result<(), Broken> {
        let (id, log) = (leader.partition.id, &leader.partition.log);
        let now = (leader.partition.leader_epoch(), log.high_watermark());
        match self.seen.insert((id, leader.broker), now) {
            Some(before) if before.0 == now.0 && now.1 < before.1 => {
                let what = format!(
                    "{} in leader epoch {}: the high watermark fell from {} to {}",
                    log.topic_partition(),
                    now.0,
                    before.1,
                    now.1
                );
                Err(("monotonic-high-watermark", what))
            }
            _ => Ok(()),
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&TopicIdPartition) -> bool) {
        self.seen.retain(|(id, _), _| keep(id));
    }
}
