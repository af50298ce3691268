//! CreateTopics: each topic succeeds or fails on its own. Kafka: `ReplicationControlManager.createTopics`.

use simulation::sorted::SortedMap;

use simulation::Draw;

use super::assignment::none_active;
use super::{Decision, MAX_PARTITIONS_PER_BATCH, ReplicationControl, partition_record};
use crate::config::{ConfigDef, ConfigKey};
use crate::controller::api_error::ApiError;
use crate::controller::configuration_control::AlterOp;
use crate::controller::image::resource_type;
use crate::controller::placement;
use crate::controller::records::MetadataRecord;
use crate::protocol::errors::ErrorCode;
use crate::protocol::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use crate::topic_names;
use crate::types::{BrokerId, PartitionIndex};
use crate::uuid::Uuid;

type Assignments = SortedMap<PartitionIndex, (Vec<BrokerId>, Vec<BrokerId>)>;

impl ReplicationControl<'_> {
    /// Decides about new topics. `topic_ids` has a fresh id for each topic of the request; `draw` places replicas.
    /// The error is that of the whole request.
    pub fn create_topics(
        &self,
        request: &CreateTopicsRequest,
        topic_ids: &[Uuid],
        draw: &mut impl Draw,
    ) -> Result<Decision<CreateTopicsResponse>, ApiError> {
        self.limit_partitions(&request.topics)?;
        let mut records = Vec::new();
        let mut results = Vec::with_capacity(request.topics.len());
        for (topic, topic_id) in request.topics.iter().zip(topic_ids) {
            let outcome = self.create_topic(topic, *topic_id, draw);
            results.push(match outcome {
                Ok((new_records, result)) => {
                    records.extend(new_records);
                    result
                }
                Err(error) => CreatableTopicResult {
                    name: topic.name.clone(),
                    error_code: error.code(),
                    error_message: error.message,
                    num_partitions: -1,
                    replication_factor: -1,
                    ..CreatableTopicResult::default()
                },
            });
        }
        if request.validate_only {
            records.clear();
        }
        Ok(Decision::new(records, CreateTopicsResponse { throttle_time_ms: 0, topics: results }))
    }

    fn limit_partitions(&self, topics: &[CreatableTopic]) -> Result<(), ApiError> {
        let count = |topic: &CreatableTopic| match (topic.assignments.len(), topic.num_partitions) {
            (0, -1) => self.configs.node.integer("num.partitions") as usize,
            (0, count) => count.max(0) as usize,
            (assigned, _) => assigned,
        };
        if topics.iter().map(count).fold(0, usize::saturating_add) > MAX_PARTITIONS_PER_BATCH {
            return Err(ApiError::new(
                ErrorCode::PolicyViolation,
                "Excessively large number of partitions per request.",
            ));
        }
        Ok(())
    }

    fn create_topic(
        &self,
        topic: &CreatableTopic,
        topic_id: Uuid,
        draw: &mut impl Draw,
    ) -> Result<(Vec<MetadataRecord>, CreatableTopicResult), ApiError> {
        self.validate_new_name(&topic.name)?;
        let config_records = self.creation_configs(topic)?;
        let assignments = if topic.assignments.is_empty() {
            self.place(topic, draw)?
        } else {
            self.assign(topic)?
        };
        let replication_factor =
            assignments.values().next().map_or(0, |(replicas, _)| replicas.len());
        let result = CreatableTopicResult {
            name: topic.name.clone(),
            topic_id,
            error_code: ErrorCode::None.code(),
            error_message: None,
            num_partitions: assignments.len() as i32,
            replication_factor: replication_factor as i16,
            configs: self.result_configs(topic),
        };
        let mut records = vec![MetadataRecord::Topic { name: topic.name.clone(), topic_id }];
        records.extend(config_records);
        records.extend(
            assignments
                .into_iter()
                .map(|(index, (replicas, isr))| partition_record(topic_id, index, replicas, isr)),
        );
        Ok((records, result))
    }

    fn validate_new_name(&self, name: &str) -> Result<(), ApiError> {
        let valid = topic_names::validate(name)
            .map_err(|message| ApiError::new(ErrorCode::InvalidTopicException, message));
        if self.image.topics_by_name.contains_key(name) {
            return Err(ApiError::new(
                ErrorCode::TopicAlreadyExists,
                format!("Topic '{name}' already exists."),
            ));
        }
        if topic_names::has_collision_chars(name) {
            let collides = |other: &&String| {
                topic_names::has_collision_chars(other) && topic_names::has_collision(name, other)
            };
            if let Some(other) = self.image.topics_by_name.keys().find(collides) {
                return Err(ApiError::new(
                    ErrorCode::InvalidTopicException,
                    format!("Topic '{name}' collides with existing topic: {other}"),
                ));
            }
        }
        valid
    }

    fn creation_configs(&self, topic: &CreatableTopic) -> Result<Vec<MetadataRecord>, ApiError> {
        let nulls: Vec<&str> = topic
            .configs
            .iter()
            .filter(|config| config.value.is_none())
            .map(|config| config.name.as_str())
            .collect();
        if !nulls.is_empty() {
            return Err(ApiError::new(
                ErrorCode::InvalidConfig,
                format!("Null value not supported for topic configs: {}", nulls.join(",")),
            ));
        }
        if topic.configs.is_empty() {
            return Ok(Vec::new());
        }
        let ops: Vec<_> = topic
            .configs
            .iter()
            .map(|config| (config.name.clone(), AlterOp::Set, config.value.clone()))
            .collect();
        self.configs.incremental_alter_config(resource_type::TOPIC, &topic.name, &ops, true)
    }

    fn assign(&self, topic: &CreatableTopic) -> Result<Assignments, ApiError> {
        if topic.replication_factor != -1 {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            ));
        }
        if topic.num_partitions != -1 {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                "A manual partition assignment was specified, but numPartitions was not set to -1.",
            ));
        }
        let mut assignments = Assignments::new();
        let mut replication_factor = None;
        for assignment in &topic.assignments {
            let index = assignment.partition_index;
            if assignments.contains_key(&index) {
                return Err(ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    format!("Found multiple manual partition assignments for partition {index}"),
                ));
            }
            self.validate_manual_assignment(&assignment.broker_ids, replication_factor)?;
            replication_factor = Some(assignment.broker_ids.len());
            let isr = self.manual_isr(&assignment.broker_ids, index)?;
            assignments.insert(index, (assignment.broker_ids.clone(), isr));
        }
        if !assignments.keys().copied().eq(0..assignments.len() as i32) {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicaAssignment,
                "partitions should be a consecutive 0-based integer sequence",
            ));
        }
        Ok(assignments)
    }

    fn place(&self, topic: &CreatableTopic, draw: &mut impl Draw) -> Result<Assignments, ApiError> {
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicationFactor,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ));
        }
        if topic.num_partitions < -1 || topic.num_partitions == 0 {
            return Err(ApiError::new(
                ErrorCode::InvalidPartitions,
                "Number of partitions was set to an invalid non-positive value.",
            ));
        }
        let or_default = |given: i64, name: &str| {
            if given == -1 { self.configs.node.integer(name) } else { given }
        };
        let partitions = or_default(topic.num_partitions.into(), "num.partitions") as i32;
        let replication_factor =
            or_default(topic.replication_factor.into(), "default.replication.factor") as i16;
        let placed = placement::place(&self.usable_brokers(), partitions, replication_factor, draw)
            .map_err(|why| {
                ApiError::new(
                    ErrorCode::InvalidReplicationFactor,
                    format!(
                        "Unable to replicate the partition {replication_factor} time(s): {why}"
                    ),
                )
            })?;
        let mut assignments = Assignments::new();
        for (index, replicas) in placed.into_iter().enumerate() {
            let isr = self.active(&replicas);
            if isr.is_empty() {
                return Err(none_active(replication_factor));
            }
            assignments.insert(index as i32, (replicas, isr));
        }
        Ok(assignments)
    }

    fn result_configs(&self, topic: &CreatableTopic) -> Vec<CreatableTopicConfigs> {
        let own = topic
            .configs
            .iter()
            .filter_map(|config| Some((config.name.clone(), config.value.clone()?)))
            .collect();
        self.configs
            .effective_topic_configs(&own)
            .into_iter()
            .map(|config| {
                let is_sensitive =
                    ConfigDef::Topic.key(config.name).is_some_and(ConfigKey::is_sensitive);
                CreatableTopicConfigs {
                    name: config.name.to_owned(),
                    value: config.value.filter(|_| !is_sensitive),
                    read_only: false,
                    config_source: config.source as i8,
                    is_sensitive,
                }
            })
            .collect()
    }
}
