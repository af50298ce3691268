//! `bench [--json]`: how fast the engine's workloads run natively.

use playground::workload::{WORKLOADS, Workload};
use std::process::ExitCode;
use std::time::Instant;

/// Of so many runs the best counts: what else the machine does only ever slows it down.
const RUNS: u32 = 3;

/// Prints a table, or one JSON object: `{ "NAME": { "rate": …, "check": "…" } }`.
pub fn run(words: &[String]) -> Option<ExitCode> {
    let json = match words {
        [] => false,
        [word] if word == "--json" => true,
        _ => return None,
    };
    let results: Vec<(&str, u64, u64)> = WORKLOADS.iter().map(measure).collect();
    if json {
        let entries: Vec<String> = results
            .iter()
            .map(|(name, rate, check)| {
                format!("\"{name}\": {{ \"rate\": {rate}, \"check\": \"{check}\" }}")
            })
            .collect();
        println!("{{ {} }}", entries.join(", "));
    } else {
        for (name, rate, _) in results {
            println!("{name:<28}{rate:>14}");
        }
    }
    Some(ExitCode::SUCCESS)
}

/// Name, units a second, and the answer.
fn measure(workload: &Workload) -> (&'static str, u64, u64) {
    let mut best = u64::MAX;
    let mut check = 0;
    for _ in 0..RUNS {
        let start = Instant::now();
        check = (workload.run)(workload.amount);
        best = best.min(start.elapsed().as_nanos() as u64);
    }
    let rate = u128::from(workload.amount) * 1_000_000_000 / u128::from(best.max(1));
    (workload.name, rate as u64, check)
}
