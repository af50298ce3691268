//! What a client or a node checks when it starts with its settings, beyond each single value.
//! Kafka: the constructors of `ProducerConfig`, `ConsumerConfig`, `AdminClientConfig` and `KafkaConfig`.

use super::ConfigDef;
use super::validator::{host_and_port, parse_voter};
use super::value::{ConfigError, ConfigValue, ParsedConfigs};
use crate::topic_names;

/// A program's settings: names and values as given.
pub type Settings<'a> = [(&'a str, &'a str)];

fn is_set(settings: &Settings<'_>, name: &str) -> bool {
    settings.iter().any(|(other, _)| *other == name)
}

/// A producer's settings, with idempotence switched off where others exclude it.
pub fn producer(settings: &Settings<'_>) -> Result<ParsedConfigs, ConfigError> {
    let mut parsed = ConfigDef::Producer.parse(settings)?;
    sasl_mechanism(&parsed)?;
    let acks = match parsed.text("acks") {
        Some("all") => "-1".to_owned(),
        acks => acks.unwrap_or("-1").to_owned(),
    };
    let mut idempotent = parsed.boolean("enable.idempotence");
    let asked_for = is_set(settings, "enable.idempotence");
    if idempotent {
        if parsed.integer("retries") == 0 {
            if asked_for {
                return Err(ConfigError::config(
                    "Must set retries to non-zero when using the idempotent producer.",
                ));
            }
            idempotent = false;
        }
        if acks != "-1" {
            if asked_for {
                return Err(ConfigError::config(
                    "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee \
                     idempotence.",
                ));
            }
            idempotent = false;
        }
        let in_flight = parsed.integer("max.in.flight.requests.per.connection");
        if in_flight > 5 {
            return Err(ConfigError::config(format!(
                "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. \
                 Current value is {in_flight}."
            )));
        }
    }
    if !idempotent && is_set(settings, "transactional.id") {
        return Err(ConfigError::config(
            "Cannot set a transactional.id without also enabling idempotence.",
        ));
    }
    if parsed.boolean("transaction.two.phase.commit.enable")
        && is_set(settings, "transaction.timeout.ms")
    {
        return Err(ConfigError::config(
            "Cannot set transaction.timeout.ms when transaction.two.phase.commit.enable is set to true. Transactions \
             will not expire with two-phase commit enabled.",
        ));
    }
    parsed.0.insert("acks", ConfigValue::Text(acks));
    parsed.0.insert("enable.idempotence", ConfigValue::Boolean(idempotent));
    Ok(parsed)
}

/// A consumer's settings, with automatic commits switched off where there is no group.
pub fn consumer(settings: &Settings<'_>) -> Result<ParsedConfigs, ConfigError> {
    let mut parsed = ConfigDef::Consumer.parse(settings)?;
    sasl_mechanism(&parsed)?;
    if parsed.text("client.id").is_none_or(str::is_empty)
        && let Some(instance) = parsed.text("group.instance.id")
        && let Err(message) = topic_names::validate(instance)
    {
        let message = message.replacen("Topic name", "Group instance id", 1);
        return Err(ConfigError::invalid_configuration(message));
    }
    if parsed.text("group.id").is_none() {
        if is_set(settings, "enable.auto.commit") && parsed.boolean("enable.auto.commit") {
            return Err(ConfigError::invalid_configuration(
                "enable.auto.commit cannot be set to true when default group id (null) is used.",
            ));
        }
        parsed.0.insert("enable.auto.commit", ConfigValue::Boolean(false));
    }
    let protocol = parsed.text("group.protocol").unwrap_or_default().to_uppercase();
    let unsupported: &[&str] = if protocol == "CLASSIC" {
        &["group.remote.assignor", "share.acknowledgement.mode", "share.acquire.mode"]
    } else {
        &[
            "partition.assignment.strategy",
            "heartbeat.interval.ms",
            "session.timeout.ms",
            "share.acknowledgement.mode",
            "share.acquire.mode",
        ]
    };
    let given = |name: &str| {
        settings.iter().any(|(other, value)| *other == name && !value.trim().is_empty())
    };
    let wrong: Vec<&str> = unsupported.iter().copied().filter(|name| given(name)).collect();
    if !wrong.is_empty() {
        return Err(ConfigError::config(format!(
            "{} cannot be set when group.protocol={protocol}",
            wrong.join(", ")
        )));
    }
    Ok(parsed)
}

