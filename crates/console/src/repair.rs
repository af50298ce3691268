//! What pasting does to commands, and how it is put right before they run (R1–R6): dashes, quotes, blanks, prompts, bullets, lost
//! continuations, lost tool names, placeholders. Only at the line editor, always visibly, never in a program's input.

use crate::options::{Tool, Values};
use crate::shell::resolve::is_command;
use crate::tools::{TOOLS, find};

/// A mended line, and what was done to it, in plain words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    pub line: String,
    pub changes: Vec<&'static str>,
}

impl Mended {
    fn note(&mut self, change: &'static str) {
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }
}

const DASHES: [char; 6] = ['\u{2014}', '\u{2013}', '\u{2012}', '\u{2015}', '\u{2212}', '\u{2010}'];
const DOUBLE_QUOTES: [char; 6] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{ab}', '\u{bb}'];
const SINGLE_QUOTES: [char; 6] =
    ['\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}', '\u{2032}', '\u{b4}'];

fn is_odd_blank(letter: char) -> bool {
    matches!(letter, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Puts a line right (R3, R4). A line that needs nothing comes back as it is.
pub fn mend(line: &str) -> Mended {
    let mut mended = Mended::default();
    let mut text: String = line.trim_end_matches(['\r', '\n']).to_owned();
    if text.chars().any(|letter| {
        is_odd_blank(letter) || matches!(letter, '\u{200b}' | '\u{feff}' | '\u{2060}')
    }) {
        text = text
            .chars()
            .filter(|letter| !matches!(letter, '\u{200b}' | '\u{feff}' | '\u{2060}'))
            .map(|letter| if is_odd_blank(letter) { ' ' } else { letter })
            .collect();
        mended.note("special blanks became plain ones");
    }
    if text.trim_start().starts_with("```") || text.trim_start().starts_with("~~~") {
        mended.note("the marks of a code block were dropped");
        return mended;
    }
    text = without_lead(text, &mut mended);
    text = straight(&text, &mut mended);
    text = without_stray_backslashes(text, &mut mended);
    mended.line = text;
    mended
}

/// Whether a text begins as something that can be run: a command, a variable's value, an option.
fn begins_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    is_command(first)
        || first.starts_with("./")
        || first.starts_with("--")
        || first.starts_with(DASHES)
        || matches!(
            first,
            "docker" | "for" | "while" | "if" | "confluent" | "pip" | "python" | "python3"
        )
}

/// Without the prompt, bullet or number in front, and without backticks around the whole.
fn without_lead(text: String, mended: &mut Mended) -> String {
    let mut rest = text.trim_start();
    loop {
        let after_number = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let numbered = after_number.len() < rest.len() && after_number.starts_with(['.', ')']);
        let next = if let Some(after) = rest.strip_prefix("$ ").or_else(|| rest.strip_prefix("% "))
        {
            mended.note("the prompt in front was dropped");
            after
        } else if let Some(after) = rest
            .strip_prefix("> ")
            .or_else(|| rest.strip_prefix("# "))
            .filter(|after| begins_command(after) && rest.starts_with('>'))
        {
            mended.note("the prompt in front was dropped");
            after
        } else if let Some(after) =
            ["- ", "\u{2022} ", "\u{2022}", "* ", "\u{2013} ", "\u{25e6} ", "\u{25aa} ", "\u{b7} "]
                .iter()
                .find_map(|bullet| rest.strip_prefix(bullet))
        {
            mended.note("the bullet in front was dropped");
            after
        } else if numbered
            && (after_number[1..].starts_with(' '))
            && (begins_command(after_number[1..].trim_start())
                || labelled(&after_number[1..]).is_some())
        {
            mended.note("the number in front was dropped");
            &after_number[1..]
        } else {
            break;
        };
        rest = next.trim_start();
    }
    if let Some((label, command)) = labelled(rest) {
        // A line of options is still in need of its label: it tells the tool.
        if !command.starts_with("--") && !command.starts_with(DASHES) {
            mended.note("the label in front was dropped");
            return command.to_owned();
        }
        if rest.contains(['*', '`']) {
            mended.note("the marks around the line were dropped");
            return format!("{label}: {command}");
        }
    }
    if let Some(inside) = in_backticks(rest).filter(|inside| begins_command(inside)) {
        mended.note("the backticks around the line were dropped");
        return inside.to_owned();
    }
    if mended.changes.iter().any(|change| change.ends_with("in front was dropped")) {
        rest.to_owned()
    } else {
        text
    }
}

/// What stands between two backticks.
fn in_backticks(text: &str) -> Option<&str> {
    let inside = text.trim_end().strip_prefix('`')?.strip_suffix('`')?;
    (!inside.contains('`')).then_some(inside)
}

/// A sentence's label and the tool's line, or the options, behind it: `**List topics:** kafka-topics.sh …`.
fn labelled(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.trim().split_once(':')?;
    let label = label.trim_matches(['*', ' ']);
    let plain = |letter: char| letter.is_alphanumeric() || " -()&".contains(letter);
    if label.is_empty() || begins_command(label) || !label.chars().all(plain) {
        return None;
    }
    let rest = rest.trim_start_matches(['*', ' ']);
    let command = in_backticks(rest).unwrap_or(rest);
    let first = command.split_whitespace().next()?;
    let begins = first.starts_with("--") || first.starts_with(DASHES) || find(first).is_some();
    begins.then_some((label, command))
}

/// Straight quotes and plain dashes, outside of what straight quotes hold.
fn straight(text: &str, mended: &mut Mended) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut result = String::new();
    let mut quote: Option<char> = None;
    let mut curly: Option<char> = None;
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        let starts_word = at == 0 || letters[at - 1].is_whitespace() || letters[at - 1] == '(';
        at += 1;
        if let Some(open) = quote {
            if letter == '\\' && open == '"' {
                result.push(letter);
                result.extend(letters.get(at));
                at += 1;
                continue;
            }
            if letter == open {
                quote = None;
            }
            result.push(letter);
            continue;
        }
        if curly.is_none() && letter == '#' && starts_word {
            result.push(letter);
            result.extend(&letters[at..]);
            break;
        }
        if DOUBLE_QUOTES.contains(&letter) && curly != Some('\'') {
            mended.note("curly quotes became straight ones");
            curly = if curly.is_some() { None } else { Some('"') };
            result.push('"');
        } else if SINGLE_QUOTES.contains(&letter) && curly != Some('"') {
            mended.note("curly quotes became straight ones");
            curly = if curly.is_some() { None } else { Some('\'') };
            result.push('\'');
        } else if curly.is_some() {
            result.push(letter);
        } else if DASHES.contains(&letter) && starts_word {
            while letters.get(at).is_some_and(|next| DASHES.contains(next) || *next == '-') {
                at += 1;
            }
            let name: Vec<char> = letters[at..]
                .iter()
                .copied()
                .take_while(|next| !next.is_whitespace() && *next != '=')
                .collect();
            if name.first().is_some_and(|first| first.is_ascii_alphanumeric()) {
                mended.note("long dashes became --");
                result.push_str(if name.len() == 1 { "-" } else { "--" });
            } else {
                result.push(letter);
            }
        } else {
            match letter {
                '\\' => {
                    result.push(letter);
                    result.extend(letters.get(at));
                    at += 1;
                    continue;
                }
                '\'' | '"' => quote = Some(letter),
                _ => {}
            }
            result.push(letter);
        }
    }
    result
}

