//! One replica's log, from segments down to records. Only what is in view is read.

use cluster::log::{Batch, LogSegment, PartitionLog};
use cluster::types::Offset;

use super::marks::text;
use super::{Observer, Scene, id_or_none};
use crate::seam::LogChoice;
use crate::view::{
    BatchView, ClusterView, LogHeader, LogView, LookupView, RecordMark, RecordView, ReplicaKey,
    SegmentState, SegmentView,
};

/// Batches in view, when the view follows the end and at most.
const BATCHES_AT_END: usize = 24;
const BATCHES: usize = 64;
const RECORDS: usize = 32;
const INDEX_ENTRIES: usize = 64;
const SAMPLE: usize = 48;
/// Older segments are not drawn one by one.
const SEGMENTS: usize = 200;
/// Characters of keys and values.
const TEXT: usize = 200;

/// A segment's sample and the bytes and checksum it was made from.
pub(super) type Sample = (u32, u32, Vec<RecordMark>);

impl Observer {
    pub(super) fn fill_log(
        &mut self,
        scene: &Scene<'_>,
        cluster: &ClusterView,
        choice: &LogChoice,
        view: &mut LogView,
    ) {
        let first = cluster.layout.rows.first().map(|row| row.topic.as_str());
        let name = if choice.topic.is_empty() { first } else { Some(choice.topic.as_str()) };
        let Some(topic) = name.and_then(|name| scene.image.topic(name)) else { return };
        let Some(registration) = topic.partitions.get(&choice.partition) else { return };
        let leader = id_or_none(registration.leader);
        let wanted = choice.broker.filter(|id| registration.replicas.contains(id)).or(leader);
        let Some(broker) = wanted.or_else(|| registration.preferred_leader()) else { return };
        let key = ReplicaKey { topic: topic.name.clone(), partition: choice.partition, broker };
        let Some(replica) = scene.replica(broker, topic.id, choice.partition) else { return };
        let log = &replica.log;
        let config = log.config();
        let policies = [(config.compact, "compact"), (config.delete, "delete")];
        let policies: Vec<&str> =
            policies.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        view.log = Some(LogHeader {
            replica: key.clone(),
            topic_number: self.topic_number(&topic.name),
            replicas: registration.replicas.clone(),
            leader,
            isr: registration.isr.clone(),
            online: scene.answers(broker),
            cleanup_policy: policies.join(","),
            log_start_offset: log.log_start_offset(),
            last_stable_offset: log.last_stable_offset(),
            high_watermark: log.high_watermark(),
            log_end_offset: log.log_end_offset(),
            size: log.size_in_bytes(),
            index_interval: config.index_interval_bytes,
        });
        view.epochs = log.leader_epoch_cache().entries().map(|(it, at)| (it.0, at)).collect();
        if self.log_of.as_ref() != Some(&key) {
            self.log_of = Some(key);
            self.samples.clear();
            self.batch_views.clear();
        }
        self.fill_segments(log, view);
        self.fill_batches(log, choice.from, view);
        view.lookup = lookup(log, choice.lookup);
        let shown = view.batches.values().next_back().map(|batch| batch.segment);
        if let Some(segment) = log.segments().rev().find(|it| Some(it.base_offset()) == shown) {
            let entries = segment.offset_index();
            view.index = entries[entries.len().saturating_sub(INDEX_ENTRIES)..].to_vec();
        }
    }

    fn fill_segments(&mut self, log: &PartitionLog, view: &mut LogView) {
        let mut end_offset = log.log_end_offset();
        let mut state = SegmentState::Active;
        for segment in log.segments().rev().take(SEGMENTS) {
            let made_from =
                (segment.size_in_bytes(), segment.batches().last().map_or(0, Batch::crc));
            let known = self.samples.get(&segment.base_offset());
            let sample = match known {
                Some((bytes, crc, sample)) if (*bytes, *crc) == made_from => sample.clone(),
                _ => {
                    let sample = self.sample(segment);
                    let entry = (made_from.0, made_from.1, sample.clone());
                    self.samples.insert(segment.base_offset(), entry);
                    sample
                }
            };
            let segment_view = SegmentView {
                end_offset,
                bytes: u64::from(segment.size_in_bytes()),
                state,
                max_timestamp: segment.max_timestamp_so_far(),
                sample,
            };
            view.segments.insert(segment.base_offset(), segment_view);
            end_offset = segment.base_offset();
            state = SegmentState::Closed;
        }
        for deleted in log.deleted_segments() {
            let segment_view = SegmentView {
                end_offset: log.log_start_offset(),
                bytes: u64::from(deleted.size_in_bytes),
                state: SegmentState::Deleted,
                max_timestamp: -1,
                sample: Vec::new(),
            };
            view.segments.entry(deleted.base_offset).or_insert(segment_view);
        }
    }

