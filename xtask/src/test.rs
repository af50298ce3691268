//! `cargo xtask test [SUITE…]`: every suite runs, whatever failed before it; the closing line sums them up.

use crate::args::Args;
use crate::process::{answer, execute, find, root};
use crate::toolchain::{TARGET, Toolchain};
use crate::{Outcome, browser, build, engine, misses, say, serve, setup, size, structure};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// The suites' names, in the order of running: what fails fast comes first.
pub const SUITES: &[&str] = &["lint", "unit", "truth", "wasm", "e2e", "trunk"];
/// `trunk` is compiled from source for minutes: only on demand.
const ON_DEMAND: &[&str] = &["trunk"];
/// How long the fuzzer runs in `unit`, and over which seeds: the same on every machine that is quick enough.
const FUZZ_MINUTES: &str = "1";
const FUZZ_SEEDS: &str = "1..1000";
/// The trunk that every Rust of ours can compile.
pub const TRUNK: &str = "0.21.14";

/// What a suite came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    /// Checks that could not run here, by name, with the reason.
    pub skipped: Vec<String>,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
    }

    /// One check by its name.
    fn check(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(message) => {
                self.failed += 1;
                say::problem(&format!("{name}: {message}"));
            }
        }
    }

    fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push(format!("{name}: {reason}"));
    }
}

/// `cargo xtask test [lint|unit|truth|wasm|e2e|trunk]…`
pub fn run(args: &Args) -> Outcome {
    let wanted = |suite: &&&str| {
        if args.words.is_empty() {
            !ON_DEMAND.contains(suite)
        } else {
            args.words.iter().any(|word| word == **suite)
        }
    };
    let mut total = Count::default();
    let mut lines = Vec::new();
    for suite in SUITES.iter().filter(wanted) {
        eprintln!("\n── {suite}");
        let start = Instant::now();
        let outcome = match *suite {
            "lint" => lint(),
            "unit" => unit(),
            "truth" => truth(),
            "wasm" => wasm(),
            "e2e" => e2e(),
            _ => trunk(),
        };
        let count = outcome.unwrap_or_else(|message| {
            say::problem(&format!("{suite}: {message}"));
            Count { failed: 1, ..Count::default() }
        });
        lines.push(format!(
            "{suite:<6}{:>6} passed {:>4} failed {:>6} s",
            count.passed,
            count.failed,
            start.elapsed().as_secs()
        ));
        total.add(count);
    }
    println!();
    for line in lines {
        println!("{line}");
    }
    for line in &total.skipped {
        println!("skipped {line}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { Ok(()) } else { Err("tests failed".to_string()) }
}

fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root());
    cargo
}

/// The native crates, without the page.
const NATIVE: &[&str] =
    &["--locked", "--workspace", "--exclude", build::NAME, "--features", "xtask/engine"];

/// What clippy must not find; the rest of pedantic advises.
const CLIPPY: &[&str] = &[
    "-Aclippy::all",
    "-Aclippy::pedantic",
    "-Dclippy::correctness",
    "-Dclippy::suspicious",
    "-Dclippy::disallowed_types",
    "-Dclippy::iter_over_hash_type",
];

fn lint() -> Outcome<Count> {
    let mut count = Count::default();
    for (rule, findings) in structure::check(&root())? {
        let outcome = if findings.is_empty() {
            Ok(())
        } else {
            Err(format!("\n  {}", findings.join("\n  ")))
        };
        count.check(&rule, outcome);
    }
    if find("cargo-fmt").is_some() {
        let step = say::step("cargo fmt --check");
        count.check("cargo fmt", execute(cargo().args(["fmt", "--all", "--", "--check"])));
        step.done();
    } else {
        count.skip("cargo fmt", "rustfmt is not installed");
    }
    if find("cargo-clippy").is_some() {
        let step = say::step("cargo clippy");
        let mut clippy = cargo();
        clippy.args(["clippy", "--quiet", "--all-targets"]).args(NATIVE).args(["--"]).args(CLIPPY);
        count.check("cargo clippy", execute(&mut clippy));
        step.done();
    } else {
        count.skip("cargo clippy", "clippy is not installed");
    }
    if find("cargo-deny").is_some() {
        let step = say::step("cargo deny check");
        let mut deny = cargo();
        count.check(
            "cargo deny",
            execute(deny.args(["--offline", "check", "bans", "licenses", "sources"])),
        );
        step.done();
    } else {
        count.skip("cargo deny", "cargo-deny is not installed");
    }
    Ok(count)
}

