//! `cargo xtask build`: compiles the page, makes its JavaScript, and lays out dist/ as index.html says.

use crate::args::Args;
use crate::process::{execute, execute_quietly, find, quiet_in_logs, root};
use crate::toolchain::{TARGET, Toolchain, web_target_dir};
use crate::{Outcome, index_html, say, setup};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The binary's name; the files in dist/ begin with it.
pub const NAME: &str = "kafka-playground";

/// The features that LLVM's wasm uses: a stripped module no longer says so itself.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// `cargo xtask build [--release]`
pub fn run(args: &Args) -> Outcome {
    let dist = build(args.has("--release"))?;
    println!("{}", dist.display());
    Ok(())
}

/// Sets up what is missing, then [`compile`]s.
pub fn build(release: bool) -> Outcome<PathBuf> {
    let toolchain = Toolchain::ready()?;
    let bindgen = setup::wasm_bindgen(&toolchain)?;
    if release {
        setup::npm_packages()?;
    }
    compile(&toolchain, &bindgen, release)
}

/// Builds into dist/. The new files replace the old at the end only: a failed build leaves what is being served.
pub fn compile(toolchain: &Toolchain, bindgen: &Path, release: bool) -> Outcome<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    let first = !web_target_dir().join(TARGET).join(profile).join("deps").exists();
    let name = format!("compiling the page ({profile})");
    let step = if first { say::long_step(name, "about 2 min") } else { say::step(name) };
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--locked", "--package", NAME, "--bin", NAME, "--target", TARGET]);
    if release {
        cargo.arg("--release");
    }
    cargo.args(quiet_in_logs());
    execute(&mut cargo)?;
    let wasm = web_target_dir().join(TARGET).join(profile).join(format!("{NAME}.wasm"));
    let stage = root().join("target/stage").join(profile);
    let made = stage.join("made");
    // Of the same wasm the same JavaScript was made: a second start need not wait for it.
    if is_newer(&made, &[&wasm, bindgen]) {
        step.done();
    } else {
        let _ = fs::remove_dir_all(&stage);
        let mut command = Command::new(bindgen);
        command.args(["--target", "web", "--no-typescript", "--out-name", NAME, "--out-dir"]);
        execute_quietly(command.arg(&stage).arg(&wasm))?;
        step.done();
        if release {
            let step = say::step("making the wasm smaller");
            wasm_opt(&stage.join(format!("{NAME}_bg.wasm")))?;
            step.done();
        }
        fs::write(&made, "").map_err(|error| format!("{}: {error}", made.display()))?;
    }
    let fresh = root().join("target/dist");
    index_html::lay_out(&stage, &fresh, release)?;
    if release {
        let mut command = Command::new(setup::node()?);
        execute_quietly(command.current_dir(root()).arg("tools/post-build.mjs").arg(&fresh))?;
    }
    let dist = root().join("dist");
    let _ = fs::remove_dir_all(&dist);
    fs::rename(&fresh, &dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    Ok(dist)
}

/// Whether a file is there and was written after all the others.
fn is_newer(file: &Path, others: &[&Path]) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    written(file).is_some_and(|when| {
        others.iter().all(|other| written(other).is_some_and(|earlier| earlier < when))
    })
}

/// The engine's workloads as a module of their own, compiled as the page is, for `cargo xtask bench`.
pub fn workloads() -> Outcome<PathBuf> {
    let toolchain = Toolchain::ready()?;
    let bindgen = setup::wasm_bindgen(&toolchain)?;
    let step = say::step("compiling the workloads for wasm");
    let mut cargo = toolchain.cargo();
    cargo.args(["build", "--quiet", "--locked", "--release", "--package", NAME]);
    execute(cargo.args(["--example", "bench", "--target", TARGET]))?;
    let wasm = web_target_dir().join(TARGET).join("release/examples/bench.wasm");
    let folder = root().join("target/bench/workloads");
    let mut command = Command::new(bindgen);
    command.args(["--target", "web", "--no-typescript", "--out-name", "bench", "--out-dir"]);
    execute_quietly(command.arg(&folder).arg(&wasm))?;
    wasm_opt(&folder.join("bench_bg.wasm"))?;
    step.done();
    Ok(folder)
}

/// The npm package's wasm-opt is a script for node; without it the page is some percent larger, and says so.
fn wasm_opt(file: &Path) -> Outcome {
    let script = root().join("node_modules/binaryen/bin/wasm-opt");
    let mut command = match (script.exists(), find("node"), find("wasm-opt")) {
        (true, Some(node), _) => {
            let mut command = Command::new(node);
            command.arg(script);
            command
        }
        (_, _, Some(own)) => Command::new(own),
        _ => {
            say::note("no wasm-opt: the page is about 6 % larger than it need be");
            return Ok(());
        }
    };
    command.current_dir(env::temp_dir());
    execute_quietly(command.args(WASM_OPT).arg(file).arg("-o").arg(file))
}
