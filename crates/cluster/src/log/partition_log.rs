//! The log of one replica: a row of segments with what belongs to them.
//!
//! A leader validates and numbers what it appends, a follower takes its leader's batches as they are. Reads hand out
//! shared batches. Retention and truncation remove whole segments or whole batches, never parts.
//! Kafka: `UnifiedLog` and `LocalLog`. Simplified: no tiered storage, no flush state (a disk's loss is the broker's matter).

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use super::compression::CompressionType;
use super::error::{LogError, LogErrorKind};
use super::leader_epoch_cache::LeaderEpochCache;
use super::log_config::LogConfig;
use super::producer_state::{AppendOrigin, ProducerStateManager, TV_UNKNOWN};
use super::record_batch::{Batch, NO_TIMESTAMP, TimestampType};
use super::segment::{AbortedTxn, LogSegment};
use super::validator::Validator;
use crate::types::{LeaderEpoch, Offset, TimestampMs, TopicPartition};

/// `ListOffsetsRequest.LATEST_TIMESTAMP`.
pub const LATEST_TIMESTAMP: TimestampMs = -1;
/// `ListOffsetsRequest.EARLIEST_TIMESTAMP`.
pub const EARLIEST_TIMESTAMP: TimestampMs = -2;
/// `ListOffsetsRequest.MAX_TIMESTAMP`: the offset of the record with the largest timestamp (KIP-734).
pub const MAX_TIMESTAMP: TimestampMs = -3;
/// `ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP`.
pub const EARLIEST_LOCAL_TIMESTAMP: TimestampMs = -4;
/// `ListOffsetsRequest.LATEST_TIERED_TIMESTAMP`.
pub const LATEST_TIERED_TIMESTAMP: TimestampMs = -5;
/// `ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP`.
pub const EARLIEST_PENDING_UPLOAD_TIMESTAMP: TimestampMs = -6;

/// How far a read may go. Kafka: `FetchIsolation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchIsolation {
    /// All that is there: followers.
    LogEnd,
    /// What all in-sync replicas have: read_uncommitted consumers.
    HighWatermark,
    /// Below the first open transaction too: read_committed consumers.
    TxnCommitted,
}

/// How a leader is told to append. Kafka: the parameters of `appendAsLeader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendOptions {
    pub leader_epoch: LeaderEpoch,
    pub origin: AppendOrigin,
    /// What [`PartitionLog::maybe_start_transaction_verification`] gave before the coordinator was asked.
    pub verification_guard: Option<u64>,
    /// `transaction.version` of a marker's transaction; [`TV_UNKNOWN`] for data.
    pub transaction_version: i16,
}

impl AppendOptions {
    /// A producer's batch outside of a transaction.
    pub const fn client(leader_epoch: LeaderEpoch) -> Self {
        Self {
            leader_epoch,
            origin: AppendOrigin::Client,
            verification_guard: None,
            transaction_version: TV_UNKNOWN,
        }
    }

    /// A coordinator's batch or marker.
    pub const fn coordinator(leader_epoch: LeaderEpoch, transaction_version: i16) -> Self {
        Self {
            leader_epoch,
            origin: AppendOrigin::Coordinator,
            verification_guard: None,
            transaction_version,
        }
    }
}

/// What an append did. Kafka: `LogAppendInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogAppendInfo {
    pub first_offset: Offset,
    pub last_offset: Offset,
    pub max_timestamp: TimestampMs,
    /// The broker's time if the topic stamps with it, else [`NO_TIMESTAMP`]; for a duplicate the first one's timestamp.
    pub log_append_time: TimestampMs,
    pub log_start_offset: Offset,
    pub source_compression: CompressionType,
    pub size_in_bytes: u32,
    /// Nothing was appended: the batch is there already, at these offsets.
    pub duplicate: bool,
}

/// What a read found. Kafka: `FetchDataInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchDataInfo {
    /// Whole batches; the first may begin below the asked offset.
    pub batches: Vec<Batch>,
    /// Bytes that Kafka would send: with the part of a further batch that it cuts at the limit.
    pub size_in_bytes: u32,
    /// The limit is smaller than the first batch.
    pub first_entry_incomplete: bool,
    /// For read_committed: what to skip in these batches.
    pub aborted_transactions: Vec<AbortedTxn>,
}

impl FetchDataInfo {
    const EMPTY: Self = Self {
        batches: Vec::new(),
        size_in_bytes: 0,
        first_entry_incomplete: false,
        aborted_transactions: Vec::new(),
    };
}

/// An answer to ListOffsets. Kafka: `FileRecords.TimestampAndOffset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampAndOffset {
    pub timestamp: TimestampMs,
    pub offset: Offset,
    pub leader_epoch: Option<LeaderEpoch>,
}

