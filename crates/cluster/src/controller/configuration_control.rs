//! Dynamic configs: who may change what, and what holds for a topic. Kafka: `ConfigurationControlManager`,
//! `ControllerConfigurationValidator`, `KafkaConfigSchema`.

use simulation::sorted::SortedMap;

use super::api_error::ApiError;
use super::feature_control;
use super::image::{MetadataImage, resource_type};
use super::records::MetadataRecord;
use crate::config::synonyms::broker_synonyms_of_topic_config;
use crate::config::{
    ConfigDef, ConfigError, ConfigKey, ConfigType, NodeConfig, client_metrics, group, topic,
};
use crate::java::JavaHashMap;
use crate::protocol::errors::ErrorCode;
use crate::topic_names;
use crate::types::BrokerId;

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";
const UNCLEAN_ELECTION: &str = "unclean.leader.election.enable";
const CORDONED_LOG_DIRS: &str = "cordoned.log.dirs";
/// Longest value, in UTF-16 units. Java: `Short.MAX_VALUE`.
const MAX_VALUE_LENGTH: usize = 32_767;

/// Where an effective value comes from. The numbers are those of `DescribeConfigsResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    DynamicTopic = 1,
    DynamicBroker = 2,
    DynamicDefaultBroker = 3,
    StaticBroker = 4,
    Default = 5,
}

/// A config's effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveConfig {
    pub name: &'static str,
    pub value: Option<String>,
    pub source: ConfigSource,
}

/// What to do with one key. Kafka: `AlterConfigOp.OpType`; the numbers are the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterOp {
    Set,
    Delete,
    Append,
    Subtract,
}

impl AlterOp {
    /// The operation of a number on the wire.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Set),
            1 => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Delete => "DELETE",
            Self::Append => "APPEND",
            Self::Subtract => "SUBTRACT",
        }
    }
}

/// The configs' part of the controller: decides over the image, changes nothing.
#[derive(Clone, Copy)]
pub struct ConfigurationControl<'a> {
    pub image: &'a MetadataImage,
    /// The active controller's static settings.
    pub node: &'a NodeConfig,
    /// The active controller.
    pub node_id: BrokerId,
}

type Configs = SortedMap<String, String>;

