//! A consumer's settings. Kafka: `ConsumerConfig`, and what `ClassicKafkaConsumer`'s constructor checks.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::super::api::{ClientError, ClientSpec};
use super::super::backoff::ExponentialBackoff;
use super::{KAFKA_ERRORS, error};
use crate::config::{build, duration};

/// Where a consumer without a committed offset begins. Kafka: `AutoOffsetResetStrategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetStrategy {
    Earliest,
    Latest,
    /// At what was written this many milliseconds ago.
    ByDuration(i64),
}

/// What the parts of a consumer need to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConsumerSettings {
    pub group_id: Option<String>,
    pub group_instance_id: Option<String>,
    /// `client.rack`
    pub rack: String,
    /// The protocol names of `partition.assignment.strategy`, in order.
    pub assignors: Vec<String>,
    /// None: the application is told.
    pub reset: Option<ResetStrategy>,
    /// `enable.auto.commit` and its interval.
    pub auto_commit_interval: Option<Micros>,
    pub session_timeout: Micros,
    pub heartbeat_interval: Micros,
    pub max_poll_interval: Micros,
    pub max_poll_records: u32,
    pub fetch_min_bytes: i32,
    pub fetch_max_bytes: i32,
    pub fetch_max_wait_ms: i32,
    pub max_partition_fetch_bytes: i32,
    pub read_committed: bool,
    pub request_timeout: Micros,
    pub allow_auto_create_topics: bool,
    /// `exclude.internal.topics`
    pub exclude_internal_topics: bool,
    pub check_crcs: bool,
    pub backoff: ExponentialBackoff,
}

/// Partition assignment strategies by the end of their class names.
const ASSIGNORS: [(&str, &str); 4] = [
    (".CooperativeStickyAssignor", "cooperative-sticky"),
    (".RangeAssignor", "range"),
    (".RoundRobinAssignor", "roundrobin"),
    (".StickyAssignor", "sticky"),
];

impl ConsumerSettings {
    /// Reads the settings, or says in Kafka's words what is wrong with them.
    pub fn of(spec: &ClientSpec) -> Result<Self, ClientError> {
        const DESERIALIZER: &str = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
        let mut settings: Vec<(&str, &str)> = vec![
            ("bootstrap.servers", "kafka:9092"),
            ("key.deserializer", DESERIALIZER),
            ("value.deserializer", DESERIALIZER),
        ];
        settings.extend(spec.config.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let config_exception =
            |message: &str| error("org.apache.kafka.common.config.ConfigException", message);
        let parsed =
            build::consumer(&settings).map_err(|error| config_exception(&error.message))?;
        let ms = |name: &str| Micros::from_ms(parsed.integer(name).max(0) as u64);
        let int = |name: &str| parsed.integer(name).clamp(0, i64::from(i32::MAX)) as i32;
        let text = |name: &str| parsed.text(name).unwrap_or_default().to_owned();
        if text("group.protocol").eq_ignore_ascii_case("consumer") {
            return Err(error(
                &format!("{KAFKA_ERRORS}.UnsupportedVersionException"),
                "The cluster does not support the new consumer group protocol. Set group.protocol=classic on the consumer configs to revert to the classic protocol until the cluster is upgraded.",
            ));
        }
        let assignors: Vec<String> = parsed
            .list("partition.assignment.strategy")
            .iter()
            .filter_map(|class| {
                let known = |(end, _): &&(&str, &str)| class.ends_with(end);
                ASSIGNORS.iter().find(known).map(|(_, name)| (*name).to_owned())
            })
            .collect();
        let reset = match text("auto.offset.reset").to_ascii_lowercase().as_str() {
            "earliest" => Some(ResetStrategy::Earliest),
            "latest" => Some(ResetStrategy::Latest),
            other => other
                .strip_prefix("by_duration:")
                .and_then(|text| duration::parse(&text.to_ascii_uppercase()))
                .map(ResetStrategy::ByDuration),
        };
        let auto_commit = parsed.boolean("enable.auto.commit");
        Ok(Self {
            group_id: parsed.text("group.id").map(str::to_owned),
            group_instance_id: parsed.text("group.instance.id").map(str::to_owned),
            rack: text("client.rack"),
            assignors,
            reset,
            auto_commit_interval: auto_commit.then(|| ms("auto.commit.interval.ms")),
            session_timeout: ms("session.timeout.ms"),
            heartbeat_interval: ms("heartbeat.interval.ms"),
            max_poll_interval: ms("max.poll.interval.ms"),
            max_poll_records: int("max.poll.records").max(1) as u32,
            fetch_min_bytes: int("fetch.min.bytes"),
            fetch_max_bytes: int("fetch.max.bytes"),
            fetch_max_wait_ms: int("fetch.max.wait.ms"),
            max_partition_fetch_bytes: int("max.partition.fetch.bytes"),
            read_committed: text("isolation.level").eq_ignore_ascii_case("read_committed"),
            request_timeout: ms("request.timeout.ms"),
            allow_auto_create_topics: parsed.boolean("allow.auto.create.topics"),
            exclude_internal_topics: parsed.boolean("exclude.internal.topics"),
            check_crcs: parsed.boolean("check.crcs"),
            backoff: ExponentialBackoff {
                initial: ms("retry.backoff.ms"),
                max: ms("retry.backoff.max.ms"),
            },
        })
    }
}
