//! `cargo xtask doctor`: what is there, what is missing, and what gets it. Changes nothing.

use crate::Outcome;
use crate::args::Args;
use crate::process::{answer, can_apt, find, root};
use crate::toolchain::{TARGET, Toolchain, tools_dir};
use crate::{browser, setup, test};
use std::path::PathBuf;
use std::process::Command;

/// One thing looked for: what was found, or what gets it.
struct Finding {
    name: &'static str,
    needed_for: &'static str,
    found: Result<String, String>,
}

/// `cargo xtask doctor`
pub fn run(_: &Args) -> Outcome {
    let findings = findings()?;
    for Finding { name, needed_for, found } in &findings {
        match found {
            Ok(found) => println!("✓ {name:<14}{found}"),
            Err(remedy) => println!("✗ {name:<14}missing (for {needed_for}): {remedy}"),
        }
    }
    let missing = findings.iter().filter(|finding| finding.found.is_err()).count();
    println!("\n{} there, {missing} missing", findings.len() - missing);
    Ok(())
}

fn findings() -> Outcome<Vec<Finding>> {
    let version = |program: &str| {
        let path = find(program)?;
        let said = answer(Command::new(path).arg("--version"))?;
        said.lines().next().map(str::to_string)
    };
    let path = |found: Option<PathBuf>| found.map(|path| path.display().to_string());
    let bindgen = setup::locked_version("wasm-bindgen")?;
    let own = format!("cargo xtask installs it into {}", tools_dir().display());
    let packages = root().join("node_modules/playwright-core/package.json").exists();
    let by_apt = if can_apt() { "cargo xtask test installs it" } else { "install it yourself" };
    let or = |found: Option<String>, remedy: &str| found.ok_or_else(|| remedy.to_string());
    Ok(vec![
        Finding {
            name: "rust",
            needed_for: "everything",
            found: or(version("rustc"), "https://rustup.rs"),
        },
        Finding {
            name: "wasm",
            needed_for: "the page",
            found: or(
                Toolchain::present().map(|toolchain| toolchain.describe()),
                &format!(
                    "cargo xtask serve gets it: rustup target add {TARGET}, or Debian's rustc-web"
                ),
            ),
        },
        Finding {
            name: "wasm-bindgen",
            needed_for: "the page",
            found: or(path(setup::tool("wasm-bindgen", &bindgen)), &format!("{bindgen}: {own}")),
        },
        Finding {
            name: "node",
            needed_for: "release builds and tests",
            found: setup::node().and_then(|path| {
                answer(Command::new(path).arg("--version"))
                    .ok_or_else(|| "it doesn't run".to_string())
            }),
        },
        Finding {
            name: "npm packages",
            needed_for: "release builds and tests",
            found: or(packages.then(|| "node_modules".to_string()), "cargo xtask runs npm ci"),
        },
        Finding {
            name: "browser",
            needed_for: "tests",
            found: or(
                path(browser::find_browser()),
                &format!("Chrome, Chromium or Edge: {by_apt}"),
            ),
        },
        Finding {
            name: "driver",
            needed_for: "wasm tests; without it they run through playwright-core",
            found: or(path(browser::find_driver()), &format!("chromedriver: {by_apt}")),
        },
        Finding {
            name: "rustfmt",
            needed_for: "lint",
            found: or(version("rustfmt"), "rustup component add rustfmt"),
        },
        Finding {
            name: "clippy",
            needed_for: "lint",
            found: or(version("cargo-clippy"), "rustup component add clippy"),
        },
        Finding {
            name: "cargo-deny",
            needed_for: "lint, optional",
            found: or(version("cargo-deny"), "cargo install cargo-deny"),
        },
        Finding {
            name: "trunk",
            needed_for: "optional",
            found: or(
                path(setup::tool("trunk", test::TRUNK)),
                "cargo xtask test trunk installs it",
            ),
        },
    ])
}
