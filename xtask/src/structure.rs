//! The house rules that the compiler doesn't check: which crate may know which, and words that must not occur.

use crate::Outcome;
use std::fs;
use std::path::Path;

/// Each crate's manifest and those of ours that it may depend on, outside optional dependencies.
const EDGES: &[(&str, &[&str])] = &[
    ("crates/simulation", &[]),
    ("crates/cluster", &["simulation"]),
    ("crates/console", &["simulation", "cluster"]),
    ("crates/playground", &["simulation", "cluster", "console"]),
    (".", &["playground"]),
    ("xtask", &[]),
];

/// Crates that no engine crate may depend on: clocks, entropy, threads, the browser.
const FOREIGN: &[&str] = &[
    "leptos",
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "getrandom",
    "rand",
    "tokio",
    "chrono",
    "xtask",
];

/// Words that must not occur in the code of some folders.
struct Rule {
    name: &'static str,
    folders: &'static [&'static str],
    /// A word ends where an identifier ends; one that ends in `:` or `_` is the beginning of any.
    words: &'static [&'static str],
    except: &'static [&'static str],
}

const ENGINE: &[&str] =
    &["crates/simulation/src", "crates/cluster/src", "crates/console/src", "crates/playground/src"];

const RULES: &[Rule] = &[
    Rule {
        name: "no wall clock, threads or I/O in the engine",
        folders: ENGINE,
        words: &[
            "std::time",
            "Instant",
            "SystemTime",
            "std::thread",
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "web_sys",
            "js_sys",
            "wasm_bindgen",
            "leptos",
        ],
        except: &[],
    },
    Rule {
        name: "no randomness outside the kernel",
        folders: &["crates/cluster/src", "crates/console/src", "crates/playground/src", "src"],
        words: &[
            "rand_xoshiro",
            "rand::",
            "thread_rng",
            "getrandom",
            "Math::random",
            "RandomState",
        ],
        except: &[],
    },
    Rule {
        name: "no hash-order iteration",
        folders: ENGINE,
        words: &["HashMap", "HashSet", "DefaultHasher"],
        except: &[],
    },
    Rule {
        name: "no interior mutability in the engine",
        folders: ENGINE,
        words: &["RefCell", "Cell", "OnceCell", "Mutex", "RwLock", "thread_local"],
        except: &[],
    },
    Rule {
        name: "the kernel knows no Kafka",
        folders: &["crates/simulation/src"],
        words: &["kafka", "Kafka", "broker", "Broker", "topic", "Topic", "consumer", "producer"],
        except: &[],
    },
    Rule {
        name: "a tool reaches the cluster as a client only",
        folders: &["crates/console/src"],
        words: &[
            "cluster::broker",
            "cluster::controller",
            "cluster::coordinator",
            "cluster::log",
            "cluster::world",
        ],
        except: &[],
    },
    Rule {
        // The page's manifest names `playground` alone; what is left is a way through it. `cluster` is a panel, too.
        name: "the interface knows read models only",
        folders: &["src/ui"],
        words: &[
            "use cluster::",
            "use simulation::",
            "use ::",
            "playground::session",
            "playground::journal",
        ],
        except: &[],
    },
    Rule {
        name: "nothing unfinished",
        folders: &["crates", "src", "xtask/src", "tests"],
        words: &[
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("to", "do!"),
            concat!("unimple", "mented!"),
            concat!("#[ig", "nore"),
        ],
        except: &[],
    },
];

/// Files that a rule doesn't hold for, with the reason.
const EXEMPT: &[(&str, &str, &str)] = &[
    (
        "no interior mutability in the engine",
        "crates/cluster/src/log/batch_pool.rs",
        "lives for one snapshot's encoding only, never in state: serde passes no context down",
    ),
    (
        "no interior mutability in the engine",
        "crates/cluster/src/planted_bug.rs",
        "a switch of the fuzzer's own test, compiled in only by its feature",
    ),
    (
        "no randomness outside the kernel",
        "src/browser/clock.rs",
        "the door through which a new session gets its seed, which the journal then holds",
    ),
];

/// Every rule with what breaks it.
pub fn check(root: &Path) -> Outcome<Vec<(String, Vec<String>)>> {
    let mut results = vec![("crates depend in one direction".to_string(), edges(root)?)];
    for rule in RULES {
        let mut findings = Vec::new();
        for folder in rule.folders {
            visit(&root.join(folder), &mut |path, text| {
                let path = path.strip_prefix(root).unwrap_or(path);
                if EXEMPT
                    .iter()
                    .any(|(name, file, _)| *name == rule.name && path == Path::new(file))
                {
                    return;
                }
                let shown = path.display();
                for (number, line) in text.lines().enumerate() {
                    if let Some(word) = offence(rule, code(line)) {
                        findings.push(format!("{shown}:{}: {word}", number + 1));
                    }
                }
            })?;
        }
        results.push((rule.name.to_string(), findings));
    }
    let mut floats = Vec::new();
    let mut unsafes = Vec::new();
    for folder in ENGINE {
        visit(&root.join(folder), &mut |path, text| {
            let shown = path.strip_prefix(root).unwrap_or(path).display();
            for (number, line) in text.lines().enumerate() {
                if is_float_field(code(line)) {
                    floats.push(format!("{shown}:{}: {}", number + 1, line.trim()));
                }
            }
        })?;
        let library = root.join(folder).join("lib.rs");
        if !fs::read_to_string(&library).is_ok_and(|text| text.contains("#![forbid(unsafe_code)]"))
        {
            unsafes.push(format!("{folder}/lib.rs"));
        }
    }
    results.push(("no floats in state".to_string(), floats));
    results.push(("the engine forbids unsafe code".to_string(), unsafes));
    Ok(results)
}

