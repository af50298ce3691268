//! What values a config admits, and how a refusal is worded. Kafka: `ConfigDef.Validator` and its kinds.

use super::duration;
use super::value::{ConfigError, ConfigValue};

/// The check that a config's value must pass.
#[derive(Clone, Copy, Debug)]
pub enum Validator {
    Any,
    NotNull,
    NotEmpty,
    /// Bounds included, as text so that messages show them as Kafka does; an empty bound is none.
    Range {
        min: &'static str,
        max: &'static str,
    },
    OneOf(&'static [&'static str]),
    /// The valid values are in upper case.
    OneOfIgnoringCase(&'static [&'static str]),
    /// Distinct values, of `valid` unless that is empty.
    List {
        valid: &'static [&'static str],
        empty: bool,
        null: bool,
    },
    /// 1 to 9, or -1.
    GzipLevel,
    /// `*` or `partition:broker` pairs.
    ThrottledReplicas,
    QuorumVoters,
    QuorumBootstrapServers,
    OffsetReset,
    ShareOffsetReset,
    ShareAcknowledgementMode,
    ShareAcquireMode,
}

impl Validator {
    /// Kafka's `Validator.toString`; none where the config has no validator.
    pub fn text(self) -> Option<String> {
        Some(match self {
            Self::Any => return None,
            Self::NotNull => "non-null string".into(),
            Self::NotEmpty => "non-empty string".into(),
            Self::Range { min, max: "" } => format!("[{min},...]"),
            Self::Range { min, max } => format!("[{min},...,{max}]"),
            Self::List { valid: &[], .. } => String::new(),
            Self::OneOf(valid) | Self::List { valid, .. } => format!("[{}]", valid.join(", ")),
            Self::OneOfIgnoringCase(valid) => format!("(case insensitive) [{}]", valid.join(", ")),
            Self::GzipLevel => "[1,...,9] or -1".into(),
            Self::ThrottledReplicas => {
                "[partitionId]:[brokerId],[partitionId]:[brokerId],...".into()
            }
            Self::QuorumVoters | Self::QuorumBootstrapServers => "non-empty list".into(),
            Self::OffsetReset => "[latest, earliest, none, by_duration:PnDTnHnMn.nS]".into(),
            Self::ShareOffsetReset => "[latest, earliest, by_duration:PnDTnHnMn.nS]".into(),
            Self::ShareAcknowledgementMode => "[implicit, explicit]".into(),
            Self::ShareAcquireMode => "[batch_optimized, record_limit]".into(),
        })
    }

