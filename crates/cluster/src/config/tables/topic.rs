//! The configs of topics, in the order of their definition. Kafka: `LogConfig`.

use crate::config::key::*;
use crate::config::validator::Validator;

/// `topic`
#[rustfmt::skip]
pub const TOPIC: &[ConfigKey] = &[
    key("segment.bytes", Int, is("1073741824"), at_least("1048576"), Medium),
    key("segment.ms", Long, is("604800000"), at_least("1"), Medium),
    key("segment.jitter.ms", Long, is("0"), at_least("0"), Medium),
    key("segment.index.bytes", Int, is("10485760"), at_least("4"), Medium),
    key("flush.messages", Long, is("9223372036854775807"), at_least("1"), Medium),
    key("flush.ms", Long, is("9223372036854775807"), at_least("0"), Medium),
    key("retention.bytes", Long, is("-1"), ANY, Medium),
    key("retention.ms", Long, is("604800000"), at_least("-1"), Medium),
    key("max.message.bytes", Int, is("1048588"), at_least("0"), Medium),
    key("index.interval.bytes", Int, is("4096"), at_least("0"), Medium),
    key("delete.retention.ms", Long, is("86400000"), at_least("0"), Medium),
    key("min.compaction.lag.ms", Long, is("0"), at_least("0"), Medium),
    key("max.compaction.lag.ms", Long, is("9223372036854775807"), at_least("1"), Medium),
    key("file.delete.delay.ms", Long, is("60000"), at_least("0"), Medium),
    key("min.cleanable.dirty.ratio", Double, is("0.5"), range("0", "1"), Medium),
    key("cleanup.policy", List, is("delete"), list_of(&["compact", "delete"]), Medium),
    key("unclean.leader.election.enable", Boolean, is("false"), ANY, Medium),
    key("min.insync.replicas", Int, is("1"), at_least("1"), Medium),
    key("compression.type", Text, is("producer"), one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), Medium),
    key("compression.gzip.level", Int, is("-1"), Validator::GzipLevel, Medium),
    key("compression.lz4.level", Int, is("9"), range("1", "17"), Medium),
    key("compression.zstd.level", Int, is("3"), range("-131072", "22"), Medium),
    key("preallocate", Boolean, is("false"), ANY, Medium),
    key("message.timestamp.type", Text, is("CreateTime"), one_of(&["CreateTime", "LogAppendTime"]), Medium),
    key("message.timestamp.before.max.ms", Long, is("9223372036854775807"), at_least("0"), Medium),
    key("message.timestamp.after.max.ms", Long, is("3600000"), at_least("0"), Medium),
    key("leader.replication.throttled.replicas", List, is(""), Validator::ThrottledReplicas, Medium),
    key("follower.replication.throttled.replicas", List, is(""), Validator::ThrottledReplicas, Medium),
    key("remote.storage.enable", Boolean, is("false"), ANY, Medium),
    key("local.retention.ms", Long, is("-2"), at_least("-2"), Medium),
    key("local.retention.bytes", Long, is("-2"), at_least("-2"), Medium),
    key("remote.log.copy.disable", Boolean, is("false"), ANY, Medium),
    key("remote.log.delete.on.disable", Boolean, is("false"), ANY, Medium),
    internal("internal.segment.bytes", Int, NULL, ANY, Medium),
];