/// Why segments were removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SegmentDeletionReason {
    LogStartOffsetBreach,
    RetentionSizeBreach,
    RetentionMsBreach,
    Truncation,
    Roll,
    Compaction,
}

/// A removed segment, whose files stay as `*.deleted` for `file.delete.delay.ms`. Only its name and size are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedSegment {
    pub base_offset: Offset,
    pub size_in_bytes: u32,
    pub deleted_at_ms: TimestampMs,
    /// When the files go: see [`PartitionLog::purge_deleted_segments`].
    pub files_until_ms: TimestampMs,
    pub reason: SegmentDeletionReason,
}

/// The log of one replica. Kafka: `UnifiedLog`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionLog {
    partition: TopicPartition,
    config: LogConfig,
    /// By base offset; the last one is active. Never empty.
    segments: SortedMap<Offset, LogSegment>,
    log_start_offset: Offset,
    log_end_offset: Offset,
    high_watermark: Offset,
    /// The high watermark was set as a bare number: it is aligned to the start of a batch when it is next used.
    high_watermark_is_offset_only: bool,
    first_unstable_offset: Option<Offset>,
    leader_epoch_cache: LeaderEpochCache,
    producer_state: ProducerStateManager,
    deleted_segments: Vec<DeletedSegment>,
}

impl PartitionLog {
    /// An empty log that begins at offset 0.
    pub fn new(partition: TopicPartition, config: LogConfig, now: TimestampMs) -> Self {
        Self {
            segments: SortedMap::from([(0, LogSegment::new(0, &config, now))]),
            partition,
            config,
            log_start_offset: 0,
            log_end_offset: 0,
            high_watermark: 0,
            high_watermark_is_offset_only: true,
            first_unstable_offset: None,
            leader_epoch_cache: LeaderEpochCache::default(),
            producer_state: ProducerStateManager::new(0),
            deleted_segments: Vec::new(),
        }
    }

    pub fn topic_partition(&self) -> &TopicPartition {
        &self.partition
    }

    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Takes changed topic configs; segments that exist keep their index interval.
    pub fn update_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    pub fn log_start_offset(&self) -> Offset {
        self.log_start_offset
    }

    /// LEO: the offset of the next record.
    pub fn log_end_offset(&self) -> Offset {
        self.log_end_offset
    }

    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// LSO: what read_committed consumers see lies below.
    pub fn last_stable_offset(&self) -> Offset {
        self.first_unstable_offset
            .map_or(self.high_watermark, |offset| offset.min(self.high_watermark))
    }

