//! Vectors of the producer: the hash of keys, the built-in partitioner, batching.

use simulation::sorted::SortedSet;

use cluster::client::backoff::ExponentialBackoff;
use cluster::client::metadata::{Interest, Metadata};
use cluster::client::murmur2::{murmur2 as hash, partition_for_key, to_positive};
use cluster::client::partitioner::{BuiltInPartitioner, RoundRobinPartitioner};
use cluster::client::producer::accumulator::{Accumulator, AccumulatorConfig};
use cluster::client::producer::batch::{Compression, NewRecord};
use cluster::client::producer::view::ClusterView;
use cluster::log::CompressionType;
use cluster::protocol::{
    MetadataRequest, MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
    NodeEndpoint,
};
use serde_json::{Value, json};
use simulation::{Micros, Random, RecordedDraws};

use super::outcome::{Outcome, compare, numbers, text};

/// murmur2.json
pub fn murmur2(case: &Value) -> Outcome {
    let key = match case["hex"].as_str() {
        Some(hex) => (0..hex.len() / 2)
            .filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok())
            .collect(),
        None => text(case, "key").into_bytes(),
    };
    let partitions: Vec<Value> = case["p"].as_array().into_iter().flatten().cloned().collect();
    compare(case, "murmur2", hash(&key))
        .and(|| compare(case, "positive", to_positive(hash(&key))))
        .and(|| {
            for row in partitions {
                let [count, expected, ..] = numbers(&row)[..] else {
                    return Outcome::Failed(row.to_string());
                };
                let found = partition_for_key(&key, count);
                if found != expected {
                    return Outcome::Failed(format!(
                        "{count} partitions: expected {expected}, found {found}"
                    ));
                }
            }
            Outcome::Passed
        })
}

fn draws(case: &Value) -> RecordedDraws {
    RecordedDraws::new(numbers(&case["draws"]).into_iter().map(|draw| draw as u32).collect())
}

/// A producer's metadata of one topic; `leader` of each partition, -1 for none.
fn metadata(topic: &str, brokers: i32, leaders: impl Iterator<Item = i32>) -> Metadata {
    let interest = Interest::Topics(SortedSet::from([topic.to_owned()]));
    let backoff = ExponentialBackoff::from_ms(100, 1_000);
    let mut metadata = Metadata::new(interest, Micros::from_secs(300), backoff);
    let node = |node_id| NodeEndpoint { node_id, host: "kafka".into(), port: 9092, rack: None };
    let partition = |(index, leader_id): (usize, i32)| MetadataResponsePartition {
        partition_index: index as i32,
        leader_id,
        leader_epoch: 0,
        ..Default::default()
    };
    let topic = MetadataResponseTopic {
        name: Some(topic.to_owned()),
        partitions: leaders.enumerate().map(partition).collect(),
        ..Default::default()
    };
    let response = MetadataResponse {
        brokers: (0..brokers).map(node).collect(),
        topics: vec![topic],
        ..Default::default()
    };
    let request = MetadataRequest { topics: None, allow_auto_topic_creation: true };
    metadata.update(&request, &response, Micros::ZERO, &mut Random::from_seed(0));
    metadata
}

/// sticky-partitioner.json
pub fn sticky_partitioner(case: &Value) -> Outcome {
    let topic = text(case, "topic");
    let without_leader = numbers(&case["noLeader"]);
    let count = case["partitions"].as_i64().unwrap_or(0) as i32;
    let leaders = (0..count).map(|index| if without_leader.contains(&index) { -1 } else { 0 });
    let view = ClusterView::of(&metadata(&topic, 1, leaders));
    let Some(view) = view.topics.get(&topic) else { return Outcome::Failed("no topic".into()) };
    let partitions = &view.partitions;
    match text(case, "op").as_str() {
        "roundrobin" => {
            let mut partitioner = RoundRobinPartitioner::default();
            let calls = case["out"].as_array().map_or(0, Vec::len);
            let out: Vec<i32> = (0..calls).map(|_| partitioner.next(partitions)).collect();
            compare(case, "out", out)
        }
        "sticky" => compare(case, "available", &partitions.available).and(|| {
            let batch_size = case["batchSize"].as_i64().unwrap_or(0) as i32;
            let mut partitioner = BuiltInPartitioner::new(batch_size);
            let mut draws = draws(case);
            for step in case["steps"].as_array().into_iter().flatten() {
                let outcome = match text(step, "op").as_str() {
                    "peek" => compare(
                        step,
                        "partition",
                        partitioner.peek(partitions, &mut draws).partition,
                    ),
                    "update" => {
                        let sticky = partitioner.peek(partitions, &mut draws);
                        let bytes = step["bytes"].as_i64().unwrap_or(0) as i32;
                        let enable_switch = step["enableSwitch"].as_bool().unwrap_or(true);
                        partitioner.update(bytes, partitions, enable_switch, &mut draws);
                        compare(step, "partition", sticky.partition)
                            .and(|| compare(step, "switched", partitioner.is_changed(sticky)))
                            .and(|| {
                                compare(
                                    step,
                                    "next",
                                    partitioner.peek(partitions, &mut draws).partition,
                                )
                            })
                    }
                    "stats" => {
                        let length = step["length"].as_i64().unwrap_or(0) as usize;
                        let (mut sizes, mut ids) =
                            (numbers(&step["queueSizes"]), numbers(&step["partitionIds"]));
                        let all = sizes.len();
                        sizes.truncate(length);
                        ids.truncate(length);
                        // Recorded with a partition already in use, as a producer has it before it knows loads.
                        partitioner.peek(partitions, &mut draws);
                        let queues = step["queueSizes"].is_array().then_some((sizes, ids));
                        partitioner.update_load(queues, all);
                        compare(step, "rangeEnd", partitioner.load_stats_range_end()).and(|| {
                            compare(
                                step,
                                "next",
                                partitioner.peek(partitions, &mut draws).partition,
                            )
                        })
                    }
                    _ => Outcome::Unknown,
                };
                if let Outcome::Failed(why) = outcome {
                    return Outcome::Failed(format!("{step}: {why}"));
                }
            }
            Outcome::Passed
        }),
        _ => Outcome::Unknown,
    }
}

