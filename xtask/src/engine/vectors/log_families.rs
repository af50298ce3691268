//! Vectors of one partition's log: record batches, leader epochs, the log itself, producers and transactions.

use cluster::log::partition_log::AppendOptions;

use cluster::log::record_batch::{Batch, NO_TIMESTAMP, RecordHeader, TimestampType};
use cluster::log::record_batch_builder::{RecordBatchBuilder, estimate_size_in_bytes_upper_bound};
use cluster::log::{
    CompressionType, EndTransactionMarker, FetchIsolation, LeaderEpochCache, LogConfig, LogError,
    PartitionLog, varint,
};
use cluster::types::{LeaderEpoch, Offset, TimestampMs, TopicPartition};
use serde_json::{Value, json};

use super::outcome::{Outcome, compare, text};

/// Where the clock of log.json and producer-state.json starts.
const T0: TimestampMs = 1_760_000_000_000;

fn number(case: &Value, field: &str) -> i64 {
    case[field].as_i64().unwrap_or(-1)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn bytes(value: &Value) -> Option<&[u8]> {
    value.as_str().map(str::as_bytes)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect()
}

/// All of `checks`, or the first that is not a pass.
fn all(checks: impl IntoIterator<Item = Outcome>) -> Outcome {
    checks.into_iter().find(|outcome| *outcome != Outcome::Passed).unwrap_or(Outcome::Passed)
}

// ---- record-batches.json ----

/// record-batches.json
pub fn record_batches(case: &Value) -> Outcome {
    match case["op"].as_str() {
        None => record_batch(case),
        Some("endTxn") => {
            let marker = EndTransactionMarker {
                committed: text(case, "type") == "COMMIT",
                coordinator_epoch: number(case, "coordinatorEpoch") as i32,
            };
            let batch = marker.batch(
                number(case, "offset"),
                number(case, "timestamp"),
                LeaderEpoch(number(case, "partitionLeaderEpoch") as i32),
                number(case, "pid"),
                number(case, "producerEpoch") as i16,
            );
            built(batch, |batch| {
                all([
                    compare(case, "sizeInBytes", batch.size_in_bytes()),
                    compare(case, "hex", hex(&batch.to_bytes())),
                ])
            })
        }
        Some(op @ ("varint" | "varlong" | "uvarint")) => integer(case, op),
        _ => Outcome::Unknown,
    }
}

fn integer(case: &Value, op: &str) -> Outcome {
    let value: i64 = match &case["value"] {
        Value::String(text) => text.parse().unwrap_or_default(),
        value => value.as_i64().unwrap_or_default(),
    };
    let mut out = Vec::new();
    let (size, mut at) = match op {
        "varint" => (varint::size_of_varint(value as i32), 0),
        "varlong" => (varint::size_of_varlong(value), 0),
        _ => (varint::size_of_unsigned_varint(value as u32), 0),
    };
    let read = match op {
        "varint" => {
            varint::write_varint(&mut out, value as i32);
            varint::read_varint(&out, &mut at).map(i64::from)
        }
        "varlong" => {
            varint::write_varlong(&mut out, value);
            varint::read_varlong(&out, &mut at)
        }
        _ => {
            varint::write_unsigned_varint(&mut out, value as u32);
            // Java has no unsigned int: the vectors give it as the signed one of the same bits.
            varint::read_unsigned_varint(&out, &mut at).map(|read| i64::from(read as i32))
        }
    };
    all([
        compare(case, "hex", hex(&out)),
        compare(case, "size", size),
        Outcome::check(read == Some(i64::from(value as i32)) || read == Some(value), || {
            format!("read back {read:?}")
        }),
    ])
}

fn built(batch: Result<Batch, LogError>, check: impl FnOnce(&Batch) -> Outcome) -> Outcome {
    match batch {
        Ok(batch) => check(&batch),
        Err(error) => Outcome::Failed(error.message),
    }
}

fn record_batch(case: &Value) -> Outcome {
    let Some(compression) = CompressionType::from_name(&text(case, "compression")) else {
        return Outcome::Unknown;
    };
    let timestamp_type = match case["timestampType"].as_str() {
        Some("LogAppendTime") => TimestampType::LogAppendTime,
        _ => TimestampType::CreateTime,
    };
    let mut builder = RecordBatchBuilder::new(compression)
        .with_base_offset(
            number(case, "baseOffset"),
            LeaderEpoch(number(case, "partitionLeaderEpoch") as i32),
        )
        .with_timestamp_type(timestamp_type, number(case, "logAppendTime"));
    builder.set_producer_state(
        number(case, "pid"),
        number(case, "producerEpoch") as i16,
        number(case, "baseSequence") as i32,
        case["txn"] == true,
    );
    let (mut sizes, mut estimates) = (Vec::new(), Vec::new());
    for record in list(&case["records"]) {
        let headers: Vec<RecordHeader> = list(&record[3])
            .map(|header| {
                (
                    header[0].as_str().unwrap_or_default().to_owned(),
                    bytes(&header[1]).map(Into::into),
                )
            })
            .collect();
        let (key, value) = (bytes(&record[1]), bytes(&record[2]));
        sizes.push(builder.append(
            record[0].as_i64().unwrap_or(NO_TIMESTAMP),
            key,
            value,
            &headers,
        ));
        estimates.push(estimate_size_in_bytes_upper_bound(key, value, &headers));
    }
    let theirs = Batch::from_bytes(unhex(&text(case, "hex")).into());
    built(builder.build(), |ours| {
        built(theirs, |theirs| {
            let same_bytes = match compression {
                CompressionType::None => all([
                    compare(case, "sizeInBytes", ours.size_in_bytes()),
                    compare(case, "crc", ours.crc()),
                    compare(case, "hex", hex(&ours.to_bytes())),
                ]),
                _ => Outcome::Passed,
            };
            all([
                same_bytes,
                compare(case, "recordSizes", sizes),
                compare(case, "estimateUpperBound", estimates),
                holds(case, ours),
                holds(case, theirs),
            ])
        })
    })
}

/// Whether `batch` says what the case says.
fn holds(case: &Value, batch: &Batch) -> Outcome {
    let records = match decoded(batch) {
        Ok(records) => records,
        Err(error) => return Outcome::Failed(error.message),
    };
    let log_append_time = case["logAppendTime"].as_i64();
    let expected: Vec<Value> = list(&case["records"])
        .map(|record| {
            json!([
                log_append_time.unwrap_or(number_at(record, 0)),
                record[1],
                record[2],
                record[3]
            ])
        })
        .collect();
    all([
        Outcome::check(batch.is_valid(), || "the checksum is wrong".to_owned()),
        compare(case, "baseOffset", batch.base_offset()),
        compare(case, "partitionLeaderEpoch", batch.partition_leader_epoch()),
        compare(case, "timestampType", batch.timestamp_type().name()),
        compare(case, "compression", batch.compression_type().name()),
        compare(case, "pid", batch.producer_id()),
        compare(case, "producerEpoch", batch.producer_epoch()),
        compare(case, "baseSequence", batch.base_sequence()),
        compare(case, "txn", batch.is_transactional()),
        compare(case, "baseTimestamp", batch.base_timestamp()),
        compare(case, "maxTimestamp", batch.max_timestamp()),
        compare(case, "lastOffset", batch.last_offset()),
        compare(case, "lastSequence", batch.last_sequence()),
        Outcome::check(records == expected, || format!("records: found {}", json!(records))),
    ])
}

fn number_at(list: &Value, index: usize) -> i64 {
    list[index].as_i64().unwrap_or(-1)
}

fn decoded(batch: &Batch) -> Result<Vec<Value>, LogError> {
    let utf8 =
        |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let records = batch.records()?;
    records
        .iter()
        .map(|record| {
            let record = record?;
            let headers: Vec<_> = record
                .headers()
                .into_iter()
                .map(|(key, value)| json!([key, utf8(value)]))
                .collect();
            Ok(json!([record.timestamp, utf8(record.key), utf8(record.value), headers]))
        })
        .collect()
}

// ---- leader-epochs.json ----

/// leader-epochs.json
pub fn leader_epochs(case: &Value) -> Outcome {
    let mut cache = LeaderEpochCache::default();
    for step in list(&case["steps"]) {
        match text(step, "op").as_str() {
            "assign" => {
                cache.assign(LeaderEpoch(number(step, "epoch") as i32), number(step, "start"));
            }

            "truncateFromEnd" => cache.truncate_from_end(number(step, "to")),
            "truncateFromStart" => cache.truncate_from_start(number(step, "to")),
            _ => return Outcome::Unknown,
        }
        let entries = compare(step, "entries", cache.entries().collect::<Vec<_>>());
        if entries != Outcome::Passed {
            return entries;
        }
    }
    let answers = |field: &str, answer: &dyn Fn(&Value) -> Value| {
        let found: Vec<Value> = list(&case[field]).map(answer).collect();
        compare(case, field, found)
    };
    let epoch_at = |row: &Value| LeaderEpoch(number_at(row, 0) as i32);
    all([
        answers("endOffsetFor", &|row| {
            let found = cache.end_offset_for(epoch_at(row), number_at(row, 1));
            let (epoch, end) = found.unwrap_or((LeaderEpoch::NONE, -1));
            json!([row[0], row[1], epoch, end])
        }),
        answers("epochForOffset", &|row| {
            json!([row[0], cache.epoch_for_offset(number_at(row, 0))])
        }),
        answers("previous", &|row| json!([row[0], cache.previous_epoch(epoch_at(row))])),
        answers("next", &|row| json!([row[0], cache.next_epoch(epoch_at(row))])),
    ])
}

// ---- log.json ----

/// log.json
pub fn log(case: &Value) -> Outcome {
    let configs = case["config"].as_object();
    let configs = configs
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let mut log =
        PartitionLog::new(TopicPartition::new("t", 0), LogConfig::from_configs(configs), T0);
    let mut now = T0;
    for (index, step) in list(&case["steps"]).enumerate() {
        let outcome = log_step(&mut log, &mut now, step).and(|| log_state(&log, &step["state"]));
        if let Outcome::Failed(why) = outcome {
            return Outcome::Failed(format!("step {index} ({}): {why}", text(step, "op")));
        }
    }
    let indexes: Vec<Value> = log
        .segments()
        .map(|segment| {
            json!({
                "base": segment.base_offset(), "offset": segment.offset_index(), "time": segment.time_index(),
                "maxTimestamp": segment.max_timestamp_so_far(),
            })
        })
        .collect();
    compare(case, "indexes", indexes)
}

fn refused(step: &Value, error: &LogError) -> Outcome {
    let records: Vec<_> = error
        .record_errors
        .iter()
        .map(|record| json!([record.batch_index, record.message]))
        .collect();
    let records = if records.is_empty() { Value::Null } else { json!(records) };
    all([
        compare(step, "error", error.kind.exception()),
        compare(step, "message", &error.message),
        compare(step, "recordErrors", records),
    ])
}

fn log_step(log: &mut PartitionLog, now: &mut TimestampMs, step: &Value) -> Outcome {
    match text(step, "op").as_str() {
        "append" => {
            let mut builder = RecordBatchBuilder::new(CompressionType::None);
            for record in list(&step["records"]) {
                builder.append(number_at(record, 2), bytes(&record[0]), bytes(&record[1]), &[]);
            }
            let batch = match builder.build() {
                Ok(batch) => batch,
                Err(error) => return Outcome::Failed(error.message),
            };
            let epoch = LeaderEpoch(number(step, "epoch") as i32);
            match log.append_as_leader(&batch, AppendOptions::client(epoch), *now) {
                Ok(info) => all([
                    compare(step, "first", info.first_offset),
                    compare(step, "last", info.last_offset),
                    compare(step, "maxTimestamp", info.max_timestamp),
                    compare(step, "logAppendTime", info.log_append_time),
                    compare(step, "bytes", info.size_in_bytes),
                ]),
                Err(error) => refused(step, &error),
            }
        }
        "advance" => {
            *now += number(step, "ms");
            Outcome::Passed
        }
        "hw" => {
            log.update_high_watermark(number(step, "to"));
            Outcome::Passed
        }
        "retention" => compare(step, "deleted", log.delete_old_segments(*now)),
        "roll" => compare(step, "base", log.roll(*now)),
        "deleteRecords" => match log.maybe_increment_log_start_offset(number(step, "to")) {
            Ok(changed) => compare(step, "changed", changed),
            Err(error) => refused(step, &error),
        },
        "truncate" => compare(step, "done", log.truncate_to(number(step, "to"), *now)),
        "listOffsets" => match log.fetch_offset_by_timestamp(number(step, "ts")) {
            Ok(found) => compare(
                step,
                "out",
                found.map(|found| (found.timestamp, found.offset, found.leader_epoch)),
            ),
            Err(error) => refused(step, &error),
        },
        "read" => {
            let isolation = match text(step, "isolation").as_str() {
                "LOG_END" => FetchIsolation::LogEnd,
                "HIGH_WATERMARK" => FetchIsolation::HighWatermark,
                _ => FetchIsolation::TxnCommitted,
            };
            match log.read(
                number(step, "from"),
                number(step, "max") as u32,
                isolation,
                step["minOne"] == true,
            ) {
                Ok(found) => {
                    let batches: Vec<_> = found
                        .batches
                        .iter()
                        .map(|batch| (batch.base_offset(), batch.last_offset()))
                        .collect();
                    all([
                        compare(step, "out", batches),
                        compare(step, "bytes", found.size_in_bytes),
                    ])
                }
                Err(error) => refused(step, &error),
            }
        }
        _ => Outcome::Unknown,
    }
}

fn log_state(log: &PartitionLog, state: &Value) -> Outcome {
    let segments: Vec<_> =
        log.segments().map(|segment| (segment.base_offset(), segment.size_in_bytes())).collect();
    all([
        compare(state, "start", log.log_start_offset()),
        compare(state, "end", log.log_end_offset()),
        compare(state, "hw", log.high_watermark()),
        compare(state, "lso", log.last_stable_offset()),
        compare(state, "segments", segments),
        compare(state, "epochs", log.leader_epoch_cache().entries().collect::<Vec<_>>()),
    ])
}

// ---- producer-state.json ----

/// producer-state.json
pub fn producer_state(case: &Value) -> Outcome {
    let mut log = PartitionLog::new(TopicPartition::new("p", 0), LogConfig::default(), T0);
    log.set_transaction_verification_enabled(false);
    let mut now = T0;
    for (index, step) in list(&case["steps"]).enumerate() {
        let outcome =
            producer_step(&mut log, &mut now, step).and(|| producers(&log, &step["state"]));
        if let Outcome::Failed(why) = outcome {
            return Outcome::Failed(format!("step {index} ({}): {why}", text(step, "op")));
        }
    }
    let aborted: Vec<_> = log
        .segments()
        .flat_map(cluster::log::LogSegment::txn_index)
        .map(|txn| (txn.producer_id, txn.first_offset, txn.last_offset, txn.last_stable_offset))
        .collect();
    all([compare(case, "aborted", aborted), read_committed(case, &mut log)])
}

fn producer_step(log: &mut PartitionLog, now: &mut TimestampMs, step: &Value) -> Outcome {
    let (producer_id, epoch) = (number(step, "pid"), number(step, "epoch") as i16);
    let (batch, options) = match text(step, "op").as_str() {
        "append" => {
            let mut builder = RecordBatchBuilder::new(CompressionType::None);
            builder.set_producer_state(
                producer_id,
                epoch,
                number(step, "seq") as i32,
                step["txn"] == true,
            );
            for index in 0..number(step, "n") {
                builder.append(*now, Some(b"k"), Some(index.to_string().as_bytes()), &[]);
            }
            (builder.build(), AppendOptions::client(LeaderEpoch(0)))
        }
        "marker" => {
            let marker = EndTransactionMarker {
                committed: text(step, "type") == "COMMIT",
                coordinator_epoch: number(step, "coordinatorEpoch") as i32,
            };
            let version = number(step, "transactionVersion") as i16;
            let options = AppendOptions::coordinator(LeaderEpoch(0), version);
            (marker.batch(0, *now, LeaderEpoch::NONE, producer_id, epoch), options)
        }
        "hw" => {
            log.update_high_watermark(number(step, "to"));
            return Outcome::Passed;
        }
        "advance" => {
            *now += number(step, "ms");
            return Outcome::Passed;
        }
        "expire" => {
            log.remove_expired_producers(*now);
            return Outcome::Passed;
        }
        _ => return Outcome::Unknown,
    };
    let appended = batch.and_then(|batch| log.append_as_leader(&batch, options, *now));
    match appended {
        Ok(info) => all([
            compare(step, "first", info.first_offset),
            if step["last"].is_null() {
                Outcome::Passed
            } else {
                compare(step, "last", info.last_offset)
            },
            Outcome::check(info.duplicate == (step["duplicate"] == true), || {
                format!("duplicate: {}", info.duplicate)
            }),
        ]),
        Err(error) => refused(step, &error),
    }
}

fn producers(log: &PartitionLog, state: &Value) -> Outcome {
    let producers: Vec<_> = log
        .producer_state()
        .active_producers()
        .values()
        .map(|entry| {
            json!([
                entry.producer_id,
                entry.producer_epoch,
                entry.last_sequence(),
                entry.last_data_offset(),
                entry.last_timestamp,
                entry.current_txn_first_offset.unwrap_or(-1),
                entry.coordinator_epoch,
            ])
        })
        .collect();
    all([
        compare(state, "end", log.log_end_offset()),
        compare(state, "hw", log.high_watermark()),
        compare(state, "lso", log.last_stable_offset()),
        compare(state, "firstUnstable", log.first_unstable_offset()),
        compare(state, "producers", producers),
    ])
}

/// What a read_committed consumer sees: all records below the LSO without aborted transactions and control records.
fn read_committed(case: &Value, log: &mut PartitionLog) -> Outcome {
    let mut seen: Vec<Offset> = Vec::new();
    let mut position = log.log_start_offset();
    loop {
        let found = match log.read(position, u32::MAX, FetchIsolation::TxnCommitted, true) {
            Ok(found) => found,
            Err(error) => return Outcome::Failed(error.message),
        };
        let Some(last) = found.batches.last() else { break };
        position = last.next_offset();
        for batch in &found.batches {
            let skipped = found.aborted_transactions.iter().any(|txn| {
                batch.is_transactional()
                    && txn.producer_id == batch.producer_id()
                    && (txn.first_offset..=txn.last_offset).contains(&batch.base_offset())
            });
            if !skipped && !batch.is_control_batch() {
                seen.extend(batch.base_offset()..=batch.last_offset());
            }
        }
    }
    compare(case, "readCommitted", seen)
}
