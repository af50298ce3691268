//! What a topic's configs must satisfy together, and where their defaults come from. Kafka: `LogConfig.validate`.

use super::synonyms::{broker_synonyms_of_topic_config, millis_per_unit};
use super::value::{ConfigError, ConfigValue, ParsedConfigs};
use super::{ConfigDef, ConfigType};

const REMOTE_STORAGE: &str = "remote.storage.enable";
const LOCAL_RETENTION_BYTES: &str = "local.retention.bytes";
const LOCAL_RETENTION_MS: &str = "local.retention.ms";

/// The first name, in the given order, that is no topic config is the error.
pub fn validate_names<V>(values: &[(impl AsRef<str>, V)]) -> Result<(), ConfigError> {
    let unknown = values
        .iter()
        .map(|(name, _)| name.as_ref())
        .find(|name| ConfigDef::Topic.key(name).is_none());
    unknown.map_or(Ok(()), |name| {
        Err(ConfigError::invalid_configuration(["Unknown topic config name: ", name].concat()))
    })
}

/// Checks configs on their own, without a broker's defaults.
pub fn validate<V: AsRef<str>>(
    values: &[(impl AsRef<str>, V)],
) -> Result<ParsedConfigs, ConfigError> {
    validate_names(values)?;
    let parsed = ConfigDef::Topic.parse(values)?;
    compaction_lags(&parsed)?;
    Ok(parsed)
}

/// Checks a topic's new configs over a controller's defaults.
/// `was_remote` tells whether the topic had remote storage before; `remote_system` whether the node has it at all.
pub fn validate_over<V: AsRef<str>>(
    values: &[(impl AsRef<str>, V)],
    defaults: &[(&'static str, String)],
    was_remote: bool,
    remote_system: bool,
) -> Result<ParsedConfigs, ConfigError> {
    validate_names(values)?;
    let combined: Vec<(&str, &str)> = defaults
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain(values.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
        .collect();
    let parsed = ConfigDef::Topic.parse(&combined)?;
    compaction_lags(&parsed)?;
    if parsed.boolean(REMOTE_STORAGE) {
        remote_storage(&parsed, remote_system)?;
    } else if was_remote && !parsed.boolean("remote.log.delete.on.disable") {
        return Err(ConfigError::invalid_configuration(
            "It is invalid to disable remote storage without deleting remote data. If you want to keep the remote \
             data and turn to read only, please set `remote.storage.enable=true,remote.log.copy.disable=true`. If you \
             want to disable remote storage and delete all remote data, please set \
             `remote.storage.enable=false,remote.log.delete.on.disable=true`.",
        ));
    }
    Ok(parsed)
}

fn compaction_lags(parsed: &ParsedConfigs) -> Result<(), ConfigError> {
    let (min, max) =
        (parsed.integer("min.compaction.lag.ms"), parsed.integer("max.compaction.lag.ms"));
    if min <= max {
        return Ok(());
    }
    Err(ConfigError::invalid_configuration(format!(
        "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
    )))
}

fn remote_storage(parsed: &ParsedConfigs, remote_system: bool) -> Result<(), ConfigError> {
    if !remote_system {
        return Err(ConfigError::config(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.",
        ));
    }
    let policy = parsed.list("cleanup.policy");
    if !policy.is_empty() && policy != ["delete"] {
        return Err(ConfigError::config(
            "Remote log storage only supports topics with cleanup.policy=delete or cleanup.policy being an empty list.",
        ));
    }
    local_within(
        parsed,
        LOCAL_RETENTION_BYTES,
        "retention.bytes",
        parsed.integer("retention.bytes") > -1,
    )?;
    local_within(parsed, LOCAL_RETENTION_MS, "retention.ms", parsed.integer("retention.ms") != -1)?;
    if parsed.boolean("remote.log.copy.disable") {
        for (local, total) in
            [(LOCAL_RETENTION_BYTES, "retention.bytes"), (LOCAL_RETENTION_MS, "retention.ms")]
        {
            if parsed.integer(local) != -2 && parsed.integer(local) != parsed.integer(total) {
                return Err(ConfigError::invalid_configuration(format!(
                    "When `remote.log.copy.disable` is set to true, the `{local}` and `{total}` must be set to the \
                     identical value because there will be no more logs copied to the remote storage."
                )));
            }
        }
    }
    Ok(())
}

/// A local retention is at most the total one, where that is limited.
fn local_within(
    parsed: &ParsedConfigs,
    local: &str,
    total: &str,
    limited: bool,
) -> Result<(), ConfigError> {
    let (local_value, total_value) = (parsed.integer(local), parsed.integer(total));
    if !limited || local_value == -2 {
        Ok(())
    } else if local_value == -1 {
        Err(ConfigError::value(
            local,
            local_value,
            &format!("Value must not be -1 as {total} value is set as {total_value}."),
        ))
    } else if local_value > total_value {
        Err(ConfigError::value(
            local,
            local_value,
            &format!("Value must not be more than {total} property value: {total_value}"),
        ))
    } else {
        Ok(())
    }
}

/// The default that a node's settings give a topic config: its most specific synonym that is set, else Kafka's default.
/// `setting` looks up a node's setting by name. Kafka: `KafkaConfig.extractLogConfigMap`.
pub fn default_from_broker<'a>(
    name: &str,
    setting: impl Fn(&str) -> Option<&'a str>,
) -> Option<String> {
    let key = ConfigDef::Topic.key(name)?;
    for synonym in broker_synonyms_of_topic_config(name) {
        if let Some(value) = setting(synonym) {
            return Some(in_topic_units(synonym, value, key.config_type));
        }
    }
    // Where Kafka's own defaults differ by unit (hours), the topic's default already is in the topic's unit.
    key.default_text().map(str::to_owned)
}

/// A broker's value in the unit of the topic config: `log.retention.hours=1` is 3600000 ms.
pub fn in_topic_units(broker_config: &str, value: &str, config_type: ConfigType) -> String {
    let factor = millis_per_unit(broker_config);
    match ConfigValue::parse(broker_config, value, config_type) {
        Ok(ConfigValue::Integer(number)) if factor != 1 && number >= 0 => {
            number.saturating_mul(factor).to_string()
        }
        _ => value.to_owned(),
    }
}

/// Every topic config that has a broker synonym, with the default that a node's settings give it.
pub fn defaults_from_broker<'a>(
    setting: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(&'static str, String)> {
    ConfigDef::Topic
        .keys()
        .iter()
        .filter(|key| !broker_synonyms_of_topic_config(key.name).is_empty())
        .filter_map(|key| Some((key.name, default_from_broker(key.name, &setting)?)))
        .collect()
}
