//! `vectors DIR`: answers of Kafka's own classes, asked of the engine's code.
//!
//! A family is a vector file that the engine knows; a file of another family counts as unknown, case by case. The
//! runners of the families are also compiled into the engine's tests, where each file is a test of its own.

mod controller_families;
mod controller_sequences;
mod group_families;
mod log_families;
mod outcome;
mod producer_families;

use outcome::Outcome;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file's name without `.json`, and what runs one case of it.
type Family = (&'static str, fn(&Value) -> Outcome);

const FAMILIES: &[Family] = &[
    ("api-keys", controller_families::api_keys),
    ("classic-group", group_families::classic_group),
    ("client-assignors", group_families::client_assignors),
    ("config-alter", controller_sequences::config_alter),
    ("config-defs", controller_families::config_defs),
    ("config-errors", controller_families::config_errors),
    ("controller", controller_sequences::controller),
    ("coordinator-partitions", controller_families::coordinator_partitions),
    ("errors", controller_families::errors),
    ("group-offsets", group_families::group_offsets),
    ("java-hash", controller_families::java_hash),
    ("leader-election", controller_sequences::leader_election),
    ("leader-epochs", log_families::leader_epochs),
    ("log", log_families::log),
    ("murmur2", producer_families::murmur2),
    ("producer-batching", producer_families::producer_batching),
    ("producer-state", log_families::producer_state),
    ("record-batches", log_families::record_batches),
    ("replica-placement", controller_sequences::replica_placement),
    ("sticky-partitioner", producer_families::sticky_partitioner),
    ("topic-names", controller_families::topic_names),
    ("uuid", controller_families::uuid),
];

/// Failures of one file that are shown; the rest is only counted.
const SHOWN: usize = 3;
/// Characters of a failure that are shown.
const SHOWN_CHARS: usize = 400;

/// What became of a file's cases, or of all files'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    unknown: u64,
    /// The first few failures, in words.
    shown: Vec<String>,
}

/// Runs every vector file of a folder; exit code 1 on a failure.
pub fn run(words: &[String]) -> Option<ExitCode> {
    let [folder] = words else { return None };
    let files = match vector_files(Path::new(folder)) {
        Ok(files) if files.is_empty() => {
            eprintln!("vectors: {folder} holds no .json file");
            return Some(ExitCode::from(2));
        }
        Ok(files) => files,
        Err(error) => {
            eprintln!("vectors: {folder}: {error}");
            return Some(ExitCode::from(2));
        }
    };
    std::panic::set_hook(Box::new(|_| {})); // a case that panics has failed, and says so in its own line
    let mut total = Tally::default();
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let family = FAMILIES.iter().find(|(family, _)| *family == name).map(|(_, run)| *run);
        let tally = std::fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| run_text(&text, family))
            .unwrap_or_else(|error| Tally { failed: 1, shown: vec![error], ..Tally::default() });
        let Tally { passed, failed, unknown, shown } = tally;
        println!("{name}: {passed} passed, {failed} failed, {unknown} unknown");
        shown.iter().for_each(|failure| println!("    {failure}"));
        total.passed += passed;
        total.failed += failed;
        total.unknown += unknown;
    }
    let _ = std::panic::take_hook();
    println!("{} cases are unknown: the engine has nothing yet that they ask about", total.unknown);
    println!("{} passed, {} failed", total.passed, total.failed);
    Some(ExitCode::from(u8::from(total.failed > 0)))
}

/// The vector files, by name.
fn vector_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Runs every case of a file; all of them are unknown without a family.
fn run_text(text: &str, family: Option<fn(&Value) -> Outcome>) -> Result<Tally, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let cases = file["cases"].as_array().ok_or("no list of cases")?;
    let mut tally = Tally::default();
    for (index, case) in cases.iter().enumerate() {
        let outcome = match family {
            None => Outcome::Unknown,
            Some(run_case) => catch_unwind(AssertUnwindSafe(|| run_case(case)))
                .unwrap_or_else(|panic| Outcome::Failed(panic_text(panic.as_ref()))),
        };
        match outcome {
            Outcome::Passed => tally.passed += 1,
            Outcome::Unknown => tally.unknown += 1,
            Outcome::Failed(why) => {
                tally.failed += 1;
                if tally.shown.len() < SHOWN {
                    let why: String = why.chars().take(SHOWN_CHARS).collect();
                    tally.shown.push(format!("case {index}: {why}"));
                }
            }
        }
    }
    Ok(tally)
}

/// What a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without words"))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Tally, run_text};
    use serde_json::Value;

    const FILE: &str = r#"{ "cases": [1, 2, 3, "none", 5, 6, 7, 8] }"#;

    /// Odd numbers pass, even ones fail, one of them by a panic; anything else is unknown.
    fn odd(case: &Value) -> Outcome {
        match case.as_u64() {
            None => Outcome::Unknown,
            Some(6) => panic!("six"),
            Some(number) if number % 2 == 1 => Outcome::Passed,
            Some(number) => Outcome::Failed(format!("{number} is even")),
        }
    }

    #[test]
    fn every_case_is_counted_and_a_panic_is_a_failure() {
        let shown = ["case 1: 2 is even", "case 5: panicked: six", "case 7: 8 is even"];
        let shown = shown.map(str::to_owned).to_vec();
        let expected = Tally { passed: 4, failed: 3, unknown: 1, shown };
        assert_eq!(run_text(FILE, Some(odd)), Ok(expected));
    }

    #[test]
    fn a_file_of_another_family_is_unknown() {
        let expected = Tally { unknown: 8, ..Tally::default() };
        assert_eq!(run_text(FILE, None), Ok(expected));
    }

    #[test]
    fn a_file_without_cases_is_refused() {
        for text in ["", "[]", "{}", r#"{ "cases": 3 }"#] {
            assert!(run_text(text, Some(odd)).is_err(), "{text:?}");
        }
    }
}
