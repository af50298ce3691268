//! `help` and `man`: made from the same tables that parse and complete.

use std::fmt::Write;

use crate::shell::{builtin, resolve};
use crate::tools::TOOLS;
use crate::utility;

/// Every command there is, sorted.
pub fn commands() -> Vec<String> {
    let mut names: Vec<String> = TOOLS
        .iter()
        .filter(|tool| !tool.name.contains(' '))
        .map(|tool| tool.name.to_owned())
        .collect();
    let plain = builtin::NAMES.into_iter().chain(utility::NAMES).chain(resolve::PREFIXES);
    names.extend(plain.filter(|name| name.chars().all(char::is_alphanumeric)).map(String::from));
    simulation::sorted::sort(&mut names);
    names.dedup();
    names
}

/// What `help` prints, about everything or one command.
pub fn help(topic: Option<&str>) -> Option<String> {
    let Some(topic) = topic else {
        let mut text = "Kafka's tools (each also with .sh, and with bin/ before it):\n".to_owned();
        for tool in TOOLS.iter().filter(|tool| tool.name.starts_with("kafka-")) {
            let _ = writeln!(text, "  {:<28} {}", tool.name, tool.about);
        }
        text.push_str("\nThe cluster's containers:\n  docker compose ps | stop | start | restart | kill | pause | unpause | logs  [kafka1 ...]\n  docker compose exec kafka1 COMMAND ...\n");
        text.push_str("\nThe shell and small programs:\n");
        let names: Vec<String> =
            commands().into_iter().filter(|name| !name.starts_with("kafka-")).collect();
        for line in names.chunks(12) {
            let _ = writeln!(text, "  {}", line.join(" "));
        }
        text.push_str("\nman TOOL shows a tool's options and examples. Tab completes. Ctrl-C ends what runs; Ctrl-D ends its input.\n");
        return Some(text);
    };
    page(topic)
}

/// A manual page.
pub fn page(name: &str) -> Option<String> {
    if let Some(tool) = crate::tools::find(name) {
        let mut text = format!("{}\n\n{}\n", tool.name, tool.about);
        if !tool.options.is_empty() {
            let _ = write!(text, "\n{}", tool.usage());
        }
        if !tool.examples.is_empty() {
            text.push_str("\nExamples\n");
            for (what, command) in tool.examples {
                let _ = writeln!(text, "  {what}\n    {command}");
            }
        }
        return Some(text);
    }
    let known = builtin::NAMES.contains(&name)
        || utility::NAMES.contains(&name)
        || resolve::PREFIXES.contains(&name);
    known.then(|| {
        format!(
            "{name}\n\nWorks as in bash and GNU coreutils, with the options that tutorials use.\n"
        )
    })
}
