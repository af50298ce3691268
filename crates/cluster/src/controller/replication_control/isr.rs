//! AlterPartition: a leader proposes its partition's ISR. Kafka: `ReplicationControlManager.alterPartition`.

use super::{Decision, ReplicationControl};
use crate::controller::api_error::ApiError;
use crate::controller::cluster_control::check_broker_epoch;
use crate::controller::election::{RECOVERED, RECOVERING};
use crate::controller::image::PartitionRegistration;
use crate::controller::records::MetadataRecord;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    AlterPartitionPartition, AlterPartitionPartitionResponse, AlterPartitionRequest,
    AlterPartitionResponse, AlterPartitionTopicResponse, BrokerState,
};
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

impl ReplicationControl<'_> {
    /// Decides about proposed ISRs. The error is that of the whole request.
    pub fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
    ) -> Result<Decision<AlterPartitionResponse>, ApiError> {
        check_broker_epoch(self.image, request.broker_id, request.broker_epoch)?;
        let mut records = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            let alter = |data: &AlterPartitionPartition| {
                let (record, outcome) = self.alter_isr(request.broker_id, topic.topic_id, data);
                records.extend(record);
                outcome.map_or_else(
                    |error| refusal(data.partition_index, error),
                    |partition| answer(data.partition_index, &partition),
                )
            };
            let partitions = topic.partitions.iter().map(alter).collect();
            topics.push(AlterPartitionTopicResponse { topic_id: topic.topic_id, partitions });
        }
        let response = AlterPartitionResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            topics,
        };
        Ok(Decision::new(records, response))
    }

    /// The change, and the partition as it will be. An error may come with a change: it brought another leader.
    fn alter_isr(
        &self,
        broker_id: BrokerId,
        topic_id: Uuid,
        data: &AlterPartitionPartition,
    ) -> (Option<MetadataRecord>, Result<PartitionRegistration, ErrorCode>) {
        let partition_id = data.partition_index;
        if !self.image.topics.contains_key(&topic_id) {
            return (None, Err(ErrorCode::UnknownTopicId));
        }
        let Some(partition) = self.image.partition(topic_id, partition_id) else {
            return (None, Err(ErrorCode::UnknownTopicOrPartition));
        };
        if let Err(error) = self.validate_isr(broker_id, partition, data) {
            return (None, Err(error));
        }
        let acceptable = |broker: BrokerId| self.image.is_active(broker);
        let record = self.change((topic_id, partition_id, partition), &acceptable, |change| {
            change.target_isr =
                data.new_isr_with_epochs.iter().map(|state| state.broker_id).collect();
            change.target_leader_recovery_state = data.leader_recovery_state;
        });
        let mut changed = partition.clone();
        record.iter().for_each(|record| changed.merge(record));
        let outcome = if changed.leader == broker_id {
            Ok(changed)
        } else {
            Err(ErrorCode::NewLeaderElected)
        };
        (record, outcome)
    }

    fn validate_isr(
        &self,
        broker_id: BrokerId,
        partition: &PartitionRegistration,
        data: &AlterPartitionPartition,
    ) -> Result<(), ErrorCode> {
        if data.leader_epoch > partition.leader_epoch
            || data.partition_epoch > partition.partition_epoch
        {
            return Err(ErrorCode::NotController); // the leader knows more: this controller is behind
        }
        if data.leader_epoch < partition.leader_epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if broker_id != partition.leader {
            return Err(ErrorCode::InvalidRequest);
        }
        if data.partition_epoch < partition.partition_epoch {
            return Err(ErrorCode::InvalidUpdateVersion);
        }
        let isr: Vec<BrokerId> =
            data.new_isr_with_epochs.iter().map(|state| state.broker_id).collect();
        let distinct =
            isr.iter().enumerate().all(|(index, replica)| !isr[..index].contains(replica));
        let assigned = isr.iter().all(|replica| partition.replicas.contains(replica));
        let recovering = data.leader_recovery_state == RECOVERING;
        if isr.is_empty()
            || !distinct
            || !assigned
            || !isr.contains(&partition.leader)
            || (recovering && (isr.len() > 1 || partition.leader_recovery_state == RECOVERED))
        {
            return Err(ErrorCode::InvalidRequest);
        }
        if data.new_isr_with_epochs.iter().all(|state| self.is_eligible(state)) {
            Ok(())
        } else {
            Err(ErrorCode::IneligibleReplica)
        }
    }

    /// Whether a replica may join an ISR: registered, active, and in the incarnation that fetched.
    fn is_eligible(&self, state: &BrokerState) -> bool {
        self.image.is_active(state.broker_id)
            && self.image.brokers.get(&state.broker_id).is_some_and(|broker| {
                state.broker_epoch == -1 || state.broker_epoch == broker.epoch
            })
    }
}

fn answer(
    partition_index: PartitionIndex,
    partition: &PartitionRegistration,
) -> AlterPartitionPartitionResponse {
    AlterPartitionPartitionResponse {
        partition_index,
        error_code: ErrorCode::None.code(),
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch,
        isr: partition.isr.clone(),
        leader_recovery_state: partition.leader_recovery_state,
        partition_epoch: partition.partition_epoch,
    }
}

fn refusal(partition_index: PartitionIndex, error: ErrorCode) -> AlterPartitionPartitionResponse {
    AlterPartitionPartitionResponse {
        partition_index,
        error_code: error.code(),
        ..AlterPartitionPartitionResponse::default()
    }
}
