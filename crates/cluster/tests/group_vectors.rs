//! Groups against answers of Kafka's own classes (`tests/kafka/vectors`): assignors, classic groups, offsets.

#[path = "../../../xtask/src/engine/vectors/outcome.rs"]
#[allow(dead_code)]
mod outcome;

#[path = "common/check.rs"]
mod check;

#[path = "../../../xtask/src/engine/vectors/group_families.rs"]
mod group_families;

use check::check;
use group_families as families;

macro_rules! vectors {
    ($($test:ident: $file:literal;)*) => {
        $(#[test] fn $test() { check($file, families::$test); })*
    };
}

vectors! {
    client_assignors: "client-assignors";
    classic_group: "classic-group";
    group_offsets: "group-offsets";
}
