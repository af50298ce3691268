//! `docker` and `docker compose` for the cluster's containers, in the words of compose v2.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::host::{DockerAction, NodeState, NodeStatus};
use crate::options::{Run, Tool};
use crate::output::{Notice, NoticeKind};
use crate::script::{Pending, Script};
use crate::tool::{Invocation, ToolEvent, ToolIo};
use crate::tools::Streaming;

/// Everything of docker but `exec` (the shell's) and `logs --follow`.
pub static TOOL: Tool = Tool {
    name: "docker",
    about: "Start, stop and look at the containers that the brokers run in.",
    options: &[],
    examples: &[
        ("which brokers run", "docker compose ps"),
        ("a broker crashes", "docker compose kill kafka2"),
        ("it comes back", "docker compose start kafka2"),
        (
            "a command inside a container",
            "docker compose exec kafka1 kafka-topics.sh --bootstrap-server localhost:9092 --list",
        ),
    ],
    run: Run::Script(run),
};

/// `logs --follow`.
pub static FOLLOW: Tool = Tool {
    name: "docker logs",
    about: "Follow the logs of containers.",
    options: &[],
    examples: &[],
    run: Run::Streaming(follow),
};

const IMAGE: &str = "apache/kafka:4.3.1";
/// The image's entry point, cut to twenty characters as both programs do.
const COMMAND: &str = "\"/__cacert_entrypoin…\"";

/// The first twelve digits of a container's id, made from its name.
pub fn container_id(name: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes().chain(*b"kafka-playground") {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{:012x}", hash >> 16)
}

/// A span as docker words it: `2 minutes`.
pub fn span(span: Micros) -> String {
    let seconds = span.0 / 1_000_000;
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3_600 => format!("{} minutes", seconds / 60),
        3_600..7_200 => "About an hour".to_owned(),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        172_800..1_209_600 => format!("{} days", seconds / 86_400),
        1_209_600..5_184_000 => format!("{} weeks", seconds / 604_800),
        _ => format!("{} months", seconds / 2_592_000),
    }
}

fn status(node: &NodeStatus, now: Micros) -> String {
    let since = span(now.since(node.since));
    match node.state {
        NodeState::Running => format!("Up {since}"),
        NodeState::Paused => format!("Up {since} (Paused)"),
        NodeState::Exited(code) => format!("Exited ({code}) {since} ago"),
    }
}

fn ports(node: &NodeStatus) -> String {
    match node.state {
        NodeState::Exited(_) => String::new(),
        _ => format!("0.0.0.0:{0}->9092/tcp, [::]:{0}->9092/tcp", node.published_port),
    }
}

/// Columns three blanks apart.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}   ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn list(script: &mut Script<'_>, compose: bool, all: bool) {
    let now = script.now();
    let nodes = script.nodes();
    let header: &[&str] = match compose {
        true => &["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"],
        false => &["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"],
    };
    let mut rows = vec![header.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>()];
    for node in nodes.iter().filter(|node| all || !matches!(node.state, NodeState::Exited(_))) {
        let created = format!("{} ago", span(now.since(node.created)));
        let (status, ports) = (status(node, now), ports(node));
        let name = node.name.clone();
        rows.push(match compose {
            true => vec![
                name.clone(),
                IMAGE.to_owned(),
                COMMAND.to_owned(),
                name,
                created,
                status,
                ports,
            ],
            false => vec![
                container_id(&name),
                IMAGE.to_owned(),
                COMMAND.to_owned(),
                created,
                status,
                ports,
                name,
            ],
        });
    }
    script.out(&table(&rows));
}

