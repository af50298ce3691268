//! What compiles Rust to wasm here: the ordinary toolchain with its wasm target, or Debian's `rustc-web`.
//!
//! Order: the target is there → rustup adds it → Debian's compiler with a standard library built once into the tools
//! folder. Debian ships no wasm std for it, and nothing under /usr is written. The folder enters through `--sysroot`
//! in the target's own flags, so that build scripts and proc macros keep the normal one.

use crate::process::{answer, apt_install, can_apt, execute_quietly, find, path_with, root};
use crate::{Outcome, say};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

pub const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_PACKAGES: &[&str] =
    &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
/// What rustup's cargo leaves in the environment of its children; Debian's cargo must not see it.
const RUSTUP_VARIABLES: &[&str] =
    &["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC", "RUSTDOC", "LD_LIBRARY_PATH", "RUST_RECURSION_COUNT"];

/// Where tools are installed: `KAFKA_PLAYGROUND_TOOLS`, else `target/tools`.
pub fn tools_dir() -> PathBuf {
    env::var_os("KAFKA_PLAYGROUND_TOOLS").map_or_else(|| root().join("target/tools"), PathBuf::from)
}

/// Where wasm is compiled: `KAFKA_PLAYGROUND_WEB_TARGET`, else `target/web`. Its own, because it may be another
/// compiler than the native one, and so that a build doesn't wait for rust-analyzer.
pub fn web_target_dir() -> PathBuf {
    env::var_os("KAFKA_PLAYGROUND_WEB_TARGET")
        .map_or_else(|| root().join("target/web"), PathBuf::from)
}

/// A toolchain that compiles for wasm.
#[derive(Clone, Debug)]
pub struct Toolchain {
    debian: bool,
    sysroot: Option<PathBuf>,
}

impl Toolchain {
    const ORDINARY: Self = Self { debian: false, sysroot: None };

    /// What is installed already; changes nothing.
    pub fn present() -> Option<Self> {
        if Self::ORDINARY.has_std() {
            return Some(Self::ORDINARY);
        }
        let debian = Self { debian: true, sysroot: None };
        if !Path::new("/usr/bin/rustc").exists() {
            return None;
        }
        if debian.has_std() {
            return Some(debian);
        }
        let sysroot = debian.sysroot_path();
        let built = sysroot.join("built").exists();
        built.then_some(Self { debian: true, sysroot: Some(sysroot) })
    }

    /// The same, after installing what is missing.
    pub fn ready() -> Outcome<Self> {
        if let Some(toolchain) = Self::present() {
            return Ok(toolchain);
        }
        let sources = || Path::new(DEBIAN_SOURCES).exists();
        if !sources() && find("rustup").is_some() {
            let step = say::long_step(format!("rustup target add {TARGET}"), "about 20 s");
            if execute_quietly(Command::new("rustup").args(["target", "add", TARGET])).is_ok()
                && Self::ORDINARY.has_std()
            {
                step.done();
                return Ok(Self::ORDINARY);
            }
            say::note("rustup could not add it");
        }
        if !sources() && can_apt() {
            let name = format!("apt-get install {}", DEBIAN_PACKAGES.join(" "));
            let step = say::long_step(name, "about 20 s, 180 MB");
            apt_install(DEBIAN_PACKAGES)?;
            step.done();
        }
        if !sources() {
            return Err(format!(
                "Rust here cannot compile for the browser. Type `rustup target add {TARGET}`, \
                 or on Debian, as root: apt-get install {}",
                DEBIAN_PACKAGES.join(" ")
            ));
        }
        let mut debian = Self { debian: true, sysroot: None };
        debian.sysroot = Some(debian.build_sysroot()?);
        Ok(debian)
    }

    /// In words, for `doctor`.
    pub fn describe(&self) -> String {
        let version = answer(self.command("rustc").arg("--version")).unwrap_or_default();
        let kind = if self.debian { "Debian's" } else { "ordinary" };
        format!("{version}, {kind} toolchain")
    }

