//! `cargo xtask serve`: builds, serves dist/ on this machine only, rebuilds and reloads when a file changes.

use crate::args::Args;
use crate::process::{find, root, wrong_use};
use crate::toolchain::Toolchain;
use crate::{Outcome, build, say, setup};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

const DEFAULT_PORT: u16 = 8090;
/// What a change is looked for in.
const WATCHED: &[&str] =
    &["src", "crates", "style", "public", "index.html", "Cargo.toml", "Cargo.lock", "tools"];
/// Asks once a second whether there is a newer build; after a restart of the server the number differs too.
const RELOAD_SCRIPT: &str = "let seen;setInterval(async()=>{try{const n=await(await fetch('/_xtask/build')).text();\
     if(seen!==undefined&&n!==seen)location.reload();seen=n}catch{}},1000)";

/// What a development build answers for the service worker: one that a release build left at this address, and that
/// would show its old files for ever, removes itself.
const NO_SERVICE_WORKER: &str = "self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', event => event.waitUntil((async () => {
  for (const name of await caches.keys()) await caches.delete(name);
  await self.registration.unregister();
  for (const page of await self.clients.matchAll()) page.navigate(page.url);
})()));
";

/// `cargo xtask serve [--port N] [--release] [--no-open]`
pub fn run(args: &Args) -> Outcome {
    let listener = listen(args.value("--port"))?;
    let release = args.has("--release");
    let toolchain = Toolchain::ready()?;
    let bindgen = setup::wasm_bindgen(&toolchain)?;
    if release {
        setup::npm_packages()?;
    }
    let mut seen = snapshot();
    let dist = build::compile(&toolchain, &bindgen, release)?;
    let version = Arc::new(AtomicU64::new(now()));
    let url = url(&listener);
    serve_in_background(listener, dist, Arc::clone(&version));
    println!("{url}");
    say::note("rebuilds when a file changes; Ctrl-C ends it");
    if !args.has("--no-open") {
        open(&url);
    }
    loop {
        thread::sleep(Duration::from_secs(1));
        let found = snapshot();
        if found == seen {
            continue;
        }
        seen = found;
        match build::compile(&toolchain, &bindgen, release) {
            Ok(_) => version.store(now(), Ordering::Relaxed),
            Err(message) => say::problem(&message),
        }
    }
}

/// The port asked for, or the first free one from the default on.
pub fn listen(port: Option<&str>) -> Outcome<TcpListener> {
    let bind = |port: u16| TcpListener::bind(("127.0.0.1", port));
    match port {
        Some(text) => {
            let port: u16 = text
                .parse()
                .map_err(|_| wrong_use(format!("--port {text}: a port is a number up to 65535")))?;
            bind(port).map_err(|error| format!("port {port}: {error}"))
        }
        None => (DEFAULT_PORT..DEFAULT_PORT + 20)
            .find_map(|port| bind(port).ok())
            .ok_or_else(|| format!("no free port from {DEFAULT_PORT} on; choose one with --port")),
    }
}

/// Where a browser finds it.
pub fn url(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|_| String::new(), |address| format!("http://{address}/"))
}

/// Answers requests for files of `dist` until the process ends.
pub fn serve_in_background(listener: TcpListener, dist: PathBuf, version: Arc<AtomicU64>) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (dist, version) = (dist.clone(), Arc::clone(&version));
            thread::spawn(move || {
                let _ = answer(&stream, &dist, version.load(Ordering::Relaxed));
            });
        }
    });
}

fn answer(stream: &TcpStream, dist: &Path, version: u64) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = request.split_whitespace().nth(1).unwrap_or("/");
    let path = path.split(['?', '#']).next().unwrap_or("/").trim_start_matches('/');
    let (status, kind, body) = match path {
        "_xtask/build" => ("200 OK", "text/plain", version.to_string().into_bytes()),
        "_xtask/reload.js" => ("200 OK", "text/javascript", RELOAD_SCRIPT.as_bytes().to_vec()),
        path => {
            let path = if path.is_empty() { "index.html" } else { path };
            let outside =
                path.split(['/', '\\']).any(|part| part.starts_with('.') || part.contains(':'));
            match std::fs::read(dist.join(path)) {
                Ok(body) if !outside => ("200 OK", content_type(path), body),
                _ if path == "sw.js" => {
                    ("200 OK", "text/javascript", NO_SERVICE_WORKER.as_bytes().to_vec())
                }
                _ => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
            }
        }
    };
    let mut writer = stream;
    write!(
        writer,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    if !request.starts_with("HEAD ") {
        writer.write_all(&body)?;
    }
    Ok(())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript",
        "wasm" => "application/wasm",
        "css" => "text/css",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

/// Every watched file with the time it was written.
fn snapshot() -> BTreeMap<PathBuf, SystemTime> {
    fn visit(path: &Path, files: &mut BTreeMap<PathBuf, SystemTime>) {
        let Ok(data) = std::fs::metadata(path) else { return };
        if let (false, Ok(time)) = (data.is_dir(), data.modified()) {
            files.insert(path.to_path_buf(), time);
        }
        if data.is_dir() && !path.ends_with("target") && !path.ends_with("tests") {
            for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
                visit(&entry.path(), files);
            }
        }
    }
    let mut files = BTreeMap::new();
    for name in WATCHED {
        visit(&root().join(name), &mut files);
    }
    files
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |time| time.as_millis() as u64)
}

fn open(url: &str) {
    let (program, words): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/c", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let words: Vec<&str> = words.iter().copied().chain([url]).collect();
    if let Some(program) = find(program) {
        let quiet = || Stdio::null();
        let mut command = Command::new(program);
        let _ = command.args(words).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    }
}
