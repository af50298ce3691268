//! IncrementalAlterConfigs (API key 44) at the broker: what it checks of broker configs before the controller is asked, and
//! the levels of its own loggers, which nobody else keeps. Kafka: `ConfigAdminManager`, `DynamicBrokerConfig.validate`.
//!
//! Simplified: where one resource of a request is refused here, none of the others is passed on.

use simulation::sorted::SortedMap;

use super::{KafkaNode, ReplyTo};
use crate::config::build;
use crate::config::dynamic::{UpdateMode, is_security_config, update_mode};
use crate::config::{ConfigDef, ConfigError};
use crate::controller::image::resource_type;
use crate::protocol::{
    AlterConfigsResource, AlterConfigsResourceResponse, ErrorCode, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use crate::world::ProcessContext;

const SET: i8 = 0;
const DELETE: i8 = 1;
/// `ConfigResource.Type.BROKER_LOGGER`
pub(super) const BROKER_LOGGER: i8 = 8;
/// What every logger is set to at first.
pub(super) const DEFAULT_LEVEL: &str = "INFO";
const LEVELS: [&str; 6] = ["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];
/// The parts of a node that log under a name of their own.
pub(super) const LOGGERS: [&str; 12] = [
    "kafka.log.LogCleaner",
    "kafka.log.LogManager",
    "kafka.server.BrokerServer",
    "kafka.server.ControllerServer",
    "kafka.server.KafkaApis",
    "kafka.server.ReplicaManager",
    "org.apache.kafka.controller.QuorumController",
    "org.apache.kafka.controller.ReplicationControlManager",
    "org.apache.kafka.coordinator.group.GroupCoordinatorService",
    "org.apache.kafka.raft.KafkaRaftClient",
    "org.apache.kafka.server.BrokerLifecycleManager",
    "root",
];
/// Pools whose size may at most halve or double at a time.
const THREADS: [&str; 5] = [
    "background.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
];

type Refused = (ErrorCode, String);

fn invalid_request(message: impl Into<String>) -> Refused {
    (ErrorCode::InvalidRequest, message.into())
}

impl KafkaNode {
    pub(super) fn handle_alter_configs(
        &mut self,
        reply_to: ReplyTo,
        client_id: String,
        request: IncrementalAlterConfigsRequest,
        context: &mut ProcessContext<'_>,
    ) {
        let results: Vec<Result<(), Refused>> =
            request.resources.iter().map(|resource| self.check_resource(resource)).collect();
        let own = |resource: &AlterConfigsResource| resource.resource_type == BROKER_LOGGER;
        if results.iter().all(Result::is_ok) && !request.resources.iter().any(own) {
            return self.forward(reply_to, client_id, request.into(), context);
        }
        if !request.validate_only {
            for (resource, result) in request.resources.iter().zip(&results) {
                if own(resource) && result.is_ok() {
                    self.set_log_levels(resource);
                }
            }
        }
        let responses = request.resources.into_iter().zip(results).map(|(resource, result)| {
            let (error, message) = match result {
                Err((error, message)) => (error, Some(message)),
                Ok(()) if own(&resource) => (ErrorCode::None, None),
                Ok(()) => {
                    let text = "Another resource of the request was refused.";
                    (ErrorCode::InvalidRequest, Some(text.to_owned()))
                }
            };
            AlterConfigsResourceResponse {
                error_code: error.code(),
                error_message: message,
                resource_type: resource.resource_type,
                resource_name: resource.resource_name,
            }
        });
        let responses = responses.collect();
        let response = IncrementalAlterConfigsResponse { throttle_time_ms: 0, responses };
        Self::reply(reply_to, response, context);
    }

    fn check_resource(&self, resource: &AlterConfigsResource) -> Result<(), Refused> {
        let name = resource.resource_name.as_str();
        match resource.resource_type {
            resource_type::BROKER => {
                if !name.is_empty() {
                    self.check_id(name)?;
                }
                let checked = self.check_broker_configs(name, &self.altered(resource));
                // Whatever Kafka's validation throws becomes an invalid request.
                checked.map_err(|error| invalid_request(error.message))
            }
            BROKER_LOGGER => {
                self.check_id(name)?;
                check_log_levels(resource)
            }
            _ => Ok(()),
        }
    }

    fn check_id(&self, name: &str) -> Result<(), Refused> {
        let me = self.identity.id;
        match name.parse::<i32>() {
            Ok(id) if id == me => Ok(()),
            Ok(_) => Err(invalid_request(format!(
                "Unexpected broker id, expected {me}, but received {name}"
            ))),
            Err(_) => {
                Err(invalid_request(format!("Node id must be an integer, but it is: {name}")))
            }
        }
    }

    /// The resource's dynamic configs as they would be. Changes of lists are the controller's to check.
    fn altered(&self, resource: &AlterConfigsResource) -> SortedMap<String, String> {
        let name = resource.resource_name.as_str();
        let known = self.image().configs_of(resource_type::BROKER, name);
        let mut configs: SortedMap<String, String> = known.cloned().unwrap_or_default();
        for change in &resource.configs {
            match (change.config_operation, &change.value) {
                (SET, Some(value)) => _ = configs.insert(change.name.clone(), value.clone()),
                (DELETE, _) => _ = configs.remove(&change.name),
                _ => {}
            }
        }
        configs
    }

    /// `DynamicBrokerConfig.validate`; an empty name is the cluster's default.
    fn check_broker_configs(
        &self,
        resource: &str,
        configs: &SortedMap<String, String>,
    ) -> Result<(), ConfigError> {
        let none_of = |message: &str, wrong: &dyn Fn(&str) -> bool| {
            let wrong: Vec<&str> =
                configs.keys().map(String::as_str).filter(|name| wrong(name)).collect();
            if wrong.is_empty() {
                return Ok(());
            }
            Err(ConfigError::config(format!("{message}: [{}]", wrong.join(", "))))
        };
        let is_broker_config = |name: &str| ConfigDef::Broker.key(name).is_some();
        none_of("Cannot update these configs dynamically", &|name| {
            is_broker_config(name) && update_mode(name) == UpdateMode::ReadOnly
        })?;
        none_of(
            "These security configs can be dynamically updated only per-listener using the listener prefix",
            &is_security_config,
        )?;
        for key in ConfigDef::Broker.keys().iter().chain(ConfigDef::BrokerQuota.keys()) {
            if let Some(value) = configs.get(key.name) {
                key.parse(Some(value))?;
            }
        }
        if resource.is_empty() {
            none_of(
                "Cannot update these configs at default cluster level, broker id must be specified",
                &|name| update_mode(name) == UpdateMode::PerBroker,
            )?;
        }
        self.check_whole(resource, configs)
    }

    /// All of the broker's settings together as they would be, and what changes against what is.
    fn check_whole(
        &self,
        resource: &str,
        configs: &SortedMap<String, String>,
    ) -> Result<(), ConfigError> {
        let id = self.identity.id.to_string();
        let dynamic = |name: &str| {
            let known = self.image().configs_of(resource_type::BROKER, name);
            known.cloned().unwrap_or_default()
        };
        let mut settings: SortedMap<String, String> =
            self.identity.configs.iter().cloned().collect();
        if resource.is_empty() {
            settings.extend(configs.clone());
            settings.extend(dynamic(&id));
        } else {
            settings.extend(dynamic(""));
            settings.extend(configs.clone());
        }
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let parsed = build::broker(&settings)?;
        let changed = |name: &str| {
            let (new, old) = (parsed.integer(name), self.broker_integer(name));
            (new != old).then_some((new, old))
        };
        let refuse = |message: String| {
            let cause = format!("org.apache.kafka.common.config.ConfigException: {message}");
            Err(ConfigError::config(format!(
                "Invalid value {cause} for configuration Invalid dynamic configuration"
            )))
        };
        if let Some((new, old)) = changed("log.cleaner.threads") {
            if new < old / 2 {
                return refuse(format!(
                    "Log cleaner threads cannot be reduced to less than half the current value {old}"
                ));
            }
            if new > old * 2 {
                return refuse(format!(
                    "Log cleaner threads cannot be increased to more than double the current value {old}"
                ));
            }
        }
        for name in THREADS {
            let Some((new, old)) = changed(name) else { continue };
            let why = if new <= 0 {
                "value should be at least 1".to_owned()
            } else if new < old / 2 {
                format!("value should be at least half the current value {old}")
            } else if new > old * 2 {
                format!("value should not be greater than double the current value {old}")
            } else {
                continue;
            };
            return refuse(format!(
                "Dynamic thread count update validation failed for {name}={new}, {why}"
            ));
        }
        Ok(())
    }

    fn set_log_levels(&mut self, resource: &AlterConfigsResource) {
        for change in &resource.configs {
            match (change.config_operation, &change.value) {
                (SET, Some(level)) => {
                    self.memory.log_levels.insert(change.name.clone(), level.clone());
                }
                _ => _ = self.memory.log_levels.remove(&change.name),
            }
        }
    }
}

/// Kafka: `LoggingController`, `ConfigAdminManager.validateLogLevelConfigs`.
fn check_log_levels(resource: &AlterConfigsResource) -> Result<(), Refused> {
    for change in &resource.configs {
        let name = change.name.as_str();
        let known = LOGGERS.contains(&name);
        let missing = || (ErrorCode::InvalidConfig, format!("Logger {name} does not exist!"));
        match change.config_operation {
            SET => {
                let level = change.value.as_deref().unwrap_or_default();
                if !LEVELS.contains(&level) {
                    return Err((
                        ErrorCode::InvalidConfig,
                        format!(
                            "Cannot set the log level of {name} to {level} as it is not a supported log level. Valid log levels are {}",
                            LEVELS.join(", ")
                        ),
                    ));
                }
                if !known {
                    return Err(missing());
                }
            }
            DELETE if !known => return Err(missing()),
            DELETE if name == "root" => {
                let text = "Removing the log level of the root logger is not allowed";
                return Err(invalid_request(text));
            }
            DELETE => {}
            operation => {
                let operation = if operation == 2 { "APPEND" } else { "SUBTRACT" };
                return Err(invalid_request(format!(
                    "{operation} operation is not allowed for the BROKER_LOGGER resource"
                )));
            }
        }
    }
    Ok(())
}
