//! What waits to be sent: a queue of batches per partition. Kafka: `RecordAccumulator`, `BufferPool`.

use std::collections::VecDeque;

use simulation::sorted::{SortedMap, SortedSet};

use serde::{Deserialize, Serialize};
use simulation::{Draw, Micros};

use super::batch::{Compression, NewRecord, ProducerBatch, Thunk};
use super::sequences::Sequences;
use super::view::{ClusterView, TopicView};
use crate::client::backoff::ExponentialBackoff;
use crate::client::partitioner::{BuiltInPartitioner, StickyPartition};
use crate::java::JavaHashMap;
use crate::log::record_batch_builder::COMPRESSION_RATIO_ONE_PPM;
use crate::log::{Batch, LogError, RecordHeader};
use crate::types::{BrokerId, PartitionIndex, TopicPartition};

/// A better ratio is believed slowly, a worse one at once, in millionths. Kafka: `CompressionRatioEstimator`.
const RATIO_IMPROVING_STEP_PPM: u32 = 5_000;
const RATIO_DETERIORATE_STEP_PPM: u32 = 50_000;

/// The settings that concern batching.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccumulatorConfig {
    /// `batch.size`
    pub batch_size: u32,
    /// `linger.ms`
    pub linger: Micros,
    /// `buffer.memory`
    pub buffer_memory: u64,
    pub compression: Compression,
    /// `retry.backoff.ms`, `retry.backoff.max.ms`
    pub retry_backoff: ExponentialBackoff,
    /// `delivery.timeout.ms`
    pub delivery_timeout: Micros,
    /// `partitioner.adaptive.partitioning.enable`
    pub adaptive_partitioning: bool,
    /// `partitioner.availability.timeout.ms`; zero is off.
    pub availability_timeout: Micros,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub partition: PartitionIndex,
    pub new_batch: bool,
    /// The partition has something to send now.
    pub batch_is_full: bool,
    pub appended_bytes: u32,
}

/// There is not enough buffer memory; the bytes that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferExhausted(pub u32);

/// What can be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    pub nodes: SortedSet<BrokerId>,
    /// When to look again, if nothing else happens; none for "not at all".
    pub next_check: Option<Micros>,
    pub unknown_leader_topics: SortedSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TopicQueues {
    partitioner: BuiltInPartitioner,
    queues: SortedMap<PartitionIndex, VecDeque<ProducerBatch>>,
    /// The queues' keys as Java's map has them.
    order: Vec<PartitionIndex>,
    compression_ratio_ppm: u32,
}

impl TopicQueues {
    fn queue(&mut self, partition: PartitionIndex) -> &mut VecDeque<ProducerBatch> {
        if !self.queues.contains_key(&partition) {
            // `CopyOnWriteMap`: each insertion copies the map.
            let mut map = JavaHashMap::copy_of(self.order.iter().map(|index| (*index, ())));
            map.insert(partition, ());
            self.order = map.keys().copied().collect();
        }
        self.queues.entry(partition).or_default()
    }

    fn all_full(&self, partition: PartitionIndex) -> bool {
        let last = self.queues.get(&partition).and_then(VecDeque::back);
        last.is_none_or(ProducerBatch::is_full)
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct NodeLatency {
    ready: Micros,
    drained: Micros,
}

/// All queues of one producer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Accumulator {
    config: AccumulatorConfig,
    topics: SortedMap<String, TopicQueues>,
    muted: SortedSet<TopicPartition>,
    drain_index: SortedMap<BrokerId, u32>,
    latency: SortedMap<BrokerId, NodeLatency>,
    memory_used: u64,
    /// An application waits for memory.
    pub exhausted: bool,
    /// Everything is sent as soon as possible: a flush, or the end.
    pub flushing: bool,
}

impl Accumulator {
    pub fn new(config: AccumulatorConfig) -> Self {
        Self {
            config,
            topics: SortedMap::new(),
            muted: SortedSet::new(),
            drain_index: SortedMap::new(),
            latency: SortedMap::new(),
            memory_used: 0,
            exhausted: false,
            flushing: false,
        }
    }

    pub fn config(&self) -> &AccumulatorConfig {
        &self.config
    }

