//! `cargo xtask bench`: the engine natively, the page in the browser, the sizes; as a table and as JSON.

use crate::args::Args;
use crate::process::{answer, pass_on, root};
use crate::{Outcome, browser, build, engine, say, serve, setup};
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// `cargo xtask bench [--json] [native]`
pub fn run(args: &Args) -> Outcome {
    let json = args.has("--json");
    if args.words.iter().any(|word| word == "native") {
        let words: Vec<String> = json.then(|| "--json".to_string()).into_iter().collect();
        return pass_on(&mut engine::measured("bench", &words));
    }
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let step = say::step("the engine, natively");
    let native = answer(&mut engine::measured("bench", &["--json".to_string()]))
        .ok_or("`cargo xtask bench native` fails")?;
    let native_file = folder.join("native.json");
    fs::write(&native_file, native)
        .map_err(|error| format!("{}: {error}", native_file.display()))?;
    step.done();
    let chrome = browser::ready()?;
    setup::npm_packages()?;
    let dist = build::build(true)?;
    let workloads = build::workloads()?;
    let listener = serve::listen(Some("0"))?;
    let url = serve::url(&listener);
    serve::serve_in_background(listener, dist.clone(), Arc::new(AtomicU64::new(0)));
    let step = say::step("the page, in the browser");
    let all = folder.join("bench.json");
    let mut command = Command::new(setup::node()?);
    command.current_dir(root()).env("CHROME", chrome).args(["tests/e2e/bench.mjs", &url]);
    command.arg(&dist).arg(&all).arg(&native_file).arg(&workloads).args(json.then_some("--json"));
    pass_on(&mut command)?;
    step.done();
    say::note(&format!("JSON: {}", all.display()));
    Ok(())
}