/// An admin client's settings.
pub fn admin(settings: &Settings<'_>) -> Result<ParsedConfigs, ConfigError> {
    let parsed = ConfigDef::Admin.parse(settings)?;
    sasl_mechanism(&parsed)?;
    Ok(parsed)
}

fn sasl_mechanism(parsed: &ParsedConfigs) -> Result<(), ConfigError> {
    let sasl =
        parsed.text("security.protocol").is_some_and(|protocol| protocol.starts_with("SASL_"));
    if sasl && parsed.text("sasl.mechanism").is_none_or(str::is_empty) {
        return Err(ConfigError::value(
            "sasl.mechanism",
            "null",
            "When the security.protocol configuration enables SASL, mechanism must be non-null and non-empty string.",
        ));
    }
    Ok(())
}

/// A node's settings. Simplified: checks of SASL, of tiered storage and of advertised listeners are left out.
pub fn broker(settings: &Settings<'_>) -> Result<ParsedConfigs, ConfigError> {
    // `broker.id` and `node.id` are synonyms.
    let mut settings = settings.to_vec();
    let id = settings
        .iter()
        .find(|(name, _)| matches!(*name, "broker.id" | "node.id"))
        .map(|(_, id)| *id);
    if let Some(id) = id {
        for name in ["broker.id", "node.id"] {
            if !is_set(&settings, name) {
                settings.push((name, id));
            }
        }
    }
    let parsed = ConfigDef::Broker.parse(&settings)?;
    group_coordinator(&parsed)?;
    if !parsed
        .list("group.coordinator.rebalance.protocols")
        .iter()
        .any(|protocol| protocol == "classic")
    {
        return Err(ConfigError::config("Disabling the 'classic' protocol is not supported."));
    }
    node_values(&parsed, is_set(&settings, "listener.security.protocol.map"))?;
    Ok(parsed)
}

/// Kafka: `GroupCoordinatorConfig`'s and `ShareGroupConfig`'s constructors.
fn group_coordinator(parsed: &ParsedConfigs) -> Result<(), ConfigError> {
    let at_least = |high: &str, low: &str| {
        require(parsed.integer(high) >= parsed.integer(low), high, "greater than or equal to", low)
    };
    let at_most = |low: &str, high: &str| {
        require(parsed.integer(low) <= parsed.integer(high), low, "less than or equal to", high)
    };
    for kind in ["consumer", "share", "streams"] {
        let name = |rest: &str| format!("group.{kind}.{rest}");
        for what in ["heartbeat.interval.ms", "session.timeout.ms", "assignment.interval.ms"] {
            let (value, min, max) =
                (name(what), name(&format!("min.{what}")), name(&format!("max.{what}")));
            at_least(&max, &min)?;
            at_least(&value, &min)?;
            at_most(&value, &max)?;
            if what == "session.timeout.ms" {
                let heartbeat = name("heartbeat.interval.ms");
                require(
                    parsed.integer(&heartbeat) < parsed.integer(&value),
                    &heartbeat,
                    "less than",
                    &value,
                )?;
            }
        }
    }
    at_most("group.streams.num.standby.replicas", "group.streams.max.standby.replicas")?;
    let assignors = parsed.list("group.share.assignors").len();
    if assignors != 1 {
        return Err(illegal(format!(
            "group.share.assignors must contain exactly one assignor, but found {assignors}"
        )));
    }
    for what in ["delivery.count.limit", "partition.max.record.locks", "record.lock.duration.ms"] {
        let (value, min, max) = (
            format!("group.share.{what}"),
            format!("group.share.min.{what}"),
            format!("group.share.max.{what}"),
        );
        at_least(&max, &value)?;
        at_least(&value, &min)?;
    }
    Ok(())
}

