//! What clients were told, and whether the cluster stands by it in the end.
//!
//! Every record's value is unique, so that it can be found again: nothing acknowledged is lost, nothing comes twice from
//! an idempotent producer, a consumer reads nothing that nobody sent.

use cluster::checker::Anomaly;
use cluster::client::ClientNotice;
use cluster::types::{Offset, TopicPartition};
use cluster::world::World;
use simulation::sorted::{SortedMap, SortedSet};
use simulation::{Micros, NodeId};

/// How much a producer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// `acks=all`: an acknowledged record survives.
    pub survives: bool,
    pub idempotent: bool,
}

#[derive(Debug, Default)]
pub struct Ledger {
    promises: SortedMap<NodeId, Promise>,
    /// Topics that were deleted, and perhaps came again: nothing is promised there.
    deleted: SortedSet<String>,
    sent: SortedSet<Vec<u8>>,
    /// By value: where it was acknowledged, and what was promised.
    acknowledged: SortedMap<Vec<u8>, (TopicPartition, Offset, Promise)>,
    consumed: u64,
}

impl Ledger {
    pub fn producer(&mut self, id: NodeId, promise: Promise) {
        self.promises.insert(id, promise);
    }

    /// The value of a producer's record; the tag brings it back.
    pub fn value(&mut self, producer: NodeId, tag: u64, padding: usize) -> Vec<u8> {
        let value = value(producer, tag, padding);
        self.sent.insert(value.clone());
        value
    }

    pub fn topic_deleted(&mut self, topic: &str) {
        self.deleted.insert(topic.to_owned());
    }

    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.len() as u64
    }

    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Takes down what a client was told.
    pub fn hear(&mut self, client: NodeId, notice: &ClientNotice) -> Result<(), String> {
        match notice {
            ClientNotice::Delivered { tag, result: Ok(written) } => {
                if let Some(&promise) = self.promises.get(&client)
                    && written.offset >= 0
                {
                    let place = (written.partition.clone(), written.offset, promise);
                    self.acknowledged.insert(key(client, *tag), place);
                }
            }
            ClientNotice::Records(records) => {
                self.consumed += records.len() as u64;
                for record in records {
                    let value = record.value.as_deref().unwrap_or_default();
                    if !self.sent.contains(value) {
                        return Err(format!(
                            "{}-{} offset {}: nobody sent {:?}",
                            record.topic,
                            record.partition,
                            record.offset,
                            String::from_utf8_lossy(value)
                        ));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks for every acknowledged record in its partition's leader's log.
    pub fn check(&self, world: &World, anomalies: &[(Micros, Anomaly)]) -> Result<(), String> {
        let lossy: SortedSet<&TopicPartition> =
            anomalies.iter().map(|(_, Anomaly::RecordsLost { partition, .. })| partition).collect();
        let mut logs: SortedMap<TopicPartition, Option<Contents>> = SortedMap::new();
        for (value, (partition, offset, promise)) in &self.acknowledged {
            if self.deleted.contains(&partition.topic) || lossy.contains(partition) {
                continue;
            }
            if !logs.contains_key(partition) {
                logs.insert(partition.clone(), Contents::read(world, partition)?);
            }
            let Some(log) = &logs[partition] else { continue };
            if promise.survives && *offset >= log.start && log.key_at(*offset) != Some(value) {
                return Err(format!(
                    "{partition} offset {offset}: {:?} (idempotent: {}, now at {:?}; the log starts at {}) was acknowledged, but there is {:?}",
                    String::from_utf8_lossy(value),
                    promise.idempotent,
                    log.offsets.get(value),
                    log.start,
                    log.key_at(*offset).map(|found| String::from_utf8_lossy(found))
                ));
            }
            if promise.idempotent
                && let Some(offsets) = log.offsets.get(value)
                && offsets.len() > 1
            {
                return Err(format!(
                    "{partition}: {:?} of an idempotent producer is there {} times, at {offsets:?}",
                    String::from_utf8_lossy(value),
                    offsets.len()
                ));
            }
        }
        Ok(())
    }
}

/// A partition's records as its leader has them.
struct Contents {
    start: Offset,
    keys: SortedMap<Offset, Vec<u8>>,
    offsets: SortedMap<Vec<u8>, Vec<Offset>>,
}

impl Contents {
    /// None without a leader.
    fn read(world: &World, partition: &TopicPartition) -> Result<Option<Self>, String> {
        let leader = world.nodes().find_map(|(_, node)| {
            let replica = node.replica(&partition.topic, partition.partition)?;
            replica.is_leader().then_some(replica)
        });
        let Some(leader) = leader else { return Ok(None) };
        let mut contents = Self {
            start: leader.log.log_start_offset(),
            keys: SortedMap::new(),
            offsets: SortedMap::new(),
        };
        for batch in leader.log.segments().flat_map(|segment| segment.batches()) {
            let records = batch.records().map_err(|error| format!("{partition}: {error:?}"))?;
            for record in records.iter() {
                let record = record.map_err(|error| format!("{partition}: {error:?}"))?;
                let key = key_of(record.value.unwrap_or_default()).to_vec();
                contents.offsets.entry(key.clone()).or_default().push(record.offset);
                contents.keys.insert(record.offset, key);
            }
        }
        Ok(Some(contents))
    }

    fn key_at(&self, offset: Offset) -> Option<&Vec<u8>> {
        self.keys.get(&offset)
    }
}

/// What tells one record from all others.
fn key(producer: NodeId, tag: u64) -> Vec<u8> {
    format!("{}/{tag}", producer.0).into_bytes()
}

fn value(producer: NodeId, tag: u64, padding: usize) -> Vec<u8> {
    let mut value = key(producer, tag);
    value.resize(value.len() + padding, b'.');
    value
}

/// A value without its padding.
fn key_of(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|&byte| byte == b'.').unwrap_or(value.len());
    &value[..end]
}
