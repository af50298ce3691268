//! Moving replicas: begun, listed, cancelled. Kafka: `alterPartitionReassignments`, `PartitionReassignmentReplicas`,
//! `PartitionReassignmentRevert`.

use super::{Decision, ReplicationControl};
use crate::controller::api_error::{ApiError, code_and_message};
use crate::controller::election::PartitionChangeBuilder;
use crate::controller::image::{PartitionRegistration, TopicImage};
use crate::controller::records::MetadataRecord;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment, OngoingTopicReassignment, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

impl ReplicationControl<'_> {
    /// Decides about new assignments of existing partitions, and about cancelling such.
    pub fn alter_partition_reassignments(
        &self,
        request: &AlterPartitionReassignmentsRequest,
    ) -> Decision<AlterPartitionReassignmentsResponse> {
        let mut records = Vec::new();
        let mut responses = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let outcome =
                    self.reassign(&topic.name, partition, request.allow_replication_factor_change);
                let (error_code, error_message) = code_and_message(&outcome);
                partitions.push(ReassignablePartitionResponse {
                    partition_index: partition.partition_index,
                    error_code,
                    error_message,
                });
                records.extend(outcome.ok().flatten());
            }
            responses.push(ReassignableTopicResponse { name: topic.name.clone(), partitions });
        }
        let response = AlterPartitionReassignmentsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            error_message: None,
            responses,
        };
        Decision::new(records, response)
    }

    fn reassign(
        &self,
        topic: &str,
        target: &ReassignablePartition,
        allow_replication_factor_change: bool,
    ) -> Result<Option<MetadataRecord>, ApiError> {
        let index = target.partition_index;
        let unknown = |what: String| ApiError::new(ErrorCode::UnknownTopicOrPartition, what);
        let found = self
            .image
            .topic(topic)
            .ok_or_else(|| unknown(format!("Unable to find a topic named {topic}.")))?;
        let partition = found
            .partitions
            .get(&index)
            .ok_or_else(|| unknown(format!("Unable to find partition {topic}:{index}.")))?;
        match &target.replicas {
            None => self.cancel(topic, (found.id, index, partition)),
            Some(replicas) => {
                self.validate_manual_assignment(replicas, None)?;
                if !allow_replication_factor_change {
                    same_replication_factor(partition, replicas.len())?;
                }
                Ok(self.begin((found.id, index, partition), replicas))
            }
        }
    }

    fn begin(
        &self,
        (topic_id, index, partition): (Uuid, PartitionIndex, &PartitionRegistration),
        target: &[BrokerId],
    ) -> Option<MetadataRecord> {
        let removing = difference(&partition.replicas, target);
        let adding = difference(target, &partition.replicas);
        let acceptable = |broker: BrokerId| self.image.is_active(broker);
        let mut change = PartitionChangeBuilder::new(
            partition,
            topic_id,
            index,
            self.rules(topic_id, &acceptable),
        );
        change.target_replicas = [target, &removing].concat();
        if !removing.is_empty() {
            change.target_removing = removing;
        }
        if !adding.is_empty() {
            change.target_adding = adding;
        }
        change.build()
    }

    fn cancel(
        &self,
        topic: &str,
        (topic_id, index, partition): (Uuid, PartitionIndex, &PartitionRegistration),
    ) -> Result<Option<MetadataRecord>, ApiError> {
        if !partition.is_reassigning() {
            return Err(ApiError::bare(ErrorCode::NoReassignmentInProgress));
        }
        let original = without(&partition.replicas, &partition.adding_replicas);
        let mut isr = without(&partition.isr, &partition.adding_replicas);
        if isr.is_empty() {
            let Some(first) = original.first() else {
                return Err(ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    "Invalid replica assignment: addingReplicas contains all replicas.",
                ));
            };
            isr.push(*first);
            if !self.configs.unclean_leader_election_enabled(topic) {
                return Err(ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    format!(
                        "Unable to revert partition assignment for {topic}:{index} because it would require an unclean \
                         leader election."
                    ),
                ));
            }
        }
        Ok(self.change(
            (topic_id, index, partition),
            &|broker| self.image.is_active(broker),
            |change| {
                change.target_isr = isr;
                change.target_replicas = original;
                change.target_removing.clear();
                change.target_adding.clear();
            },
        ))
    }

    /// The reassignments under way.
    pub fn list_partition_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let topics = match &request.topics {
            None => self.image.topics.values().filter_map(|topic| ongoing(topic, None)).collect(),
            Some(topics) => topics
                .iter()
                .filter_map(|asked| {
                    ongoing(self.image.topic(&asked.topic)?, Some(&asked.partitions))
                })
                .collect(),
        };
        ListPartitionReassignmentsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            error_message: None,
            topics,
        }
    }
}

fn ongoing(
    topic: &TopicImage,
    asked: Option<&[PartitionIndex]>,
) -> Option<OngoingTopicReassignment> {
    let partitions: Vec<OngoingPartitionReassignment> = topic
        .partitions
        .iter()
        .filter(|(index, _)| asked.is_none_or(|asked| asked.contains(index)))
        .filter(|(_, partition)| partition.is_reassigning())
        .map(|(index, partition)| OngoingPartitionReassignment {
            partition_index: *index,
            replicas: partition.replicas.clone(),
            adding_replicas: partition.adding_replicas.clone(),
            removing_replicas: partition.removing_replicas.clone(),
        })
        .collect();
    (!partitions.is_empty())
        .then(|| OngoingTopicReassignment { name: topic.name.clone(), partitions })
}

/// What is in `a` but not in `b`, ascending.
fn difference(a: &[BrokerId], b: &[BrokerId]) -> Vec<BrokerId> {
    let mut difference = without(a, b);
    simulation::sorted::sort(&mut difference);
    difference
}

fn without(list: &[BrokerId], excluded: &[BrokerId]) -> Vec<BrokerId> {
    list.iter().copied().filter(|broker| !excluded.contains(broker)).collect()
}

fn same_replication_factor(
    partition: &PartitionRegistration,
    asked: usize,
) -> Result<(), ApiError> {
    let current = if partition.is_reassigning() {
        without(&partition.replicas, &partition.removing_replicas).len()
    } else {
        partition.replicas.len()
    };
    if current == asked {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::InvalidReplicationFactor,
        format!("The replication factor is changed from {current} to {asked}"),
    ))
}