    /// Where the first open, or not yet replicated, transaction begins.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        self.first_unstable_offset
    }

    pub fn is_empty(&self) -> bool {
        self.log_start_offset == self.log_end_offset
    }

    /// Bytes of all `.log` files.
    pub fn size_in_bytes(&self) -> u64 {
        self.segments.values().map(|segment| u64::from(segment.size_in_bytes())).sum()
    }

    /// All segments, oldest first; the last is the active one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &LogSegment> {
        self.segments.values()
    }

    pub fn number_of_segments(&self) -> usize {
        self.segments.len()
    }

    pub fn active_segment(&self) -> &LogSegment {
        self.segments.last_key_value().expect("a log has an active segment").1
    }

    fn active_segment_mut(&mut self) -> &mut LogSegment {
        self.segments.last_mut().expect("a log has an active segment")
    }

    pub fn leader_epoch_cache(&self) -> &LeaderEpochCache {
        &self.leader_epoch_cache
    }

    pub fn producer_state(&self) -> &ProducerStateManager {
        &self.producer_state
    }

    /// `transaction.partition.verification.enable` of the broker.
    pub fn set_transaction_verification_enabled(&mut self, enabled: bool) {
        self.producer_state.set_transaction_verification_enabled(enabled);
    }

    /// Segments whose `*.deleted` files are still there.
    pub fn deleted_segments(&self) -> &[DeletedSegment] {
        &self.deleted_segments
    }

    /// Removes the `*.deleted` files whose delay is over.
    pub fn purge_deleted_segments(&mut self, now: TimestampMs) {
        self.deleted_segments.retain(|segment| segment.files_until_ms > now);
    }

    // ---- appending ----

    /// Appends a batch as the partition's leader: checks it, gives it offsets, leader epoch and, where the topic says
    /// so, time and codec. `now` is the broker's clock.
    pub fn append_as_leader(
        &mut self,
        batch: &Batch,
        options: AppendOptions,
        now: TimestampMs,
    ) -> Result<LogAppendInfo, LogError> {
        let partition = &self.partition;
        if options.origin == AppendOrigin::Client && batch.base_offset() != 0 {
            return Err(LogError::invalid_record(format!(
                "The baseOffset of the record batch in the append to {partition} should be 0, but it is {}",
                batch.base_offset()
            )));
        }
        if batch.size_in_bytes() > self.config.max_message_bytes {
            return Err(LogError::new(
                LogErrorKind::RecordTooLarge,
                format!(
                    "The record batch size in the append to {partition} is {} bytes which exceeds the maximum configured value of {}).",
                    batch.size_in_bytes(),
                    self.config.max_message_bytes
                ),
            ));
        }
        let mut batch = batch.clone();
        self.check_crc(&mut batch)?;

        let first_offset = self.log_end_offset;
        let (origin, leader_epoch) = (options.origin, options.leader_epoch);
        let validator = Validator { partition, config: &self.config, origin, leader_epoch, now };
        let validated = validator.validate(&batch, first_offset)?;
        let appended = validated.batch;
        if validated.rebuilt && appended.size_in_bytes() > self.config.max_message_bytes {
            return Err(LogError::new(
                LogErrorKind::RecordTooLarge,
                format!(
                    "Message batch size is {} bytes in append topartition {partition} which exceeds the maximum configured size of {}.",
                    appended.size_in_bytes(),
                    self.config.max_message_bytes
                ),
            ));
        }
        let log_append_time = match self.config.message_timestamp_type {
            TimestampType::CreateTime => NO_TIMESTAMP,
            TimestampType::LogAppendTime => now,
        };
        let info = LogAppendInfo {
            first_offset,
            last_offset: appended.last_offset(),
            max_timestamp: appended.max_timestamp(),
            log_append_time,
            log_start_offset: self.log_start_offset,
            source_compression: batch.compression_type(),
            size_in_bytes: appended.size_in_bytes(),
            duplicate: false,
        };
        self.append(vec![appended], info, options, now)
    }

    /// Appends what a leader sent, as it is. Batches of a leader epoch above `leader_epoch`, which this follower knows,
    /// are left out: its leader was deposed meanwhile. `None` if nothing is left to append.
    pub fn append_as_follower(
        &mut self,
        batches: &[Batch],
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<Option<LogAppendInfo>, LogError> {
        let mut taken = Vec::with_capacity(batches.len());
        let mut info: Option<LogAppendInfo> = None;
        for batch in batches {
            if batch.partition_leader_epoch() > leader_epoch {
                break;
            }
            let mut batch = batch.clone();
            if info.is_some_and(|info| info.last_offset >= batch.last_offset()) {
                return Err(self.out_of_order(batches));
            }
            self.check_crc(&mut batch)?;
            let info = info.get_or_insert(LogAppendInfo {
                first_offset: batch.base_offset(),
                last_offset: batch.last_offset(),
                max_timestamp: NO_TIMESTAMP,
                log_append_time: NO_TIMESTAMP,
                log_start_offset: self.log_start_offset,
                source_compression: CompressionType::None,
                size_in_bytes: 0,
                duplicate: false,
            });
            info.last_offset = batch.last_offset();
            info.max_timestamp = info.max_timestamp.max(batch.max_timestamp());
            info.size_in_bytes += batch.size_in_bytes();
            if batch.compression_type() != CompressionType::None {
                info.source_compression = batch.compression_type();
            }
            taken.push(batch);
        }
        let Some(info) = info else { return Ok(None) };
        if info.first_offset < self.log_end_offset {
            return Err(self.unexpected_offset(&info, batches));
        }
        let options = AppendOptions {
            leader_epoch,
            origin: AppendOrigin::Replication,
            verification_guard: None,
            transaction_version: TV_UNKNOWN,
        };
        self.append(taken, info, options, now).map(Some)
    }

    fn check_crc(&self, batch: &mut Batch) -> Result<(), LogError> {
        if !batch.is_valid() {
            return Err(LogError::corrupt(format!(
                "Record is corrupt (stored crc = {}) in topic partition {}.",
                batch.crc(),
                self.partition
            )));
        }
        batch.mark_checked();
        Ok(())
    }

    fn out_of_order(&self, batches: &[Batch]) -> LogError {
        let offsets = offsets_of(batches, usize::MAX).join(",");
        LogError::new(
            LogErrorKind::OffsetsOutOfOrder,
            format!("Out of order offsets found in append to {}: {offsets}", self.partition),
        )
    }

    fn unexpected_offset(&self, info: &LogAppendInfo, batches: &[Batch]) -> LogError {
        LogError::new(
            LogErrorKind::UnexpectedAppendOffset,
            format!(
                "Unexpected offset in append to {}. First offset {} is less than the next offset {}. First 10 offsets in append: {}, last offset in append: {}. Log start offset = {}",
                self.partition,
                info.first_offset,
                self.log_end_offset,
                offsets_of(batches, 10).join(", "),
                info.last_offset,
                self.log_start_offset
            ),
        )
    }

    /// The part of an append that leaders and followers share, in Kafka's order: a batch that is refused for its
    /// producer may have rolled the segment and begun a leader epoch.
    fn append(
        &mut self,
        batches: Vec<Batch>,
        mut info: LogAppendInfo,
        options: AppendOptions,
        now: TimestampMs,
    ) -> Result<LogAppendInfo, LogError> {
        for batch in &batches {
            self.leader_epoch_cache.assign(batch.partition_leader_epoch(), batch.base_offset());
        }
        if info.size_in_bytes > self.config.segment_bytes {
            return Err(LogError::new(
                LogErrorKind::RecordBatchTooLarge,
                format!(
                    "Message batch size is {} bytes in append to partition {}, which exceeds the maximum configured segment size of {}.",
                    info.size_in_bytes, self.partition, self.config.segment_bytes
                ),
            ));
        }
        let active = self.active_segment();
        if active.should_roll(
            &self.config,
            info.size_in_bytes,
            info.max_timestamp,
            info.last_offset,
            now,
        ) {
            self.roll_to(info.first_offset, now);
        }
        let mut update = self.producer_state.validate(
            &self.partition,
            &batches,
            options.origin,
            options.verification_guard,
            options.transaction_version,
        )?;
        if let Some(duplicate) = update.duplicate {
            info.first_offset = duplicate.first_offset();
            info.last_offset = duplicate.last_offset;
            info.log_append_time = duplicate.timestamp;
            info.duplicate = true;
            return Ok(info);
        }
        let segment = self.active_segment_mut();
        for batch in batches {
            segment.append(batch, now);
        }
        self.log_end_offset = info.last_offset + 1;
        self.follow_log_end_offset();
        let completed = std::mem::take(&mut update.completed);
        self.producer_state.update(update);
        for completed in completed {
            let last_stable_offset = self.producer_state.last_stable_offset(&completed);
            if completed.is_aborted {
                self.active_segment_mut().append_aborted_txn(AbortedTxn {
                    producer_id: completed.producer_id,
                    first_offset: completed.first_offset,
                    last_offset: completed.last_offset,
                    last_stable_offset,
                });
            }
            self.producer_state.complete_txn(&completed);
        }
        self.producer_state.set_map_end_offset(self.log_end_offset);
        self.maybe_increment_first_unstable_offset();
        Ok(info)
    }

    /// Begins the verification that a transaction is open before its first batch is appended, and gives the guard to
    /// append with; `None` if none is needed. Kafka: `maybeStartTransactionVerification` (KIP-890).
    pub fn maybe_start_transaction_verification(
        &mut self,
        producer_id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now: TimestampMs,
    ) -> Result<Option<u64>, LogError> {
        self.producer_state.check_epoch_not_older(producer_id, epoch)?;
        if self.producer_state.has_ongoing_transaction(producer_id, epoch) {
            return Ok(None);
        }
        Ok(Some(self.producer_state.start_verification(
            producer_id,
            sequence,
            epoch,
            supports_epoch_bump,
            now,
        )))
    }

    /// Whether this producer has an open transaction here, in this epoch.
    pub fn has_ongoing_transaction(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producer_state.has_ongoing_transaction(producer_id, producer_epoch)
    }

    /// Forgets producers that wrote nothing for `producer.id.expiration.ms`.
    pub fn remove_expired_producers(&mut self, now: TimestampMs) {
        self.producer_state.remove_expired_producers(now);
    }

    /// Begins a new segment, and gives its base offset.
    pub fn roll(&mut self, now: TimestampMs) -> Offset {
        self.roll_to(0, now)
    }

    fn roll_to(&mut self, expected_next_offset: Offset, now: TimestampMs) -> Offset {
        let base_offset = expected_next_offset.max(self.log_end_offset);
        let active = self.active_segment();
        if active.base_offset() == base_offset {
            // Rolling an empty segment makes it anew.
            let replaced = deleted(active, &self.config, SegmentDeletionReason::Roll, now);
            self.deleted_segments.push(replaced);
        } else {
            self.active_segment_mut().on_become_inactive_segment();
        }
        self.segments.insert(base_offset, LogSegment::new(base_offset, &self.config, now));
        self.producer_state.set_map_end_offset(base_offset);
        self.producer_state.take_snapshot();
        self.follow_log_end_offset();
        base_offset
    }

    // ---- high watermark and last stable offset ----

    /// Sets the high watermark, within the log; gives what it is now. Followers and restarting brokers use it.
    pub fn update_high_watermark(&mut self, offset: Offset) -> Offset {
        let (offset, offset_only) = if offset < self.log_start_offset {
            (self.log_start_offset, true)
        } else if offset >= self.log_end_offset {
            (self.log_end_offset, false)
        } else {
            (offset, true)
        };
        self.set_high_watermark(offset, offset_only);
        offset
    }

    /// Raises the high watermark to `offset`, if that is higher; gives the old one then. Leaders use it.
    pub fn maybe_increment_high_watermark(&mut self, offset: Offset) -> Option<Offset> {
        let old = self.high_watermark;
        let offset = offset.min(self.log_end_offset);
        (old < offset).then(|| {
            self.set_high_watermark(offset, offset < self.log_end_offset);
            old
        })
    }

    fn set_high_watermark(&mut self, offset: Offset, offset_only: bool) {
        self.high_watermark = offset;
        self.high_watermark_is_offset_only = offset_only;
        self.producer_state.on_high_watermark_updated(offset);
        self.maybe_increment_first_unstable_offset();
    }

    /// A high watermark at the log's end, which a truncation may have put behind it, stays with the end.
    fn follow_log_end_offset(&mut self) {
        if self.high_watermark >= self.log_end_offset {
            self.set_high_watermark(self.log_end_offset, false);
        }
    }

    fn maybe_increment_first_unstable_offset(&mut self) {
        self.first_unstable_offset = self.producer_state.first_unstable_offset().map(|offset| {
            if offset < self.log_start_offset {
                self.batch_start(self.log_start_offset)
            } else {
                offset
            }
        });
    }

    /// The high watermark as the start of a batch. A bare number inside of a batch is moved to the batch's start, as in
    /// Kafka; between replicas the high watermark always lies between batches.
    fn aligned_high_watermark(&mut self) -> Offset {
        if self.high_watermark_is_offset_only {
            let aligned = self.batch_start(self.high_watermark);
            self.set_high_watermark(aligned, false);
        }
        self.high_watermark
    }

    /// Base offset of the batch that holds `offset`, or of the next one; `offset` itself at the log's end.
    fn batch_start(&self, offset: Offset) -> Offset {
        if offset >= self.log_end_offset {
            return offset;
        }
        let floor = self.segments.range(..=offset).next_back().map_or(offset, |(base, _)| *base);
        self.segments
            .range(floor..)
            .find_map(|(_, segment)| segment.batches().get(segment.batch_index(offset)))
            .map_or(offset, Batch::base_offset)
    }

    // ---- reading ----

    /// Reads whole batches from the one that holds `start_offset` on, from one segment, up to `max_bytes` (the first one
    /// in any case with `min_one_message`) and below what `isolation` allows.
    pub fn read(
        &mut self,
        start_offset: Offset,
        max_bytes: u32,
        isolation: FetchIsolation,
        min_one_message: bool,
    ) -> Result<FetchDataInfo, LogError> {
        if start_offset < self.log_start_offset {
            return Err(LogError::new(
                LogErrorKind::OffsetOutOfRange,
                format!(
                    "Received request for offset {start_offset} for partition {}, but we only have log segments starting from offset: {}.",
                    self.partition, self.log_start_offset
                ),
            ));
        }
        let max_offset = match isolation {
            FetchIsolation::LogEnd => self.log_end_offset,
            FetchIsolation::HighWatermark => self.aligned_high_watermark(),
            FetchIsolation::TxnCommitted => {
                let high_watermark = self.aligned_high_watermark();
                self.first_unstable_offset
                    .map_or(high_watermark, |offset| offset.min(high_watermark))
            }
        };
        let floor = self.segments.range(..=start_offset).next_back().map(|(base, _)| *base);
        let Some(floor) = floor.filter(|_| start_offset <= self.log_end_offset) else {
            return Err(LogError::new(
                LogErrorKind::OffsetOutOfRange,
                format!(
                    "Received request for offset {start_offset} for partition {}, but we only have log segments upto {}.",
                    self.partition, self.log_end_offset
                ),
            ));
        };
        if start_offset >= max_offset {
            return Ok(FetchDataInfo::EMPTY);
        }
        // The floor segment may end below the offset: compaction leaves gaps.
        for segment in self.segments.range(floor..).map(|(_, segment)| segment) {
            let first = segment.batch_index(start_offset);
            if let Some(batch) = segment.batches().get(first) {
                let first_size = batch.size_in_bytes();
                let mut found = read_segment(
                    segment,
                    first,
                    first_size,
                    max_bytes,
                    max_offset,
                    min_one_message,
                );
                if isolation == FetchIsolation::TxnCommitted {
                    found.aborted_transactions =
                        self.aborted_transactions(segment, first, start_offset, &found);
                }
                return Ok(found);
            }
        }
        Ok(FetchDataInfo::EMPTY)
    }

    fn aborted_transactions(
        &self,
        segment: &LogSegment,
        first: usize,
        start_offset: Offset,
        found: &FetchDataInfo,
    ) -> Vec<AbortedTxn> {
        let end = u64::from(segment.position(first)) + u64::from(found.size_in_bytes);
        let upper_bound = segment.fetch_upper_bound_offset(end).unwrap_or_else(|| {
            let next = self.segments.range(segment.base_offset() + 1..).next();
            next.map_or(self.log_end_offset, |(base, _)| *base)
        });
        self.collect_aborted_transactions(start_offset, upper_bound)
    }

    /// Aborted transactions with records from `start_offset` to below `upper_bound`.
    pub fn collect_aborted_transactions(
        &self,
        start_offset: Offset,
        upper_bound: Offset,
    ) -> Vec<AbortedTxn> {
        let floor = self
            .segments
            .range(..=start_offset)
            .next_back()
            .map_or(start_offset, |(base, _)| *base);
        let mut aborted = Vec::new();
        for segment in self.segments.range(floor..).map(|(_, segment)| segment) {
            if segment.collect_aborted_txns(start_offset, upper_bound, &mut aborted) {
                break;
            }
        }
        aborted
    }

    /// The answer to ListOffsets for a time or one of the special values; `None` if no record is that late.
    pub fn fetch_offset_by_timestamp(
        &self,
        timestamp: TimestampMs,
    ) -> Result<Option<TimestampAndOffset>, LogError> {
        let at = |offset, leader_epoch| {
            Ok(Some(TimestampAndOffset { timestamp: NO_TIMESTAMP, offset, leader_epoch }))
        };
        match timestamp {
            EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP => {
                let earliest = self.leader_epoch_cache.earliest_entry();
                let epoch = earliest
                    .filter(|(_, start)| *start <= self.log_start_offset)
                    .map(|(epoch, _)| epoch);
                at(self.log_start_offset, epoch)
            }
            LATEST_TIMESTAMP => at(self.log_end_offset, self.leader_epoch_cache.latest_epoch()),
            LATEST_TIERED_TIMESTAMP | EARLIEST_PENDING_UPLOAD_TIMESTAMP => {
                at(-1, Some(LeaderEpoch::NONE))
            }
            MAX_TIMESTAMP => self.offset_of_max_timestamp(),
            _ => self.search_timestamp(timestamp),
        }
    }

    fn offset_of_max_timestamp(&self) -> Result<Option<TimestampAndOffset>, LogError> {
        let mut latest = self.segments.first_key_value().expect("a log has an active segment").1;
        for segment in self.segments.values() {
            if segment.max_timestamp_so_far() > latest.max_timestamp_so_far() {
                latest = segment;
            }
        }
        let (timestamp, offset) = latest.max_timestamp_and_offset_so_far();
        let batch = latest
            .batches_from_index(offset)
            .iter()
            .find(|batch| batch.max_timestamp() == timestamp);
        let Some(batch) = batch else { return Ok(None) };
        for record in &batch.records()? {
            let record = record?;
            if record.timestamp == timestamp {
                return Ok(Some(found_at(timestamp, record.offset, batch)));
            }
        }
        Ok(None)
    }

    fn search_timestamp(
        &self,
        timestamp: TimestampMs,
    ) -> Result<Option<TimestampAndOffset>, LogError> {
        let Some(segment) =
            self.segments.values().find(|segment| segment.largest_timestamp() >= timestamp)
        else {
            return Ok(None);
        };
        let batches = segment.batches_for_timestamp(timestamp, self.log_start_offset);
        for batch in batches.iter().filter(|batch| batch.max_timestamp() >= timestamp) {
            for record in &batch.records()? {
                let record = record?;
                if record.timestamp >= timestamp && record.offset >= self.log_start_offset {
                    return Ok(Some(found_at(record.timestamp, record.offset, batch)));
                }
            }
        }
        Ok(None)
    }

    /// The answer to OffsetForLeaderEpoch: the largest epoch ≤ `epoch` here, and its end offset.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        self.leader_epoch_cache.end_offset_for(epoch, self.log_end_offset)
    }

    /// The epoch of the last record.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.leader_epoch_cache.latest_epoch()
    }

    /// A new leader notes that its epoch begins at the log's end.
    pub fn assign_epoch_start_offset(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        self.leader_epoch_cache.assign(epoch, start_offset);
    }

    // ---- removing from the front ----

    /// Raises the log start offset: DeleteRecords on a leader, a follower taking over its leader's. False if it is no
    /// higher than it was.
    pub fn maybe_increment_log_start_offset(&mut self, offset: Offset) -> Result<bool, LogError> {
        if offset > self.high_watermark {
            return Err(LogError::new(
                LogErrorKind::OffsetOutOfRange,
                format!(
                    "Cannot increment the log start offset to {offset} of partition {} since it is larger than the high watermark {}",
                    self.partition, self.high_watermark
                ),
            ));
        }
        if offset <= self.log_start_offset {
            return Ok(false);
        }
        self.log_start_offset = offset;
        self.leader_epoch_cache.truncate_from_start(offset);
        self.producer_state.on_log_start_offset_incremented(offset);
        self.maybe_increment_first_unstable_offset();
        Ok(true)
    }

    /// One run of retention, as `cleanup.policy` says: segments below the log start offset, then those beyond
    /// `retention.bytes`, then those older than `retention.ms`. Gives how many went.
    pub fn delete_old_segments(&mut self, now: TimestampMs) -> u32 {
        let mut count = self.delete_log_start_offset_breached_segments(now);
        if self.config.delete {
            count += self.delete_retention_size_breached_segments(now);
            count += self.delete_retention_ms_breached_segments(now);
        }
        count
    }

    fn delete_log_start_offset_breached_segments(&mut self, now: TimestampMs) -> u32 {
        let start = self.log_start_offset;
        let breached = |_: &LogSegment, next: Option<&LogSegment>| {
            next.is_some_and(|next| next.base_offset() <= start)
        };
        self.delete_oldest_segments(SegmentDeletionReason::LogStartOffsetBreach, now, breached)
    }

    fn delete_retention_size_breached_segments(&mut self, now: TimestampMs) -> u32 {
        let limit = self.config.retention_bytes;
        let size = self.size_in_bytes() as i64;
        if limit < 0 || size < limit {
            return 0;
        }
        let mut excess = size - limit;
        self.delete_oldest_segments(
            SegmentDeletionReason::RetentionSizeBreach,
            now,
            move |segment, _| {
                let size = i64::from(segment.size_in_bytes());
                let breached = excess >= size;
                if breached {
                    excess -= size;
                }
                breached
            },
        )
    }

    fn delete_retention_ms_breached_segments(&mut self, now: TimestampMs) -> u32 {
        let limit = self.config.retention_ms;
        if limit < 0 {
            return 0;
        }
        self.delete_oldest_segments(SegmentDeletionReason::RetentionMsBreach, now, |segment, _| {
            now.wrapping_sub(segment.largest_timestamp()) > limit
        })
    }

    /// Removes the oldest segments as long as `breached` says so and they lie below the high watermark. If that is all
    /// of them, the active one is rolled first.
    fn delete_oldest_segments(
        &mut self,
        reason: SegmentDeletionReason,
        now: TimestampMs,
        mut breached: impl FnMut(&LogSegment, Option<&LogSegment>) -> bool,
    ) -> u32 {
        let mut deletable = Vec::new();
        let mut segments = self.segments.values().peekable();
        while let Some(segment) = segments.next() {
            let next = segments.peek().copied();
            let upper_bound = next.map_or(self.log_end_offset, LogSegment::base_offset);
            let empty_active = next.is_none() && segment.size_in_bytes() == 0;
            if self.high_watermark < upper_bound || !breached(segment, next) || empty_active {
                break;
            }
            deletable.push(segment.base_offset());
        }
        let count = deletable.len() as u32;
        if deletable.len() == self.segments.len() {
            self.roll(now);
        }
        if let Some(last) = deletable.last() {
            let next = self.segments.range(last + 1..).next().map(|(base, _)| *base);
            if let Some(next) = next {
                // Never refused: what is deleted lies below the high watermark.
                let _ = self.maybe_increment_log_start_offset(next);
            }
            self.remove_segments(&deletable, reason, now);
        }
        count
    }

    fn remove_segments(
        &mut self,
        base_offsets: &[Offset],
        reason: SegmentDeletionReason,
        now: TimestampMs,
    ) {
        for base_offset in base_offsets {
            if let Some(segment) = self.segments.remove(base_offset) {
                self.deleted_segments.push(deleted(&segment, &self.config, reason, now));
                self.producer_state.remove_snapshot(*base_offset);
            }
        }
    }

    // ---- truncating ----

    /// Removes all records at and behind `offset`, and with them the rest of the batch that holds it. False if there
    /// are none.
    pub fn truncate_to(&mut self, offset: Offset, now: TimestampMs) -> bool {
        let offset = offset.max(0);
        if offset >= self.log_end_offset {
            self.leader_epoch_cache.truncate_from_end(self.log_end_offset);
            return false;
        }
        let first_base = *self.segments.first_key_value().expect("a log has an active segment").0;
        if first_base > offset {
            self.truncate_fully_and_start_at(offset, now);
            return true;
        }
        let behind: Vec<Offset> =
            self.segments.range(offset + 1..).map(|(base, _)| *base).collect();
        self.remove_segments(&behind, SegmentDeletionReason::Truncation, now);
        self.active_segment_mut().truncate_to(offset, now);
        self.log_end_offset = offset;
        self.leader_epoch_cache.truncate_from_end(offset);
        self.log_start_offset = self.log_start_offset.min(offset);
        self.rebuild_producer_state(offset, now);
        if self.high_watermark >= offset {
            self.update_high_watermark(offset);
        }
        true
    }

    /// Removes everything and goes on at `offset`: a follower whose leader has nothing older.
    pub fn truncate_fully_and_start_at(&mut self, offset: Offset, now: TimestampMs) {
        let all: Vec<Offset> = self.segments.keys().copied().collect();
        self.remove_segments(&all, SegmentDeletionReason::Truncation, now);
        self.segments.insert(offset, LogSegment::new(offset, &self.config, now));
        self.log_start_offset = offset;
        self.log_end_offset = offset;
        self.leader_epoch_cache.clear();
        self.producer_state.truncate_fully_and_start_at(offset);
        self.rebuild_producer_state(offset, now);
        self.update_high_watermark(offset);
    }

    /// Brings the producers back to what they were at `last_offset`: from the newest snapshot and the batches behind it.
    fn rebuild_producer_state(&mut self, last_offset: Offset, now: TimestampMs) {
        let state = &mut self.producer_state;
        let was_empty = state.is_empty() && state.map_end_offset() >= last_offset;
        state.truncate_and_reload(self.log_start_offset, last_offset, now);
        if last_offset > state.map_end_offset() && !was_empty {
            let bases: Vec<Offset> = self.segments.keys().copied().collect();
            let floor = self
                .segments
                .range(..=state.map_end_offset())
                .next_back()
                .map_or(0, |(base, _)| *base);
            for segment in
                self.segments.range(floor..last_offset.max(floor)).map(|(_, segment)| segment)
            {
                let start =
                    segment.base_offset().max(state.map_end_offset()).max(self.log_start_offset);
                state.set_map_end_offset(start);
                // The last two segments get their snapshots back.
                if bases.iter().rev().take(2).any(|base| *base == segment.base_offset()) {
                    state.take_snapshot();
                }
                state.load(&self.partition, &segment.batches()[segment.batch_index(start)..]);
            }
        }
        state.set_map_end_offset(last_offset);
        state.take_snapshot();
        self.maybe_increment_first_unstable_offset();
    }

    /// A broker that starts again reads its log: producers from the snapshot (of each only the last batch, as in Kafka),
    /// the high watermark from its checkpoint. Unfinished verifications are forgotten, `*.deleted` files removed.
    pub fn restart(&mut self, high_watermark_checkpoint: Offset, now: TimestampMs) {
        self.producer_state.take_snapshot();
        self.producer_state.forget_memory();
        self.rebuild_producer_state(self.log_end_offset, now);
        self.deleted_segments.clear();
        self.update_high_watermark(high_watermark_checkpoint);
    }
}

