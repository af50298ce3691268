//! From a request to a decision: which records it takes, and what it answers. The active controller only.
//!
//! What is decided about brokers, topics and configurations is in the modules of those names; here a request finds its
//! way there and its answer gets its shape. Kafka: `ControllerApis` and the methods of `QuorumController`.

use simulation::{Micros, Random};

use super::api_error::ApiError;
use super::cluster_control::{BrokerHeartbeats, ClusterControl};
use super::configuration_control::{AlterOp, ConfigurationControl};
use super::image::MetadataImage;
use super::producer_ids;
use super::raft::Raft;
use super::records::MetadataRecord;
use super::replication_control::{self, ReplicationControl};
use crate::config::NodeConfig;
use crate::event::ChangeCause;
use crate::protocol::errors::ErrorCode;
use crate::protocol::*;
use crate::types::{BrokerId, Offset, TimestampMs};
use crate::uuid::Uuid;
use crate::world::wall_clock_ms;

/// What the decisions of one moment look at.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    pub now: Micros,
    pub image: &'a MetadataImage,
    pub heartbeats: &'a BrokerHeartbeats,
    pub node: &'a NodeConfig,
    pub node_id: BrokerId,
    pub cluster_id: &'a str,
    pub raft: &'a Raft,
    pub epoch_ms: TimestampMs,
}

/// What a request comes to.
pub struct Decision {
    pub records: Vec<MetadataRecord>,
    pub response: Response,
    pub cause: ChangeCause,
    /// This broker's controlled shutdown begins or goes on with these records.
    pub draining: Option<BrokerId>,
}

impl Decision {
    fn new(
        records: Vec<MetadataRecord>,
        response: impl Into<Response>,
        cause: ChangeCause,
    ) -> Self {
        Self { records, response: response.into(), cause, draining: None }
    }
}

