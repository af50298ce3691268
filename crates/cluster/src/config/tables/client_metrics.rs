//! The configs of client metrics subscriptions, in the order of their definition. Kafka: `ClientMetricsConfigs`.

use crate::config::key::*;

/// `client-metrics`
#[rustfmt::skip]
pub const CLIENT_METRICS: &[ConfigKey] = &[
    key("metrics", List, is(""), LIST, Medium),
    key("interval.ms", Int, is("300000"), ANY, Medium),
    key("match", List, is(""), LIST, Medium),
];