    /// Puts a record into a batch of its partition; without one, the built-in partitioner chooses.
    pub fn append(
        &mut self,
        topic: &str,
        view: &TopicView,
        partition: Option<PartitionIndex>,
        record: &NewRecord<'_>,
        now: Micros,
        draw: &mut impl Draw,
    ) -> Result<Appended, BufferExhausted> {
        if !self.topics.contains_key(topic) {
            let queues = TopicQueues {
                partitioner: BuiltInPartitioner::new(self.config.batch_size as i32),
                queues: SortedMap::new(),
                order: Vec::new(),
                compression_ratio_ppm: COMPRESSION_RATIO_ONE_PPM,
            };
            self.topics.insert(topic.to_owned(), queues);
        }
        let Self { topics, config, memory_used, .. } = self;
        let queues = topics.get_mut(topic).expect("the topic has just been entered");
        loop {
            let sticky = match partition {
                Some(_) => None,
                None => Some(queues.partitioner.peek(&view.partitions, draw)),
            };
            let chosen = partition.or(sticky.map(|sticky| sticky.partition)).unwrap_or(0);
            queues.queue(chosen);
            if partition_changed(queues, sticky, chosen, view, draw) {
                continue;
            }
            let queue = queues.queue(chosen);
            let length = queue.len();
            if let Some(last) = queue.back_mut() {
                let before = last.estimated_size();
                if last.try_append(record) {
                    let appended_bytes = last.estimated_size() - before;
                    let batch_is_full = length > 1 || last.is_full();
                    update_partitioner(queues, sticky, chosen, appended_bytes, view, draw);
                    return Ok(Appended {
                        partition: chosen,
                        new_batch: false,
                        batch_is_full,
                        appended_bytes,
                    });
                }
                last.close_for_appends();
            }
            let size = config.batch_size.max(record.upper_bound());
            if *memory_used + u64::from(size) > config.buffer_memory {
                return Err(BufferExhausted(size));
            }
            // The batch before is closed now, which may be the boundary that a switch has waited for.
            if partition_changed(queues, sticky, chosen, view, draw) {
                continue;
            }
            *memory_used += u64::from(size);
            let name = TopicPartition::new(topic, chosen);
            let ratio = queues.compression_ratio_ppm;
            let mut batch = ProducerBatch::new(name, config.compression, ratio, size, now);
            batch.memory = u64::from(size);
            batch.try_append(record);
            let appended_bytes = batch.estimated_size();
            let queue = queues.queue(chosen);
            let batch_is_full = !queue.is_empty() || batch.is_full();
            queue.push_back(batch);
            update_partitioner(queues, sticky, chosen, appended_bytes, view, draw);
            return Ok(Appended {
                partition: chosen,
                new_batch: true,
                batch_is_full,
                appended_bytes,
            });
        }
    }

    /// Which nodes have something to be sent to them. Also tells the partitioners how long the queues are.
    pub fn ready(&mut self, view: &ClusterView, now: Micros) -> Ready {
        let mut ready = Ready::default();
        let unknown = TopicView::default();
        for (name, topic) in &mut self.topics {
            let topic_view = view.topics.get(name).unwrap_or(&unknown);
            let all = topic.order.len();
            let mut sizes = Vec::new();
            let mut partitions = Vec::new();
            for &index in &topic.order {
                let leader = topic_view.leader(index);
                if leader.is_some() {
                    partitions.push(index);
                    sizes.push(0);
                }
                let Some(queue) = topic.queues.get_mut(&index) else { continue };
                let length = queue.len();
                let Some(first) = queue.front_mut() else { continue };
                let Some((leader, epoch)) = leader else {
                    ready.unknown_leader_topics.insert(name.clone());
                    continue;
                };
                first.maybe_update_leader_epoch(epoch);
                if let Some(size) = sizes.last_mut() {
                    *size = length as i32;
                }
                if self.config.availability_timeout > Micros::ZERO
                    && let Some(latency) = self.latency.get(&leader)
                    && latency.ready.since(latency.drained) > self.config.availability_timeout
                {
                    sizes.pop();
                    partitions.pop();
                }
                if ready.nodes.contains(&leader) || self.muted.contains(&first.partition) {
                    continue;
                }
                let backing_off = first.is_backing_off(now);
                let due = if backing_off {
                    first.backoff_until
                } else {
                    now + Micros(self.config.linger.0.saturating_sub(first.waited(now).0))
                };
                let full = length > 1 || first.is_full();
                if (full || due <= now || self.exhausted || self.flushing) && !backing_off {
                    ready.nodes.insert(leader);
                } else {
                    ready.next_check = Some(ready.next_check.map_or(due, |at| at.min(due)));
                }
            }
            let adaptive =
                self.config.adaptive_partitioning && all >= topic_view.partitions.count as usize;
            topic.partitioner.update_load(adaptive.then_some((sizes, partitions)), all);
        }
        ready
    }

