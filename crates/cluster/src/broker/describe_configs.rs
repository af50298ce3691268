//! DescribeConfigs (API key 32) and ListConfigResources (74): values, where they come from and what they stand over.
//! Kafka: `ConfigHelper`. Simplified: no client metrics; descriptions are not given.

use simulation::sorted::SortedSet;

use super::KafkaNode;
use super::alter_configs::{BROKER_LOGGER, DEFAULT_LEVEL, LOGGERS};
use crate::config::dynamic::{UpdateMode, update_mode};
use crate::config::synonyms::{broker_synonym_of_group_config, broker_synonyms_of_topic_config};
use crate::config::topic::default_from_broker;
use crate::config::{ConfigDef, ConfigKey};
use crate::controller::image::resource_type;
use crate::protocol::{
    ConfigResource, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym, ErrorCode,
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use crate::topic_names;

/// `DescribeConfigsResponse.ConfigSource`
mod source {
    pub const TOPIC: i8 = 1;
    pub const DYNAMIC_BROKER: i8 = 2;
    pub const DYNAMIC_DEFAULT_BROKER: i8 = 3;
    pub const STATIC_BROKER: i8 = 4;
    pub const DEFAULT: i8 = 5;
    pub const BROKER_LOGGER: i8 = 6;
    pub const GROUP: i8 = 8;
}

/// Broker configs that are one setting in several units, the finest first. Kafka: `brokerConfigSynonyms`.
const FAMILIES: [&[&str]; 4] = [
    &["log.roll.ms", "log.roll.hours"],
    &["log.roll.jitter.ms", "log.roll.jitter.hours"],
    &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
    &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
];

type Refused = (ErrorCode, Option<String>);

fn invalid(message: String) -> Refused {
    (ErrorCode::InvalidRequest, Some(message))
}

impl KafkaNode {
    pub(super) fn handle_describe_configs(
        &self,
        request: &DescribeConfigsRequest,
    ) -> DescribeConfigsResponse {
        let results = request.resources.iter().map(|resource| {
            let mut result = DescribeConfigsResult {
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                ..DescribeConfigsResult::default()
            };
            match self.describe_resource(resource) {
                Ok(configs) => result.configs = configs,
                Err((error, message)) => {
                    result.error_code = error.code();
                    result.error_message = message;
                }
            }
            if !request.include_synonyms {
                result.configs.iter_mut().for_each(|config| config.synonyms.clear());
            }
            result
        });
        DescribeConfigsResponse { throttle_time_ms: 0, results: results.collect() }
    }

    fn describe_resource(
        &self,
        resource: &DescribeConfigsResource,
    ) -> Result<Vec<DescribeConfigsResourceResult>, Refused> {
        let name = resource.resource_name.as_str();
        let wanted = |config: &str| {
            resource
                .configuration_keys
                .as_ref()
                .is_none_or(|keys| keys.iter().any(|key| key == config))
        };
        match resource.resource_type {
            resource_type::TOPIC => {
                if let Err(message) = topic_names::validate(name) {
                    return Err((ErrorCode::InvalidTopicException, Some(message)));
                }
                if self.image().topic(name).is_none() {
                    return Err((ErrorCode::UnknownTopicOrPartition, None));
                }
                let own = |config: &str| self.image().config(resource_type::TOPIC, name, config);
                let shown = |key: &&ConfigKey| {
                    wanted(key.name) && (!key.internal || own(key.name).is_some())
                };
                Ok(ConfigDef::Topic
                    .keys()
                    .iter()
                    .filter(shown)
                    .map(|key| self.topic_entry(key, own(key.name)))
                    .collect())
            }
            resource_type::BROKER if name.is_empty() => {
                let dynamic = self.image().configs_of(resource_type::BROKER, "");
                let names = dynamic.into_iter().flatten().map(|(name, _)| name.as_str());
                Ok(names
                    .filter(|name| wanted(name))
                    .map(|name| self.broker_entry(name, false))
                    .collect())
            }
            resource_type::BROKER => {
                let me = self.identity.id;
                let id: i32 = name.parse().map_err(|_| {
                    invalid(format!("Broker id must be an integer, but it is: {name}"))
                })?;
                if id != me {
                    return Err(invalid(format!(
                        "Unexpected broker id, expected {me} or empty string, but received {name}"
                    )));
                }
                let keys = ConfigDef::Broker.keys().iter().filter(|key| !key.internal);
                let mut names: SortedSet<&str> = keys.map(|key| key.name).collect();
                names.extend(self.identity.configs.iter().map(|(name, _)| name.as_str()));
                for resource in [self.identity.id.to_string().as_str(), ""] {
                    let dynamic = self.image().configs_of(resource_type::BROKER, resource);
                    names.extend(dynamic.into_iter().flatten().map(|(name, _)| name.as_str()));
                }
                Ok(names
                    .into_iter()
                    .filter(|name| wanted(name))
                    .map(|name| self.broker_entry(name, true))
                    .collect())
            }
            BROKER_LOGGER => {
                let me = self.identity.id;
                if name.parse() != Ok(me) {
                    return Err(invalid(format!(
                        "Unexpected broker id, expected {me} but received {name}"
                    )));
                }
                let loggers = LOGGERS.into_iter().filter(|logger| wanted(logger));
                Ok(loggers.map(|logger| self.logger_entry(logger)).collect())
            }
            resource_type::GROUP if name.is_empty() => {
                Err(invalid("Group name must not be empty".to_owned()))
            }
            resource_type::GROUP => {
                let own = |config: &str| self.image().config(resource_type::GROUP, name, config);
                let shown = |key: &&ConfigKey| wanted(key.name) && !key.internal;
                Ok(ConfigDef::Group
                    .keys()
                    .iter()
                    .filter(shown)
                    .map(|key| self.group_entry(key, own(key.name)))
                    .collect())
            }
            other => {
                Err(invalid(format!("Unsupported resource type: {}", resource_type_name(other))))
            }
        }
    }

    fn logger_entry(&self, logger: &str) -> DescribeConfigsResourceResult {
        let level = self.memory.log_levels.get(logger).map_or(DEFAULT_LEVEL, String::as_str);
        DescribeConfigsResourceResult {
            name: logger.to_owned(),
            value: Some(level.to_owned()),
            config_source: source::BROKER_LOGGER,
            ..DescribeConfigsResourceResult::default()
        }
    }

    fn topic_entry(&self, key: &ConfigKey, own: Option<&str>) -> DescribeConfigsResourceResult {
        let default = || default_from_broker(key.name, |name| self.broker_setting(name));
        let value = own.map(str::to_owned).or_else(default);
        let synonyms = broker_synonyms_of_topic_config(key.name).first();
        let synonyms =
            synonyms.map_or_else(Vec::new, |name| self.broker_synonyms(name, key.is_sensitive()));
        entry(key, value, own.map(|_| source::TOPIC), synonyms)
    }

    fn group_entry(&self, key: &ConfigKey, own: Option<&str>) -> DescribeConfigsResourceResult {
        let synonym = broker_synonym_of_group_config(key.name);
        let inherited = synonym.and_then(|name| self.broker_setting(name)).map(str::to_owned);
        let value =
            own.map(str::to_owned).or(inherited).or_else(|| key.default_text().map(str::to_owned));
        let synonyms = match (synonym, key.default_text()) {
            (Some(name), _) => self.broker_synonyms(name, key.is_sensitive()),
            (None, Some(text)) => vec![DescribeConfigsSynonym {
                name: key.name.to_owned(),
                value: Some(text.to_owned()),
                source: source::DEFAULT,
            }],
            (None, None) => Vec::new(),
        };
        entry(key, value, own.map(|_| source::GROUP), synonyms)
    }

    /// `own`: of this broker with all that is set for it; else only the cluster's dynamic default.
    fn broker_entry(&self, name: &str, own: bool) -> DescribeConfigsResourceResult {
        let key = ConfigDef::Broker.key(name).or_else(|| ConfigDef::BrokerQuota.key(name));
        // What Kafka does not know might be a password.
        let is_sensitive = key.is_none_or(ConfigKey::is_sensitive);
        let set = if own {
            self.broker_setting(name)
        } else {
            self.image().config(resource_type::BROKER, "", name)
        };
        let text = set.or_else(|| key.and_then(ConfigKey::default_text));
        let value = match key {
            Some(key) => key.parse(text).ok().and_then(|value| value.to_text()),
            None => text.map(str::to_owned),
        };
        let mut synonyms = self.broker_synonyms(name, is_sensitive);
        synonyms.retain(|synonym| own || synonym.source == source::DYNAMIC_DEFAULT_BROKER);
        DescribeConfigsResourceResult {
            name: name.to_owned(),
            value: value.filter(|_| !is_sensitive),
            read_only: update_mode(name) == UpdateMode::ReadOnly,
            config_source: synonyms.first().map_or(source::DEFAULT, |first| first.source),
            is_sensitive,
            synonyms,
            config_type: key.map_or(0, |key| key.config_type.id()),
            documentation: None,
        }
    }

    /// All that is set for a broker config under any of its names, what counts most first.
    fn broker_synonyms(&self, name: &str, is_sensitive: bool) -> Vec<DescribeConfigsSynonym> {
        let family = FAMILIES.iter().find(|family| family.contains(&name)).copied();
        let single = [name];
        let names = family.unwrap_or(&single);
        let id = self.identity.id.to_string();
        let image = self.image();
        let default = |name: &str| ConfigDef::Broker.key(name).and_then(ConfigKey::default_text);
        let mut synonyms = Vec::new();
        let mut add = |source: i8, lookup: &dyn Fn(&str) -> Option<String>| {
            for name in names {
                if let Some(value) = lookup(name) {
                    let value = (!is_sensitive).then_some(value);
                    synonyms.push(DescribeConfigsSynonym {
                        name: (*name).to_owned(),
                        value,
                        source,
                    });
                }
            }
        };
        let owned = |value: Option<&str>| value.map(str::to_owned);
        add(source::DYNAMIC_BROKER, &|name| owned(image.config(resource_type::BROKER, &id, name)));
        add(source::DYNAMIC_DEFAULT_BROKER, &|name| {
            owned(image.config(resource_type::BROKER, "", name))
        });
        add(source::STATIC_BROKER, &|name| owned(self.static_setting(name)));
        add(source::DEFAULT, &|name| owned(default(name)));
        // What stands before the name itself is not shown; without the name itself nothing is.
        let first = synonyms.iter().position(|synonym| synonym.name == name);
        first.map_or_else(Vec::new, |first| synonyms.split_off(first))
    }

    pub(super) fn handle_list_config_resources(
        &self,
        request: &ListConfigResourcesRequest,
    ) -> ListConfigResourcesResponse {
        let all = request.resource_types.is_empty();
        let mut config_resources = Vec::new();
        let image = self.image();
        for kind in [resource_type::TOPIC, resource_type::BROKER, resource_type::GROUP] {
            if !all && !request.resource_types.contains(&kind) {
                continue;
            }
            let names: Vec<String> = match kind {
                resource_type::TOPIC => image.topics_by_name.keys().cloned().collect(),
                resource_type::BROKER => image.brokers.keys().map(ToString::to_string).collect(),
                _ => image
                    .configs
                    .keys()
                    .filter(|(of, _)| *of == kind)
                    .map(|(_, name)| name.clone())
                    .collect(),
            };
            config_resources.extend(
                names
                    .into_iter()
                    .map(|resource_name| ConfigResource { resource_name, resource_type: kind }),
            );
        }
        ListConfigResourcesResponse { throttle_time_ms: 0, error_code: 0, config_resources }
    }
}

/// A topic's or group's entry: its own value stands over the broker's.
fn entry(
    key: &ConfigKey,
    value: Option<String>,
    own: Option<i8>,
    mut synonyms: Vec<DescribeConfigsSynonym>,
) -> DescribeConfigsResourceResult {
    let is_sensitive = key.is_sensitive();
    let value = key.parse(value.as_deref()).ok().and_then(|value| value.to_text());
    let value = value.filter(|_| !is_sensitive);
    if let Some(source) = own {
        let own =
            DescribeConfigsSynonym { name: key.name.to_owned(), value: value.clone(), source };
        synonyms.insert(0, own);
    }
    DescribeConfigsResourceResult {
        name: key.name.to_owned(),
        value,
        read_only: false,
        config_source: synonyms.first().map_or(source::DEFAULT, |first| first.source),
        is_sensitive,
        synonyms,
        config_type: key.config_type.id(),
        documentation: None,
    }
}

/// Kafka: `ConfigResource.Type`.
fn resource_type_name(id: i8) -> &'static str {
    match id {
        16 => "CLIENT_METRICS",
        _ => "UNKNOWN",
    }
}
