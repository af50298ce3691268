//! The log's promises beyond the vectors: sharing, codecs, replicas that converge, producers that survive restarts.

use std::sync::Arc;

use cluster::log::batch_pool::with_pool;
use cluster::log::producer_state::AppendOrigin;
use cluster::log::{
    AppendOptions, Batch, CompressionType, EndTransactionMarker, FetchIsolation, LogConfig,
    LogErrorKind, PartitionLog, RecordBatchBuilder,
};
use cluster::types::{LeaderEpoch, TopicPartition};
use simulation::random::Random;

const CODECS: [CompressionType; 5] = [
    CompressionType::None,
    CompressionType::Gzip,
    CompressionType::Snappy,
    CompressionType::Lz4,
    CompressionType::Zstd,
];

fn log_with(configs: &[(&str, &str)]) -> PartitionLog {
    PartitionLog::new(
        TopicPartition::new("t", 0),
        LogConfig::from_configs(configs.iter().copied()),
        0,
    )
}

fn batch(codec: CompressionType, producer: Option<(i64, i16, i32)>, values: &[Vec<u8>]) -> Batch {
    let mut builder = RecordBatchBuilder::new(codec);
    if let Some((id, epoch, sequence)) = producer {
        builder.set_producer_state(id, epoch, sequence, false);
    }
    for value in values {
        builder.append(
            1_000,
            Some(b"key"),
            Some(value),
            &[("h".into(), None), ("h".into(), Some(Arc::from(*b"x")))],
        );
    }
    builder.build().expect("the codec is there")
}

fn values(random: &mut Random, count: u64, size: u64) -> Vec<Vec<u8>> {
    (0..count)
        .map(|_| (0..random.below(size + 1)).map(|_| random.below(7) as u8 * 31).collect())
        .collect()
}

fn decoded(batch: &Batch) -> Vec<Vec<u8>> {
    let records = batch.records().expect("it decompresses");
    records
        .iter()
        .map(|record| record.expect("a good record").value.unwrap_or_default().to_vec())
        .collect()
}

fn client(epoch: i32) -> AppendOptions {
    AppendOptions::client(LeaderEpoch(epoch))
}

fn fetch(from: &mut PartitionLog, to: &mut PartitionLog, epoch: i32, max_bytes: u32) {
    let found =
        from.read(to.log_end_offset(), max_bytes, FetchIsolation::LogEnd, true).expect("in range");
    to.append_as_follower(&found.batches, LeaderEpoch(epoch), 1_000)
        .expect("the leader's batches fit");
}

fn all_batches(log: &PartitionLog) -> Vec<Batch> {
    log.segments().flat_map(|segment| segment.batches().iter().cloned()).collect()
}

#[test]
fn bytes_that_three_logs_share_are_stored_once_and_shared_again_after_loading() {
    let mut random = Random::from_seed(1);
    let (mut leader, mut payload) = (log_with(&[]), 0);
    for sequence in 0..40 {
        let batch = batch(
            CompressionType::None,
            Some((5, 0, sequence * 100)),
            &values(&mut random, 100, 200),
        );
        payload += batch.size_in_bytes() as usize;
        leader.append_as_leader(&batch, client(0), 1_000).expect("in sequence");
    }
    let mut followers = [log_with(&[]), log_with(&[])];
    for follower in &mut followers {
        fetch(&mut leader, follower, 0, u32::MAX);
    }
    let logs = vec![leader, followers[0].clone(), followers[1].clone()];

    let bytes = with_pool(|| postcard::to_allocvec(&logs)).expect("it serialises");
    assert!(bytes.len() * 10 <= payload * 12, "{} bytes for a payload of {payload}", bytes.len());
    let loaded: Vec<PartitionLog> = with_pool(|| postcard::from_bytes(&bytes)).expect("it loads");
    assert_eq!(loaded, logs);
    let [first, second, third] = [0, 1, 2].map(|log| all_batches(&loaded[log]));
    for ((one, two), three) in first.iter().zip(&second).zip(&third) {
        assert!(Arc::ptr_eq(one.shared_bytes(), two.shared_bytes()), "leader and follower share");
        assert!(Arc::ptr_eq(two.shared_bytes(), three.shared_bytes()), "the followers share");
    }

    let alone = postcard::to_allocvec(&logs[0]).expect("it serialises without a pool");
    assert_eq!(
        postcard::from_bytes::<PartitionLog>(&alone).expect("it loads without a pool"),
        logs[0]
    );
    assert!(
        postcard::from_bytes::<Vec<PartitionLog>>(&bytes).is_err(),
        "pooled bytes need their pool"
    );
}