fn run(script: &mut Script<'_>) -> Result<i32, Pending> {
    let words: Vec<String> = script.arguments().to_vec();
    let mut words = words.iter().map(String::as_str).peekable();
    let compose = words.next_if_eq(&"compose").is_some();
    if compose {
        while let Some(option) = words.next_if(|word| {
            word.starts_with('-') && !matches!(*word, "--help" | "-h" | "--version")
        }) {
            if matches!(
                option,
                "-f" | "-p" | "--file" | "--project-name" | "--profile" | "--env-file"
            ) {
                words.next();
            }
        }
    } else {
        words.next_if_eq(&"container");
    }
    let verb = words.next().unwrap_or("--help").to_owned();
    let mut flags = Vec::new();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            names.push(word.to_owned());
            continue;
        }
        let takes_value = matches!(
            word,
            "-t" | "--timeout"
                | "-n"
                | "--tail"
                | "-s"
                | "--signal"
                | "--since"
                | "--until"
                | "--filter"
                | "--format"
        );
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, value.to_owned()),
            None if takes_value => (word, words.next().unwrap_or_default().to_owned()),
            None => (word, String::new()),
        };
        flags.push((flag.to_owned(), value));
    }
    let has = |short: &str, long: &str| flags.iter().any(|(flag, _)| flag == short || flag == long);
    let value = |short: &str, long: &str| {
        flags.iter().find(|(flag, _)| flag == short || flag == long).map(|(_, value)| value.clone())
    };
    match verb.as_str() {
        "ps" if has("-q", "--quiet") => {
            for node in
                script.nodes().iter().filter(|node| !matches!(node.state, NodeState::Exited(_)))
            {
                script.out(&format!("{}\n", container_id(&node.name)));
            }
            Ok(0)
        }
        "ps" | "ls" => {
            list(script, compose, has("-a", "--all"));
            Ok(0)
        }
        "stop" => change(script, compose, "Stopping", "Stopped", &[DockerAction::Stop], &names),
        "start" => change(script, compose, "Running", "Started", &[DockerAction::Start], &names),
        "restart" => change(
            script,
            compose,
            "Restarting",
            "Started",
            &[DockerAction::Stop, DockerAction::Start],
            &names,
        ),
        "kill" => {
            let signal = value("-s", "--signal").unwrap_or_else(|| "SIGKILL".to_owned());
            match signal.trim_start_matches("SIG") {
                "TERM" | "15" | "INT" | "2" => {
                    change(script, compose, "Killing", "Killed", &[DockerAction::Stop], &names)
                }
                _ => change(script, compose, "Killing", "Killed", &[DockerAction::Kill], &names),
            }
        }
        "pause" => change(script, compose, "Pausing", "Paused", &[DockerAction::Pause], &names),
        "unpause" => {
            change(script, compose, "Unpausing", "Unpaused", &[DockerAction::Unpause], &names)
        }
        "up" if compose => {
            change(script, compose, "Running", "Started", &[DockerAction::Start], &names)
        }
        "logs" => logs(script, compose, value("-n", "--tail"), &names),
        "version" | "--version" | "-v" => {
            script.out(if compose {
                "Docker Compose version v2.39.4\n"
            } else {
                "Docker version 28.4.0, build d8eb465\n"
            });
            Ok(0)
        }
        "--help" | "-h" | "help" => {
            script.out(&help(compose));
            Ok(0)
        }
        other => {
            let known = [
                "down", "build", "pull", "run", "cp", "top", "config", "images", "rm", "create",
                "events", "port", "network", "volume", "image", "inspect", "stats",
            ];
            match (compose, known.contains(&other)) {
                (_, true) => script.err(&format!("docker {}{other}: not available here\n", if compose { "compose " } else { "" })),
                (true, false) => script.err(&format!("unknown docker command: \"compose {other}\"\n\nRun 'docker --help' for more information\n")),
                (false, false) => {
                    script.err(&format!("docker: unknown command: docker {other}\n\nRun 'docker --help' for more information\n"));
                }
            }
            script.note(Notice::new(
                NoticeKind::Explanation,
                "These work here: ps, stop, start, restart, kill, pause, unpause, logs, exec, with and without compose.",
            ));
            Ok(1)
        }
    }
}

fn help(compose: bool) -> String {
    let name = if compose { "docker compose" } else { "docker" };
    format!(
        "Usage:  {name} COMMAND [kafka1 ...]\n\nCommands:\n  exec      Run a command in a running container\n  kill      End the process at once (SIGKILL)\n  \
         logs      Show what the containers log\n  pause     Freeze the process\n  ps        List the containers\n  restart   Stop, then start\n  \
         start     Start a stopped container\n  stop      Shut the process down in good order (SIGTERM)\n  unpause   Let a frozen process run on\n"
    )
}