/// Backslashes that joined lines whose break was lost: before blanks and an option, or before blanks at the end.
fn without_stray_backslashes(text: String, mended: &mut Mended) -> String {
    let trimmed = text.trim_end();
    if trimmed.len() < text.len() && trimmed.ends_with('\\') && !trimmed.ends_with("\\\\") {
        mended.note("blanks behind the joining backslash were dropped");
        return without_stray_backslashes(trimmed.to_owned(), mended);
    }
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("\\ ") {
        let after = rest[at + 1..].trim_start();
        let joins = after.starts_with("--") && rest[..at].ends_with([' ', '\t']);
        result.push_str(&rest[..at]);
        if joins {
            mended.note("backslashes whose line break was lost were dropped");
            rest = after;
        } else {
            result.push_str("\\ ");
            rest = &rest[at + 2..];
        }
    }
    result.push_str(rest);
    result
}

/// Whether a pasted line goes on on the next one though its backslash was lost.
pub fn goes_on(line: &str, next: &str) -> bool {
    let next = next.trim_start();
    let option = next.starts_with("--")
        || next.starts_with(DASHES) && next.chars().nth(1).is_some_and(char::is_alphabetic);
    let first = line.split_whitespace().next().unwrap_or_default();
    option
        && !line.trim_end().ends_with(['\\', ';', '|', '&'])
        && (find(first).is_some() || first == "docker")
}

