//! The topic configs that a log looks at, typed, under Kafka's names and with Kafka's defaults.
//!
//! Kafka: `LogConfig`, `TopicConfig`. Validation of what a person types belongs to the config definitions, not here.

use serde::{Deserialize, Serialize};

use super::compression::CompressionType;
use super::record_batch::TimestampType;

/// Configs of one topic as its logs use them. Times in ms, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfig {
    /// `cleanup.policy` contains `compact`.
    pub compact: bool,
    /// `cleanup.policy` contains `delete`.
    pub delete: bool,
    /// `compression.type`; `None` is `producer`: keep what the producer sent.
    pub compression_type: Option<CompressionType>,
    /// `compression.gzip.level`; -1 is the codec's default.
    pub compression_gzip_level: i32,
    /// `delete.retention.ms`: how long compaction keeps tombstones and markers.
    pub delete_retention_ms: i64,
    /// `file.delete.delay.ms`: how long a removed segment's files stay, as `*.deleted`.
    pub file_delete_delay_ms: i64,
    /// `index.interval.bytes`: a new index entry each so many bytes of log.
    pub index_interval_bytes: u32,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `max.message.bytes`: the largest batch, header included.
    pub max_message_bytes: u32,
    /// `message.timestamp.after.max.ms`: how far ahead of the broker's clock a timestamp may be.
    pub message_timestamp_after_max_ms: i64,
    /// `message.timestamp.before.max.ms`: how far behind it.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `min.cleanable.dirty.ratio` in millionths.
    pub min_cleanable_dirty_ratio_ppm: u32,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `min.insync.replicas`; the leader looks at it, not the log.
    pub min_insync_replicas: u32,
    /// `retention.bytes`; -1 is unlimited.
    pub retention_bytes: i64,
    /// `retention.ms`; -1 is unlimited.
    pub retention_ms: i64,
    /// `segment.bytes`, or `internal.segment.bytes` where set.
    pub segment_bytes: u32,
    /// `segment.index.bytes`: an offset index entry takes 8 bytes, a time index entry 12.
    pub segment_index_bytes: u32,
    /// `segment.jitter.ms`: segments roll up to so much earlier, so that not all do at once.
    pub segment_jitter_ms: i64,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `unclean.leader.election.enable`; the controller looks at it, not the log.
    pub unclean_leader_election_enable: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            compact: false,
            delete: true,
            compression_type: None,
            compression_gzip_level: -1,
            delete_retention_ms: 86_400_000,
            file_delete_delay_ms: 60_000,
            index_interval_bytes: 4096,
            max_compaction_lag_ms: i64::MAX,
            max_message_bytes: 1_048_588,
            message_timestamp_after_max_ms: 3_600_000,
            message_timestamp_before_max_ms: i64::MAX,
            message_timestamp_type: TimestampType::CreateTime,
            min_cleanable_dirty_ratio_ppm: 500_000,
            min_compaction_lag_ms: 0,
            min_insync_replicas: 1,
            retention_bytes: -1,
            retention_ms: 604_800_000,
            segment_bytes: 1 << 30,
            segment_index_bytes: 10 << 20,
            segment_jitter_ms: 0,
            segment_ms: 604_800_000,
            unclean_leader_election_enable: false,
        }
    }
}

impl LogConfig {
    /// Kafka's defaults with the given topic configs over them. Names that a log does not look at, and values that do
    /// not parse, change nothing: they were validated before they were stored.
    pub fn from_configs<'a>(configs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut config = Self::default();
        for (name, value) in configs {
            config.set(name, value.trim());
        }
        config
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "cleanup.policy" => {
                let has = |policy| value.split(',').any(|part| part.trim() == policy);
                (self.compact, self.delete) = (has("compact"), has("delete"));
            }
            "compression.type" => {
                self.compression_type = match value {
                    "producer" => None,
                    "uncompressed" => Some(CompressionType::None),
                    name => CompressionType::from_name(name),
                };
            }
            "compression.gzip.level" => parse(&mut self.compression_gzip_level, value),
            "delete.retention.ms" => parse(&mut self.delete_retention_ms, value),
            "file.delete.delay.ms" => parse(&mut self.file_delete_delay_ms, value),
            "index.interval.bytes" => parse(&mut self.index_interval_bytes, value),
            "max.compaction.lag.ms" => parse(&mut self.max_compaction_lag_ms, value),
            "max.message.bytes" => parse(&mut self.max_message_bytes, value),
            "message.timestamp.after.max.ms" => {
                parse(&mut self.message_timestamp_after_max_ms, value);
            }
            "message.timestamp.before.max.ms" => {
                parse(&mut self.message_timestamp_before_max_ms, value);
            }
            "message.timestamp.type" => {
                self.message_timestamp_type = match value {
                    "LogAppendTime" => TimestampType::LogAppendTime,
                    _ => TimestampType::CreateTime,
                };
            }
            "min.cleanable.dirty.ratio" => {
                if let Some(ppm) = parse_ppm(value) {
                    self.min_cleanable_dirty_ratio_ppm = ppm;
                }
            }
            "min.compaction.lag.ms" => parse(&mut self.min_compaction_lag_ms, value),
            "min.insync.replicas" => parse(&mut self.min_insync_replicas, value),
            "retention.bytes" => parse(&mut self.retention_bytes, value),
            "retention.ms" => parse(&mut self.retention_ms, value),
            "segment.bytes" | "internal.segment.bytes" => parse(&mut self.segment_bytes, value),
            "segment.index.bytes" => parse(&mut self.segment_index_bytes, value),
            "segment.jitter.ms" => parse(&mut self.segment_jitter_ms, value),
            "segment.ms" => parse(&mut self.segment_ms, value),
            "unclean.leader.election.enable" => {
                parse(&mut self.unclean_leader_election_enable, value);
            }
            _ => {}
        }
    }
}

fn parse<T: std::str::FromStr>(field: &mut T, value: &str) {
    if let Ok(value) = value.parse() {
        *field = value;
    }
}

/// A ratio from 0 to 1 in millionths.
#[expect(clippy::float_arithmetic, reason = "read once from text; the state holds an integer")]
fn parse_ppm(value: &str) -> Option<u32> {
    let ratio: f64 = value.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio))?;
    Some((ratio * 1_000_000.0).round() as u32)
}
