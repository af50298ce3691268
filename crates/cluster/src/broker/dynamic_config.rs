//! Which value of a configuration counts here: the broker's own dynamic one, the cluster's, server.properties'.
//! Kafka: `DynamicBrokerConfig`.

use super::KafkaNode;
use crate::config::{ConfigDef, ConfigKey, topic};
use crate::controller::image::resource_type;
use crate::log::LogConfig;

impl KafkaNode {
    /// The value that someone has set for this broker, if anyone has.
    pub(super) fn broker_setting(&self, name: &str) -> Option<&str> {
        let id = self.identity.id.to_string();
        let image = self.image();
        image
            .config(resource_type::BROKER, &id, name)
            .or_else(|| image.config(resource_type::BROKER, "", name))
            .or_else(|| self.static_setting(name))
    }

    /// What stands in server.properties.
    pub(super) fn static_setting(&self, name: &str) -> Option<&str> {
        let set = self.identity.configs.iter().rev().find(|(key, _)| key == name);
        set.map(|(_, value)| value.as_str())
    }

    /// A whole number of the broker's configuration, Kafka's default where it is not set.
    pub(super) fn broker_integer(&self, name: &str) -> i64 {
        let default = || ConfigDef::Broker.key(name).and_then(ConfigKey::default_text);
        let value = self.broker_setting(name).or_else(default);
        value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
    }

    pub(super) fn broker_boolean(&self, name: &str) -> bool {
        let default = || ConfigDef::Broker.key(name).and_then(ConfigKey::default_text);
        self.broker_setting(name).or_else(default).is_some_and(|value| value.trim() == "true")
    }

    /// How a topic's logs behave on this broker: the topic's own configs over the broker's.
    pub(super) fn log_config(&self, name: &str) -> LogConfig {
        let defaults = topic::defaults_from_broker(|setting| self.broker_setting(setting));
        let own = self.image().configs_of(resource_type::TOPIC, name);
        let defaults = defaults.iter().map(|(name, value)| (*name, value.as_str()));
        let own = own.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        LogConfig::from_configs(defaults.chain(own))
    }
}