/// Whether the action makes sense in the state; else what the daemon says.
fn refusal(action: DockerAction, node: &NodeStatus) -> Option<String> {
    let id = container_id(&node.name);
    match (action, node.state) {
        (DockerAction::Kill, NodeState::Exited(_)) => {
            Some(format!("cannot kill container: {}: container {id} is not running", node.name))
        }
        (DockerAction::Pause, NodeState::Exited(_)) => {
            Some(format!("container {id} is not running"))
        }
        (DockerAction::Pause, NodeState::Paused) => {
            Some(format!("container {id} is already paused"))
        }
        (DockerAction::Unpause, NodeState::Running | NodeState::Exited(_)) => {
            Some(format!("Container {id} is not paused"))
        }
        (DockerAction::Start, NodeState::Paused) => {
            Some("cannot start a paused container, try unpause instead".to_owned())
        }
        _ => None,
    }
}

/// Whether there is anything to do.
fn idle(action: DockerAction, state: NodeState) -> bool {
    matches!(
        (action, state),
        (DockerAction::Start, NodeState::Running) | (DockerAction::Stop, NodeState::Exited(_))
    )
}

fn change(
    script: &mut Script<'_>,
    compose: bool,
    doing: &str,
    done: &str,
    actions: &[DockerAction],
    names: &[String],
) -> Result<i32, Pending> {
    let nodes = script.nodes();
    let mut code = 0;
    let mut chosen: Vec<NodeStatus> = Vec::new();
    if names.is_empty() && !compose {
        script.err("docker: this command requires at least 1 argument\n\nSee 'docker --help' for more information\n");
        return Ok(1);
    }
    for name in names {
        match nodes.iter().find(|node| {
            node.name == *name || !compose && container_id(&node.name).starts_with(name.as_str())
        }) {
            Some(node) => chosen.push(node.clone()),
            None if compose => {
                script.err(&format!("no such service: {name}\n"));
                return Ok(1);
            }
            None => {
                script.err(&format!("Error response from daemon: No such container: {name}\n"));
                code = 1;
            }
        }
    }
    if names.is_empty() {
        chosen.clone_from(&nodes);
    }
    if compose {
        // Compose asks only those that run.
        let only_running = matches!(actions, [DockerAction::Kill | DockerAction::Pause]);
        chosen.retain(|node| !only_running || !matches!(node.state, NodeState::Exited(_)));
        if chosen.is_empty() {
            script.err(if matches!(actions, [DockerAction::Kill]) {
                "no container to kill\n"
            } else {
                ""
            });
            return Ok(code);
        }
    }
    let began = script.now();
    let mut results: Vec<(NodeStatus, Result<(), String>)> = chosen
        .into_iter()
        .map(|node| {
            let refused = refusal(actions[0], &node);
            (node, refused.map_or(Ok(()), Err))
        })
        .collect();
    for (round, action) in actions.iter().enumerate() {
        let mut tickets = Vec::new();
        for (index, (node, result)) in results.iter().enumerate() {
            let state = if round == 0 { node.state } else { NodeState::Exited(143) };
            if result.is_ok() && !idle(*action, state) {
                tickets.push((index, script.docker(*action, &node.name)));
            }
        }
        for (index, ticket) in tickets {
            let answer = script.docker_done(ticket)?;
            if let (Err(message), Ok(())) = (answer, &results[index].1) {
                results[index].1 = Err(message);
            }
        }
    }
    let took = script.now().since(began);
    let good = results.iter().filter(|(_, result)| result.is_ok()).count();
    if compose {
        script.err(&format!("[+] {doing} {good}/{}\n", results.len()));
    }
    for (node, result) in &results {
        let name = &node.name;
        match (compose, result) {
            (true, Ok(())) => {
                let shown = if matches!(actions, [DockerAction::Start])
                    && node.state == NodeState::Running
                {
                    "Running"
                } else {
                    done
                };
                let tenths = took.0 / 100_000;
                script.err(&format!(
                    " \u{2714} Container {name}  {shown}  {}.{}s\n",
                    tenths / 10,
                    tenths % 10
                ));
            }
            (true, Err(_)) => script.err(&format!(" \u{2718} Container {name}  Error\n")),
            (false, Ok(())) => script.out(&format!("{name}\n")),
            (false, Err(_)) => {}
        }
    }
    for (_, result) in &results {
        if let Err(message) = result {
            script.err(&format!("Error response from daemon: {message}\n"));
            code = 1;
        }
    }
    Ok(code)
}

