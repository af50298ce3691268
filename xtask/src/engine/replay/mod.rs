//! `cargo xtask replay DIR [--scenario NAME] [--diff]`: transcripts of the real tools, run again on simulated clusters.

mod compare;
mod conditions;
mod run;
mod scenario;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use run::Verdict;
use scenario::Scenario;

/// The task; none says that the words are wrong use.
pub fn task(words: &[String]) -> Option<ExitCode> {
    let mut folder = None;
    let mut only = Vec::new();
    let mut diff = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--scenario" => only.push(words.next()?.clone()),
            "--diff" => diff = true,
            option if option.starts_with('-') => return None,
            path if folder.is_none() => folder = Some(PathBuf::from(path)),
            _ => return None,
        }
    }
    let folder = folder?;
    let files = match scenario_files(&folder) {
        Ok(files) => files,
        Err(why) => {
            eprintln!("{}: {why}", folder.display());
            return Some(ExitCode::from(2));
        }
    };
    let (mut passed, mut failed, mut found) = (0, 0, false);
    for file in files {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(why) => {
                eprintln!("{}: {why}", file.display());
                return Some(ExitCode::from(2));
            }
        };
        let scenario = match Scenario::parse(&text) {
            Ok(Some(scenario)) if only.is_empty() || only.contains(&scenario.name) => scenario,
            Ok(_) => continue,
            Err(why) => {
                eprintln!("{}: {why}", file.display());
                return Some(ExitCode::from(2));
            }
        };
        found = true;
        let (ok, wrong) = replay(&scenario, diff);
        passed += ok;
        failed += wrong;
    }
    if !found {
        eprintln!("no such scenario in {}", folder.display());
        return Some(ExitCode::from(2));
    }
    println!("{passed} passed, {failed} failed");
    Some(ExitCode::from(u8::from(failed > 0)))
}

fn scenario_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    Ok(files)
}

fn replay(scenario: &Scenario, diff: bool) -> (usize, usize) {
    let verdicts = std::panic::catch_unwind(|| run::run(scenario)).unwrap_or_else(|_| {
        let broken = |step: &scenario::Step| {
            let verdict = if step.rules.compared {
                Verdict::Failed(vec!["the engine panicked".to_owned()])
            } else {
                Verdict::Ran
            };
            (step.number, verdict)
        };
        scenario.steps.iter().map(broken).collect()
    });
    let passed = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Passed)).count();
    let wrong: Vec<_> = verdicts
        .iter()
        .filter_map(|(number, verdict)| match verdict {
            Verdict::Failed(found) => Some((number, found)),
            Verdict::Ran | Verdict::Passed => None,
        })
        .collect();
    println!("{:<28} {:>4} passed {:>4} failed", scenario.name, passed, wrong.len());
    if diff {
        for (number, found) in &wrong {
            let step = scenario.steps.iter().find(|step| step.number == **number);
            println!(
                "  step {number}: {}",
                step.and_then(|step| step.command.as_deref()).unwrap_or("(action)")
            );
            for text in *found {
                println!("  {text}");
            }
        }
    }
    (passed, wrong.len())
}
