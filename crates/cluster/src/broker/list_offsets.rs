//! ListOffsets (API key 2): where logs begin and end, and which offset belongs to a time.
//! Kafka: `ReplicaManager.fetchOffset`, `Partition.fetchOffsetForTimestamp`.

use super::KafkaNode;
use super::partition::TopicIdPartition;
use crate::log::partition_log::{EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, LATEST_TIMESTAMP};
use crate::protocol::{
    ErrorCode, ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest,
    ListOffsetsResponse, ListOffsetsTopicResponse,
};
use crate::uuid::Uuid;

/// The last of the times that have a meaning of their own. Kafka: `ListOffsetsRequest`.
const EARLIEST_PENDING_UPLOAD_TIMESTAMP: i64 = -6;
/// Whoever asks as this replica id is a debugging tool: any replica answers.
const DEBUGGING_REPLICA_ID: i32 = -2;

impl KafkaNode {
    pub(super) fn handle_list_offsets(
        &mut self,
        request: &ListOffsetsRequest,
    ) -> ListOffsetsResponse {
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let topic_id =
                self.image().topics_by_name.get(&topic.name).copied().unwrap_or(Uuid::ZERO);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                let id = TopicIdPartition { topic_id, partition: wanted.partition_index };
                let answer = self.list_offset(id, wanted, request);
                partitions.push(answer.unwrap_or_else(|error| ListOffsetsPartitionResponse {
                    partition_index: wanted.partition_index,
                    error_code: error.code(),
                    timestamp: -1,
                    offset: -1,
                    leader_epoch: -1,
                }));
            }
            topics.push(ListOffsetsTopicResponse { name: topic.name.clone(), partitions });
        }
        ListOffsetsResponse { throttle_time_ms: 0, topics }
    }

    fn list_offset(
        &self,
        id: TopicIdPartition,
        wanted: &ListOffsetsPartition,
        request: &ListOffsetsRequest,
    ) -> Result<ListOffsetsPartitionResponse, ErrorCode> {
        if wanted.timestamp < EARLIEST_PENDING_UPLOAD_TIMESTAMP {
            return Err(ErrorCode::UnsupportedVersion);
        }
        let partition = self.partitions.get(&id).ok_or_else(|| self.unknown_partition_error(id))?;
        partition.check_leader_epoch(wanted.current_leader_epoch)?;
        if !partition.is_leader() && request.replica_id != DEBUGGING_REPLICA_ID {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let from_client = request.replica_id == -1;
        let log = &partition.log;
        let last_fetchable = match (from_client, request.isolation_level) {
            (true, 1) => log.last_stable_offset(),
            (true, _) => log.high_watermark(),
            (false, _) => log.log_end_offset(),
        };
        let answer = |timestamp, offset, leader_epoch| ListOffsetsPartitionResponse {
            partition_index: wanted.partition_index,
            error_code: 0,
            timestamp,
            offset,
            leader_epoch,
        };
        // A new leader does not know yet what is committed.
        let unsure = from_client && !partition.knows_high_watermark();
        match wanted.timestamp {
            LATEST_TIMESTAMP if unsure => Err(ErrorCode::OffsetNotAvailable),
            LATEST_TIMESTAMP => Ok(answer(-1, last_fetchable, partition.leader_epoch())),
            timestamp => {
                let found = log
                    .fetch_offset_by_timestamp(timestamp)
                    .map_err(|error| error.kind.error_code())?;
                let special = matches!(timestamp, EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP);
                match found {
                    Some(found) if special || found.offset < last_fetchable => {
                        let epoch = found.leader_epoch.map_or(-1, |epoch| epoch.0);
                        Ok(answer(found.timestamp, found.offset, epoch))
                    }
                    Some(_) if unsure => Err(ErrorCode::OffsetNotAvailable),
                    _ => Ok(answer(-1, -1, -1)),
                }
            }
        }
    }
}
