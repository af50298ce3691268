//! Configs: what there is, what it admits, and what Kafka says when it refuses. Streams' and Connect's are not here.
//!
//! # Where to start
//! - [`ConfigDef`] names a table; [`ConfigDef::parse`] reads a set of values against it.
//! - [`topic::validate`] is `LogConfig.validate`; [`group::validate`] and [`client_metrics::validate`] its siblings.
//! - [`build`] is what a client or a node checks beyond the single values when it starts.

pub mod build;
pub mod client_metrics;
pub mod duration;
pub mod dynamic;
pub mod group;
pub mod key;
pub mod node;
pub mod synonyms;
pub mod tables;
pub mod topic;
pub mod validator;
pub mod value;

pub use key::{ConfigKey, ConfigType, DefaultValue, Importance};
pub use node::NodeConfig;
pub use value::{ConfigError, ConfigValue, ParsedConfigs};

/// A table of configs. Kafka: the `ConfigDef` of the class named with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigDef {
    /// `LogConfig`
    Topic,
    /// `AbstractKafkaConfig`
    Broker,
    /// `ProducerConfig`
    Producer,
    /// `ConsumerConfig`
    Consumer,
    /// `AdminClientConfig`
    Admin,
    /// `GroupConfig`
    Group,
    /// `QuotaConfig.brokerQuotaConfigs`
    BrokerQuota,
    /// `QuotaConfig.userAndClientQuotaConfigs`
    UserAndClientQuota,
    /// `QuotaConfig.ipConfigs`
    IpQuota,
    /// `ClientMetricsConfigs`
    ClientMetrics,
}

impl ConfigDef {
    pub const ALL: [Self; 10] = [
        Self::Topic,
        Self::Broker,
        Self::Producer,
        Self::Consumer,
        Self::Admin,
        Self::Group,
        Self::BrokerQuota,
        Self::UserAndClientQuota,
        Self::IpQuota,
        Self::ClientMetrics,
    ];

    /// `client-metrics`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Broker => "broker",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Admin => "admin",
            Self::Group => "group",
            Self::BrokerQuota => "broker-quota",
            Self::UserAndClientQuota => "user-and-client-quota",
            Self::IpQuota => "ip-quota",
            Self::ClientMetrics => "client-metrics",
        }
    }

    /// Its configs, in the order of their definition.
    pub const fn keys(self) -> &'static [ConfigKey] {
        match self {
            Self::Topic => tables::topic::TOPIC,
            Self::Broker => tables::broker::BROKER,
            Self::Producer => tables::producer::PRODUCER,
            Self::Consumer => tables::consumer::CONSUMER,
            Self::Admin => tables::admin::ADMIN,
            Self::Group => tables::group::GROUP,
            Self::BrokerQuota => tables::quota::BROKER_QUOTA,
            Self::UserAndClientQuota => tables::quota::USER_AND_CLIENT_QUOTA,
            Self::IpQuota => tables::quota::IP_QUOTA,
            Self::ClientMetrics => tables::client_metrics::CLIENT_METRICS,
        }
    }

    /// The config of this name.
    pub fn key(self, name: &str) -> Option<&'static ConfigKey> {
        self.keys().iter().find(|key| key.name == name)
    }

    /// Reads all configs of the table: the given values, else the defaults. The first one refused, in the order
    /// of definition, is the error. Names that the table does not have are passed over.
    pub fn parse<V: AsRef<str>>(
        self,
        values: &[(impl AsRef<str>, V)],
    ) -> Result<ParsedConfigs, ConfigError> {
        let mut parsed = ParsedConfigs::default();
        for key in self.keys() {
            let set = values.iter().rev().find(|(name, _)| name.as_ref() == key.name);
            parsed.0.insert(key.name, key.parse(set.map(|(_, value)| value.as_ref()))?);
        }
        Ok(parsed)
    }
}