/// Dependencies of ours that go the wrong way, and foreign ones that the engine must not have.
fn edges(root: &Path) -> Outcome<Vec<String>> {
    let ours: Vec<&str> = EDGES
        .iter()
        .filter_map(|(path, _)| path.rsplit('/').next())
        .filter(|name| *name != ".")
        .collect();
    let mut findings = Vec::new();
    for (path, allowed) in EDGES {
        let manifest = root.join(path).join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .map_err(|error| format!("{}: {error}", manifest.display()))?;
        let engine = path.starts_with("crates/");
        for name in dependencies(&text) {
            let wrong_way = ours.contains(&name) && !allowed.contains(&name);
            if wrong_way || (engine && FOREIGN.contains(&name)) {
                findings.push(format!("{path} depends on {name}"));
            }
        }
    }
    Ok(findings)
}

/// The names under `[dependencies]` and `[target.….dependencies]` that are not optional.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            let table = line.trim().trim_matches(['[', ']']);
            inside = table == "dependencies"
                || (table.starts_with("target.") && table.ends_with(".dependencies"));
        } else if inside && !line.starts_with([' ', '#']) && !line.contains("optional = true") {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            names.extend(Some(&line[..end]).filter(|name| !name.is_empty()));
        }
    }
    names
}

/// A line without its comment. A `//` within a string ends it too: good enough for these rules.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// The first forbidden word in a line of code.
fn offence(rule: &Rule, code: &str) -> Option<&'static str> {
    let rest = rule.except.iter().fold(code.to_string(), |text, allowed| text.replace(allowed, ""));
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    rule.words.iter().copied().find(|word| {
        rest.match_indices(word).any(|(start, _)| {
            let before = rest[..start].chars().next_back();
            let after = rest[start + word.len()..].chars().next();
            let whole_before = !before.is_some_and(part_of_name) || !word.starts_with(part_of_name);
            let whole_after = !after.is_some_and(part_of_name) || !word.ends_with(part_of_name);
            whole_before && whole_after
        })
    })
}

/// `name: …f64…,` as in a struct, and `(f64)` as in a tuple struct or variant.
fn is_float_field(code: &str) -> bool {
    let code = code.trim();
    let float = |text: &str| {
        text.split(|character: char| !character.is_alphanumeric() && character != '_')
            .any(|word| word == "f32" || word == "f64")
    };
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let field = code.split_once(": ").is_some_and(|(name, kind)| {
        name.chars().all(|character| character.is_alphanumeric() || character == '_')
            && kind.ends_with(',')
            && float(kind)
    });
    let tuple = code.starts_with("struct ") && float(code);
    field || tuple
}

/// Calls `each` with every Rust file below a folder, in order of name; a folder that doesn't exist has none.
fn visit(folder: &Path, each: &mut dyn FnMut(&Path, &str)) -> Outcome {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            visit(&path, each)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            each(&path, &text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{RULES, code, dependencies, is_float_field, offence};

    fn rule(name: &str) -> &'static super::Rule {
        RULES.iter().find(|rule| rule.name == name).unwrap()
    }

    #[test]
    fn words_are_found_whole_and_outside_comments() {
        let clock = rule("no wall clock, threads or I/O in the engine");
        assert_eq!(offence(clock, "let now = std::time::Duration;"), Some("std::time"));
        assert_eq!(offence(clock, "let instantly = Instantly;"), None);
        assert_eq!(offence(clock, code("let a = 1; // not an Instant")), None);
        let ui = rule("the interface knows read models only");
        assert_eq!(offence(ui, "use cluster::broker;"), Some("use cluster::"));
        assert_eq!(offence(ui, "use crate::ui::panel::cluster::actions;"), None);
    }

    #[test]
    fn floats_are_found_in_fields_only() {
        assert!(is_float_field("    pub ratio: f64,"));
        assert!(is_float_field("struct Ratio(f32);"));
        assert!(!is_float_field("let x: f64 = 1.0;"));
        assert!(!is_float_field("pub name: String,"));
    }

    #[test]
    fn dependencies_are_read_without_optional_and_development_ones() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { version = \"1\", optional = true }\n\
                        [target.'cfg(unix)'.dependencies]\nc = \"1\"\n[dev-dependencies]\nd = \"1\"\n";
        assert_eq!(dependencies(manifest), ["a", "c"]);
    }
}
