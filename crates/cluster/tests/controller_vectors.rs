//! The engine against answers of Kafka's own classes (`tests/kafka/vectors`): tables, configs, controller.

#[path = "../../../xtask/src/engine/vectors/outcome.rs"]
#[allow(dead_code)]
mod outcome;

#[path = "common/check.rs"]
mod check;

#[path = "../../../xtask/src/engine/vectors/controller_families.rs"]
mod controller_families;

#[path = "../../../xtask/src/engine/vectors/controller_sequences.rs"]
mod controller_sequences;

use check::check;

macro_rules! vectors {
    ($($family:ident::$test:ident: $file:literal;)*) => {
        $(#[test] fn $test() { check($file, $family::$test); })*
    };
}

vectors! {
    controller_families::java_hash: "java-hash";
    controller_families::uuid: "uuid";
    controller_families::errors: "errors";
    controller_families::api_keys: "api-keys";
    controller_families::topic_names: "topic-names";
    controller_families::coordinator_partitions: "coordinator-partitions";
    controller_families::config_defs: "config-defs";
    controller_families::config_errors: "config-errors";
    controller_sequences::replica_placement: "replica-placement";
    controller_sequences::leader_election: "leader-election";
    controller_sequences::controller: "controller";
    controller_sequences::config_alter: "config-alter";
}
