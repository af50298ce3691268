//! How many records a second go through the log: encode, append as leader, append on two followers.
//!
//! `cargo run --profile fast -p cluster --example log_throughput`
#![expect(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a native measurement"
)]

use std::time::Instant;

use cluster::log::{
    AppendOptions, CompressionType, FetchIsolation, LogConfig, PartitionLog, RecordBatchBuilder,
};
use cluster::types::{LeaderEpoch, TopicPartition};

const BATCHES: u64 = 20_000;
const VALUE: [u8; 100] = [b'v'; 100];

#[expect(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    reason = "a measurement on a native machine"
)]
fn main() {
    let epoch = LeaderEpoch(0);
    for compression in [CompressionType::None, CompressionType::Lz4] {
        let new = || PartitionLog::new(TopicPartition::new("t", 0), LogConfig::default(), 0);
        let (mut leader, mut followers) = (new(), [new(), new()]);
        let (mut encode, mut lead, mut follow, mut records) = (0, 0, 0, 0u64);
        let began = Instant::now();
        for round in 0..BATCHES {
            let at = Instant::now();
            let mut builder = RecordBatchBuilder::new(compression).with_write_limit(16_384);
            let mut key = round * 1_000;
            while builder.has_room_for(1, Some(&key.to_be_bytes()), Some(&VALUE), &[]) {
                builder.append(1, Some(&key.to_be_bytes()), Some(&VALUE), &[]);
                key += 1;
            }
            builder.set_producer_state(7, 0, records as i32, false);
            records += u64::from(builder.record_count());
            let batch = builder.build().expect("the codec is there");
            encode += at.elapsed().as_nanos();

            let at = Instant::now();
            leader.append_as_leader(&batch, AppendOptions::client(epoch), 1).expect("a good batch");
            lead += at.elapsed().as_nanos();

            let at = Instant::now();
            for follower in &mut followers {
                let from = follower.log_end_offset();
                let found =
                    leader.read(from, 1 << 20, FetchIsolation::LogEnd, true).expect("in range");
                follower.append_as_follower(&found.batches, epoch, 1).expect("good batches");
            }
            follow += at.elapsed().as_nanos();
        }
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{:5} {:6.2} M records/s, {:5.0} MB/s; a batch of {}: encode {:.1} us, leader {:.1} us, two followers {:.1} us",
            compression.name(),
            records as f64 / seconds / 1e6,
            records as f64 * 100.0 / seconds / 1e6,
            records / BATCHES,
            encode as f64 / BATCHES as f64 / 1e3,
            lead as f64 / BATCHES as f64 / 1e3,
            follow as f64 / BATCHES as f64 / 1e3,
        );
    }
}