    /// Checks a value of the config `name`.
    pub fn ensure_valid(self, name: &str, value: &ConfigValue) -> Result<(), ConfigError> {
        let refuse = |message: String| Err(ConfigError::value(name, value, &message));
        let text = if let ConfigValue::Text(text) = value { text.as_str() } else { "null" };
        let null = *value == ConfigValue::Null;
        match self {
            Self::Any => Ok(()),
            Self::NotNull if null => refuse("entry must be non null".into()),
            Self::NotEmpty if !null && text.is_empty() => refuse("String must be non-empty".into()),
            Self::NotNull | Self::NotEmpty => Ok(()),
            Self::Range { min, max } => in_range(name, value, min, max),
            Self::OneOf(valid) if null || !valid.contains(&text) => {
                refuse(format!("String must be one of: {}", valid.join(", ")))
            }
            Self::OneOfIgnoringCase(valid)
                if null || !valid.contains(&text.to_uppercase().as_str()) =>
            {
                refuse(format!("String must be one of (case insensitive): {}", valid.join(", ")))
            }
            Self::OneOf(_) | Self::OneOfIgnoringCase(_) => Ok(()),
            Self::List { valid, empty, null } => valid_list(name, value, valid, empty, null),
            Self::GzipLevel => match value {
                ConfigValue::Integer(-1 | 1..=9) => Ok(()),
                _ => refuse("Value must be between 1 and 9 or equal to -1".into()),
            },
            Self::ThrottledReplicas => match value {
                ConfigValue::List(values) if !throttled_replicas(values) => refuse(format!(
                    "{name} must be the literal '*' or a list of replicas in the following format: \
                     [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                )),
                _ => Ok(()),
            },
            Self::QuorumVoters => {
                list_of(value).iter().try_for_each(|entry| parse_voter(entry).map(drop))
            }
            Self::QuorumBootstrapServers => {
                list_of(value).iter().try_for_each(|entry| bootstrap_server(entry))
            }
            Self::OffsetReset => {
                if matches!(text, "earliest" | "latest" | "none") || by_duration(text) {
                    return Ok(());
                }
                refuse(format!(
                    "Invalid value `{text}` for configuration {name}. The value must be either 'earliest', 'latest', \
                     'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
                ))
            }
            Self::ShareOffsetReset => {
                if matches!(text, "earliest" | "latest") || by_duration(text) {
                    return Ok(());
                }
                refuse(format!(
                    "Invalid value `{text}` for configuration {name}. The value must be either 'earliest', 'latest' \
                     or of the format 'by_duration:<PnDTnHnMn.nS>'."
                ))
            }
            Self::ShareAcknowledgementMode => {
                either(name, value, text, text, "implicit", "explicit")
            }
            Self::ShareAcquireMode => {
                let mode = text.to_lowercase();
                either(name, value, &mode, text, "batch_optimized", "record_limit")
            }
        }
    }
}

fn list_of(value: &ConfigValue) -> &[String] {
    if let ConfigValue::List(values) = value { values } else { &[] }
}

/// As Java does, numbers are compared as doubles.
fn in_range(name: &str, value: &ConfigValue, min: &str, max: &str) -> Result<(), ConfigError> {
    let number = match value {
        #[allow(clippy::cast_precision_loss)] // as Java does
        ConfigValue::Integer(number) => *number as f64,
        ConfigValue::Double(number) => *number,
        _ => return Err(ConfigError::value(name, value, "Value must be non-null")),
    };
    let bound = |text: &str| text.parse::<f64>().ok();
    if bound(min).is_some_and(|min| number < min) {
        return Err(ConfigError::value(name, value, &format!("Value must be at least {min}")));
    }
    if bound(max).is_some_and(|max| number > max) {
        return Err(ConfigError::value(name, value, &format!("Value must be no more than {max}")));
    }
    Ok(())
}

fn valid_list(
    name: &str,
    value: &ConfigValue,
    valid: &[&str],
    empty: bool,
    null: bool,
) -> Result<(), ConfigError> {
    let ConfigValue::List(values) = value else {
        return if null {
            Ok(())
        } else {
            Err(ConfigError::config(format!("Configuration '{name}' values must not be null.")))
        };
    };
    if !empty && values.is_empty() {
        let valid = if valid.is_empty() {
            "any non-empty value".into()
        } else {
            format!("[{}]", valid.join(", "))
        };
        return Err(ConfigError::config(format!(
            "Configuration '{name}' must not be empty. Valid values include: {valid}"
        )));
    }
    for value in values {
        if value.is_empty() {
            return Err(ConfigError::config(format!(
                "Configuration '{name}' values must not be empty."
            )));
        }
        if !valid.is_empty() && !valid.contains(&value.as_str()) {
            return Err(ConfigError::value(
                name,
                value,
                &format!("String must be one of: {}", valid.join(", ")),
            ));
        }
    }
    Ok(())
}

fn throttled_replicas(values: &[String]) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pair = |text: &str| {
        text.split_once(':').is_some_and(|(partition, broker)| digits(partition) && digits(broker))
    };
    values.iter().all(|value| value.trim().is_empty() || pair(value.trim()))
        || values.iter().map(|value| value.trim()).collect::<String>() == "*"
}

/// Host and port of `host:port`, `[v6]:port` or `protocol://host:port`. Kafka: `Utils.getHost`, `getPort`.
pub fn host_and_port(address: &str) -> Option<(&str, &str)> {
    let legal = |text: &str, more: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let rest = match address.split_once("://") {
        Some((protocol, rest)) if legal(protocol, "-%._") => rest,
        _ => address,
    };
    let (host, port) = rest.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (digits && legal(host, "-%._:")).then_some((host, port))
}

/// The voter's id in an entry of `controller.quorum.voters`. Kafka: `QuorumConfig.parseVoterConnections`.
pub(super) fn parse_voter(entry: &str) -> Result<i32, ConfigError> {
    const FORM: &str = "Each entry should be in the form `{id}@{host}:{port}`.";
    let parts: Vec<&str> = entry.trim_end_matches('@').split('@').collect();
    let &[id, address] = parts.as_slice() else {
        return Err(ConfigError::config(
            ["Invalid configuration value for controller.quorum.voters. ", FORM].concat(),
        ));
    };
    let id = id.parse().map_err(|_| {
        ConfigError::config(format!("Failed to parse voter ID as an integer from {id}"))
    })?;
    if host_and_port(address).is_none() {
        return Err(ConfigError::config(format!(
            "Failed to parse host name from entry {entry} for the configuration controller.quorum.voters. {FORM}"
        )));
    }
    Ok(id)
}

fn bootstrap_server(entry: &str) -> Result<(), ConfigError> {
    host_and_port(entry).map(drop).ok_or_else(|| {
        ConfigError::config(format!(
            "Failed to parse host name from {entry} for the configuration controller.quorum.bootstrap.servers. Each \
             entry should be in the form \"{{host}}:{{port}}\""
        ))
    })
}

fn by_duration(text: &str) -> bool {
    text.strip_prefix("by_duration:").and_then(duration::parse).is_some_and(|millis| millis >= 0)
}

fn either(
    name: &str,
    value: &ConfigValue,
    mode: &str,
    text: &str,
    one: &str,
    other: &str,
) -> Result<(), ConfigError> {
    if mode == one || mode == other {
        return Ok(());
    }
    let message = format!(
        "Invalid value `{text}` for configuration {name}. The value must either be '{one}' or '{other}'."
    );
    Err(ConfigError::value(name, value, &message))
}
