//! Runs a vector file through an engine's family of cases.

use serde_json::Value;

use super::outcome::Outcome;

/// Runs a whole file; every failure is shown, and any makes the test fail. Cases that nobody understands yet are passed over.
#[track_caller]
#[allow(dead_code)] // each test file uses one of the two
pub fn check(file: &str, run_case: fn(&Value) -> Outcome) {
    run(file, run_case, false);
}

/// The same for a family of which every case is understood: one that is not has failed.
#[track_caller]
#[allow(dead_code)]
pub fn check_all(file: &str, run_case: fn(&Value) -> Outcome) {
    run(file, run_case, true);
}

#[track_caller]
fn run(file: &str, run_case: fn(&Value) -> Outcome, all: bool) {
    let path = format!("{}/../../tests/kafka/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the vector file is there");
    let vectors: Value = serde_json::from_str(&text).expect("a vector file is JSON");
    let cases = vectors["cases"].as_array().expect("a vector file has cases");
    let (mut passed, mut failures) = (0, Vec::new());
    for (index, case) in cases.iter().enumerate() {
        match run_case(case) {
            Outcome::Passed => passed += 1,
            Outcome::Failed(why) => failures.push(format!("case {index}: {why}\n    {case}")),
            Outcome::Unknown if all => failures.push(format!("case {index}: not understood")),
            Outcome::Unknown => {}
        }
    }
    failures.iter_mut().for_each(|failure| failure.truncate(1_500));
    let shown = failures.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{file}: {} of {} failed\n{shown}", failures.len(), cases.len());
    assert!(passed > 0, "{file}: no case ran, so nothing was tested");
}
