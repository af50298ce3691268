//! From a request to a decision: which records it takes, and what it answers. The active controller only.
//!
//! Registration and heartbeats are decided here; topics, partitions and configurations in the modules of their names.
//! Kafka: `QuorumController`'s methods over `ClusterControlManager`, `ReplicationControlManager`, `ConfigurationControlManager`.

use simulation::{Micros, Random};

use super::heartbeats::BrokerState;
use super::image::{MetadataImage, resource_type};
use super::quorum_controller::{Active, BROKER_SESSION_TIMEOUT, Decision};
use super::raft::Raft;
use super::records::MetadataRecord;
use crate::event::ChangeCause;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, BrokerHeartbeatRequest, BrokerHeartbeatResponse,
    BrokerRegistrationRequest, BrokerRegistrationResponse, DescribeQuorumResponse, QuorumReplicaState, Request,
    Response,
};
use crate::types::{BrokerId, Offset, TimestampMs};
use crate::uuid::Uuid;
use crate::world::wall_clock_ms;

/// Producer ids are handed out in blocks of this many (KIP-730).
const PRODUCER_ID_BLOCK: i32 = 1_000;

/// What a decision may look at beside the image.
pub struct Asked<'a> {
    pub now: Micros,
    /// Where the records of this decision will stand in the log.
    pub log_end: Offset,
    /// server.properties of this controller.
    pub configs: &'a [(String, String)],
    pub raft: &'a Raft,
    pub epoch_ms: TimestampMs,
}

/// A static broker configuration, if server.properties has it.
pub fn static_config<'a>(configs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    configs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn no_records(response: impl Into<Response>) -> Decision {
    Decision { records: Vec::new(), response: response.into(), cause: ChangeCause::Created }
}

fn register_broker(active: &mut Active, request: &BrokerRegistrationRequest, asked: &Asked<'_>) -> Decision {
    let id = request.broker_id;
    let existing = active.image.brokers.get(&id);
    let mut records = Vec::new();
    let mut cause = ChangeCause::Created;
    if let Some(existing) = existing {
        let alive = !existing.fenced && active.heartbeats.silent_for(id, asked.now) <= BROKER_SESSION_TIMEOUT;
        if alive && existing.incarnation_id != request.incarnation_id {
            return no_records(BrokerRegistrationResponse {
                error_code: ErrorCode::DuplicateBrokerRegistration.code(),
                ..BrokerRegistrationResponse::default()
            });
        }
        // Without the clean-shutdown file of its last registration its log may have lost its end (KIP-966).
        if request.previous_broker_epoch != existing.epoch {
            cause = ChangeCause::UncleanShutdown;
            records.extend(unclean_shutdown(&active.image, asked.configs, id));
        }
    }
    let broker_epoch = asked.log_end + records.len() as Offset;
    let listener = request.listeners.first().cloned().unwrap_or_default();
    records.push(MetadataRecord::RegisterBroker {
        broker_id: id,
        incarnation_id: request.incarnation_id,
        broker_epoch,
        host: listener.host,
        port: listener.port,
        rack: request.rack.clone(),
        fenced: true,
        in_controlled_shutdown: false,
    });
    active.heartbeats.registered(id, asked.now);
    let response = BrokerRegistrationResponse { broker_epoch, ..BrokerRegistrationResponse::default() };
    Decision { records, response: response.into(), cause }
}