fn illegal(message: String) -> ConfigError {
    ConfigError { exception: "IllegalArgumentException", message }
}

fn require(holds: bool, name: &str, relation: &str, other: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(illegal(format!("{name} must be {relation} {other}"))) }
}

/// Kafka: `KafkaConfig.validateValues`.
fn node_values(parsed: &ParsedConfigs, mapped: bool) -> Result<(), ConfigError> {
    let check = |holds: bool, message: &str| {
        if holds { Ok(()) } else { Err(ConfigError::requirement(message)) }
    };
    if parsed.get("node.id") != parsed.get("broker.id") {
        return Err(ConfigError::config(
            "You must set `node.id` to the same value as `broker.id`.",
        ));
    }
    let in_ms = |synonyms: &[&str]| {
        let set = synonyms.iter().find_map(|name| Some((*name, parsed.optional_integer(name)?)));
        set.map_or(0, |(name, value)| {
            if value < 0 { value } else { value * super::synonyms::millis_per_unit(name) }
        })
    };
    check(
        in_ms(&["log.roll.ms", "log.roll.hours"]) >= 1,
        "log.roll.ms must be greater than or equal to 1",
    )?;
    check(
        in_ms(&["log.roll.jitter.ms", "log.roll.jitter.hours"]) >= 0,
        "log.roll.jitter.ms must be greater than or equal to 0",
    )?;
    let retention = in_ms(&["log.retention.ms", "log.retention.minutes", "log.retention.hours"]);
    check(
        retention >= 1 || retention == -1,
        "log.retention.ms must be unlimited (-1) or, greater than or equal to 1",
    )?;
    let buffer = parsed.integer("log.cleaner.dedupe.buffer.size");
    let Some(dedupe) = buffer.checked_div(parsed.integer("log.cleaner.threads")) else {
        // Kafka divides first.
        let message = "/ by zero".to_owned();
        return Err(ConfigError { exception: "ArithmeticException", message });
    };
    check(
        dedupe > 1024 * 1024,
        "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.",
    )?;
    let fetch_wait = parsed.integer("replica.fetch.wait.max.ms");
    check(
        fetch_wait <= parsed.integer("replica.socket.timeout.ms"),
        "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts",
    )?;
    check(
        fetch_wait <= parsed.integer("replica.lag.time.max.ms"),
        "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR",
    )?;
    let names = listeners(parsed, mapped)?;
    roles(parsed, &names)?;
    let idle = parsed.integer("connections.max.idle.ms");
    let delay = parsed.integer("connection.failed.authentication.delay.ms");
    if idle >= 0 && delay >= idle {
        return Err(ConfigError::requirement(format!(
            "connection.failed.authentication.delay.ms={delay} should always be less than connections.max.idle.ms={idle} \
             to prevent failed authentication responses from timing out"
        )));
    }
    let queued = parsed.integer("queued.max.request.bytes");
    check(
        queued <= 0 || queued >= parsed.integer("socket.request.max.bytes"),
        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes",
    )
}