fn unit() -> Outcome<Count> {
    let step = say::step("cargo test of the native crates");
    let mut count = counted(cargo().args(["test", "--no-fail-fast"]).args(NATIVE))?;
    step.done();
    let step = say::step(format!("fuzzing for {FUZZ_MINUTES} min"));
    let words = ["--minutes", FUZZ_MINUTES, "--seeds", FUZZ_SEEDS].map(str::to_string);
    count.check("fuzz", execute(&mut engine::command("fuzz", &words)));
    step.done();
    Ok(count)
}

fn truth() -> Outcome<Count> {
    let mut count = Count::default();
    let data = root().join("tests/kafka");
    for (task, folder) in [("vectors", "vectors"), ("replay", "transcripts")] {
        let folder = data.join(folder);
        if !folder.exists() {
            count.skip(task, "there is no such folder in tests/kafka");
            continue;
        }
        let step = say::step(format!("cargo xtask {task}"));
        let words = [folder.display().to_string()];
        let lines = lines_of(&mut engine::command(task, &words))?;
        count.add(misses::judge(&lines, &data.join(format!("{task}.misses")))?);
        step.done();
    }
    Ok(count)
}

fn wasm() -> Outcome<Count> {
    let toolchain = Toolchain::ready()?;
    setup::wasm_bindgen(&toolchain)?;
    let chrome = browser::ready()?;
    let mut cargo = toolchain.cargo();
    match browser::find_driver() {
        Some(driver) => {
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner");
            cargo.env("CHROMEDRIVER", driver);
            browser::write_driver_settings(&chrome)?;
        }
        None => {
            setup::npm_packages()?;
            say::note("no chromedriver: the tests run through playwright-core");
            let script = root().join("tests/e2e/wasm-runner.mjs");
            let runner = format!("node {}", script.display());
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
            cargo.env("CHROME", chrome);
        }
    }
    let step = say::step("what a story comes to natively");
    let digest = answer(&mut engine::command("digest", &[])).ok_or("engine digest fails")?;
    cargo.env("NATIVE_DIGEST", digest.trim());
    step.done();
    let step = say::step("cargo test for wasm, in the browser");
    // The profile of the development build, whose libraries are compiled already.
    cargo.args([
        "test",
        "--profile",
        "dev",
        "--locked",
        "--no-fail-fast",
        "--package",
        build::NAME,
    ]);
    let count = counted(cargo.args(["--target", TARGET, "--tests"]))?;
    step.done();
    Ok(count)
}

fn e2e() -> Outcome<Count> {
    let chrome = browser::ready()?;
    setup::npm_packages()?;
    let dist = build::build(true)?;
    let mut count = Count::default();
    // Told, not judged: the code is still over its first target (BENCHMARKS.md), and `cargo xtask size` says so.
    let _ = size::command(&dist)?.status();
    let listener = serve::listen(Some("0"))?;
    let url = serve::url(&listener);
    serve::serve_in_background(listener, dist, Arc::new(AtomicU64::new(0)));
    let mut command = Command::new(setup::node()?);
    command.current_dir(root()).env("CHROME", chrome).args(["tests/e2e/run.mjs", &url]);
    count.add(counted(&mut command)?);
    Ok(count)
}