impl<'a> Control<'a> {
    pub fn configuration(&self) -> ConfigurationControl<'a> {
        ConfigurationControl { image: self.image, node: self.node, node_id: self.node_id }
    }

    pub fn replication(&self) -> ReplicationControl<'a> {
        ReplicationControl::new(self.configuration())
    }

    pub fn cluster(&self) -> ClusterControl<'a> {
        ClusterControl {
            replication: self.replication(),
            heartbeats: self.heartbeats,
            cluster_id: self.cluster_id,
        }
    }

    /// Decides any request that changes metadata or asks about it.
    pub fn decide(&self, random: &mut Random, request: &Request) -> Decision {
        let replication = self.replication();
        match request {
            Request::BrokerRegistration(registration) => self.register(registration),
            Request::BrokerHeartbeat(heartbeat) => self.heartbeat(heartbeat),
            Request::AlterPartition(asked) => {
                let expands = |partition: &AlterPartitionPartition| {
                    asked.topics.iter().any(|topic| {
                        self.image.partition(topic.topic_id, partition.partition_index).is_some_and(
                            |known| {
                                topic.partitions.contains(partition)
                                    && known.isr.len() < partition.new_isr_with_epochs.len()
                            },
                        )
                    })
                };
                let grows = asked.topics.iter().flat_map(|topic| &topic.partitions).any(expands);
                let cause = if grows { ChangeCause::IsrExpanded } else { ChangeCause::IsrShrunk };
                answer(replication.alter_partition(asked), request, cause)
            }
            Request::CreateTopics(asked) => {
                let ids: Vec<Uuid> = asked.topics.iter().map(|_| Uuid::random(random)).collect();
                answer(
                    replication.create_topics(asked, &ids, random),
                    request,
                    ChangeCause::Created,
                )
            }
            Request::DeleteTopics(asked) => {
                answer(replication.delete_topics(asked), request, ChangeCause::Created)
            }
            Request::CreatePartitions(asked) => answer(
                Ok(replication.create_partitions(asked, random)),
                request,
                ChangeCause::Created,
            ),
            Request::ElectLeaders(asked) => {
                let cause = if asked.election_type == 0 {
                    ChangeCause::PreferredElection
                } else {
                    ChangeCause::UncleanElection
                };
                answer(replication.elect_leaders(asked), request, cause)
            }
            Request::IncrementalAlterConfigs(asked) => self.alter_configs(asked),
            Request::AlterPartitionReassignments(asked) => answer(
                Ok(replication.alter_partition_reassignments(asked)),
                request,
                ChangeCause::Reassignment,
            ),
            Request::ListPartitionReassignments(asked) => Decision::new(
                Vec::new(),
                replication.list_partition_reassignments(asked),
                ChangeCause::Created,
            ),
            Request::AllocateProducerIds(asked) => self.allocate_producer_ids(asked),
            Request::UnregisterBroker(asked) => {
                let decided = self.cluster().unregister_broker(asked.broker_id).map(|records| {
                    replication_control::Decision::new(records, UnregisterBrokerResponse::default())
                });
                answer(decided, request, ChangeCause::BrokerFenced)
            }
            Request::DescribeQuorum(_) => {
                Decision::new(Vec::new(), self.describe_quorum(), ChangeCause::Created)
            }
            other => Decision::new(
                Vec::new(),
                refused(other, &ApiError::with_default_message(ErrorCode::UnsupportedVersion)),
                ChangeCause::Created,
            ),
        }
    }

    fn register(&self, request: &BrokerRegistrationRequest) -> Decision {
        // The epoch is the offset of the registration's own record, which comes after those of an unclean shutdown.
        let log_end = self.raft.log().end_offset();
        let before = self.cluster().register_broker(request, log_end, self.now);
        let preceding =
            before.as_ref().map_or(0, |decision| decision.records.len().saturating_sub(1));
        let decided = if preceding == 0 {
            before
        } else {
            self.cluster().register_broker(request, log_end + preceding as Offset, self.now)
        };
        let cause =
            if preceding == 0 { ChangeCause::Created } else { ChangeCause::UncleanShutdown };
        match decided {
            Ok(decision) => Decision::new(decision.records, decision.response, cause),
            Err(error) => {
                let error_code = error.code();
                let response = BrokerRegistrationResponse {
                    error_code,
                    broker_epoch: -1,
                    ..Default::default()
                };
                Decision::new(Vec::new(), response, cause)
            }
        }
    }

    fn heartbeat(&self, request: &BrokerHeartbeatRequest) -> Decision {
        // A broker is unfenced once it has read its own registration, whose offset is its epoch.
        match self.cluster().heartbeat(request, request.broker_epoch) {
            Ok(decision) => {
                let reply = decision.response;
                let cause = if request.want_shut_down {
                    ChangeCause::ControlledShutdown
                } else if reply.response.is_fenced {
                    ChangeCause::BrokerFenced
                } else {
                    ChangeCause::BrokerUnfenced
                };
                let draining = reply.in_controlled_shutdown.then_some(request.broker_id);
                Decision { draining, ..Decision::new(decision.records, reply.response, cause) }
            }
            Err(error) => {
                let response =
                    BrokerHeartbeatResponse { error_code: error.code(), ..Default::default() };
                Decision::new(Vec::new(), response, ChangeCause::Created)
            }
        }
    }

    fn allocate_producer_ids(&self, request: &AllocateProducerIdsRequest) -> Decision {
        match producer_ids::allocate(self.image, request.broker_id, request.broker_epoch) {
            Ok((producer_id_start, record)) => {
                let response = AllocateProducerIdsResponse {
                    producer_id_start,
                    producer_id_len: producer_ids::PRODUCER_ID_BLOCK_SIZE,
                    ..Default::default()
                };
                Decision::new(vec![record], response, ChangeCause::Created)
            }
            Err(error) => {
                let response =
                    AllocateProducerIdsResponse { error_code: error.code(), ..Default::default() };
                Decision::new(Vec::new(), response, ChangeCause::Created)
            }
        }
    }

    fn alter_configs(&self, request: &IncrementalAlterConfigsRequest) -> Decision {
        let mut all = Vec::new();
        let mut responses = Vec::with_capacity(request.resources.len());
        for resource in &request.resources {
            let ops: Option<Vec<(String, AlterOp, Option<String>)>> = resource
                .configs
                .iter()
                .map(|config| {
                    Some((
                        config.name.clone(),
                        AlterOp::from_id(config.config_operation)?,
                        config.value.clone(),
                    ))
                })
                .collect();
            let decided = match ops {
                Some(ops) => self.configuration().incremental_alter_config(
                    resource.resource_type,
                    &resource.resource_name,
                    &ops,
                    false,
                ),
                None => Err(ApiError::with_default_message(ErrorCode::InvalidRequest)),
            };
            let (error_code, error_message) = super::api_error::code_and_message(&decided);
            responses.push(AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
            });
            all.extend(decided.unwrap_or_default());
        }
        if request.validate_only {
            all.clear();
        }
        let response = IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses };
        Decision::new(all, response, ChangeCause::Created)
    }

    fn describe_quorum(&self) -> DescribeQuorumResponse {
        let raft = self.raft;
        let wall =
            |at: Micros| if at == Micros::ZERO { -1 } else { wall_clock_ms(self.epoch_ms, at) };
        let now = wall_clock_ms(self.epoch_ms, self.now);
        let progress: Vec<_> = raft.progress().collect();
        let voter = |&id: &BrokerId| {
            let (log_end_offset, last_fetch_timestamp, last_caught_up_timestamp) =
                if id == self.node_id {
                    (raft.log().end_offset(), now, now)
                } else {
                    progress.iter().find(|(replica, _)| *replica == id).map_or(
                        (-1, -1, -1),
                        |(_, progress)| {
                            (
                                progress.end_offset,
                                wall(progress.last_fetch),
                                wall(progress.last_caught_up),
                            )
                        },
                    )
                };
            QuorumReplicaState {
                replica_id: id,
                replica_directory_id: Uuid::default(),
                log_end_offset,
                last_fetch_timestamp,
                last_caught_up_timestamp,
            }
        };
        DescribeQuorumResponse {
            leader_id: raft.leader().unwrap_or(-1),
            leader_epoch: raft.epoch(),
            high_watermark: raft.high_watermark(),
            current_voters: raft.voters().iter().map(voter).collect(),
            ..Default::default()
        }
    }
}

