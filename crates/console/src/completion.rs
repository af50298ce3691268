//! Tab: what could stand at the cursor, from the tables of tools, the host and the disk.

use crate::disk::{Disk, absolute};
use crate::host::Host;
use crate::options::{Argument, Opt, Values};
use crate::tools::find;

/// What Tab found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// Where the word begins, in letters of the line.
    pub start: usize,
    /// Whole words, sorted; those that end with `/` or `=` get no blank behind them.
    pub words: Vec<String>,
}

/// Candidates for the word that ends at the cursor, which is the end of `before`.
pub fn complete(before: &str, cwd: &str, disk: &Disk, host: &dyn Host) -> Completions {
    let letters: Vec<char> = before.chars().collect();
    let start = letters
        .iter()
        .rposition(|letter| letter.is_whitespace() || "|;&(<>=".contains(*letter))
        .map_or(0, |at| at + 1);
    let word: String = letters[start..].iter().collect();
    // The words of this command before the one at the cursor.
    let command =
        letters[..start].iter().rposition(|letter| "|;&(".contains(*letter)).map_or(0, |at| at + 1);
    let text: String = letters[command..start].iter().collect();
    let mut words: Vec<String> =
        text.replace('=', " ").split_whitespace().map(String::from).collect();
    while words.first().is_some_and(|first| {
        matches!(first.as_str(), "time" | "sudo" | "nohup")
            || first.contains('=') && !first.starts_with('-')
    }) {
        words.remove(0);
    }
    let redirected = letters[..start].last().is_some_and(|letter| "<>".contains(*letter));
    let mut found = match strip_container(&words) {
        _ if redirected => files(&word, cwd, disk),
        None => docker(&words, host),
        Some([]) if word.contains('/') && !word.starts_with("bin/") => files(&word, cwd, disk),
        Some([]) => commands(&word),
        Some([first, rest @ ..]) => match find(first) {
            Some(tool) if first != "docker" => {
                let option = rest
                    .last()
                    .and_then(|last| last.strip_prefix("--"))
                    .and_then(|name| tool.option(name));
                match option.filter(|option| !matches!(option.argument, Argument::None)) {
                    Some(option) => values(option, &word, cwd, disk, host),
                    None => options(tool.options, rest),
                }
            }
            _ if first == "man" || first == "help" || first == "which" || first == "type" => {
                commands(&word)
            }
            _ => files(&word, cwd, disk),
        },
    };
    found.retain(|candidate| candidate.starts_with(&word));
    simulation::sorted::sort(&mut found);
    found.dedup();
    Completions { start, words: found }
}

/// The words after `docker … exec NODE`; `None` while docker's own words are being typed.
fn strip_container(words: &[String]) -> Option<&[String]> {
    if words.first().is_none_or(|first| first != "docker" && first != "docker-compose") {
        return Some(words);
    }
    let exec = words.iter().position(|word| word == "exec")?;
    let node = words
        .iter()
        .enumerate()
        .skip(exec + 1)
        .find(|(_, word)| !word.starts_with('-'))
        .map(|(at, _)| at)?;
    Some(&words[node + 1..])
}

fn docker(words: &[String], host: &dyn Host) -> Vec<String> {
    const VERBS: [&str; 9] =
        ["ps", "stop", "start", "restart", "kill", "pause", "unpause", "logs", "exec"];
    let verb = words.iter().any(|word| VERBS.contains(&word.as_str()));
    if verb {
        return host.nodes().into_iter().map(|node| node.name).collect();
    }
    let compose = words.iter().any(|word| word == "compose" || word == "docker-compose");
    let mut verbs: Vec<String> = VERBS.into_iter().map(String::from).collect();
    if !compose {
        verbs.push("compose".to_owned());
    }
    verbs
}

fn commands(word: &str) -> Vec<String> {
    let (folder, _) = word.rsplit_once('/').map_or(("", word), |(folder, name)| (folder, name));
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    crate::manual::commands()
        .into_iter()
        .filter(|name| prefix.is_empty() || name.starts_with("kafka-"))
        .map(|name| if name.starts_with("kafka-") { format!("{prefix}{name}.sh") } else { name })
        .collect()
}

fn options(options: &[Opt], given: &[String]) -> Vec<String> {
    options
        .iter()
        .filter(|option| option.deprecated_since.is_none())
        .map(|option| format!("--{}", option.name))
        .filter(|name| {
            !given.contains(name)
                || options.iter().any(|option| option.repeatable && name[2..] == *option.name)
        })
        .collect()
}

fn values(option: &Opt, word: &str, cwd: &str, disk: &Disk, host: &dyn Host) -> Vec<String> {
    match option.values {
        Values::File => files(word, cwd, disk),
        Values::OneOf(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        Values::BootstrapServer => {
            let mut servers = host.completions(Values::BootstrapServer);
            if servers.is_empty() {
                servers =
                    host.nodes().into_iter().map(|node| format!("{}:9092", node.name)).collect();
            }
            servers.push("localhost:9092".to_owned());
            servers
        }
        Values::Broker => {
            let mut ids = host.completions(Values::Broker);
            if ids.is_empty() {
                ids = host.nodes().into_iter().map(|node| node.node_id.to_string()).collect();
            }
            ids
        }
        Values::Any => option.default.into_iter().map(String::from).collect(),
        values => host.completions(values),
    }
}

fn files(word: &str, cwd: &str, disk: &Disk) -> Vec<String> {
    let (folder, shown) = match word.rsplit_once('/') {
        Some((folder, _)) => (absolute(cwd, &format!("{folder}/")), format!("{folder}/")),
        None => (cwd.to_owned(), String::new()),
    };
    let slash = |name: &str| if disk.is_directory(&absolute(&folder, name)) { "/" } else { "" };
    disk.list(&folder).into_iter().map(|name| format!("{shown}{name}{}", slash(&name))).collect()
}

/// The longest text that all words begin with.
pub fn common_start(words: &[String]) -> String {
    let Some(first) = words.first() else { return String::new() };
    let mut start: Vec<char> = first.chars().collect();
    for word in &words[1..] {
        let same =
            start.iter().zip(word.chars()).take_while(|(one, other)| **one == *other).count();
        start.truncate(same);
    }
    start.into_iter().collect()
}
