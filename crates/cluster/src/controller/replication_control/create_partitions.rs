//! CreatePartitions: a topic only grows. Kafka: `ReplicationControlManager.createPartitions`.

use simulation::Draw;

use super::assignment::none_active;
use super::{Decision, ReplicationControl, partition_record};
use crate::controller::api_error::{ApiError, code_and_message};
use crate::controller::placement;
use crate::controller::records::MetadataRecord;
use crate::java::timeline_order;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};

impl ReplicationControl<'_> {
    /// Decides about additional partitions.
    pub fn create_partitions(
        &self,
        request: &CreatePartitionsRequest,
        draw: &mut impl Draw,
    ) -> Decision<CreatePartitionsResponse> {
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let outcome = self.add_partitions(topic, draw);
            let (error_code, error_message) = code_and_message(&outcome);
            results.push(CreatePartitionsTopicResult {
                name: topic.name.clone(),
                error_code,
                error_message,
            });
            records.extend(outcome.unwrap_or_default());
        }
        if request.validate_only {
            records.clear();
        }
        Decision::new(records, CreatePartitionsResponse { throttle_time_ms: 0, results })
    }

    fn add_partitions(
        &self,
        topic: &CreatePartitionsTopic,
        draw: &mut impl Draw,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let Some(existing) = self.image.topic(&topic.name) else {
            return Err(ApiError::bare(ErrorCode::UnknownTopicOrPartition));
        };
        let count = existing.partitions.len() as i32;
        if topic.count == count {
            return Err(ApiError::new(
                ErrorCode::InvalidPartitions,
                format!("Topic already has {count} partition(s)."),
            ));
        }
        if topic.count < count {
            return Err(ApiError::new(
                ErrorCode::InvalidPartitions,
                format!(
                    "The topic {} currently has {count} partition(s); {} would not be an increase.",
                    topic.name, topic.count
                ),
            ));
        }
        let additional = topic.count - count;
        // Kafka takes that of whichever partition comes first in its hash table.
        let first = timeline_order(existing.partitions.keys().copied())
            .first()
            .copied()
            .unwrap_or_default();
        let replication_factor =
            existing.partitions.get(&first).map_or(1, |partition| partition.replicas.len());
        let mut placed = Vec::new();
        if let Some(assignments) = &topic.assignments {
            if assignments.len() as i32 != additional {
                return Err(ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    format!(
                        "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
                        assignments.len()
                    ),
                ));
            }
            for (index, assignment) in (count..).zip(assignments) {
                self.validate_manual_assignment(&assignment.broker_ids, Some(replication_factor))?;
                self.manual_isr(&assignment.broker_ids, index)?;
                placed.push(assignment.broker_ids.clone());
            }
        } else {
            placed = placement::place(
                &self.usable_brokers(),
                additional,
                replication_factor as i16,
                draw,
            )
            .map_err(|why| ApiError::new(ErrorCode::InvalidReplicationFactor, why))?;
        }
        let mut records = Vec::with_capacity(placed.len());
        for (index, replicas) in (count..).zip(placed) {
            let isr = self.active(&replicas);
            if isr.is_empty() {
                return Err(none_active(replication_factor as i16));
            }
            records.push(partition_record(existing.id, index, replicas, isr));
        }
        Ok(records)
    }
}