#[test]
fn a_leader_and_its_followers_share_the_producers_bytes() {
    let sent = batch(CompressionType::None, None, &[b"one".to_vec()]);
    let (mut leader, mut follower) = (log_with(&[]), log_with(&[]));
    leader.append_as_leader(&sent, client(3), 1_000).expect("a good batch");
    leader.append_as_leader(&sent, client(3), 1_000).expect("a good batch");
    fetch(&mut leader, &mut follower, 3, u32::MAX);
    for (offset, stored) in all_batches(&follower).iter().enumerate() {
        assert!(Arc::ptr_eq(stored.shared_bytes(), sent.shared_bytes()));
        let on_disk = Batch::from_bytes(stored.to_bytes().into()).expect("a whole batch");
        assert_eq!(
            (on_disk.base_offset(), on_disk.partition_leader_epoch()),
            (offset as i64, LeaderEpoch(3))
        );
        assert!(on_disk.is_valid(), "offset and epoch lie outside of the checksum");
    }
}

#[test]
fn every_codec_gives_back_what_it_was_given() {
    for seed in 1..=8 {
        let mut random = Random::from_seed(seed);
        for codec in CODECS {
            let (count, size) =
                (1 + random.below(40), [0, 10, 5_000, 70_000][random.below(4) as usize]);
            let values = values(&mut random, count, size);
            let batch = batch(codec, None, &values);
            assert!(batch.is_valid());
            assert_eq!(decoded(&batch), values, "{} with seed {seed}", codec.name());
        }
    }
}

#[test]
fn broken_bytes_are_refused_and_never_a_panic() {
    for seed in 1..=400 {
        let mut random = Random::from_seed(seed);
        let codec = CODECS[random.below(5) as usize];
        let mut bytes = batch(codec, Some((1, 0, 0)), &values(&mut random, 5, 60)).to_bytes();
        for _ in 0..=random.below(3) {
            // Not the length, which is known to be right by whoever cut the batch out of a stream.
            let at = 16 + random.below(bytes.len() as u64 - 16) as usize;
            bytes[at] ^= 1 << random.below(8);
        }
        let Ok(broken) = Batch::from_bytes(bytes.into()) else { continue };
        if let Ok(records) = broken.records() {
            let _ = records
                .iter()
                .map(|record| record.map(|record| record.headers().len()))
                .collect::<Vec<_>>();
        }
        let refused = log_with(&[]).append_as_leader(&broken, client(0), 1_000);
        assert!(broken.is_valid() || refused.is_err(), "seed {seed}: a wrong checksum was taken");
    }
}

#[test]
fn a_topics_codec_and_clock_are_put_on_what_producers_send() {
    for source in CODECS {
        for target in ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"] {
            let mut log = log_with(&[
                ("compression.type", target),
                ("message.timestamp.type", "LogAppendTime"),
            ]);
            let values = vec![b"same".repeat(20), b"same".repeat(20)];
            let info = log
                .append_as_leader(&batch(source, Some((9, 2, 0)), &values), client(0), 77_000)
                .expect("good");
            assert_eq!((info.log_append_time, info.max_timestamp), (77_000, 77_000));
            let stored = &all_batches(&log)[0];
            let expected = match target {
                "producer" => source.name(),
                "uncompressed" => "none",
                codec => codec,
            };
            assert_eq!(stored.compression_type().name(), expected);
            assert_eq!(
                (stored.producer_id(), stored.producer_epoch(), stored.last_sequence()),
                (9, 2, 1)
            );
            assert_eq!(decoded(stored), values);
            let stored = Batch::from_bytes(stored.to_bytes().into()).expect("a whole batch");
            assert!(stored.is_valid());
            assert!(
                stored
                    .records()
                    .expect("good")
                    .iter()
                    .all(|record| record.expect("good").timestamp == 77_000)
            );
        }
    }
}

