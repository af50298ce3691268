//! The tools beside the compiler: wasm-bindgen of exactly the locked version, and the npm packages.

use crate::args::Args;
use crate::process::{answer, execute, execute_quietly, find, find_in, quiet_in_logs, root};
use crate::toolchain::{Toolchain, tools_dir};
use crate::{Outcome, say};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// `cargo xtask setup`
pub fn run(_: &Args) -> Outcome {
    let toolchain = Toolchain::ready()?;
    wasm_bindgen(&toolchain)?;
    npm_packages()?;
    crate::browser::ready()?;
    say::note("everything is there");
    Ok(())
}

/// The version of a package in Cargo.lock.
pub fn locked_version(package: &str) -> Outcome<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let name = format!("name = \"{package}\"\n");
    lock.split("[[package]]")
        .find(|entry| entry.contains(&name))
        .and_then(|entry| entry.split("version = \"").nth(1)?.split('"').next())
        .map(str::to_string)
        .ok_or_else(|| format!("Cargo.lock has no {package}"))
}

/// A tool that answers `--version` with `version`: ours first, then the user's own.
pub fn tool(program: &str, version: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools_dir().join("bin")).chain(env::split_paths(&path));
    let found: Vec<PathBuf> =
        folders.filter_map(|folder| find_in(std::iter::once(folder), program)).collect();
    found.into_iter().find(|path| {
        answer(Command::new(path).arg("--version"))
            .is_some_and(|said| said.split_whitespace().any(|word| word == version))
    })
}

/// The wasm-bindgen CLI and its test runner. An unoptimised build: half the time, and quick enough for this page.
pub fn wasm_bindgen(toolchain: &Toolchain) -> Outcome<PathBuf> {
    let version = locked_version("wasm-bindgen")?;
    let programs = ["wasm-bindgen", "wasm-bindgen-test-runner"];
    if let [Some(bindgen), Some(_)] = programs.map(|program| tool(program, &version)) {
        return Ok(bindgen);
    }
    let step = say::long_step(format!("installing wasm-bindgen {version}"), "about 1 min");
    cargo_install(toolchain, "wasm-bindgen-cli", &version, &programs)?;
    step.done();
    tool("wasm-bindgen", &version).ok_or_else(|| "wasm-bindgen did not install".to_string())
}

/// `cargo install` into the tools folder, compiled light: no optimisation, no debug info, no default features (they are TLS).
pub fn cargo_install(
    toolchain: &Toolchain,
    package: &str,
    version: &str,
    programs: &[&str],
) -> Outcome {
    let mut cargo = toolchain.command("cargo");
    cargo.envs([
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
        ("CARGO_PROFILE_RELEASE_STRIP", "true"),
    ]);
    cargo.current_dir(env::temp_dir()); // not under our own profiles and aliases
    cargo.args(["install", package, "--locked", "--force", "--version", version]);
    cargo.args(["--no-default-features", "--root"]).arg(tools_dir());
    for program in programs {
        cargo.args(["--bin", program]);
    }
    execute(cargo.args(quiet_in_logs()))
}

/// Node.js, of a version that has what our scripts use.
pub fn node() -> Outcome<PathBuf> {
    let missing = "install Node.js, version 20 or newer: https://nodejs.org";
    let node = find("node").ok_or(missing)?;
    let version = answer(Command::new(&node).arg("--version")).unwrap_or_default();
    let major =
        version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major >= 20) {
        Ok(node)
    } else {
        Err(format!("node is {version}: {missing}"))
    }
}

/// The npm packages of package-lock.json: wasm-opt, and what drives a browser in tests. Installs no browser.
pub fn npm_packages() -> Outcome {
    let have = root().join("node_modules/.package-lock.json");
    let wanted = root().join("package-lock.json");
    let modified = |path: &PathBuf| fs::metadata(path).and_then(|data| data.modified()).ok();
    if modified(&have).is_some() && modified(&have) >= modified(&wanted) {
        return Ok(());
    }
    let npm = find("npm").ok_or("npm is missing: it comes with Node.js, https://nodejs.org")?;
    let step = say::long_step("npm ci (wasm-opt, playwright-core, axe-core)", "about 5 s, 110 MB");
    let mut command = Command::new(npm);
    execute_quietly(command.current_dir(root()).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
    ]))?;
    if let Ok(file) = fs::File::options().append(true).open(&have) {
        let _ = file.set_modified(std::time::SystemTime::now());
    }
    step.done();
    Ok(())
}

/// Another program with the environment that a command was given.
pub fn same_environment(command: &Command, program: &Path) -> Command {
    let mut other = Command::new(program);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}
