//! Rules for topic names. Kafka: `org.apache.kafka.common.internals.Topic`.

/// The topic of committed offsets.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic of transactions.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The topic of share groups.
pub const SHARE_GROUP_STATE: &str = "__share_group_state";
/// The log of the controller quorum.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Longest name, in UTF-16 units as Java counts.
pub const MAX_NAME_LENGTH: usize = 249;

/// Checks a name; the text is that of Kafka's `InvalidTopicException`.
pub fn validate(name: &str) -> Result<(), String> {
    reason_invalid(name).map_or(Ok(()), |reason| Err(["Topic name is invalid: ", &reason].concat()))
}

fn reason_invalid(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the empty string is not allowed".into());
    }
    if name == "." || name == ".." {
        return Some(format!("'{name}' is not allowed"));
    }
    if name.encode_utf16().count() > MAX_NAME_LENGTH {
        return Some(format!(
            "the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}"
        ));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!name.bytes().all(legal))
        .then(|| format!("'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"))
}

/// Whether Kafka itself keeps its state in this topic.
pub fn is_internal(name: &str) -> bool {
    [CONSUMER_OFFSETS, TRANSACTION_STATE, SHARE_GROUP_STATE].contains(&name)
}

/// Whether the name has a character that metric names cannot tell from another.
pub fn has_collision_chars(name: &str) -> bool {
    name.contains(['_', '.'])
}

/// The name as metrics see it.
pub fn unify_collision_chars(name: &str) -> String {
    name.replace('.', "_")
}

/// Whether two names would share their metrics.
pub fn has_collision(a: &str, b: &str) -> bool {
    unify_collision_chars(a) == unify_collision_chars(b)
}