fn trunk() -> Outcome<Count> {
    let toolchain = Toolchain::ready()?;
    setup::wasm_bindgen(&toolchain)?;
    setup::npm_packages()?;
    if setup::tool("trunk", TRUNK).is_none() {
        let step = say::long_step(format!("installing trunk {TRUNK}"), "about 4 min");
        setup::cargo_install(&toolchain, "trunk", TRUNK, &["trunk"])?;
        step.done();
    }
    let trunk = setup::tool("trunk", TRUNK).ok_or("trunk did not install")?;
    let dist = root().join("target/trunk-dist");
    let mut command = setup::same_environment(&toolchain.cargo(), &trunk);
    let step = say::step("trunk build --release");
    execute(command.current_dir(root()).args(["build", "--release", "--dist"]).arg(&dist))?;
    step.done();
    let page = std::fs::read_to_string(dist.join("index.html"))
        .map_err(|error| format!("{}: {error}", dist.display()))?;
    let mut count = Count::default();
    let has =
        |what: &str| page.contains(what).then_some(()).ok_or(format!("index.html has no {what}"));
    count.check("trunk: the page starts wasm", has("_bg.wasm"));
    count.check("trunk: content security policy", has("Content-Security-Policy"));
    let worker = dist.join("sw.js").exists().then_some(()).ok_or("there is no sw.js".to_string());
    count.check("trunk: service worker", worker);
    Ok(count)
}

/// Runs a test program and adds up what it says; what passed is not shown.
fn counted(command: &mut Command) -> Outcome<Count> {
    let (lines, success) = read_lines(command)?;
    let mut count = Count::default();
    for (passed, failed) in lines.iter().filter_map(|line| summary(line)) {
        count.passed += passed;
        count.failed += failed;
    }
    if !success && count.failed == 0 {
        return Err("ended with an error before its tests did".to_string());
    }
    Ok(count)
}

/// The lines of a program that judges itself line by line; its exit code only counts when it said nothing.
fn lines_of(command: &mut Command) -> Outcome<Vec<String>> {
    let (lines, success) = read_lines(command)?;
    let judged = lines.iter().any(|line| summary(line).is_some());
    if success || judged { Ok(lines) } else { Err("ended with an error".to_string()) }
}

fn read_lines(command: &mut Command) -> Outcome<(Vec<String>, bool)> {
    let program = command.get_program().to_string_lossy().to_string();
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let output = child.stdout.take().ok_or("no output")?;
    let mut lines = Vec::new();
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).map_err(failed)? > 0 {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_string();
        bytes.clear();
        if !is_noise(&line) {
            println!("{line}");
        }
        lines.push(line);
    }
    let status = child.wait().map_err(failed)?;
    Ok((lines, status.success()))
}

/// Lines of a test program that a reader needs only when something is wrong with the others.
fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.is_empty()
        || (line.starts_with("test ") && line.ends_with(" ... ok"))
        || (line.starts_with("running ") && line.contains(" test"))
        || line.starts_with("test result: ok. 0 passed")
        || line == "no tests to run!"
}

/// Passed and failed of a closing line: cargo's `test result: …` or our `N passed, N failed`.
fn summary(line: &str) -> Option<(u64, u64)> {
    let counts = match line.strip_prefix("test result: ") {
        Some(rest) => rest.split_once(". ")?.1,
        None => line,
    };
    let mut words = counts.split([' ', ',', ';']).filter(|word| !word.is_empty());
    let passed = words.next()?.parse().ok()?;
    if words.next()? != "passed" {
        return None;
    }
    let failed = words.next()?.parse().ok()?;
    (words.next()? == "failed").then_some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn closing_lines_are_understood_and_others_are_not() {
        let cases = [
            ("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured", Some((3, 0))),
            ("test result: FAILED. 1 passed; 2 failed; 0 ignored", Some((1, 2))),
            ("12 passed, 0 failed", Some((12, 0))),
            ("topics-create: 3 passed, 0 failed", None),
            ("test tests::one ... ok", None),
            ("3 passed", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(summary(line), expected, "{line:?}");
        }
    }
}