/// Two brokers that lead in turn, and lose what the other does not have: at the end both have the same log.
#[test]
fn replicas_converge_whoever_led_and_a_saved_one_goes_on_as_if_it_had_not_stopped() {
    for seed in 1..=60 {
        let mut random = Random::from_seed(seed);
        let configs = [("internal.segment.bytes", "900"), ("index.interval.bytes", "200")];
        let mut replicas = [log_with(&configs), log_with(&configs)];
        let (mut leader, mut epoch) = (0, 0);
        for _ in 0..120 {
            let (one, two) = replicas.split_at_mut(1);
            let (lead, follow) =
                if leader == 0 { (&mut one[0], &mut two[0]) } else { (&mut two[0], &mut one[0]) };
            match random.below(10) {
                0..=4 => {
                    let producer = random.below(3) as i64;
                    let count = 1 + random.below(4);
                    let known = lead.producer_state().active_producers().get(&producer);
                    // What a lost tail took is sent anew, as a client does with an answer that never came.
                    let sequence = known.map_or(0, |entry| entry.last_sequence() + 1);
                    let sent = batch(
                        CompressionType::None,
                        Some((producer, 0, sequence)),
                        &values(&mut random, count, 60),
                    );
                    lead.append_as_leader(&sent, client(epoch), 1_000).expect("in sequence");
                    let end = lead.log_end_offset();
                    let again = lead
                        .append_as_leader(&sent, client(epoch), 1_000)
                        .expect("a duplicate is fine");
                    assert!(again.duplicate && lead.log_end_offset() == end, "seed {seed}");
                }
                5..=7 => fetch(lead, follow, epoch, 1 + random.below(400) as u32),
                8 => {
                    let end = follow.log_end_offset();
                    lead.maybe_increment_high_watermark(end);
                    follow.update_high_watermark(lead.high_watermark());
                    if random.chance(300_000) {
                        let start = lead.high_watermark();
                        lead.maybe_increment_log_start_offset(start)
                            .expect("not above the high watermark");
                        lead.delete_old_segments(1_000);
                    }
                }
                _ => {
                    (leader, epoch) = (1 - leader, epoch + 1);
                    let (lead, follow) = (follow, lead);
                    let end = lead.log_end_offset();
                    lead.assign_epoch_start_offset(LeaderEpoch(epoch), end);
                    reconcile(lead, follow, seed);
                }
            }
            for log in &mut replicas {
                holds_together(log, seed);
            }
            if random.chance(100_000) {
                let saved = with_pool(|| postcard::to_allocvec(&replicas)).expect("it serialises");
                let loaded = with_pool(|| postcard::from_bytes(&saved)).expect("it loads");
                assert_eq!(replicas, loaded, "seed {seed}");
                replicas = loaded;
            }
        }
        let (one, two) = replicas.split_at_mut(1);
        let (lead, follow) =
            if leader == 0 { (&mut one[0], &mut two[0]) } else { (&mut two[0], &mut one[0]) };
        while follow.log_end_offset() < lead.log_end_offset() {
            fetch(lead, follow, epoch, 10_000);
        }
        let start = lead.log_start_offset().max(follow.log_start_offset());
        let from = |log: &PartitionLog| {
            all_batches(log)
                .into_iter()
                .filter(|batch| batch.last_offset() >= start)
                .collect::<Vec<_>>()
        };
        assert_eq!(from(lead), from(follow), "seed {seed}");
        let producers = |log: &PartitionLog| {
            let known = log.producer_state().active_producers().values();
            known
                .map(|entry| (entry.producer_id, entry.last_sequence(), entry.last_data_offset()))
                .collect::<Vec<_>>()
        };
        for (id, sequence, offset) in producers(follow) {
            let same = producers(lead).contains(&(id, sequence, offset));
            assert!(same || offset < start, "seed {seed}: producer {id} ends differently");
        }
    }
}

