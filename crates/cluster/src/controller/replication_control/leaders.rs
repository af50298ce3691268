//! Elections that are asked for, and those that happen from time to time.
//! Kafka: `electLeaders`, `maybeBalancePartitionLeaders`, `maybeElectUncleanLeaders`.

use super::{Decision, MAX_ELECTIONS_PER_IMBALANCE, ReplicationControl};
use crate::controller::api_error::{ApiError, code_and_message};
use crate::controller::election::{Election, PartitionChangeBuilder};
use crate::controller::image::PartitionRegistration;
use crate::controller::records::MetadataRecord;
use crate::java::timeline_order;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

impl ReplicationControl<'_> {
    /// Decides about elections that an admin asks for.
    pub fn elect_leaders(
        &self,
        request: &ElectLeadersRequest,
    ) -> Result<Decision<ElectLeadersResponse>, ApiError> {
        let election = match request.election_type {
            0 => Election::Preferred,
            1 => Election::Unclean,
            other => {
                return Err(ApiError::new(
                    ErrorCode::InvalidRequest,
                    format!("Unknown election type {other}"),
                ));
            }
        };
        let mut records = Vec::new();
        let mut elect = |topic: &str, partition_id| {
            let outcome =
                self.elect_leader(topic, partition_id, election).map(|record| records.push(record));
            let (error_code, error_message) = code_and_message(&outcome);
            PartitionResult { partition_id, error_code, error_message }
        };
        let replica_election_results = match &request.topic_partitions {
            Some(topics) => topics
                .iter()
                .map(|topic| ReplicaElectionResult {
                    topic: topic.topic.clone(),
                    partition_result: topic
                        .partitions
                        .iter()
                        .map(|partition| elect(&topic.topic, *partition))
                        .collect(),
                })
                .collect(),
            // Asked for all, Kafka keeps silent about partitions that need none.
            None => timeline_order(self.image.topics_by_name.keys().map(String::as_str))
                .into_iter()
                .filter_map(|name| self.image.topic(name))
                .map(|topic| ReplicaElectionResult {
                    topic: topic.name.clone(),
                    partition_result: timeline_order(topic.partitions.keys().copied())
                        .into_iter()
                        .map(|partition| elect(&topic.name, partition))
                        .filter(|result| result.error_code != ErrorCode::ElectionNotNeeded.code())
                        .collect(),
                })
                .collect(),
        };
        let response = ElectLeadersResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None.code(),
            replica_election_results,
        };
        Ok(Decision::new(records, response))
    }

    fn elect_leader(
        &self,
        topic: &str,
        partition_id: PartitionIndex,
        election: Election,
    ) -> Result<MetadataRecord, ApiError> {
        let unknown = |what: String| ApiError::new(ErrorCode::UnknownTopicOrPartition, what);
        let found =
            self.image.topic(topic).ok_or_else(|| unknown(format!("No such topic as {topic}")))?;
        let partition = found
            .partitions
            .get(&partition_id)
            .ok_or_else(|| unknown(format!("No such partition as {topic}-{partition_id}")))?;
        let (satisfied, unavailable) = if election == Election::Preferred {
            (partition.has_preferred_leader(), ErrorCode::PreferredLeaderNotAvailable)
        } else {
            (partition.has_leader(), ErrorCode::EligibleLeadersNotAvailable)
        };
        if satisfied {
            return Err(ApiError::with_default_message(ErrorCode::ElectionNotNeeded));
        }
        self.election_record(found.id, partition_id, partition, election)
            .ok_or_else(|| ApiError::with_default_message(unavailable))
    }

    fn election_record(
        &self,
        topic_id: Uuid,
        partition_id: PartitionIndex,
        partition: &PartitionRegistration,
        election: Election,
    ) -> Option<MetadataRecord> {
        let acceptable = |broker: BrokerId| self.image.is_active(broker);
        let mut change = PartitionChangeBuilder::new(
            partition,
            topic_id,
            partition_id,
            self.rules(topic_id, &acceptable),
        );
        change.election = election;
        change.build()
    }

    /// Moves leaders to their preferred replicas, `MAX_ELECTIONS_PER_IMBALANCE` at most; whether there may be more to do.
    pub fn balance_partition_leaders(&self) -> Decision<bool> {
        let imbalanced = self.image.partitions_where(|partition| !partition.has_preferred_leader());
        let records: Vec<MetadataRecord> = imbalanced
            .filter_map(|(topic, index, partition)| {
                self.election_record(topic, index, partition, Election::Preferred)
            })
            .take(MAX_ELECTIONS_PER_IMBALANCE)
            .collect();
        let more = records.len() >= MAX_ELECTIONS_PER_IMBALANCE;
        Decision::new(records, more)
    }

    /// Gives leaders to partitions without one, where the topic allows unclean elections; whether there may be more to do.
    pub fn elect_unclean_leaders(&self) -> Decision<bool> {
        let leaderless = self.image.partitions_where(|partition| !partition.has_leader());
        let records: Vec<MetadataRecord> = leaderless
            .filter(|(topic, ..)| {
                let name = self.image.topics.get(topic).map_or("", |topic| topic.name.as_str());
                self.configs.unclean_leader_election_enabled(name)
            })
            .filter_map(|(topic, index, partition)| {
                self.election_record(topic, index, partition, Election::Unclean)
            })
            .take(MAX_ELECTIONS_PER_IMBALANCE)
            .collect();
        let more = records.len() >= MAX_ELECTIONS_PER_IMBALANCE;
        Decision::new(records, more)
    }
}