    /// Notes how long a node with something to be sent to it has not taken any.
    pub fn update_node_latency(&mut self, node: BrokerId, now: Micros, can_drain: bool) {
        if self.config.availability_timeout == Micros::ZERO {
            return;
        }
        let latency = self.latency.entry(node).or_insert(NodeLatency { ready: now, drained: now });
        if can_drain {
            latency.drained = now;
        }
        latency.ready = now;
    }

    /// Takes the first batch of each partition that `node` leads, up to `max_size` bytes, beginning behind where the last
    /// drain ended. With idempotence, batches get their sequences here.
    pub fn drain(
        &mut self,
        view: &ClusterView,
        node: BrokerId,
        max_size: u32,
        now: Micros,
        mut sequences: Option<&mut Sequences>,
    ) -> Result<Vec<(ProducerBatch, Batch)>, LogError> {
        let mut drained = Vec::new();
        let Some(led) = view.led_by.get(&node).filter(|led| !led.is_empty()) else {
            return Ok(drained);
        };
        let mut size = 0;
        let index = self.drain_index.entry(node).or_insert(0);
        let start = *index as usize % led.len();
        for step in 0..led.len() {
            let at = (start + step) % led.len();
            *index = at as u32;
            let partition = &led[at];
            if self.muted.contains(partition) {
                continue;
            }
            let Some(topic) = self.topics.get_mut(&partition.topic) else { continue };
            let Some(queue) = topic.queues.get_mut(&partition.partition) else { continue };
            let Some(first) = queue.front_mut() else { continue };
            if let Some((_, epoch)) = view
                .topics
                .get(&partition.topic)
                .and_then(|topic| topic.leader(partition.partition))
            {
                first.maybe_update_leader_epoch(epoch);
            }
            if first.is_backing_off(now) {
                continue;
            }
            if size + first.estimated_size() > max_size && !drained.is_empty() {
                break;
            }
            if sequences.as_ref().is_some_and(|sequences| sequences.must_wait(first)) {
                break;
            }
            let Some(mut batch) = queue.pop_front() else { continue };
            if let Some(sequences) = &mut sequences {
                sequences.assign(&mut batch);
            }
            let (built, uncompressed) = batch.close()?;
            if let Some(uncompressed) = uncompressed {
                topic.compression_ratio_ppm =
                    updated_ratio(topic.compression_ratio_ppm, &built, uncompressed);
            }
            size += built.size_in_bytes();
            drained.push((batch, built));
        }
        Ok(drained)
    }

    /// Puts a batch that failed back where it belongs: to the front, or in the order of sequences.
    pub fn reenqueue(&mut self, mut batch: ProducerBatch, now: Micros, draw: &mut impl Draw) {
        batch.reenqueued(now);
        batch.backoff_until = now + self.config.retry_backoff.backoff(batch.attempts - 1, draw);
        self.put_back(batch);
    }

    fn put_back(&mut self, batch: ProducerBatch) {
        let Some(topic) = self.topics.get_mut(&batch.partition.topic) else { return };
        let queue = topic.queue(batch.partition.partition);
        let at = match batch.base_sequence() {
            None => 0,
            Some(sequence) => queue
                .iter()
                .take_while(|other| other.base_sequence().is_some_and(|earlier| earlier < sequence))
                .count(),
        };
        queue.insert(at, batch);
    }

