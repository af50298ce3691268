//! The configs of groups, in the order of their definition. Kafka: `GroupConfig`.

use crate::config::key::*;
use crate::config::validator::Validator;

/// `group`
#[rustfmt::skip]
pub const GROUP: &[ConfigKey] = &[
    key("consumer.session.timeout.ms", Int, is("45000"), at_least("1"), Medium),
    key("consumer.heartbeat.interval.ms", Int, is("5000"), at_least("1"), Medium),
    key("consumer.assignment.interval.ms", Int, is("1000"), at_least("0"), Medium),
    key("share.session.timeout.ms", Int, is("45000"), at_least("1"), Medium),
    key("share.heartbeat.interval.ms", Int, is("5000"), at_least("1"), Medium),
    key("share.record.lock.duration.ms", Int, is("30000"), at_least("1000"), Medium),
    key("share.delivery.count.limit", Int, is("5"), at_least("2"), Medium),
    key("share.partition.max.record.locks", Int, is("2000"), at_least("100"), Medium),
    key("share.auto.offset.reset", Text, is("latest"), Validator::ShareOffsetReset, Medium),
    key("share.isolation.level", Text, is("read_uncommitted"), one_of(&["read_committed", "read_uncommitted"]), Medium),
    key("share.renew.acknowledge.enable", Boolean, is("true"), ANY, Medium),
    key("share.assignment.interval.ms", Int, is("1000"), at_least("0"), Medium),
    key("streams.session.timeout.ms", Int, is("45000"), at_least("1"), Medium),
    key("streams.heartbeat.interval.ms", Int, is("5000"), at_least("1"), Medium),
    key("streams.num.standby.replicas", Int, is("0"), at_least("0"), Medium),
    key("streams.initial.rebalance.delay.ms", Int, is("3000"), at_least("0"), Medium),
    key("streams.assignment.interval.ms", Int, is("1000"), at_least("0"), Medium),
];
