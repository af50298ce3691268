//! `fuzz [--seed S] [--seeds A..B] [--minutes M]`: random clusters, traffic and faults under the guarantees of
//! [`cluster::checker`], which are looked at after every event.
//!
//! One seed is one run: everything in it is drawn from the seed, so a seed is all that is needed to see it again. A panic
//! is a finding like any other. [`run`] is one run, [`operator`] what is done to it, [`ledger`] what clients were told.

mod ledger;
mod operator;
mod run;

use run::{Finding, Options, Report};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long is fuzzed if nothing else is said.
const DEFAULT_MINUTES: u64 = 1;
/// Seeds begin here if nothing else is said: what CI does today it does tomorrow.
const FIRST_SEED: u64 = 1;

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    first: u64,
    /// Exclusive.
    end: u64,
    time: Option<Duration>,
}

/// Exit code 1 if a guarantee was broken.
pub fn run(words: &[String]) -> Option<ExitCode> {
    let plan = plan(words)?;
    run::remember_panics();
    let start = Instant::now();
    let is_over = || plan.time.is_some_and(|time| start.elapsed() >= time);
    let mut total = Report::default();
    let mut seeds = 0_u64;
    let mut findings = 0_u64;
    for seed in plan.first..plan.end {
        if seeds > 0 && is_over() {
            break;
        }
        let single = plan.end == plan.first + 1;
        let options = Options { digests: single, ..Options::default() };
        let report = run::run(seed, options, &is_over);
        seeds += 1;
        total.add(&report);
        if let Some(Finding { guarantee, at, what }) = report.finding {
            findings += 1;
            println!("seed {seed}: {guarantee} is broken at {at}, event {}", report.events);
            println!("    {what}");
            println!("    reproduce: cargo xtask fuzz --seed {seed}");
        } else if let Some(digest) = report.digest {
            println!("seed {seed}: {}; digest {digest:08x}", report.summary());
        }
    }
    println!("seeds {}..{}: {seeds} runs, {}", plan.first, plan.first + seeds, total.summary());
    println!("{findings} violations");
    Some(ExitCode::from(u8::from(findings > 0)))
}

fn plan(words: &[String]) -> Option<Plan> {
    let (mut seeds, mut minutes) = (None, None);
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, value),
            None => (word, words.next()?),
        };
        match option {
            "--seed" => {
                let seed: u64 = value.parse().ok()?;
                seeds = Some((seed, seed.checked_add(1)?));
            }
            "--seeds" => {
                let (first, end) = value.split_once("..")?;
                seeds = Some((first.parse().ok()?, end.parse().ok()?));
            }
            "--minutes" => minutes = Some(value.parse::<u64>().ok()?),
            _ => return None,
        }
    }
    let minutes = match (seeds, minutes) {
        (None, None) => Some(DEFAULT_MINUTES),
        (_, minutes) => minutes,
    };
    let (first, end) = seeds.unwrap_or((FIRST_SEED, u64::MAX));
    let time = minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    (first < end).then_some(Plan { first, end, time })
}

#[cfg(test)]
mod tests {
    use super::{Options, Plan, plan, run};
    use simulation::Micros;
    use std::time::Duration;

    #[test]
    fn seeds_and_time_are_read() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        let cases = [
            ("", Some((1, u64::MAX, minutes(1)))),
            ("--seed 7", Some((7, 8, None))),
            ("--seeds 3..9 --minutes 2", Some((3, 9, minutes(2)))),
            ("--minutes=5", Some((1, u64::MAX, minutes(5)))),
            ("--seeds 9..3", None),
            ("--seed", None),
            ("--seed x", None),
            ("--fast 1", None),
        ];
        for (line, expected) in cases {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let expected = expected.map(|(first, end, time)| Plan { first, end, time });
            assert_eq!(plan(&words), expected, "{line:?}");
        }
    }

    #[test]
    fn a_planted_bug_is_found_within_seconds() {
        let _planted = cluster::planted_bug::plant();
        let found = (1..20).find_map(|seed| run::run(seed, Options::default(), &|| false).finding);
        let found = found.expect("a leader that does not wait for its ISR is found");
        assert_eq!(found.guarantee, "committed-is-on-all-in-sync-replicas", "{}", found.what);
    }

    #[test]
    fn the_same_seed_gives_the_same_trace_and_a_restored_snapshot_runs_on_exactly() {
        let options =
            Options { troubles: Micros::from_secs(60), digests: true, snapshot_every: None };
        let snapshots = Options { snapshot_every: Some(5_000), ..options };
        for seed in [11, 12] {
            let digest = |options| {
                let report = run::run(seed, options, &|| false);
                assert_eq!(report.finding, None, "seed {seed}");
                (report.events, report.digest)
            };
            let first = digest(options);
            assert_eq!(first, digest(options), "seed {seed}: the same twice");
            assert_eq!(first, digest(snapshots), "seed {seed}: through snapshots");
        }
    }
}