    /// Marks of records spread over a segment.
    fn sample(&mut self, segment: &LogSegment) -> Vec<RecordMark> {
        let batches = segment.batches();
        if batches.len() >= SAMPLE {
            let spread = (0..SAMPLE).map(|n| &batches[n * batches.len() / SAMPLE]);
            return spread.filter_map(|batch| self.marks.of_batch(batch).last().copied()).collect();
        }
        let each = SAMPLE / batches.len().max(1);
        let mut marks = Vec::new();
        for batch in batches {
            let of_batch = self.marks.of_batch(batch);
            let step = of_batch.len().div_ceil(each).max(1);
            marks.extend(of_batch.iter().step_by(step));
        }
        marks
    }

    fn fill_batches(&mut self, log: &PartitionLog, from: Option<Offset>, view: &mut LogView) {
        let found: Vec<(&LogSegment, u32, &Batch)> = match from {
            Some(from) => placed(log, from).take(BATCHES).collect(),
            None => {
                let mut left = BATCHES_AT_END;
                let mut first = log.log_start_offset();
                for segment in log.segments().rev() {
                    let batches = segment.batches();
                    if let Some(batch) = batches.get(batches.len().saturating_sub(left)) {
                        first = batch.base_offset();
                    }
                    left = left.saturating_sub(batches.len());
                    if left == 0 {
                        break;
                    }
                }
                placed(log, first.max(log.log_start_offset())).take(BATCHES_AT_END).collect()
            }
        };
        let mut kept = std::mem::take(&mut self.batch_views);
        for (segment, position, batch) in found {
            let known = kept.remove(&batch.base_offset()).filter(|known| {
                known.crc == batch.crc()
                    && known.position == position
                    && known.partition_leader_epoch == batch.partition_leader_epoch().0
            });
            let batch_view =
                known.unwrap_or_else(|| self.batch_view(segment.base_offset(), position, batch));
            view.batches.insert(batch.base_offset(), batch_view);
        }
        self.batch_views.clone_from(&view.batches);
    }

    fn batch_view(&mut self, segment: Offset, position: u32, batch: &Batch) -> BatchView {
        let is_control = batch.is_control_batch();
        let read = batch.records();
        let records = read.iter().flat_map(|records| records.iter().flatten()).take(RECORDS);
        let records = records
            .map(|record| RecordView {
                offset: record.offset,
                timestamp: record.timestamp,
                mark: self.marks.of_record(&record, is_control),
                key: record.key.filter(|_| !is_control).map(|key| text(key, TEXT)),
                value: record.value.filter(|_| !is_control).map(|value| text(value, TEXT)),
                headers: record
                    .headers()
                    .into_iter()
                    .map(|(name, value)| {
                        (name.into_owned(), value.map_or_else(String::new, |it| text(it, TEXT)))
                    })
                    .collect(),
            })
            .collect();
        BatchView {
            last_offset: batch.last_offset(),
            position,
            bytes: batch.size_in_bytes(),
            segment,
            partition_leader_epoch: batch.partition_leader_epoch().0,
            crc: batch.crc(),
            attributes: attributes(batch),
            codec: batch.compression_type().name().to_owned(),
            transactional: batch.is_transactional(),
            control: is_control,
            base_timestamp: batch.base_timestamp(),
            max_timestamp: batch.max_timestamp(),
            producer_id: batch.producer_id(),
            producer_epoch: batch.producer_epoch(),
            base_sequence: batch.base_sequence(),
            records,
            count: batch.record_count().max(0) as u32,
        }
    }
}

/// The two bytes of attributes, as they stand in the header.
pub(super) fn attributes(batch: &Batch) -> i16 {
    let bytes = batch.shared_bytes();
    i16::from_be_bytes([bytes[21], bytes[22]])
}

/// Batches from the one that holds `from` on, each with its segment and its byte position there.
pub(super) fn placed(
    log: &PartitionLog,
    from: Offset,
) -> impl Iterator<Item = (&LogSegment, u32, &Batch)> {
    let last = log.segments().filter(|segment| segment.base_offset() <= from).last();
    let start = last.map_or(0, LogSegment::base_offset);
    log.segments().filter(move |segment| segment.base_offset() >= start).flat_map(move |segment| {
        let mut position = 0;
        segment
            .batches()
            .iter()
            .map(move |batch| {
                let at = position;
                position += batch.size_in_bytes();
                (segment, at, batch)
            })
            .filter(move |(_, _, batch)| batch.last_offset() >= from)
    })
}

/// How an offset is found; without one, that of the newest batch.
fn lookup(log: &PartitionLog, offset: Option<Offset>) -> Option<LookupView> {
    let newest = log.segments().rev().find_map(|segment| segment.batches().last());
    let offset = offset
        .filter(|offset| (log.log_start_offset()..log.log_end_offset()).contains(offset))
        .or_else(|| newest.map(Batch::base_offset))?;
    let segment = log.segments().filter(|segment| segment.base_offset() <= offset).last()?;
    let index = segment.offset_index();
    let entry = index[..index.partition_point(|(at, _)| *at <= offset)].last().copied();
    let from = entry.map_or(0, |(_, position)| position);
    let mut position = 0;
    let mut batches_read = 0;
    for batch in segment.batches() {
        batches_read += u32::from(position >= from);
        if batch.last_offset() >= offset {
            break;
        }
        position += batch.size_in_bytes();
    }
    Some(LookupView { offset, segment: segment.base_offset(), entry, batches_read })
}
