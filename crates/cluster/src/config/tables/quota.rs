//! The configs of quotas of brokers, users and clients, and addresses, in the order of their definition. Kafka: `QuotaConfig`.

use crate::config::key::*;

/// `broker-quota`
#[rustfmt::skip]
pub const BROKER_QUOTA: &[ConfigKey] = &[
    key("leader.replication.throttled.rate", Long, is("9223372036854775807"), at_least("0"), Medium),
    key("follower.replication.throttled.rate", Long, is("9223372036854775807"), at_least("0"), Medium),
    key("replica.alter.log.dirs.io.max.bytes.per.second", Long, is("9223372036854775807"), at_least("0"), Medium),
];

/// `user-and-client-quota`
#[rustfmt::skip]
pub const USER_AND_CLIENT_QUOTA: &[ConfigKey] = &[
    key("producer_byte_rate", Long, is("9223372036854775807"), ANY, Medium),
    key("consumer_byte_rate", Long, is("9223372036854775807"), ANY, Medium),
    key("request_percentage", Double, is("2.147483647E9"), ANY, Medium),
    key("controller_mutation_rate", Double, is("2.147483647E9"), ANY, Medium),
];

/// `ip-quota`
#[rustfmt::skip]
pub const IP_QUOTA: &[ConfigKey] = &[
    key("connection_creation_rate", Int, is("2147483647"), at_least("0"), Medium),
];
