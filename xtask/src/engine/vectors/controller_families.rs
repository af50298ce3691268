//! Vectors of the tables and the small rules: hashes, ids, errors, APIs, names, configs.

use cluster::config::{
    self, ConfigDef, ConfigError, DefaultValue, ParsedConfigs, build, dynamic, synonyms, topic,
};
use cluster::coordinator_partition::{partition_for, share_coordinator_key};
use cluster::java::{JavaHash, JavaHashMap, JavaHashSet};
use cluster::protocol::api_keys::{ApiKey, Listeners};
use cluster::protocol::errors::ErrorCode;
use cluster::topic_names;
use cluster::types::TopicPartition;
use cluster::uuid::Uuid;
use serde_json::{Value, json};

use super::outcome::{Outcome, compare, strings, text};

/// java-hash.json
pub fn java_hash(case: &Value) -> Outcome {
    match text(case, "op").as_str() {
        "hash" => compare(case, "hash", text(case, "s").java_hash()),
        "tphash" => {
            compare(case, "hash", partition(&text(case, "topic"), &case["partition"]).java_hash())
        }
        "uuidhash" => match Uuid::parse(&text(case, "uuid")) {
            Ok(uuid) => compare(case, "hash", uuid.java_hash()),
            Err(message) => Outcome::Failed(message),
        },
        "order" => {
            let removed =
                if case["removed"].is_array() { strings(&case["removed"]) } else { Vec::new() };
            let order = if text(case, "kind") == "tp" {
                insertion_order(case, &removed, |key| parse_partition(key))
            } else {
                insertion_order(case, &removed, str::to_owned)
            };
            compare(case, "out", order)
        }
        "copy" if text(case, "kind") == "tp" => {
            copies(case, |key| parse_partition(key)).and(|| {
                let mut topics: JavaHashMap<String, ()> = JavaHashMap::new();
                for key in strings(&case["keys"]) {
                    topics.compute_if_absent(parse_partition(&key).topic, || ());
                }
                compare(case, "groupingByTopic", topics.keys().cloned().collect::<Vec<_>>())
            })
        }
        "copy" => copies(case, str::to_owned),
        _ => Outcome::Unknown,
    }
}

fn partition(topic: &str, index: &Value) -> TopicPartition {
    TopicPartition::new(topic, index.as_i64().unwrap_or(-1) as i32)
}

fn parse_partition(key: &str) -> TopicPartition {
    let (topic, index) = key.rsplit_once('-').unwrap_or((key, "0"));
    TopicPartition::new(topic, index.parse().unwrap_or(-1))
}

fn insertion_order<K: JavaHash + Eq + ToString>(
    case: &Value,
    removed: &[String],
    parse: impl Fn(&str) -> K,
) -> Vec<String> {
    let mut map = match case["capacity"].as_u64() {
        Some(capacity) => JavaHashMap::with_capacity(capacity as usize),
        None => JavaHashMap::new(),
    };
    for key in strings(&case["keys"]) {
        map.insert(parse(&key), ());
    }
    for key in removed {
        map.remove(&parse(key));
    }
    map.keys().map(ToString::to_string).collect()
}

fn copies<K: JavaHash + Eq + ToString + Clone>(case: &Value, parse: impl Fn(&str) -> K) -> Outcome {
    let keys: Vec<K> = strings(&case["keys"]).iter().map(|key| parse(key)).collect();
    let show = |keys: Vec<&K>| keys.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    let collected: JavaHashSet<K> = keys.iter().cloned().collect();
    let map: JavaHashMap<K, ()> = keys.iter().cloned().map(|key| (key, ())).collect();
    let entries: Vec<(K, ())> = map.keys().cloned().map(|key| (key, ())).collect();
    compare(case, "toSet", show(collected.iter().collect()))
        .and(|| {
            compare(
                case,
                "setFromList",
                show(JavaHashSet::copy_of(keys.iter().cloned()).iter().collect()),
            )
        })
        .and(|| {
            compare(
                case,
                "mapFromMap",
                show(JavaHashMap::copy_of(entries.into_iter()).keys().collect()),
            )
        })
}

