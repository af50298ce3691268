//! OffsetForLeaderEpoch (API key 23): where an epoch ends here; consumers ask it after a leader change.
//! Kafka: `ReplicaManager.lastOffsetForLeaderEpoch`.

use super::KafkaNode;
use super::partition::TopicIdPartition;
use crate::protocol::{
    ErrorCode, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderPartitionResult, OffsetForLeaderTopicResult,
};
use crate::uuid::Uuid;

impl KafkaNode {
    pub(super) fn handle_offset_for_leader_epoch(
        &self,
        request: &OffsetForLeaderEpochRequest,
    ) -> OffsetForLeaderEpochResponse {
        let topics = request.topics.iter().map(|topic| {
            let topic_id =
                self.image().topics_by_name.get(&topic.topic).copied().unwrap_or(Uuid::ZERO);
            let partitions = topic.partitions.iter().map(|wanted| {
                let id = TopicIdPartition { topic_id, partition: wanted.partition };
                let (error, leader_epoch, end_offset) = match self.epoch_end(id, wanted) {
                    Ok((epoch, end)) => (ErrorCode::None, epoch, end),
                    Err(error) => (error, -1, -1),
                };
                OffsetForLeaderPartitionResult {
                    error_code: error.code(),
                    partition: wanted.partition,
                    leader_epoch,
                    end_offset,
                }
            });
            OffsetForLeaderTopicResult {
                topic: topic.topic.clone(),
                partitions: partitions.collect(),
            }
        });
        OffsetForLeaderEpochResponse { throttle_time_ms: 0, topics: topics.collect() }
    }

    fn epoch_end(
        &self,
        id: TopicIdPartition,
        wanted: &OffsetForLeaderPartition,
    ) -> Result<(i32, i64), ErrorCode> {
        let partition = self.partitions.get(&id).ok_or_else(|| self.unknown_partition_error(id))?;
        partition.check_leader_epoch(wanted.current_leader_epoch)?;
        if !partition.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        Ok(partition.end_offset_for_epoch(wanted.leader_epoch))
    }
}