fn found_at(timestamp: TimestampMs, offset: Offset, batch: &Batch) -> TimestampAndOffset {
    let epoch = batch.partition_leader_epoch();
    TimestampAndOffset { timestamp, offset, leader_epoch: (epoch.0 >= 0).then_some(epoch) }
}

fn deleted(
    segment: &LogSegment,
    config: &LogConfig,
    reason: SegmentDeletionReason,
    now: TimestampMs,
) -> DeletedSegment {
    DeletedSegment {
        base_offset: segment.base_offset(),
        size_in_bytes: segment.size_in_bytes(),
        deleted_at_ms: now,
        files_until_ms: now.saturating_add(config.file_delete_delay_ms),
        reason,
    }
}

/// Offsets of single records, for messages.
fn offsets_of(batches: &[Batch], count: usize) -> Vec<String> {
    batches
        .iter()
        .flat_map(|batch| batch.base_offset()..=batch.last_offset())
        .take(count)
        .map(|offset| offset.to_string())
        .collect()
}

/// Whole batches of `segment` from the one at `first` on, within the limits of [`PartitionLog::read`].
fn read_segment(
    segment: &LogSegment,
    first: usize,
    first_size: u32,
    max_bytes: u32,
    max_offset: Offset,
    min_one_message: bool,
) -> FetchDataInfo {
    let limit = if min_one_message { max_bytes.max(first_size) } else { max_bytes };
    let start = segment.position(first);
    let max_position = segment.position(segment.batch_index(max_offset));
    let size_in_bytes = max_position.saturating_sub(start).min(limit);
    let mut end = first;
    while end < segment.batches().len() && segment.position(end + 1) <= start + size_in_bytes {
        end += 1;
    }
    FetchDataInfo {
        batches: segment.batches()[first..end].to_vec(),
        size_in_bytes,
        first_entry_incomplete: limit < first_size,
        aborted_transactions: Vec::new(),
    }
}