/// uuid.json
pub fn uuid(case: &Value) -> Outcome {
    let bits = |name: &str| text(case, name).parse::<i64>().unwrap_or_default();
    if case["parse"].is_string() {
        return match Uuid::parse(&text(case, "parse")) {
            Ok(uuid) => compare(case, "msb", uuid.most_significant_bits().to_string())
                .and(|| compare(case, "lsb", uuid.least_significant_bits().to_string())),
            Err(message) => compare(case, "message", message),
        };
    }
    let uuid = Uuid::new(bits("msb"), bits("lsb"));
    compare(case, "str", uuid.to_string())
        .and(|| compare(case, "java", uuid.hyphenated()))
        .and(|| compare(case, "hash", uuid.java_hash()))
        .and(|| {
            Outcome::check(Uuid::parse(&uuid.to_string()) == Ok(uuid), || {
                "does not survive its text".into()
            })
        })
}

/// errors.json
pub fn errors(case: &Value) -> Outcome {
    let error = ErrorCode::from_code(case["code"].as_i64().unwrap_or_default() as i16);
    let mut row = json!({
        "code": error.code(), "name": error.name(), "retriable": error.is_retriable(),
        "exception": error.exception(), "message": error.message(),
    });
    if error.is_invalid_metadata() {
        row["invalidMetadata"] = true.into();
    }
    Outcome::check(row == *case, || row.to_string())
}

/// api-keys.json
pub fn api_keys(case: &Value) -> Outcome {
    let Some(key) = ApiKey::from_id(case["id"].as_i64().unwrap_or(-1) as i16) else {
        return Outcome::Failed("no such API".into());
    };
    let info = key.info();
    let listeners = match info.listeners {
        Listeners::None => "[]",
        Listeners::Broker => "[BROKER]",
        Listeners::Controller => "[CONTROLLER]",
        Listeners::Both => "[BROKER, CONTROLLER]",
    };
    let row = json!({
        "id": key.id(), "name": info.name, "key": info.key, "oldest": info.oldest_version,
        "latest": info.latest_version, "latestStable": info.latest_stable_version, "listeners": listeners,
    });
    Outcome::check(row == *case, || row.to_string())
}

/// topic-names.json
pub fn topic_names(case: &Value) -> Outcome {
    if text(case, "op") == "collision" {
        return compare(
            case,
            "collision",
            topic_names::has_collision(&text(case, "a"), &text(case, "b")),
        );
    }
    let name = text(case, "name");
    let answer = topic_names::validate(&name);
    compare(case, "valid", answer.is_ok())
        .and(|| compare(case, "error", answer.err()))
        .and(|| compare(case, "internal", topic_names::is_internal(&name)))
        .and(|| compare(case, "collisionChars", topic_names::has_collision_chars(&name)))
        .and(|| compare(case, "unified", topic_names::unify_collision_chars(&name)))
}

/// coordinator-partitions.json
pub fn coordinator_partitions(case: &Value) -> Outcome {
    if let Some(share) = case["share"].as_array() {
        let Ok(topic_id) = Uuid::parse(share[1].as_str().unwrap_or_default()) else {
            return Outcome::Failed("not a topic id".into());
        };
        let partition = share[2].as_i64().unwrap_or_default() as i32;
        let key = share_coordinator_key(share[0].as_str().unwrap_or_default(), topic_id, partition);
        let found = json!([key, partition_for(&key, 50)]);
        return Outcome::check(found == json!([share[3], share[4]]), || found.to_string());
    }
    let id = text(case, "id");
    let counts = case["p"].as_array().cloned().unwrap_or_default();
    let found: Vec<Value> = counts
        .iter()
        .map(|pair| pair[0].as_i64().unwrap_or(1) as i32)
        .map(|count| json!([count, partition_for(&id, count)]))
        .collect();
    compare(case, "hash", id.java_hash()).and(|| compare(case, "p", found))
}

fn config_def(name: &str) -> Option<ConfigDef> {
    ConfigDef::ALL.into_iter().find(|def| def.name() == name)
}

