//! A producer's settings. Kafka: `ProducerConfig`, and what `KafkaProducer`'s constructor checks.

use serde::{Deserialize, Serialize};
use simulation::Micros;

use super::accumulator::AccumulatorConfig;
use super::batch::Compression;
use crate::client::api::{ClientError, ClientSpec};
use crate::client::backoff::ExponentialBackoff;
use crate::config::{ConfigError, ParsedConfigs, build};
use crate::log::CompressionType;

/// What the sender and the application side need beside the accumulator's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProducerSettings {
    /// 0, 1, or -1 for all.
    pub acks: i16,
    pub retries: u32,
    pub max_request_size: u32,
    pub buffer_memory: u64,
    /// `max.block.ms`
    pub max_block: Micros,
    pub request_timeout: Micros,
    pub idempotent: bool,
    /// `max.in.flight.requests.per.connection` is 1.
    pub guarantee_message_order: bool,
    /// `partitioner.ignore.keys`
    pub ignore_keys: bool,
    /// `partitioner.class` is `RoundRobinPartitioner`.
    pub round_robin: bool,
    /// `metadata.max.idle.ms`
    pub metadata_max_idle: Micros,
    pub accumulator: AccumulatorConfig,
    /// `delivery.timeout.ms` was raised to this, which is worth a warning.
    pub raised_delivery_timeout_ms: Option<u64>,
}

impl ProducerSettings {
    /// Reads the settings, or says in Kafka's words what is wrong with them.
    pub fn of(spec: &ClientSpec) -> Result<Self, ClientError> {
        const SERIALIZER: &str = "org.apache.kafka.common.serialization.ByteArraySerializer";
        let mut settings: Vec<(&str, &str)> = vec![
            ("bootstrap.servers", "kafka:9092"),
            ("key.serializer", SERIALIZER),
            ("value.serializer", SERIALIZER),
        ];
        settings.extend(spec.config.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let parsed = build::producer(&settings).map_err(|error| ClientError::of_config(&error))?;
        let ms = |name: &str| Micros::from_ms(parsed.integer(name).max(0) as u64);
        let linger = ms("linger.ms");
        let request_timeout = ms("request.timeout.ms");
        let (delivery_timeout, raised_delivery_timeout_ms) =
            delivery_timeout(&settings, &parsed, linger, request_timeout)?;
        let codec = match parsed.text("compression.type") {
            Some("gzip") => CompressionType::Gzip,
            Some("snappy") => CompressionType::Snappy,
            Some("lz4") => CompressionType::Lz4,
            Some("zstd") => CompressionType::Zstd,
            _ => CompressionType::None,
        };
        let batch_size = parsed.integer("batch.size").clamp(1, i64::from(i32::MAX)) as u32;
        let accumulator = AccumulatorConfig {
            batch_size,
            linger,
            buffer_memory: parsed.integer("buffer.memory").max(0) as u64,
            compression: Compression {
                codec,
                gzip_level: parsed.integer("compression.gzip.level") as i32,
            },
            retry_backoff: ExponentialBackoff {
                initial: ms("retry.backoff.ms"),
                max: ms("retry.backoff.max.ms"),
            },
            delivery_timeout,
            adaptive_partitioning: parsed.boolean("partitioner.adaptive.partitioning.enable"),
            availability_timeout: ms("partitioner.availability.timeout.ms"),
        };
        Ok(Self {
            acks: parsed.text("acks").and_then(|acks| acks.parse().ok()).unwrap_or(-1),
            retries: parsed.integer("retries").max(0) as u32,
            max_request_size: parsed.integer("max.request.size").max(0) as u32,
            buffer_memory: accumulator.buffer_memory,
            max_block: ms("max.block.ms"),
            request_timeout,
            idempotent: parsed.boolean("enable.idempotence"),
            guarantee_message_order: parsed.integer("max.in.flight.requests.per.connection") == 1,
            ignore_keys: parsed.boolean("partitioner.ignore.keys"),
            round_robin: parsed
                .text("partitioner.class")
                .is_some_and(|class| class.ends_with("RoundRobinPartitioner")),
            metadata_max_idle: ms("metadata.max.idle.ms"),
            accumulator,
            raised_delivery_timeout_ms,
        })
    }
}

/// `delivery.timeout.ms` must cover `linger.ms` and one request; if nobody set it, it is raised to that.
/// Kafka: `KafkaProducer.configureDeliveryTimeout`.
fn delivery_timeout(
    settings: &[(&str, &str)],
    parsed: &ParsedConfigs,
    linger: Micros,
    request_timeout: Micros,
) -> Result<(Micros, Option<u64>), ClientError> {
    let set = Micros::from_ms(parsed.integer("delivery.timeout.ms").max(0) as u64);
    let least = Micros::from_ms((linger + request_timeout).as_ms().min(i32::MAX as u64));
    if set >= least {
        return Ok((set, None));
    }
    if settings.iter().any(|(name, _)| *name == "delivery.timeout.ms") {
        let error = ConfigError::config(
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
        );
        return Err(ClientError::of_config(&error));
    }
    Ok((least, Some(least.as_ms())))
}