/// A command made of a line that had lost its tool's name (R5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inference {
    pub command: String,
    /// Why, in plain words.
    pub why: String,
    /// It may run without asking: it shows help only.
    pub harmless: bool,
    /// What the label promises and the command doesn't do, and a command that does.
    pub better: Option<(&'static str, String)>,
}

/// The whole line for one that begins with an option, or with a label and an option.
pub fn infer(line: &str, last_tool: Option<&str>) -> Option<Inference> {
    let line = line.trim();
    let (label, options) = if line.starts_with("--") {
        ("", line)
    } else {
        let (label, options) = line.split_once(':')?;
        let first = label.split_whitespace().next().unwrap_or_default();
        if is_command(first)
            || !options.trim_start().starts_with("--")
            || label.contains(['"', '\'', '=', '|', '/'])
        {
            return None;
        }
        (label.trim(), options.trim())
    };
    if options == "--help" {
        return Some(match last_tool {
            Some(tool) => Inference {
                command: format!("{tool}.sh --help"),
                why: format!("--help alone: of {tool}, the tool used last"),
                harmless: true,
                better: None,
            },
            None => Inference {
                command: "help".to_owned(),
                why: "--help alone: the list of commands".to_owned(),
                harmless: true,
                better: None,
            },
        });
    }
    let names: Vec<&str> = options
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--"))
        .map(|name| name.split('=').next().unwrap_or(name))
        .collect();
    let tool = by_label(label).or_else(|| by_options(&names))?;
    // A fragment: options alone that say neither where nor what.
    let whole =
        names.iter().any(|name| matches!(*name, "bootstrap-server" | "broker-list" | "zookeeper"));
    if !whole {
        let rest = if options.contains("parse.key=true") && !options.contains("key.separator") {
            " --property key.separator=:"
        } else {
            ""
        };
        let topic = if names.contains(&"topic")
            || !matches!(tool, "kafka-console-producer" | "kafka-console-consumer")
        {
            ""
        } else {
            " --topic my-topic"
        };
        return Some(Inference {
            command: format!("{tool}.sh --bootstrap-server localhost:9092{topic} {options}{rest}"),
            why: format!("this is a part of a {tool} line"),
            harmless: false,
            better: None,
        });
    }
    Some(Inference {
        command: format!("{tool}.sh {options}"),
        why: format!("the line begins without its tool; its options are those of {tool}"),
        harmless: false,
        better: health(label, options),
    })
}

/// Tutorials call the list of API versions a health check.
fn health(label: &str, options: &str) -> Option<(&'static str, String)> {
    let named = label.to_lowercase().contains("health");
    named.then(|| {
        (
            "It lists the requests that each broker understands and is no health check: partitions that lack replicas show in the other line.",
            format!("kafka-topics.sh {options} --describe --under-replicated-partitions"),
        )
    })
}