/// A follower truncates to where its history and the new leader's part, as with `divergingEpoch` in a Fetch response.
fn reconcile(lead: &mut PartitionLog, follow: &mut PartitionLog, seed: u64) {
    for _ in 0..100 {
        let Some(last) = all_batches(follow).last().map(Batch::partition_leader_epoch) else {
            return;
        };
        let Some((epoch, end)) = lead.end_offset_for_epoch(last) else { return };
        if epoch == last && follow.log_end_offset() <= end {
            return;
        }
        let own_end =
            follow.end_offset_for_epoch(epoch).map_or(end, |(_, own_end)| own_end.min(end));
        if !follow.truncate_to(own_end, 1_000) {
            return;
        }
        if follow.log_end_offset() < lead.log_start_offset() {
            follow.truncate_fully_and_start_at(lead.log_start_offset(), 1_000);
        }
    }
    panic!("seed {seed}: truncating never ends");
}

fn holds_together(log: &mut PartitionLog, seed: u64) {
    let context = format!("seed {seed}");
    assert!(log.log_start_offset() <= log.high_watermark(), "{context}");
    assert!(log.last_stable_offset() <= log.high_watermark(), "{context}");
    assert!(log.high_watermark() <= log.log_end_offset(), "{context}");
    let batches = all_batches(log);
    assert!(
        batches.windows(2).all(|pair| pair[0].next_offset() == pair[1].base_offset()),
        "{context}"
    );
    assert_eq!(
        batches.last().map_or(log.log_end_offset(), Batch::next_offset),
        log.log_end_offset(),
        "{context}"
    );
    let size: u64 = batches.iter().map(|batch| u64::from(batch.size_in_bytes())).sum();
    assert_eq!(log.size_in_bytes(), size, "{context}");
    let mut position = log.log_start_offset();
    while position < log.log_end_offset() {
        let found = log.read(position, 300, FetchIsolation::LogEnd, true).expect("in range");
        let first = found.batches.first().expect("at least one batch");
        assert!(first.base_offset() <= position && position <= first.last_offset(), "{context}");
        position = found.batches.last().expect("at least one batch").next_offset();
    }
}

#[test]
fn a_restart_and_a_truncation_remember_the_last_batch_of_each_producer() {
    let mut log = log_with(&[]);
    let send = |log: &mut PartitionLog, sequence| {
        log.append_as_leader(
            &batch(CompressionType::None, Some((4, 0, sequence)), &[vec![1]]),
            client(0),
            1_000,
        )
    };
    for sequence in 0..6 {
        assert!(!send(&mut log, sequence).expect("in sequence").duplicate);
    }
    assert!(send(&mut log, 1).expect("among the last five").duplicate);
    assert_eq!(send(&mut log, 0).expect_err("too old").kind, LogErrorKind::OutOfOrderSequence);

    log.restart(3, 2_000);
    assert_eq!(log.high_watermark(), 3);
    assert!(send(&mut log, 5).expect("the last one").duplicate);
    assert!(!send(&mut log, 6).expect("in sequence").duplicate);

    assert!(log.truncate_to(4, 2_000));
    assert!(send(&mut log, 3).expect("the last one that is left").duplicate);
    assert!(!send(&mut log, 4).expect("in sequence").duplicate);
}

