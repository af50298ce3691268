//! The log against answers of Kafka's own classes (`tests/kafka/vectors`).

#[path = "../../../xtask/src/engine/vectors/outcome.rs"]
#[allow(dead_code)]
mod outcome;

#[path = "common/check.rs"]
mod check;

#[path = "../../../xtask/src/engine/vectors/log_families.rs"]
mod log_families;

use check::check_all;
use log_families as families;

#[test]
fn record_batches() {
    check_all("record-batches", families::record_batches);
}

#[test]
fn leader_epochs() {
    check_all("leader-epochs", families::leader_epochs);
}

#[test]
fn log() {
    check_all("log", families::log);
}

#[test]
fn producer_state() {
    check_all("producer-state", families::producer_state);
}
