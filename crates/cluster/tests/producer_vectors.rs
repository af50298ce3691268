//! The engine against answers of Kafka's own classes (`tests/kafka/vectors`): the producer.

#[path = "../../../xtask/src/engine/vectors/outcome.rs"]
#[allow(dead_code)]
mod outcome;

#[path = "common/check.rs"]
mod check;

#[path = "../../../xtask/src/engine/vectors/producer_families.rs"]
mod producer_families;

use check::check;
use producer_families as families;

macro_rules! vectors {
    ($($test:ident: $file:literal;)*) => {
        $(#[test] fn $test() { check($file, families::$test); })*
    };
}

vectors! {
    murmur2: "murmur2";
    sticky_partitioner: "sticky-partitioner";
    producer_batching: "producer-batching";
}