/// The containers that `logs` is about, or the refusal.
fn log_sources(
    nodes: &[NodeStatus],
    compose: bool,
    names: &[String],
) -> Result<Vec<String>, String> {
    for name in names {
        if !nodes.iter().any(|node| node.name == *name) {
            return Err(match compose {
                true => format!("no such service: {name}\n"),
                false => format!("Error response from daemon: No such container: {name}\n"),
            });
        }
    }
    match names {
        [] if compose => Ok(nodes.iter().map(|node| node.name.clone()).collect()),
        [] => Err("docker: 'docker logs' requires 1 argument\n".to_owned()),
        names => Ok(names.to_vec()),
    }
}

fn log_line(compose: bool, name: &str, width: usize, line: &str) -> String {
    if compose { format!("{name:<width$}  | {line}\n") } else { format!("{line}\n") }
}

fn logs(
    script: &mut Script<'_>,
    compose: bool,
    tail: Option<String>,
    names: &[String],
) -> Result<i32, Pending> {
    let nodes = script.nodes();
    let sources = match log_sources(&nodes, compose, names) {
        Ok(sources) => sources,
        Err(message) => {
            script.err(&message);
            return Ok(1);
        }
    };
    let tail = tail.and_then(|count| count.parse().ok());
    let width = sources.iter().map(String::len).max().unwrap_or(0);
    for name in &sources {
        for line in script.node_log(name, tail) {
            script.out(&log_line(compose, name, width, &line));
        }
    }
    Ok(0)
}

/// Whether these words are `[compose] logs` with `-f`.
pub fn follows(words: &[String]) -> bool {
    let verb = words
        .iter()
        .find(|word| !word.starts_with('-') && *word != "compose" && *word != "container");
    verb.is_some_and(|verb| verb == "logs")
        && words.iter().any(|word| word == "-f" || word == "--follow")
}

/// `logs --follow` between its looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogFollower {
    compose: bool,
    /// Containers, and how many of their lines have been shown.
    sources: Vec<(String, u64)>,
}

/// How often it looks.
const LOOK: Micros = Micros::from_ms(500);

fn follow(invocation: &Invocation, io: &mut ToolIo<'_>) -> Result<Streaming, i32> {
    let mut words = invocation.arguments.iter().peekable();
    let compose = words.next_if(|word| *word == "compose").is_some();
    let mut tail: Option<u64> = None;
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-n" | "--tail" => tail = words.next().and_then(|count| count.parse().ok()),
            word if word.starts_with("--tail=") => tail = word[7..].parse().ok(),
            word if word.starts_with('-') => {}
            "logs" | "container" => {}
            name => names.push(name.to_owned()),
        }
    }
    let sources = log_sources(&io.host.nodes(), compose, &names).map_err(|message| {
        io.err(&message);
        1
    })?;
    let sources = sources
        .into_iter()
        .map(|name| {
            let skipped = tail.map_or(0, |tail| {
                (io.host.node_log(&name, None).len() as u64).saturating_sub(tail)
            });
            (name, skipped)
        })
        .collect();
    io.ignore_input(true);
    Ok(Streaming::Logs(LogFollower { compose, sources }))
}

impl LogFollower {
    /// One turn: what is new since the last.
    pub fn on_event(&mut self, event: ToolEvent, io: &mut ToolIo<'_>) {
        if let ToolEvent::Interrupt { code } = event {
            io.exit(code);
            return;
        }
        let width = self.sources.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, shown) in &mut self.sources {
            let lines = io.host.node_log(name, None);
            for line in lines.iter().skip(*shown as usize) {
                let line = log_line(self.compose, name, width, line);
                io.out(&line);
            }
            *shown = lines.len() as u64;
        }
        let now = io.now();
        io.set_timer(Some(now + LOOK));
    }
}