/// producer-batching.json
pub fn producer_batching(case: &Value) -> Outcome {
    const TOPIC: &str = "t";
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let topic = case["topic"].as_str().unwrap_or(TOPIC).to_owned();
    let brokers = number(&case["brokers"]) as i32;
    let leaders = (0..number(&case["partitions"]) as i32).map(|index| index % brokers);
    let view = ClusterView::of(&metadata(&topic, brokers, leaders));
    let mut accumulator = Accumulator::new(AccumulatorConfig {
        batch_size: number(&case["batchSize"]) as u32,
        linger: Micros::from_ms(number(&case["lingerMs"]) as u64),
        buffer_memory: u64::MAX / 2,
        compression: Compression { codec: CompressionType::None, gzip_level: -1 },
        retry_backoff: ExponentialBackoff::from_ms(100, 1_000),
        delivery_timeout: Micros::from_secs(120),
        adaptive_partitioning: case["adaptive"].as_bool().unwrap_or(true),
        availability_timeout: Micros::ZERO,
    });
    let mut draws = draws(case);
    let mut now = Micros::from_secs(1);
    let bytes = |length: i64| usize::try_from(length).ok().map(|length| vec![b'x'; length]);
    for step in case["steps"].as_array().into_iter().flatten() {
        let outcome = match text(step, "op").as_str() {
            "advance" => {
                now += Micros::from_ms(number(&step["ms"]) as u64);
                Outcome::Passed
            }
            "append" => {
                let (key, value) = (bytes(number(&step["kl"])), bytes(number(&step["vl"])));
                let record = NewRecord {
                    timestamp: now.as_ms() as i64,
                    key: key.as_deref(),
                    value: value.as_deref(),
                    headers: &[],
                    tag: None,
                };
                let partition = step["partition"].as_i64().map(|index| index as i32);
                let topic_view = &view.topics[&topic];
                match accumulator.append(&topic, topic_view, partition, &record, now, &mut draws) {
                    Err(error) => Outcome::Failed(format!("{error:?}")),
                    Ok(appended) => compare(step, "out", appended.partition)
                        .and(|| compare(step, "newBatch", appended.new_batch))
                        .and(|| compare(step, "batchIsFull", appended.batch_is_full))
                        .and(|| compare(step, "appendedBytes", appended.appended_bytes)),
                }
            }
            "ready" => {
                let ready = accumulator.ready(&view, now);
                let delay = ready.next_check.map(|at| at.since(now).as_ms());
                compare(step, "nodes", &ready.nodes)
                    .and(|| compare(step, "nextCheckDelayMs", delay))
                    .and(|| {
                        let drain = &step["drain"];
                        if drain.is_null() {
                            return Outcome::Passed;
                        }
                        let max_size = number(&drain["maxSize"]) as u32;
                        let mut out = Vec::new();
                        for node in ready.nodes {
                            match accumulator.drain(&view, node, max_size, now, None) {
                                Err(error) => return Outcome::Failed(error.message),
                                Ok(batches) => {
                                    let rows = batches.iter().map(|(batch, built)| {
                                        json!([
                                            batch.partition.partition,
                                            batch.record_count,
                                            built.size_in_bytes()
                                        ])
                                    });
                                    out.push(json!([node, rows.collect::<Vec<_>>()]));
                                }
                            }
                        }
                        compare(drain, "out", out)
                    })
            }
            _ => Outcome::Unknown,
        };
        if let Outcome::Failed(why) = outcome {
            return Outcome::Failed(format!("{step}: {why}"));
        }
    }
    Outcome::Passed
}