fn answer<R: Into<Response>>(
    decided: Result<replication_control::Decision<R>, ApiError>,
    request: &Request,
    cause: ChangeCause,
) -> Decision {
    match decided {
        Ok(decision) => Decision::new(decision.records, decision.response, cause),
        Err(error) => Decision::new(Vec::new(), refused(request, &error), cause),
    }
}

/// The answer to a request that failed as a whole: in its top-level error where its response has one, else for each part.
pub fn refused(request: &Request, error: &ApiError) -> Response {
    let (error_code, error_message) = (error.code(), error.message.clone());
    match request {
        Request::BrokerRegistration(_) => {
            BrokerRegistrationResponse { error_code, ..Default::default() }.into()
        }
        Request::BrokerHeartbeat(_) => {
            BrokerHeartbeatResponse { error_code, ..Default::default() }.into()
        }
        Request::AlterPartition(_) => {
            AlterPartitionResponse { error_code, ..Default::default() }.into()
        }
        Request::AllocateProducerIds(_) => {
            AllocateProducerIdsResponse { error_code, ..Default::default() }.into()
        }
        Request::ElectLeaders(_) => {
            ElectLeadersResponse { error_code, ..Default::default() }.into()
        }
        Request::AlterPartitionReassignments(_) => {
            AlterPartitionReassignmentsResponse { error_code, error_message, ..Default::default() }
                .into()
        }
        Request::ListPartitionReassignments(_) => {
            ListPartitionReassignmentsResponse { error_code, error_message, ..Default::default() }
                .into()
        }
        Request::UnregisterBroker(_) => {
            UnregisterBrokerResponse { error_code, error_message, ..Default::default() }.into()
        }
        Request::DescribeQuorum(_) => {
            DescribeQuorumResponse { error_code, error_message, ..Default::default() }.into()
        }
        Request::CreateTopics(request) => {
            let topics = request.topics.iter().map(|topic| CreatableTopicResult {
                name: topic.name.clone(),
                error_code,
                error_message: error_message.clone(),
                ..Default::default()
            });
            CreateTopicsResponse { throttle_time_ms: 0, topics: topics.collect() }.into()
        }
        Request::DeleteTopics(request) => {
            let responses = request.topics.iter().map(|topic| DeletableTopicResult {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                error_code,
                error_message: error_message.clone(),
            });
            DeleteTopicsResponse { throttle_time_ms: 0, responses: responses.collect() }.into()
        }
        Request::CreatePartitions(request) => {
            let results = request.topics.iter().map(|topic| CreatePartitionsTopicResult {
                name: topic.name.clone(),
                error_code,
                error_message: error_message.clone(),
            });
            CreatePartitionsResponse { throttle_time_ms: 0, results: results.collect() }.into()
        }
        Request::IncrementalAlterConfigs(request) => {
            let responses = request.resources.iter().map(|resource| AlterConfigsResourceResponse {
                error_code,
                error_message: error_message.clone(),
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
            });
            IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses: responses.collect() }
                .into()
        }
        // Nothing else is sent to a controller; the envelope's own error is the only place left.
        _ => EnvelopeResponse { error_code, response: None }.into(),
    }
}
