//! Starting other programs: quiet questions, and commands whose failure is a message.

use crate::Outcome;
use std::env;
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

static LAST_EXIT_CODE: AtomicI32 = AtomicI32::new(-1);

/// The exit code to end with, where it isn't 1: what [`pass_on`] saw, or 2 after [`wrong_use`].
pub fn last_exit_code() -> Option<u8> {
    u8::try_from(LAST_EXIT_CODE.load(Ordering::Relaxed)).ok()
}

/// A message about what the user typed: exit code 2.
pub fn wrong_use(message: String) -> String {
    LAST_EXIT_CODE.store(2, Ordering::Relaxed);
    message
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// What a command prints, or `None` when it isn't there or fails.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Runs a command, its output shown.
pub fn execute(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} failed ({status})", shown(command))),
        Err(error) => Err(format!("cannot start {program}: {error}")),
    }
}

/// Runs a command that speaks for itself: its exit code becomes ours, without another message.
pub fn pass_on(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().to_string();
    let status = command.status().map_err(|error| format!("cannot start {program}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    LAST_EXIT_CODE.store(status.code().unwrap_or(1), Ordering::Relaxed);
    Err(String::new())
}

/// Runs a command and shows its output only when it fails.
pub fn execute_quietly(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{} failed ({})\n{}{}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// For cargo: a progress bar for people, but not a line per library in a log.
pub fn quiet_in_logs() -> Option<&'static str> {
    (!std::io::stderr().is_terminal()).then_some("--quiet")
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// A program by name in `PATH`, as the shell would find it; on Windows also `.exe` and `.cmd`.
pub fn find(program: &str) -> Option<PathBuf> {
    find_in(env::split_paths(&env::var_os("PATH")?), program)
}

/// The same in given folders.
pub fn find_in(folders: impl Iterator<Item = PathBuf>, program: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ""] } else { &[""] };
    folders
        .flat_map(|folder| endings.iter().map(move |end| folder.join(format!("{program}{end}"))))
        .find(|path| path.is_file())
}

/// `PATH` with folders put first.
pub fn path_with(first: impl IntoIterator<Item = PathBuf>) -> std::ffi::OsString {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = first.into_iter().chain(env::split_paths(&old));
    env::join_paths(all).unwrap_or(old)
}

/// Whether we are root on a machine with apt, which may install what is missing.
pub fn can_apt() -> bool {
    cfg!(target_os = "linux")
        && find("apt-get").is_some()
        && answer(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

/// Installs Debian packages; the index is refreshed first.
pub fn apt_install(packages: &[&str]) -> Outcome {
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(words);
        execute_quietly(&mut command)
    };
    apt(&["update", "-q"])?;
    apt(&[&["install", "-y", "-q", "--no-install-recommends"], packages].concat())
}