impl<'a> ConfigurationControl<'a> {
    fn dynamic(&self, resource_type: i8, name: &str) -> Option<&'a Configs> {
        self.image.configs_of(resource_type, name)
    }

    /// A topic config's effective value: the topic's own, else of the controller's node, the cluster, the node's
    /// settings, else Kafka's default. `own` are the topic's own configs.
    fn effective(&self, key: &'static str, own: Option<&Configs>) -> EffectiveConfig {
        let found = |value: &str, source| EffectiveConfig {
            name: key,
            value: Some(value.to_owned()),
            source,
        };
        if let Some(value) = own.and_then(|own| own.get(key)) {
            return found(value, ConfigSource::DynamicTopic);
        }
        let kind = ConfigDef::Topic.key(key).map_or(ConfigType::Text, |key| key.config_type);
        let from_broker = |lookup: &dyn Fn(&str) -> Option<&'a str>, source| {
            let (synonym, value) = broker_synonyms_of_topic_config(key)
                .iter()
                .find_map(|name| Some((*name, lookup(name)?)))?;
            Some(found(&topic::in_topic_units(synonym, value, kind), source))
        };
        let of_node = self.dynamic(resource_type::BROKER, &self.node_id.to_string());
        let of_cluster = self.dynamic(resource_type::BROKER, "");
        let in_configs =
            |configs: Option<&'a Configs>, name: &str| configs?.get(name).map(String::as_str);
        from_broker(&|name| in_configs(of_node, name), ConfigSource::DynamicBroker)
            .or_else(|| {
                from_broker(
                    &|name| in_configs(of_cluster, name),
                    ConfigSource::DynamicDefaultBroker,
                )
            })
            .or_else(|| from_broker(&|name| self.node.get(name), ConfigSource::StaticBroker))
            .unwrap_or_else(|| EffectiveConfig {
                name: key,
                value: ConfigDef::Topic
                    .key(key)
                    .and_then(ConfigKey::default_text)
                    .map(str::to_owned),
                source: ConfigSource::Default,
            })
    }

    /// An existing topic's effective value.
    pub fn topic_config(&self, topic: &str, key: &'static str) -> EffectiveConfig {
        self.effective(key, self.dynamic(resource_type::TOPIC, topic))
    }

    /// All configs that a topic with these configs of its own would have, by name.
    pub fn effective_topic_configs(&self, own: &Configs) -> Vec<EffectiveConfig> {
        let mut all: Vec<EffectiveConfig> =
            ConfigDef::Topic.keys().iter().map(|key| self.effective(key.name, Some(own))).collect();
        simulation::sorted::sort_by_key(&mut all, |config| config.name);
        all
    }

    /// A topic's `min.insync.replicas`.
    pub fn min_insync_replicas(&self, topic: &str) -> usize {
        self.topic_config(topic, MIN_INSYNC_REPLICAS)
            .value
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(1)
    }

    /// Whether a topic prefers a leader that may lack records to none.
    pub fn unclean_leader_election_enabled(&self, topic: &str) -> bool {
        self.topic_config(topic, UNCLEAN_ELECTION)
            .value
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The records of an `IncrementalAlterConfigs` of one resource. A resource that is only now being created
    /// (`newly_created`) need not exist.
    pub fn incremental_alter_config(
        &self,
        resource_type: i8,
        resource_name: &str,
        ops: &[(String, AlterOp, Option<String>)],
        newly_created: bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let current = self.dynamic(resource_type, resource_name);
        let mut altered = Vec::with_capacity(ops.len());
        for (key, op, operand) in ops {
            let old = current.and_then(|configs| configs.get(key));
            let new = match op {
                AlterOp::Set => operand.clone(),
                AlterOp::Delete => None,
                AlterOp::Append | AlterOp::Subtract => Some(altered_list(
                    resource_type,
                    key,
                    *op,
                    old,
                    operand.as_deref().unwrap_or_default(),
                )?),
            };
            if old != new.as_ref() || resource_type == resource_type::BROKER {
                altered.push((key.clone(), new));
            }
        }
        self.validate(resource_type, resource_name, &altered, &[], newly_created)?;
        Ok(self.records(resource_type, resource_name, altered))
    }

    /// The records of a legacy `AlterConfigs` of one resource: what is not named is removed.
    pub fn legacy_alter_config(
        &self,
        resource_type: i8,
        resource_name: &str,
        configs: &[(String, Option<String>)],
        newly_created: bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let current = self.dynamic(resource_type, resource_name);
        let old = |key: &str| current.and_then(|configs| configs.get(key));
        let mut altered: Vec<(String, Option<String>)> = configs
            .iter()
            .filter(|(key, new)| old(key) != new.as_ref() || resource_type == resource_type::BROKER)
            .cloned()
            .collect();
        let named = |key: &String| configs.iter().any(|(other, _)| other == key);
        let removed: Vec<String> = current
            .into_iter()
            .flat_map(|old| old.keys())
            .filter(|key| !named(key))
            .cloned()
            .collect();
        self.validate(resource_type, resource_name, &altered, &removed, newly_created)?;
        altered.extend(removed.into_iter().map(|key| (key, None)));
        Ok(self.records(resource_type, resource_name, altered))
    }

    fn records(
        &self,
        resource_type: i8,
        resource_name: &str,
        altered: Vec<(String, Option<String>)>,
    ) -> Vec<MetadataRecord> {
        // With another minimum, who is eligible must be found out anew.
        let clears = feature_control::elr_enabled(self.image)
            && altered.iter().any(|(key, _)| key == MIN_INSYNC_REPLICAS);
        let mut records: Vec<MetadataRecord> = altered
            .into_iter()
            .map(|(name, value)| MetadataRecord::Config {
                resource_type,
                resource_name: resource_name.to_owned(),
                name,
                value,
            })
            .collect();
        if clears {
            let of_topic = resource_type == resource_type::TOPIC;
            records.push(MetadataRecord::ClearElr {
                topic_name: of_topic.then(|| resource_name.to_owned()),
            });
        }
        records
    }

    fn validate(
        &self,
        resource_type: i8,
        resource_name: &str,
        altered: &[(String, Option<String>)],
        removed: &[String],
        newly_created: bool,
    ) -> Result<(), ApiError> {
        let current = self.dynamic(resource_type, resource_name);
        // In Java's order, which decides which of several unknown names is reported.
        let mut all: JavaHashMap<String, String> = JavaHashMap::new();
        for (key, value) in current.into_iter().flatten() {
            all.insert(key.clone(), value.clone());
        }
        let removals = removed.iter().map(|key| (key, None));
        for (key, value) in altered.iter().map(|(key, value)| (key, value.as_ref())).chain(removals)
        {
            self.refuse_transition(resource_type, resource_name, key, value, current)?;
            match value {
                None => _ = all.remove(key),
                Some(value) if value.encode_utf16().count() > MAX_VALUE_LENGTH => {
                    return Err(invalid_config(format!(
                        "The configuration value cannot be added because it exceeds the maximum value size of \
                         {MAX_VALUE_LENGTH} bytes."
                    )));
                }
                Some(value) => _ = all.insert(key.clone(), value.clone()),
            }
        }
        let all: Vec<(&str, &str)> =
            all.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.validate_resource(resource_type, resource_name, &all)?;
        if newly_created { Ok(()) } else { self.must_exist(resource_type, resource_name) }
    }

    /// What ELR and cordoned directories rule out, whatever the value.
    fn refuse_transition(
        &self,
        resource_type: i8,
        resource_name: &str,
        key: &str,
        value: Option<&String>,
        current: Option<&Configs>,
    ) -> Result<(), ApiError> {
        if resource_type != resource_type::BROKER {
            return Ok(());
        }
        if key == MIN_INSYNC_REPLICAS && feature_control::elr_enabled(self.image) {
            if !resource_name.is_empty() {
                return Err(invalid_config(
                    "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
                ));
            }
            if value.is_none() {
                return Err(invalid_config(
                    "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
                ));
            }
        }
        if key == CORDONED_LOG_DIRS
            && let Some(value) = value
        {
            let dirs = |text: &str| -> Vec<String> {
                text.trim().split(',').map(|dir| dir.trim().to_owned()).collect()
            };
            let cordoned = current
                .and_then(|configs| configs.get(key))
                .map(|text| dirs(text))
                .unwrap_or_default();
            if !value.trim().is_empty() && !dirs(value).iter().all(|dir| cordoned.contains(dir)) {
                return Err(invalid_config(
                    "When updating cordoned.log.dirs via controllers,  the new value must be a subset of the current \
                     configuration value.",
                ));
            }
        }
        Ok(())
    }

    fn validate_resource(
        &self,
        kind: i8,
        name: &str,
        all: &[(&str, &str)],
    ) -> Result<(), ApiError> {
        match kind {
            resource_type::TOPIC => {
                if name.is_empty() {
                    return Err(ConfigError::invalid_request(
                        "Default topic resources are not allowed.",
                    )
                    .into());
                }
                topic_names::validate(name)
                    .map_err(|message| ApiError::new(ErrorCode::InvalidTopicException, message))?;
                let was_remote =
                    self.image.config(kind, name, "remote.storage.enable") == Some("true");
                let remote_system = self.node.boolean("remote.log.storage.system.enable");
                topic::validate_over(all, &self.node.topic_defaults(), was_remote, remote_system)?;
                Ok(())
            }
            resource_type::BROKER if name.is_empty() => Ok(()),
            resource_type::BROKER => match name.parse::<i32>() {
                Ok(id) if id < 0 => {
                    Err(ConfigError::invalid_request("Invalid negative broker ID.").into())
                }
                Ok(_) => Ok(()),
                Err(_) => Err(ConfigError::invalid_request(
                    "Unable to parse broker name as a base 10 number.",
                )
                .into()),
            },
            resource_type::CLIENT_METRICS => Ok(client_metrics::validate(name, all)?),
            resource_type::GROUP => {
                if name.is_empty() {
                    return Err(ConfigError::invalid_request(
                        "Default group resources are not allowed.",
                    )
                    .into());
                }
                Ok(group::validate(all, &self.node.values())?)
            }
            _ => Err(ConfigError::invalid_request(format!("Unknown resource type {kind}")).into()),
        }
    }

    fn must_exist(&self, kind: i8, name: &str) -> Result<(), ApiError> {
        match kind {
            resource_type::BROKER if !name.is_empty() => {
                let id: BrokerId = name.parse().unwrap_or(-1);
                if self.image.brokers.contains_key(&id) {
                    return Ok(());
                }
                Err(ApiError::new(
                    ErrorCode::BrokerIdNotRegistered,
                    format!("No node with id {id} found."),
                ))
            }
            resource_type::TOPIC if !self.image.topics_by_name.contains_key(name) => {
                Err(ApiError::new(
                    ErrorCode::UnknownTopicOrPartition,
                    format!("The topic '{name}' does not exist."),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn invalid_config(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidConfig, message)
}

/// A list config after `APPEND` or `SUBTRACT`.
fn altered_list(
    kind: i8,
    key: &str,
    op: AlterOp,
    old: Option<&String>,
    operand: &str,
) -> Result<String, ApiError> {
    let def = match kind {
        resource_type::TOPIC => ConfigDef::Topic.key(key),
        resource_type::BROKER => ConfigDef::Broker.key(key),
        _ => None,
    };
    let Some(def) = def.filter(|def| def.config_type == ConfigType::List) else {
        return Err(invalid_config(format!(
            "Can't {} to key {key} because its type is not LIST.",
            op.name()
        )));
    };
    let old = old.map(String::as_str).or(def.default_text()).unwrap_or_default();
    let mut parts: Vec<&str> = old.split(',').filter(|part| !part.is_empty()).collect();
    for part in java_split(operand) {
        let present = parts.iter().position(|other| *other == part);
        match (op, present) {
            (AlterOp::Append, None) => parts.push(part),
            (AlterOp::Subtract, Some(index)) => _ = parts.remove(index),
            _ => {}
        }
    }
    Ok(parts.join(","))
}

/// `String.split(",")`: empty parts at the end are dropped, unless the whole text is empty.
fn java_split(text: &str) -> impl Iterator<Item = &str> {
    let whole = if text.is_empty() { text } else { text.trim_end_matches(',') };
    let none = whole.is_empty() && !text.is_empty();
    whole.split(',').filter(move |_| !none)
}
