//! What a group's configs must satisfy together. Kafka: `GroupConfig.validate`.

use super::ConfigDef;
use super::synonyms::broker_synonym_of_group_config;
use super::value::{ConfigError, ParsedConfigs};

/// A group config with the broker configs that bound it; `always` is false where it is checked only if it is set.
struct Bounds {
    name: &'static str,
    min: &'static str,
    max: &'static str,
    always: bool,
}

const fn bounds(name: &'static str, min: &'static str, max: &'static str) -> Bounds {
    Bounds { name, min, max, always: true }
}

const fn if_set(name: &'static str, min: &'static str, max: &'static str) -> Bounds {
    Bounds { name, min, max, always: false }
}

#[rustfmt::skip]
const BOUNDS: &[Bounds] = &[
    bounds("consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"),
    bounds("consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"),
    if_set("consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms"),
    bounds("share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms"),
    bounds("share.session.timeout.ms", "group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms"),
    bounds("share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms"),
    bounds("share.delivery.count.limit", "group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit"),
    bounds("share.partition.max.record.locks", "group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks"),
    if_set("share.assignment.interval.ms", "group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms"),
    bounds("streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms"),
    bounds("streams.session.timeout.ms", "group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms"),
    bounds("streams.num.standby.replicas", "", "group.streams.max.standby.replicas"),
    if_set("streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms"),
];

const HEARTBEATS_WITHIN_SESSIONS: &[(&str, &str)] = &[
    ("consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"),
    ("share.session.timeout.ms", "share.heartbeat.interval.ms"),
    ("streams.session.timeout.ms", "streams.heartbeat.interval.ms"),
];

/// Checks a group's new configs over a node's settings.
pub fn validate<V: AsRef<str>>(
    values: &[(impl AsRef<str>, V)],
    broker: &ParsedConfigs,
) -> Result<(), ConfigError> {
    if let Some((name, _)) =
        values.iter().find(|(name, _)| ConfigDef::Group.key(name.as_ref()).is_none())
    {
        let message = ["Unknown group config name: ", name.as_ref()].concat();
        return Err(ConfigError::invalid_configuration(message));
    }
    let inherited = ConfigDef::Group.keys().iter().filter_map(|key| {
        let value = broker.get(broker_synonym_of_group_config(key.name)?).to_text()?;
        Some((key.name, value))
    });
    let mut combined: Vec<(&str, String)> = inherited.collect();
    combined.extend(values.iter().map(|(name, value)| (name.as_ref(), value.as_ref().to_owned())));
    let parsed = ConfigDef::Group.parse(&combined)?;
    for bounds in BOUNDS {
        let set = bounds.always || values.iter().any(|(name, _)| name.as_ref() == bounds.name);
        let value = parsed.integer(bounds.name);
        if set && !bounds.min.is_empty() && value < broker.integer(bounds.min) {
            return refuse(bounds.name, "must be greater than or equal to", bounds.min);
        }
        if set && value > broker.integer(bounds.max) {
            return refuse(bounds.name, "must be less than or equal to", bounds.max);
        }
    }
    for (session, heartbeat) in HEARTBEATS_WITHIN_SESSIONS {
        if parsed.integer(session) <= parsed.integer(heartbeat) {
            return refuse(session, "must be greater than", heartbeat);
        }
    }
    Ok(())
}

fn refuse(name: &str, relation: &str, other: &str) -> Result<(), ConfigError> {
    Err(ConfigError::invalid_configuration([name, " ", relation, " ", other].concat()))
}