    /// Makes smaller batches of one that was too large. Kafka: `splitAndReenqueue`, `ProducerBatch.split`.
    pub fn split_and_reenqueue(
        &mut self,
        big: &mut ProducerBatch,
        mut sequences: Option<&mut Sequences>,
    ) -> Result<(), LogError> {
        let compression = self.config.compression;
        let (built, _) = big.close()?;
        if let Some(topic) = self.topics.get_mut(&big.partition.topic) {
            topic.compression_ratio_ppm = COMPRESSION_RATIO_ONE_PPM;
        }
        let target = if big.is_split {
            big.max_record_size.max(big.estimated_size() / 2)
        } else {
            self.config.batch_size
        };
        let mut parts: Vec<ProducerBatch> = Vec::new();
        let mut thunks = big.thunks.iter();
        let records = built.records()?;
        for record in &records {
            let record = record?;
            let headers: Vec<RecordHeader> = record
                .headers()
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.map(Into::into)))
                .collect();
            let thunk: Option<&Thunk> = thunks.next();
            let new = NewRecord {
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
                headers: &headers,
                tag: thunk.map(|thunk| thunk.tag),
            };
            if parts.last_mut().is_some_and(|part| part.try_append(&new)) {
                continue;
            }
            let limit = target.max(new.upper_bound());
            let mut part = ProducerBatch::new(
                big.partition.clone(),
                compression,
                COMPRESSION_RATIO_ONE_PPM,
                limit,
                big.created,
            );
            part.is_split = true;
            part.try_append(&new);
            parts.push(part);
        }
        if let Some(mut state) = big.state {
            for part in &mut parts {
                part.set_producer_state(state);
                part.sequence_has_been_reset = big.sequence_has_been_reset;
                state.base_sequence =
                    super::batch::increment_sequence(state.base_sequence, part.record_count as i32);
                if let Some(sequences) = &mut sequences {
                    sequences.track(part);
                }
            }
        }
        for mut part in parts.into_iter().rev() {
            part.close_for_appends();
            self.put_back(part);
        }
        Ok(())
    }

    /// Takes out what has waited longer than `delivery.timeout.ms`.
    pub fn take_expired(&mut self, now: Micros) -> Vec<ProducerBatch> {
        let timeout = self.config.delivery_timeout;
        let mut expired = Vec::new();
        for queue in self.topics.values_mut().flat_map(|topic| topic.queues.values_mut()) {
            while queue
                .front()
                .is_some_and(|first| first.has_reached_delivery_timeout(timeout, now))
            {
                expired.extend(queue.pop_front());
            }
        }
        expired
    }

    /// When the first batch expires.
    pub fn next_expiry(&self) -> Option<Micros> {
        let queues = self.topics.values().flat_map(|topic| topic.queues.values());
        queues
            .filter_map(VecDeque::front)
            .map(|first| first.created + self.config.delivery_timeout)
            .min()
    }

    /// Gives back the memory of a batch that is done with.
    pub fn deallocate(&mut self, batch: &mut ProducerBatch) {
        self.memory_used = self.memory_used.saturating_sub(std::mem::take(&mut batch.memory));
    }

    pub fn available_memory(&self) -> u64 {
        self.config.buffer_memory.saturating_sub(self.memory_used)
    }

    /// No other batch of this partition is sent until [`Self::unmute`]: order with one request in flight.
    pub fn mute(&mut self, partition: &TopicPartition) {
        self.muted.insert(partition.clone());
    }

    pub fn unmute(&mut self, partition: &TopicPartition) {
        self.muted.remove(partition);
    }

    /// All batches that wait, by topic and partition, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = &ProducerBatch> {
        self.topics.values().flat_map(|topic| topic.queues.values()).flatten()
    }

    /// Nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.topics.values().flat_map(|topic| topic.queues.values()).all(VecDeque::is_empty)
    }

    pub fn has_batches(&self, topic: &str) -> bool {
        self.topics
            .get(topic)
            .is_some_and(|topic| topic.queues.values().any(|queue| !queue.is_empty()))
    }

    /// The batches of one partition that wait.
    pub fn waiting(
        &mut self,
        partition: &TopicPartition,
    ) -> impl Iterator<Item = &mut ProducerBatch> {
        let topic = self.topics.get_mut(&partition.topic);
        topic.and_then(|topic| topic.queues.get_mut(&partition.partition)).into_iter().flatten()
    }
}

fn partition_changed(
    queues: &mut TopicQueues,
    sticky: Option<StickyPartition>,
    chosen: PartitionIndex,
    view: &TopicView,
    draw: &mut impl Draw,
) -> bool {
    let Some(sticky) = sticky else { return false };
    if queues.partitioner.is_changed(sticky) {
        return true;
    }
    if queues.all_full(chosen) {
        queues.partitioner.update(0, &view.partitions, true, draw);
        return queues.partitioner.is_changed(sticky);
    }
    false
}

fn update_partitioner(
    queues: &mut TopicQueues,
    sticky: Option<StickyPartition>,
    chosen: PartitionIndex,
    appended_bytes: u32,
    view: &TopicView,
    draw: &mut impl Draw,
) {
    if sticky.is_some() {
        let enable_switch = queues.all_full(chosen);
        queues.partitioner.update(appended_bytes as i32, &view.partitions, enable_switch, draw);
    }
}

fn updated_ratio(current: u32, built: &Batch, uncompressed: u32) -> u32 {
    if uncompressed == 0 || built.compression_type() == crate::log::CompressionType::None {
        return current;
    }
    let records = built.size_in_bytes() - crate::log::record_batch::RECORD_BATCH_OVERHEAD;
    let observed = (u64::from(records) * 1_000_000 / u64::from(uncompressed)) as u32;
    if observed > current {
        (current + RATIO_DETERIORATE_STEP_PPM).max(observed)
    } else {
        current.saturating_sub(RATIO_IMPROVING_STEP_PPM).max(observed)
    }
}