#[test]
fn a_transaction_must_be_verified_before_its_first_batch() {
    let mut log = log_with(&[]);
    let mut builder = RecordBatchBuilder::new(CompressionType::None);
    builder.set_producer_state(7, 1, 0, true);
    builder.append(1_000, None, Some(b"v"), &[]);
    let first = builder.build().expect("no codec is needed");

    let error =
        log.append_as_leader(&first, client(0), 1_000).expect_err("nobody asked the coordinator");
    assert_eq!(
        (error.kind, error.message.as_str()),
        (LogErrorKind::InvalidTxnState, "Record was not part of an ongoing transaction")
    );
    let guard =
        log.maybe_start_transaction_verification(7, 0, 1, true, 1_000).expect("the epoch is new");
    assert!(guard.is_some());
    let verified = AppendOptions { verification_guard: guard, ..client(0) };
    log.append_as_leader(&first, verified, 1_000).expect("verified");
    assert!(log.has_ongoing_transaction(7, 1));
    assert_eq!(
        log.maybe_start_transaction_verification(7, 1, 1, true, 1_000),
        Ok(None),
        "it is open already"
    );

    log.update_high_watermark(1);
    assert_eq!((log.high_watermark(), log.last_stable_offset()), (1, 0));
    let marker = EndTransactionMarker { committed: false, coordinator_epoch: 0 };
    let marker = marker.batch(0, 1_000, LeaderEpoch(0), 7, 2).expect("no codec is needed");
    let options =
        AppendOptions { origin: AppendOrigin::Coordinator, transaction_version: 2, ..client(0) };
    log.append_as_leader(&marker, options, 1_000).expect("a marker");
    assert_eq!(log.last_stable_offset(), 0, "the marker is not replicated yet");
    log.update_high_watermark(2);
    assert_eq!(log.last_stable_offset(), 2);
    let aborted = log
        .read(0, 1_000, FetchIsolation::TxnCommitted, true)
        .expect("in range")
        .aborted_transactions;
    assert_eq!(
        aborted.iter().map(|txn| (txn.producer_id, txn.first_offset)).collect::<Vec<_>>(),
        [(7, 0)]
    );
}

#[test]
fn removed_segments_stay_as_deleted_files_for_a_minute() {
    let mut log = log_with(&[("internal.segment.bytes", "200"), ("retention.ms", "5000")]);
    for _ in 0..4 {
        log.append_as_leader(&batch(CompressionType::None, None, &[vec![0; 50]]), client(0), 1_000)
            .expect("good");
    }
    log.update_high_watermark(4);
    assert_eq!(log.delete_old_segments(5_000), 0, "nothing is old enough");
    let before = log.number_of_segments();
    assert_eq!(
        log.delete_old_segments(10_000) as usize,
        before,
        "all of it is old, the active segment too"
    );
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.number_of_segments()), (4, 4, 1));
    assert_eq!(log.deleted_segments().len(), before);
    log.purge_deleted_segments(69_999);
    assert_eq!(log.deleted_segments().len(), before);
    log.purge_deleted_segments(70_000);
    assert!(log.deleted_segments().is_empty());
}

#[test]
fn a_follower_leaves_out_what_a_newer_leader_wrote_and_refuses_what_it_has() {
    let (mut leader, mut follower) = (log_with(&[]), log_with(&[]));
    for epoch in [0, 0, 2] {
        leader
            .append_as_leader(&batch(CompressionType::None, None, &[vec![1]]), client(epoch), 1_000)
            .expect("good");
    }
    let sent = all_batches(&leader);
    let info = follower
        .append_as_follower(&sent, LeaderEpoch(1), 1_000)
        .expect("good")
        .expect("two batches");
    assert_eq!((info.last_offset, follower.log_end_offset()), (1, 2));
    assert_eq!(follower.append_as_follower(&sent[2..], LeaderEpoch(1), 1_000), Ok(None));
    let error = follower
        .append_as_follower(&sent[1..], LeaderEpoch(2), 1_000)
        .expect_err("offset 1 is there");
    assert_eq!(
        error.message,
        "Unexpected offset in append to t-0. First offset 1 is less than the next offset 2. First 10 offsets in append: 1, 2, last offset in append: 2. Log start offset = 0"
    );
}
