//! Replicas that a person assigned by hand. Kafka: `validateManualPartitionAssignment`.

use super::ReplicationControl;
use crate::controller::api_error::ApiError;
use crate::protocol::errors::ErrorCode;
use crate::types::BrokerId;

impl ReplicationControl<'_> {
    /// Checks one partition's replicas; `replication_factor` is that of the partitions before it.
    pub(super) fn validate_manual_assignment(
        &self,
        replicas: &[BrokerId],
        replication_factor: Option<usize>,
    ) -> Result<(), ApiError> {
        let refuse =
            |message: String| Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, message));
        if replicas.is_empty() {
            return refuse(
                "The manual partition assignment includes an empty replica list.".into(),
            );
        }
        let mut sorted = replicas.to_vec();
        simulation::sorted::sort(&mut sorted);
        for (index, broker) in sorted.iter().enumerate() {
            if !self.image.brokers.contains_key(broker) {
                return refuse(format!(
                    "The manual partition assignment includes broker {broker}, but no such broker is registered."
                ));
            }
            if index > 0 && sorted[index - 1] == *broker {
                return refuse(format!(
                    "The manual partition assignment includes the broker {broker} more than once."
                ));
            }
        }
        match replication_factor {
            Some(expected) if expected != replicas.len() => refuse(format!(
                "The manual partition assignment includes a partition with {} replica(s), but this is not consistent \
                 with previous partitions, which have {expected} replica(s).",
                replicas.len()
            )),
            _ => Ok(()),
        }
    }

    /// The ISR of a partition assigned by hand.
    pub(super) fn manual_isr(
        &self,
        replicas: &[BrokerId],
        partition: i32,
    ) -> Result<Vec<BrokerId>, ApiError> {
        let isr = self.active(replicas);
        if isr.is_empty() {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicaAssignment,
                format!(
                    "All brokers specified in the manual partition assignment for partition {partition} are fenced or \
                     in controlled shutdown."
                ),
            ));
        }
        Ok(isr)
    }
}

/// No replica of a partition that was placed is active.
pub(super) fn none_active(replication_factor: i16) -> ApiError {
    ApiError::new(
        ErrorCode::InvalidReplicationFactor,
        format!(
            "Unable to replicate the partition {replication_factor} time(s): All brokers are currently fenced or in \
             controlled shutdown."
        ),
    )
}
