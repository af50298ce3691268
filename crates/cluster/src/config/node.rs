//! A node's static settings: what stands in its `server.properties`. Kafka: `KafkaConfig.originals`.

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::value::{ConfigValue, ParsedConfigs};
use super::{ConfigDef, topic};

/// The settings of one node, by Kafka's names; what is not set has Kafka's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeConfig {
    values: SortedMap<String, String>,
}

impl NodeConfig {
    pub fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { values: values.into_iter().collect() }
    }

    /// What is set, if it is.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Everything that is set, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a broker config: what is set, else the default; null if neither is valid.
    pub fn value(&self, name: &str) -> ConfigValue {
        let parsed = ConfigDef::Broker
            .key(name)
            .map(|key| key.parse(self.get(name)).or_else(|_| key.parse(None)));
        parsed.and_then(Result::ok).unwrap_or(ConfigValue::Null)
    }

    /// The value of an `INT`, `SHORT` or `LONG`; 0 where null.
    pub fn integer(&self, name: &str) -> i64 {
        if let ConfigValue::Integer(value) = self.value(name) { value } else { 0 }
    }

    /// The value of a `BOOLEAN`; false where null.
    pub fn boolean(&self, name: &str) -> bool {
        self.value(name) == ConfigValue::Boolean(true)
    }

    /// All broker configs; an invalid or missing value has its default.
    pub fn values(&self) -> ParsedConfigs {
        ParsedConfigs(
            ConfigDef::Broker.keys().iter().map(|key| (key.name, self.value(key.name))).collect(),
        )
    }

    /// The defaults that these settings give to topics. Kafka: `KafkaConfig.extractLogConfigMap`.
    pub fn topic_defaults(&self) -> Vec<(&'static str, String)> {
        topic::defaults_from_broker(|name| self.get(name))
    }
}
