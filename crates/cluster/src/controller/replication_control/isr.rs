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
            let alter = |data| match self.alter_isr(request.broker_id, topic.topic_id, data) {
                Ok((record, partition)) => {
                    records.extend(record);
                    answer(data.partition_index, &partition)
                }
                Err((error, record)) => {
                    records.extend(record);
                    refusal(data.partition_index, error)
                }
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

    /// The partition as it will be. An error may come with a record: the change happened, and brought another leader.
    #[allow(clippy::type_complexity)]
    fn alter_isr(
        &self,
        broker_id: BrokerId,
        topic_id: Uuid,
        data: &AlterPartitionPartition,
    ) -> Result<(Option<MetadataRecord>, PartitionRegistration), (ErrorCode, Option<MetadataRecord>)>
    {
        let partition_id = data.partition_index;
        if !self.image.topics.contains_key(&topic_id) {
            return Err((ErrorCode::UnknownTopicId, None));
        }
        let Some(partition) = self.image.partition(topic_id, partition_id) else {
            return Err((ErrorCode::UnknownTopicOrPartition, None));
        };
        self.validate_isr(broker_id, partition, data).map_err(|error| (error, None))?;
        let record = self.change(
            (topic_id, partition_id, partition),
            &|broker| self.image.is_active(broker),
            |change| {
                change.target_isr =
                    data.new_isr_with_epochs.iter().map(|state| state.broker_id).collect();
                change.target_leader_recovery_state = data.leader_recovery_state;
            },
        );
        let mut changed = partition.clone();
        if let Some(record) = &record {
            changed.merge(record);
            if matches!(record, MetadataRecord::PartitionChange { leader: Some(leader), .. } if *leader != broker_id)
            {
                return Err((ErrorCode::NewLeaderElected, Some(record.clone())));
            }
        }
        Ok((record, changed))
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
