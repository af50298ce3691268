//! What a client metrics subscription must satisfy. Kafka: `ClientMetricsConfigs.validate`.

use super::ConfigDef;
use super::value::ConfigError;

const MATCH_PARAMS: &[&str] = &[
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks the configs of the subscription `name`.
/// Simplified: that the pattern of a `match` is a well-formed regular expression is not checked.
pub fn validate<V: AsRef<str>>(
    name: &str,
    values: &[(impl AsRef<str>, V)],
) -> Result<(), ConfigError> {
    if name.is_empty() {
        return Err(ConfigError::invalid_request("Subscription name can't be empty"));
    }
    if let Some((name, _)) =
        values.iter().find(|(name, _)| ConfigDef::ClientMetrics.key(name.as_ref()).is_none())
    {
        return Err(ConfigError::invalid_request(
            ["Unknown client metrics configuration: ", name.as_ref()].concat(),
        ));
    }
    let parsed = ConfigDef::ClientMetrics.parse(values)?;
    let set = |config: &str| values.iter().any(|(name, _)| name.as_ref() == config);
    let interval = parsed.integer("interval.ms");
    if set("interval.ms") && !(100..=3_600_000).contains(&interval) {
        return Err(ConfigError::invalid_request(format!(
            "Invalid value {interval} for interval.ms, interval must be between 100 and 3600000 (1 hour)"
        )));
    }
    if set("match") {
        for pattern in parsed.list("match") {
            // Java's split drops trailing empty parts.
            let parts: Vec<&str> = pattern.trim_end_matches('=').split('=').collect();
            if parts.len() != 2 || !MATCH_PARAMS.contains(&parts[0].trim()) {
                let message = ["Illegal client matching pattern: ", pattern.as_str()].concat();
                return Err(ConfigError::invalid_configuration(message));
            }
        }
    }
    Ok(())
}