/// config-defs.json
pub fn config_defs(case: &Value) -> Outcome {
    let Some(def) = config_def(&text(case, "def")) else { return Outcome::Unknown };
    let Some(key) = def.key(&text(case, "name")) else {
        return Outcome::Failed("no such config".into());
    };
    let mut row = json!({
        "def": def.name(), "name": key.name, "type": key.config_type.name(),
        "valid": key.validator.text(), "importance": key.importance.name(),
    });
    match key.default {
        DefaultValue::Required => {}
        DefaultValue::Null => row["default"] = Value::Null,
        DefaultValue::Is(default) => row["default"] = default.into(),
    }
    if key.internal {
        row["internal"] = true.into();
        row["group"] = "".into();
    }
    if key.is_sensitive() {
        row["sensitive"] = true.into();
    }
    if def == ConfigDef::Broker && dynamic::update_mode(key.name) != dynamic::UpdateMode::ReadOnly {
        row["dynamic"] = dynamic::update_mode(key.name).name().into();
    }
    if def == ConfigDef::Topic
        && let [first, ..] = synonyms::broker_synonyms_of_topic_config(key.name)
    {
        row["serverDefault"] = (*first).into();
        row["synonyms"] = json!(synonyms::broker_synonyms_of_topic_config(key.name));
    }
    if def == ConfigDef::Group
        && let Some(synonym) = synonyms::broker_synonym_of_group_config(key.name)
    {
        row["brokerSynonym"] = synonym.into();
    }
    Outcome::check(row == *case, || row.to_string())
}

/// config-errors.json
pub fn config_errors(case: &Value) -> Outcome {
    let props: Vec<(String, Option<String>)> = case["props"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
        .collect();
    let given: Vec<(&str, &str)> =
        props.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?))).collect();
    let def = text(case, "def");
    match text(case, "op").as_str() {
        "topic" => answer(case, topic::validate(&given).map(|_| Value::Bool(true))),
        "parse" => {
            let Some(def) = config_def(&def) else { return Outcome::Unknown };
            let [(name, value)] = given.as_slice() else { return Outcome::Unknown };
            let Some(key) = def.key(name) else { return Outcome::Failed("no such config".into()) };
            answer(case, key.parse(Some(value)).map(|value| value.to_text().into()))
        }
        "build" => {
            let mut settings: Vec<(&str, &str)> = match def.as_str() {
                "producer" => vec![
                    ("bootstrap.servers", "localhost:9092"),
                    ("key.serializer", STRING_SERIALIZER),
                    ("value.serializer", STRING_SERIALIZER),
                ],
                "consumer" => vec![
                    ("bootstrap.servers", "localhost:9092"),
                    ("key.deserializer", STRING_DESERIALIZER),
                    ("value.deserializer", STRING_DESERIALIZER),
                    ("group.id", "g"),
                ],
                "admin" => vec![("bootstrap.servers", "localhost:9092")],
                "broker" => vec![
                    ("process.roles", "broker,controller"),
                    ("node.id", "1"),
                    ("controller.quorum.voters", "1@localhost:9093"),
                    ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
                    ("controller.listener.names", "CONTROLLER"),
                ],
                _ => return Outcome::Unknown,
            };
            settings.retain(|(name, _)| !props.iter().any(|(other, _)| other == name));
            settings.extend(given);
            let built: Result<ParsedConfigs, ConfigError> = match def.as_str() {
                "producer" => build::producer(&settings),
                "consumer" => build::consumer(&settings),
                "admin" => build::admin(&settings),
                _ => build::broker(&settings),
            };
            answer(case, built.map(|_| Value::Bool(true)))
        }
        _ => Outcome::Unknown,
    }
}

const STRING_SERIALIZER: &str = "org.apache.kafka.common.serialization.StringSerializer";
const STRING_DESERIALIZER: &str = "org.apache.kafka.common.serialization.StringDeserializer";

fn answer(case: &Value, found: Result<Value, config::ConfigError>) -> Outcome {
    match found {
        Ok(value) => compare(case, "ok", value),
        Err(error) => {
            compare(case, "error", error.exception).and(|| compare(case, "message", error.message))
        }
    }
}