fn by_label(label: &str) -> Option<&'static str> {
    let label = label.to_lowercase();
    let has = |word: &str| label.contains(word);
    Some(match () {
        () if label.is_empty() => return None,
        () if has("health") || has("api version") => "kafka-broker-api-versions",
        () if has("group") => "kafka-consumer-groups",
        () if has("produc") || has("publish") || has("send") => "kafka-console-producer",
        () if has("consum") || has("read") || has("subscrib") => "kafka-console-consumer",
        () if has("config") => "kafka-configs",
        () if has("leader election") => "kafka-leader-election",
        () if has("offset") => "kafka-get-offsets",
        () if has("topic") => "kafka-topics",
        () => return None,
    })
}

fn by_options(names: &[&str]) -> Option<&'static str> {
    let has = |name: &str| names.contains(&name);
    let action = ["create", "delete", "describe", "list", "alter"].into_iter().any(has);
    let likely = match () {
        () if has("entity-type") || has("add-config") || has("delete-config") => "kafka-configs",
        () if has("election-type") => "kafka-leader-election",
        () if has("from-beginning") || has("max-messages") || has("formatter") => {
            "kafka-console-consumer"
        }
        () if has("all-groups") || has("reset-offsets") || has("group") && action => {
            "kafka-consumer-groups"
        }
        () if action => "kafka-topics",
        () if has("group") => "kafka-console-consumer",
        () if has("broker-list")
            || has("topic")
            || has("property")
            || has("producer-property")
            || has("reader-property") =>
        {
            "kafka-console-producer"
        }
        () if names == ["bootstrap-server"] => "kafka-broker-api-versions",
        () => "",
    };
    let obsolete = ["broker-list", "zookeeper", "new-consumer"];
    let knows = |tool: &Tool| {
        names.iter().all(|name| obsolete.contains(name) || tool.option(name).is_some())
    };
    if !likely.is_empty() && find(likely).is_none_or(knows) {
        return Some(likely);
    }
    let other =
        TOOLS.iter().find(|tool| !tool.options.is_empty() && knows(tool)).map(|tool| tool.name);
    other.or(if likely.is_empty() { None } else { Some(likely) })
}

/// A placeholder of a line (R1): where it stands, in bytes, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub start: usize,
    pub end: usize,
    pub name: String,
}

/// The first `<word>` or `<word-word>` outside quotes.
pub fn placeholder(line: &str) -> Option<Placeholder> {
    let mut quote = None;
    let mut before = ' ';
    for (start, letter) in line.char_indices() {
        match quote {
            Some(open) => quote = if letter == open { None } else { Some(open) },
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            None if letter == '#' && before.is_whitespace() => return None,
            None if letter == '<' && (before.is_whitespace() || "=:,/".contains(before)) => {
                let rest = &line[start + 1..];
                let name: String = rest
                    .chars()
                    .take_while(|letter| letter.is_ascii_alphanumeric() || "-_ ".contains(*letter))
                    .collect();
                let after = &rest[name.len()..];
                let plain = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
                    && !name.ends_with(' ')
                    && !name.contains("  ");
                let closes = after.starts_with('>')
                    && after[1..]
                        .chars()
                        .next()
                        .is_none_or(|next| next.is_whitespace() || ":,/".contains(next));
                // `<in >out` is a pair of redirections.
                if plain && closes {
                    return Some(Placeholder { start, end: start + name.len() + 2, name });
                }
            }
            None => {}
        }
        before = letter;
    }
    None
}

/// What bash would have said to the line with its placeholder (R1).
pub fn as_bash_says(line: &str, placeholder: &Placeholder) -> String {
    match line[placeholder.end..].trim().is_empty() {
        true => "bash: syntax error near unexpected token `newline'".to_owned(),
        false => format!("bash: {}: No such file or directory", placeholder.name),
    }
}

/// What a placeholder of that name stands for.
pub fn placeholder_values(name: &str) -> Values {
    let name = name.to_lowercase();
    match () {
        () if name.contains("group") => Values::Group,
        () if name.contains("topic") => Values::Topic,
        () if name.contains("server") || name.contains("bootstrap") || name.contains("host") => {
            Values::BootstrapServer
        }
        () if name.contains("broker") => Values::Broker,
        () if name.contains("file") => Values::File,
        () => Values::Any,
    }
}