/// The listeners' names in order, after the checks of `AbstractKafkaConfig.listenerListToEndPoints`.
fn listeners(parsed: &ParsedConfigs, mapped: bool) -> Result<Vec<String>, ConfigError> {
    let given = parsed.list("listeners");
    let mut names = Vec::with_capacity(given.len());
    for listener in given {
        let Some((name, _)) = listener.split_once("://") else {
            let message = ["Unable to parse a listener name from ", listener.as_str()].concat();
            return Err(ConfigError { exception: "KafkaException", message });
        };
        names.push(name.to_uppercase());
    }
    let refuse = |why: String| {
        Err(illegal(format!(
            "Error creating broker listeners from '[{}]': {why}",
            given.join(", ")
        )))
    };
    let map = parsed.list("listener.security.protocol.map");
    let text_map = parsed.text("listener.security.protocol.map").unwrap_or_default();
    let mapped_names: Vec<String> = map
        .iter()
        .map(String::as_str)
        .chain(text_map.split(','))
        .filter_map(|pair| Some(pair.split_once(':')?.0.trim().to_uppercase()))
        .collect();
    let controllers = parsed.list("controller.listener.names");
    for name in &names {
        // Without a map of one's own, a controller's listener without a known protocol is PLAINTEXT.
        let implied =
            !mapped && controllers.iter().any(|controller| controller.to_uppercase() == *name);
        if !mapped_names.contains(name) && !implied {
            return refuse(["No security protocol defined for listener ", name.as_str()].concat());
        }
    }
    let mut distinct = names.clone();
    simulation::sorted::sort(&mut distinct);
    distinct.dedup();
    if distinct.len() != names.len() {
        return refuse(format!(
            "Each listener must have a different name, listeners: [{}]",
            given.join(", ")
        ));
    }
    let mut ports: Vec<&str> = given
        .iter()
        .filter_map(|listener| host_and_port(listener))
        .map(|(_, port)| port)
        .filter(|port| *port != "0")
        .collect();
    simulation::sorted::sort(&mut ports);
    if ports.windows(2).any(|pair| pair[0] == pair[1]) {
        return refuse(format!(
            "Each listener must have a different port, listeners: [{}]",
            given.join(", ")
        ));
    }
    if let Some(name) = parsed.text("inter.broker.listener.name")
        && !mapped_names.contains(&name.to_uppercase())
    {
        return Err(ConfigError::config(format!(
            "Listener with name {} defined in inter.broker.listener.name not found in listener.security.protocol.map.",
            name.to_uppercase()
        )));
    }
    Ok(names)
}

/// What a node's roles ask of its quorum and listeners.
fn roles(parsed: &ParsedConfigs, listeners: &[String]) -> Result<(), ConfigError> {
    let check = |holds: bool, message: String| {
        if holds { Ok(()) } else { Err(ConfigError::requirement(message)) }
    };
    let has_role = |role: &str| parsed.list("process.roles").iter().any(|other| other == role);
    let node = parsed.integer("node.id") as i32;
    let voters: Vec<i32> = parsed
        .list("controller.quorum.voters")
        .iter()
        .map(|entry| parse_voter(entry))
        .collect::<Result<_, _>>()?;
    let voters_text = voters.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let controller_names = parsed.list("controller.listener.names");
    if voters.is_empty() && parsed.list("controller.quorum.bootstrap.servers").is_empty() {
        return Err(ConfigError::config(
            "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
             controllers or controller.quorum.voters must contain a parseable set of controllers.",
        ));
    }
    if !has_role("controller") {
        check(
            !voters.contains(&node),
            format!(
                "If process.roles contains just the 'broker' role, the node id {node} must not be included in the set of voters controller.quorum.voters=Set({voters_text})"
            ),
        )?;
        return check(
            !controller_names.iter().any(|name| listeners.contains(&name.to_uppercase())),
            "controller.listener.names must not contain a value appearing in the 'listeners' configuration when running KRaft with just the broker role".into(),
        );
    }
    check(
        voters.is_empty() || voters.contains(&node),
        format!(
            "If process.roles contains the 'controller' role, the node id {node} must be included in the set of voters controller.quorum.voters=Set({voters_text})"
        ),
    )?;
    let served = |name: &String| listeners.contains(&name.to_uppercase());
    check(
        controller_names.iter().any(served),
        "controller.listener.names must contain at least one value appearing in the 'listeners' configuration when running the KRaft controller role".into(),
    )?;
    check(
        controller_names.iter().all(served),
        "controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role".into(),
    )
}
