//! `bench [--json]`: how fast the engine's workloads run natively.

use cluster::log::batch_pool::with_pool;
use playground::workload::{RECORD_BYTES, WORKLOADS, Workload, loaded_cluster};
use std::process::ExitCode;
use std::time::Instant;

/// Of so many runs the best counts: what else the machine does only ever slows it down.
const RUNS: u32 = 3;

/// How many records memory and snapshot are measured with.
const KEPT_RECORDS: u64 = 1_000_000;

/// Prints a table, or one JSON object: `{ "NAME": { "rate": …, "check": "…" }, …, "kept": { … } }`.
pub fn run(words: &[String]) -> Option<ExitCode> {
    let json = match words {
        [] => false,
        [word] if word == "--json" => true,
        _ => return None,
    };
    let kept = Kept::measure(); // first, while nothing else has grown the process
    let results: Vec<(&str, u64, u64)> = WORKLOADS.iter().map(measure).collect();
    if json {
        let mut entries: Vec<String> = results
            .iter()
            .map(|(name, rate, check)| {
                format!("\"{name}\": {{ \"rate\": {rate}, \"check\": \"{check}\" }}")
            })
            .collect();
        let Kept { payload, snapshot, resident } = kept;
        let resident = resident.map_or("null".to_owned(), |bytes| bytes.to_string());
        entries.push(format!(
            "\"kept\": {{ \"payload_bytes\": {payload}, \"snapshot_bytes\": {snapshot}, \"resident_bytes\": {resident} }}"
        ));
        println!("{{ {} }}", entries.join(", "));
    } else {
        for (name, rate, _) in results {
            println!("{name:<28}{rate:>14}");
        }
        println!(
            "{:<28}{:>14}",
            "snapshot per payload byte",
            hundredths(kept.snapshot, kept.payload)
        );
        if let Some(resident) = kept.resident {
            println!("{:<28}{:>14}", "memory per payload byte", hundredths(resident, kept.payload));
        }
    }
    Some(ExitCode::SUCCESS)
}

/// What a cluster with records at replication factor 3 takes, in bytes.
struct Kept {
    /// The values alone, each counted once.
    payload: u64,
    snapshot: u64,
    /// How much the process has grown; only where `/proc` tells.
    resident: Option<u64>,
}

impl Kept {
    fn measure() -> Self {
        let before = resident_bytes();
        let world = loaded_cluster(KEPT_RECORDS);
        let after = resident_bytes();
        let snapshot =
            with_pool(|| postcard::to_stdvec(&world)).map_or(0, |bytes| bytes.len() as u64);
        let resident = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        Self { payload: KEPT_RECORDS * u64::from(RECORD_BYTES), snapshot, resident }
    }
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// A quotient with two digits.
fn hundredths(of: u64, by: u64) -> String {
    let hundredths = of * 100 / by.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
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