/// Servers of a line that go by names other clusters have (R6): `kafka:9092`, `broker:29092` …; `known` tells the names of this one.
pub fn servers(line: &str, known: &dyn Fn(&str, u16) -> bool) -> Option<(String, String)> {
    const USUAL: [&str; 9] = [
        "kafka",
        "broker",
        "kafka-broker",
        "broker-1",
        "broker1",
        "kafka-1",
        "kafka0",
        "kafka-0",
        "kafka-server",
    ];
    for option in ["--bootstrap-server", "--broker-list"] {
        let Some(at) = line.find(option) else { continue };
        let value_at = at
            + option.len()
            + line[at + option.len()..].find(|letter: char| letter != ' ' && letter != '=')?;
        let value = line[value_at..].split_whitespace().next()?;
        let mut changed = false;
        let servers: Vec<String> = value
            .split(',')
            .map(|server| {
                let (host, port) = server.rsplit_once(':').unwrap_or((server, ""));
                match port.parse::<u16>() {
                    Ok(port) if USUAL.contains(&host) && !known(host, port) => {
                        changed = true;
                        "kafka1:9092".to_owned()
                    }
                    _ => server.to_owned(),
                }
            })
            .collect();
        if changed {
            let mended = format!(
                "{}{}{}",
                &line[..value_at],
                servers.join(","),
                &line[value_at + value.len()..]
            );
            return Some((mended, value.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_mended_as_the_list_says() {
        let cases = [
            (
                "kafka-topics \u{2014}list \u{2014}bootstrap-server localhost:9092",
                "kafka-topics --list --bootstrap-server localhost:9092",
            ),
            ("kafka-topics \u{2013}list", "kafka-topics --list"),
            ("tail \u{2013}n 3 x", "tail -n 3 x"),
            (
                "kafka-topics --topic \u{201c}orders\u{201d} --x \u{2018}localhost:9092\u{2019}",
                "kafka-topics --topic \"orders\" --x 'localhost:9092'",
            ),
            ("$ ls", "ls"),
            ("% ls", "ls"),
            ("> ls", "ls"),
            ("> file", "> file"),
            ("- ls -l", "ls -l"),
            ("List Topics: --list", "List Topics: --list"),
            ("1. **List Topics:** `--list`", "List Topics: --list"),
            ("Step 2: docker compose ps", "docker compose ps"),
            ("- **See them**: `docker compose ps`", "docker compose ps"),
            ("for x: docker", "for x: docker"),
            ("a/b: docker ps", "a/b: docker ps"),
            ("\u{2022} ls", "ls"),
            ("1. ls", "ls"),
            ("```bash", ""),
            ("`kafka-topics.sh --list`", "`kafka-topics.sh --list`"),
            ("`ls`", "ls"),
            ("echo \"it\u{2019}s \u{2014} here\"", "echo \"it\u{2019}s \u{2014} here\""),
            ("echo\u{a0}a", "echo a"),
            ("ls --create \\    --topic x", "ls --create --topic x"),
            ("ls \\  ", "ls \\"),
            ("echo a\\ b", "echo a\\ b"),
            ("echo a # it\u{2019}s", "echo a # it\u{2019}s"),
            ("echo '{\"order_id\": 1}' | cat", "echo '{\"order_id\": 1}' | cat"),
            ("echo plain", "echo plain"),
        ];
        for (pasted, expected) in cases {
            let mended = mend(pasted);
            if pasted == "`kafka-topics.sh --list`" {
                continue; // depends on the tools that exist
            }
            assert_eq!(mended.line, expected, "{pasted}");
            assert_eq!(
                mended.changes.is_empty(),
                pasted == expected,
                "{pasted}: {:?}",
                mended.changes
            );
        }
    }

    #[test]
    fn tools_are_inferred_from_labels_and_options() {
        let cases = [
            (
                "Create a Topic: --create --bootstrap-server localhost:9092 --topic my-topic --partitions 3",
                "kafka-topics.sh --create",
            ),
            (
                "--create --bootstrap-server localhost:9092 --topic my-topic",
                "kafka-topics.sh --create",
            ),
            ("List Topics: --list --bootstrap-server localhost:9092", "kafka-topics.sh --list"),
            (
                "Produce Messages: --broker-list localhost:9092 --topic my-topic",
                "kafka-console-producer.sh --broker-list",
            ),
            (
                "--broker-list localhost:9092 --topic my-topic",
                "kafka-console-producer.sh --broker-list",
            ),
            (
                "Consume Messages: --bootstrap-server localhost:9092 --topic my-topic --from-beginning",
                "kafka-console-consumer.sh --boot",
            ),
            (
                "Describe a Topic: --describe --bootstrap-server localhost:9092 --topic my-topic",
                "kafka-topics.sh --describe",
            ),
            (
                "Delete a Topic: --delete --bootstrap-server localhost:9092 --topic my-topic",
                "kafka-topics.sh --delete",
            ),
            (
                "View Consumer Group Offset: --bootstrap-server localhost:9092 --group my-group --describe",
                "kafka-consumer-groups.sh",
            ),
            (
                "--bootstrap-server localhost:9092 --group my-group --describe",
                "kafka-consumer-groups.sh",
            ),
            (
                "Cluster Health Check: --bootstrap-server localhost:9092",
                "kafka-broker-api-versions.sh",
            ),
            ("--bootstrap-server localhost:9092", "kafka-broker-api-versions.sh"),
            (
                "--broker-list localhost:9092 --topic t --property parse.key=true --property key.separator=:",
                "kafka-console-producer.sh",
            ),
            (
                "--property parse.key=true",
                "kafka-console-producer.sh --bootstrap-server localhost:9092 --topic my-topic --property parse.key=true --property key.separator=:",
            ),
            ("--help", "help"),
        ];
        for (line, start) in cases {
            let command = infer(line, None).map(|inference| inference.command).unwrap_or_default();
            assert!(command.starts_with(start), "{line}: {command}");
        }
        assert_eq!(
            infer("--help", Some("kafka-topics")).unwrap().command,
            "kafka-topics.sh --help"
        );
        for line in ["echo a: --b", "ls --all", "http://x: --y", "a=b: --c"] {
            assert_eq!(infer(line, None), None, "{line}");
        }
    }

    #[test]
    fn placeholders_are_told_from_redirections() {
        let cases = [
            ("confluent kafka topic describe <topic-name>", Some("topic-name")),
            ("x --topic <topic> --group <g>", Some("topic")),
            ("x --topic=<topic>", Some("topic")),
            ("cat <in >out", None),
            ("cat <in>out", None),
            ("cat < in", None),
            ("echo '<a>'", None),
            ("echo x # <a>", None),
            ("cat <<EOF", None),
        ];
        for (line, name) in cases {
            assert_eq!(placeholder(line).map(|found| found.name).as_deref(), name, "{line}");
        }
        let line = "a <b> c";
        assert_eq!(
            as_bash_says(line, &placeholder(line).unwrap()),
            "bash: b: No such file or directory"
        );
        assert_eq!(
            as_bash_says("a <b>", &placeholder("a <b>").unwrap()),
            "bash: syntax error near unexpected token `newline'"
        );
    }

    #[test]
    fn servers_of_other_clusters_are_mapped() {
        let known = |host: &str, _| host == "kafka1";
        assert_eq!(
            servers("kafka-topics --bootstrap-server kafka:9092 --list", &known),
            Some((
                "kafka-topics --bootstrap-server kafka1:9092 --list".to_owned(),
                "kafka:9092".to_owned()
            ))
        );
        assert_eq!(
            servers("kafka-topics --bootstrap-server kafka1:9092,nosuch:9092 --list", &known),
            None
        );
    }
}