    /// A program in this toolchain's environment, in the workspace's folder.
    pub fn command(&self, program: &str) -> Command {
        let own = matches!(program, "cargo" | "rustc" | "rustdoc");
        let mut command = if self.debian && own {
            Command::new(format!("/usr/bin/{program}"))
        } else {
            Command::new(program)
        };
        command.current_dir(root());
        let mut first = vec![tools_dir().join("bin"), root().join("node_modules/.bin")];
        if self.debian {
            for variable in RUSTUP_VARIABLES {
                command.env_remove(variable);
            }
            command.env("RUSTDOC", "/usr/bin/rustdoc");
            first.push(PathBuf::from("/usr/bin"));
        }
        command.env("PATH", path_with(first));
        command
    }

    /// Cargo, set up for the wasm target.
    pub fn cargo(&self) -> Command {
        let mut command = self.command("cargo");
        let mut flags = Vec::new();
        if let Some(sysroot) = &self.sysroot {
            flags.push(format!("--sysroot {}", sysroot.display()));
        }
        // Views of one type compile faster, and a page of many views is smaller with them.
        flags.push("--cfg erase_components".to_string());
        let flags = flags.join(" ");
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", &flags);
        command.env("RUSTDOCFLAGS", &flags);
        command.env("CARGO_TARGET_DIR", web_target_dir());
        command
    }

    fn has_std(&self) -> bool {
        let mut rustc = self.command("rustc");
        answer(rustc.args(["--print", "target-libdir", "--target", TARGET]))
            .and_then(|folder| fs::read_dir(folder).ok())
            .is_some_and(|mut files| {
                files.any(|file| {
                    file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd"))
                })
            })
    }

    fn sysroot_path(&self) -> PathBuf {
        let version = answer(self.command("rustc").arg("--version")).unwrap_or_default();
        tools_dir()
            .join(format!("sysroot-{}-small", version.split_whitespace().nth(1).unwrap_or("0")))
    }

    /// Compiles the standard library once, from Debian's sources, into a folder of ours.
    fn build_sysroot(&self) -> Outcome<PathBuf> {
        let sysroot = self.sysroot_path();
        let step = say::long_step("building Rust's standard library for wasm", "about 30 s");
        let probe = tools_dir().join("wasm-std");
        let failed = |error: std::io::Error| format!("{}: {error}", probe.display());
        fs::create_dir_all(probe.join("src")).map_err(failed)?;
        let manifest = "[package]\nname = \"wasm-std\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        fs::write(probe.join("Cargo.toml"), manifest).map_err(failed)?;
        fs::write(probe.join("src/lib.rs"), "#![no_std]\n").map_err(failed)?;
        let mut cargo = self.command("cargo");
        cargo
            .current_dir(&probe)
            .env("RUSTC_BOOTSTRAP", "1") // for -Z build-std, here only
            .env("RUSTFLAGS", "-Cembed-bitcode=yes") // so that LTO can use it
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z") // as the page's own code
            .env("CARGO_TARGET_DIR", probe.join("target"))
            .args(["build", "-q", "--release", "--target", TARGET])
            .args(["-Z", "build-std=std,panic_abort,test,proc_macro"])
            .args(["-Z", "build-std-features=optimize_for_size"]);
        execute_quietly(&mut cargo)?;
        let library = sysroot.join(format!("lib/rustlib/{TARGET}/lib"));
        // Also those of earlier compilers: they would never be used again.
        for old in fs::read_dir(tools_dir()).map_err(failed)?.flatten() {
            if old.file_name().to_string_lossy().starts_with("sysroot-") {
                let _ = fs::remove_dir_all(old.path());
            }
        }
        fs::create_dir_all(&library).map_err(failed)?;
        let built = probe.join(format!("target/{TARGET}/release/deps"));
        for file in fs::read_dir(built).map_err(failed)?.flatten() {
            let name = file.file_name().to_string_lossy().to_string();
            let library_file = file.path().extension().is_some_and(|ending| ending == "rlib");
            if library_file && !name.starts_with("libwasm_std") {
                fs::copy(file.path(), library.join(name)).map_err(failed)?;
            }
        }
        fs::write(sysroot.join("built"), "").map_err(failed)?;
        let _ = fs::remove_dir_all(&probe);
        step.done();
        Ok(sysroot)
    }
}