/// Kafka: `BrokerHeartbeatManager.calculateNextBrokerState` and `ReplicationControlManager.processBrokerHeartbeat`.
fn heartbeat(active: &mut Active, request: &BrokerHeartbeatRequest, asked: &Asked<'_>) -> Decision {
    let id = request.broker_id;
    let refuse = |error: ErrorCode| {
        no_records(BrokerHeartbeatResponse { error_code: error.code(), ..BrokerHeartbeatResponse::default() })
    };
    let Some(broker) = active.image.brokers.get(&id) else { return refuse(ErrorCode::BrokerIdNotRegistered) };
    if broker.epoch != request.broker_epoch {
        return refuse(ErrorCode::StaleBrokerEpoch);
    }
    let (fenced, draining, epoch) = (broker.fenced, broker.in_controlled_shutdown, broker.epoch);
    active.heartbeats.heard(id, asked.now, request.current_metadata_offset);
    let caught_up = request.current_metadata_offset >= epoch;
    let leads = || active.image.partitions_where(|partition| partition.leader == id).next().is_some();
    let next = if fenced {
        match (request.want_shut_down, request.want_fence) {
            (true, _) => BrokerState::ShutdownNow,
            (false, false) if caught_up => BrokerState::Unfenced,
            _ => BrokerState::Fenced,
        }
    } else if request.want_fence {
        if request.want_shut_down { BrokerState::ShutdownNow } else { BrokerState::Fenced }
    } else if !draining {
        match (request.want_shut_down, request.want_shut_down && leads()) {
            (false, _) => BrokerState::Unfenced,
            (true, true) => BrokerState::ControlledShutdown,
            (true, false) => BrokerState::ShutdownNow,
        }
    } else if leads() {
        BrokerState::ControlledShutdown
    } else {
        let unfenced = active.image.brokers.values().filter(|broker| !broker.fenced).map(|broker| broker.id);
        if active.heartbeats.others_caught_up(id, unfenced) {
            BrokerState::ShutdownNow
        } else {
            BrokerState::ControlledShutdown
        }
    };
    let (records, cause) = match next {
        BrokerState::Unfenced if fenced => {
            (unfence_broker(&active.image, asked.configs, id), ChangeCause::BrokerUnfenced)
        }
        BrokerState::ControlledShutdown if !draining => {
            let records = start_controlled_shutdown(&active.image, asked.configs, id);
            active.heartbeats.begin_controlled_shutdown(id, asked.log_end + records.len() as Offset);
            (records, ChangeCause::ControlledShutdown)
        }
        BrokerState::ShutdownNow if !fenced => {
            (fence_broker(&active.image, asked.configs, id), ChangeCause::ControlledShutdown)
        }
        BrokerState::Fenced if !fenced => {
            (fence_broker(&active.image, asked.configs, id), ChangeCause::BrokerFenced)
        }
        _ => (Vec::new(), ChangeCause::Created),
    };
    let response = BrokerHeartbeatResponse {
        is_caught_up: caught_up,
        is_fenced: matches!(next, BrokerState::Fenced | BrokerState::ShutdownNow),
        should_shut_down: next == BrokerState::ShutdownNow,
        ..BrokerHeartbeatResponse::default()
    };
    Decision { records, response: response.into(), cause }
}

fn allocate_producer_ids(active: &Active, request: &AllocateProducerIdsRequest) -> Decision {
    let broker = active.image.brokers.get(&request.broker_id);
    if broker.is_none_or(|broker| broker.epoch != request.broker_epoch) {
        return no_records(AllocateProducerIdsResponse {
            error_code: ErrorCode::StaleBrokerEpoch.code(),
            ..AllocateProducerIdsResponse::default()
        });
    }
    let start = active.image.next_producer_id;
    let record = MetadataRecord::ProducerIds {
        broker_id: request.broker_id,
        broker_epoch: request.broker_epoch,
        next_producer_id: start + i64::from(PRODUCER_ID_BLOCK),
    };
    let response = AllocateProducerIdsResponse {
        producer_id_start: start,
        producer_id_len: PRODUCER_ID_BLOCK,
        ..AllocateProducerIdsResponse::default()
    };
    Decision { records: vec![record], response: response.into(), cause: ChangeCause::Created }
}

fn describe_quorum(asked: &Asked<'_>) -> Decision {
    let raft = asked.raft;
    let wall = |at: Micros| if at == Micros::ZERO { -1 } else { wall_clock_ms(asked.epoch_ms, at) };
    let state = |replica_id, log_end_offset, last_fetch_timestamp, last_caught_up_timestamp| QuorumReplicaState {
        replica_id,
        replica_directory_id: Uuid::default(),
        log_end_offset,
        last_fetch_timestamp,
        last_caught_up_timestamp,
    };
    let leader = raft.leader().unwrap_or(-1);
    let now = wall_clock_ms(asked.epoch_ms, asked.now);
    let progress: Vec<_> = raft.progress().collect();
    let current_voters = raft
        .voters()
        .iter()
        .map(|&id| {
            if id == leader {
                return state(id, raft.log().end_offset(), now, now);
            }
            match progress.iter().find(|(replica, _)| *replica == id) {
                Some((_, progress)) => {
                    state(id, progress.end_offset, wall(progress.last_fetch), wall(progress.last_caught_up))
                }
                None => state(id, -1, -1, -1),
            }
        })
        .collect();
    no_records(DescribeQuorumResponse {
        leader_id: leader,
        leader_epoch: raft.epoch(),
        high_watermark: raft.high_watermark(),
        current_voters,
        ..DescribeQuorumResponse::default()
    })
}
