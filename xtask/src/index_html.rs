//! index.html as Trunk reads it: the few kinds of `data-trunk` link that it uses, and no others, so that the two
//! ways to build cannot drift apart silently.

use crate::Outcome;
use crate::build::NAME;
use crate::process::root;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

/// Lays out `dist` from index.html and what wasm-bindgen put into `stage`.
pub fn lay_out(stage: &Path, dist: &Path, release: bool) -> Outcome {
    let _ = fs::remove_dir_all(dist);
    fs::create_dir_all(dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    let script = read(&stage.join(format!("{NAME}.js")))?;
    let wasm = read(&stage.join(format!("{NAME}_bg.wasm")))?;
    let hash = hash(&[&script, &wasm]);
    let (script_name, wasm_name) = (format!("{NAME}-{hash}.js"), format!("{NAME}-{hash}_bg.wasm"));
    write(&dist.join(&script_name), &script)?;
    write(&dist.join(&wasm_name), &wasm)?;
    if stage.join("snippets").exists() {
        copy(&stage.join("snippets"), &dist.join("snippets"))?;
    }
    let source = read(&root().join("index.html"))?;
    let mut html = String::new();
    for line in String::from_utf8_lossy(&source).lines() {
        if !line.contains("data-trunk") {
            html.push_str(line);
            html.push('\n');
            continue;
        }
        let href = attribute(line, "href").unwrap_or_default();
        let from = root().join(href);
        let name = from.file_name().unwrap_or_default().to_string_lossy().to_string();
        match attribute(line, "rel") {
            Some("rust") => html.push_str(&start(&script_name, &wasm_name)),
            Some("css") => {
                let css = read(&from)?;
                let stem = name.trim_end_matches(".css");
                let hashed = format!("{stem}-{}.css", self::hash(&[&css]));
                write(&dist.join(&hashed), &css)?;
                html.push_str(&format!("  <link rel=\"stylesheet\" href=\"./{hashed}\">\n"));
            }
            Some("icon") => {
                copy(&from, &dist.join(&name))?;
                html.push_str(&format!("  <link rel=\"icon\" href=\"./{name}\">\n"));
            }
            Some("copy-file" | "copy-dir") => copy(&from, &dist.join(&name))?,
            kind => {
                return Err(format!("index.html: xtask doesn't know data-trunk rel={kind:?}"));
            }
        }
    }
    if !release {
        html = html.replace("</body>", "<script src=\"/_xtask/reload.js\"></script>\n</body>");
    }
    write(&dist.join("index.html"), html.as_bytes())
}

/// The lines that load and start the wasm, as Trunk writes them.
fn start(script: &str, wasm: &str) -> String {
    format!(
        "  <link rel=\"modulepreload\" href=\"./{script}\" crossorigin>\n  \
         <link rel=\"preload\" href=\"./{wasm}\" crossorigin as=\"fetch\" type=\"application/wasm\">\n  \
         <script type=\"module\">import init, * as bindings from './{script}';\
         const wasm = await init({{ module_or_path: './{wasm}' }});\
         window.wasmBindings = bindings;\
         dispatchEvent(new CustomEvent('TrunkApplicationStarted', {{ detail: {{ wasm }} }}));</script>\n"
    )
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write(part);
    }
    format!("{:016x}", hasher.finish())
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Outcome {
    if !from.is_dir() {
        return fs::copy(from, to)
            .map(|_| ())
            .map_err(|error| format!("{}: {error}", from.display()));
    }
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in
        fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?.flatten()
    {
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
