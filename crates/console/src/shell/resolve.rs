//! From words to what runs: functions, built-ins, utilities, Kafka's tools, scripts, and commands that run other commands.

use simulation::Micros;

use super::state::{State, Variable};
use super::{Frame, Shell, builtin, text};
use crate::disk::{DiskError, absolute};
use crate::host::NodeState;
use crate::output::{Notice, NoticeKind};
use crate::process::{Body, Kernel, ToolProcess};
use crate::tool::Invocation;
use crate::utility::{self, Utility};
use crate::world::{Source, Streams};

/// `docker exec`, `docker compose exec`: where, and what.
struct ContainerCommand {
    service: String,
    words: Vec<String>,
    compose: bool,
}

/// Whether a word names a command of some kind; for `type`, `which`, completion and repairs.
pub fn is_command(name: &str) -> bool {
    builtin::NAMES.contains(&name)
        || utility::NAMES.contains(&name)
        || PREFIXES.contains(&name)
        || crate::tools::find(name).is_some()
}

/// Commands that run the command behind them.
pub const PREFIXES: [&str; 9] =
    ["bash", "sh", "env", "nohup", "sudo", "time", "timeout", "exec", "docker-compose"];

fn program(name: &str) -> &str {
    for folder in ["/bin/", "/usr/bin/", "/usr/local/bin/"] {
        if let Some(rest) = name.strip_prefix(folder)
            && crate::tools::find(rest).is_none()
        {
            return rest;
        }
    }
    name
}

impl Shell {
    /// Runs a simple command's fields in these streams.
    pub(super) fn run_words(
        &mut self,
        fields: Vec<String>,
        streams: Streams,
        line: u32,
        kernel: &mut Kernel<'_>,
    ) {
        if let Some(body) = self.state.functions.get(&fields[0]).cloned() {
            self.call(body, fields[1..].to_vec(), streams, kernel);
            return;
        }
        self.run_command(fields, streams, line, None, None, kernel);
    }

    fn run_command(
        &mut self,
        fields: Vec<String>,
        streams: Streams,
        line: u32,
        deadline: Option<Micros>,
        container: Option<String>,
        kernel: &mut Kernel<'_>,
    ) {
        let Some(name) = fields.first().map(|name| program(name).to_owned()) else {
            self.state.status = 0;
            return;
        };
        let rest = fields[1..].to_vec();
        let place = container.clone().or_else(|| self.state.container.clone());
        // In another container, only what exists as a program runs.
        if container.is_none() && builtin::NAMES.contains(&name.as_str()) {
            self.frames.push(Frame::Restore(std::mem::replace(kernel.streams, streams)));
            builtin::run(self, &name, &rest, line, kernel);
            return;
        }
        match name.as_str() {
            "exec" if rest.is_empty() => {
                *kernel.streams = streams;
                self.state.status = 0;
            }
            "nohup" | "sudo" | "time" | "exec" => {
                if name == "time" {
                    self.frames.push(Frame::Time(kernel.host.now()));
                }
                let rest: Vec<String> =
                    rest.into_iter().skip_while(|word| word.starts_with('-')).collect();
                self.run_command(rest, streams, line, deadline, container, kernel);
            }
            "env" if rest.iter().any(|word| !word.contains('=') && !word.starts_with('-')) => {
                let mut hidden = Vec::new();
                let mut words = rest.into_iter().peekable();
                while let Some(word) =
                    words.next_if(|word| word.contains('=') || word.starts_with('-'))
                {
                    if let Some((name, value)) = word.split_once('=') {
                        hidden.push((name.to_owned(), self.state.variables.get(name).cloned()));
                        self.state.variables.insert(
                            name.to_owned(),
                            Variable { value: value.to_owned(), exported: true },
                        );
                    }
                }
                self.frames.push(Frame::Variables(hidden));
                self.run_command(words.collect(), streams, line, deadline, container, kernel);
            }
            "timeout" => self.timeout(&rest, streams, line, container, kernel),
            "bash" | "sh" => self.shell_command(&rest, streams, place, deadline, kernel),
            "docker" | "docker-compose" => {
                self.docker(&name, rest, streams, line, deadline, kernel)
            }
            _ => self.program(fields, &name, streams, line, deadline, place, kernel),
        }
    }

    fn program(
        &mut self,
        fields: Vec<String>,
        name: &str,
        streams: Streams,
        line: u32,
        deadline: Option<Micros>,
        container: Option<String>,
        kernel: &mut Kernel<'_>,
    ) {
        let title = fields.join(" ");
        let arguments = fields[1..].to_vec();
        let body = if let Some(tool) = crate::tools::find(name) {
            let terminal = kernel.terminal.filter(|_| self.state.interactive);
            let invocation = Invocation {
                tool: tool.name.to_owned(),
                arguments,
                cwd: self.state.cwd.clone(),
                container: container.clone(),
                terminal,
            };
            Body::Tool(Box::new(ToolProcess::new(invocation)))
        } else if utility::NAMES.contains(&name) {
            let environment = self
                .state
                .variables
                .iter()
                .filter(|(_, variable)| variable.exported)
                .map(|(name, variable)| (name.clone(), variable.value.clone()))
                .collect();
            Body::Utility(Box::new(Utility::new(
                name,
                arguments,
                self.state.cwd.clone(),
                environment,
            )))
        } else if name.contains('/') {
            let path = absolute(&self.state.cwd, name);
            match kernel.world.disk.read(&path) {
                Ok(bytes) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let mut state = State::new(self.state.top, false, container.clone());
                    state.name = fields[0].clone();
                    state.positional = arguments;
                    state.cwd.clone_from(&self.state.cwd);
                    Body::Shell(Box::new(Self::text(state, text)))
                }
                Err(error) => {
                    self.complain(kernel, line, &format!("{}: {error}", fields[0]));
                    self.state.status = if error == DiskError::IsADirectory { 126 } else { 127 };
                    return;
                }
            }
        } else {
            self.not_found(&fields[0], line, &streams, kernel);
            return;
        };
        self.start_in(kernel, streams, body, title, deadline, container);
    }

    fn not_found(&mut self, name: &str, line: u32, streams: &Streams, kernel: &mut Kernel<'_>) {
        let message = format!("{}{name}: command not found\n", self.state.prefix(line));
        kernel.world.write(&streams.stderr, message.as_bytes());
        self.state.status = 127;
        let words = crate::explain::unknown_command(name);
        if self.state.interactive {
            kernel.world.notice(kernel.terminal, words);
        }
        self.check_exit_on_error();
    }

    /// Starts a process in a container, in the foreground.
    fn start_in(
        &mut self,
        kernel: &mut Kernel<'_>,
        streams: Streams,
        body: Body,
        title: String,
        deadline: Option<Micros>,
        container: Option<String>,
    ) {
        let group = self.child_group(kernel);
        let pid = kernel.spawn(group, streams, container, body);
        self.frames.push(Frame::Wait {
            pids: vec![pid],
            codes: Vec::new(),
            foreground: true,
            deadline,
            text: title,
        });
    }

    fn timeout(
        &mut self,
        rest: &[String],
        streams: Streams,
        line: u32,
        container: Option<String>,
        kernel: &mut Kernel<'_>,
    ) {
        let mut words = rest.iter().skip_while(|word| word.starts_with('-'));
        let span = words.next().and_then(|word| utility::duration(word));
        let Some(span) = span else {
            self.complain(kernel, line, "timeout: missing operand");
            self.state.status = 125;
            return;
        };
        let deadline = kernel.host.now() + span;
        let words: Vec<String> = words.cloned().collect();
        self.run_command(words, streams, line, Some(deadline), container, kernel);
    }

    /// `bash`, `bash -c text`, `bash file`.
    fn shell_command(
        &mut self,
        rest: &[String],
        streams: Streams,
        container: Option<String>,
        deadline: Option<Micros>,
        kernel: &mut Kernel<'_>,
    ) {
        let mut state = State::new(self.state.top, false, container.clone());
        state.cwd.clone_from(&self.state.cwd);
        for (name, variable) in
            self.state.variables.iter().filter(|(_, variable)| variable.exported)
        {
            if container == self.state.container || name != "HOSTNAME" {
                state.variables.insert(name.clone(), variable.clone());
            }
        }
        let mut words = rest.iter();
        let mut command = false;
        let mut operand = None;
        for word in words.by_ref() {
            match word.strip_prefix('-') {
                Some(flags) if !flags.is_empty() && operand.is_none() => {
                    command |= flags.contains('c') && !flags.starts_with('-');
                    state.exit_on_error |= flags.contains('e') && !flags.starts_with('-');
                    state.trace |= flags.contains('x') && !flags.starts_with('-');
                }
                _ => {
                    operand = Some(word);
                    break;
                }
            }
        }
        let title = std::iter::once("bash")
            .chain(rest.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        let text = match operand {
            Some(text) if command => {
                if let Some(name) = words.next() {
                    state.name.clone_from(name);
                }
                text.clone()
            }
            Some(file) => match kernel.world.disk.read(&absolute(&self.state.cwd, file)) {
                Ok(bytes) => {
                    state.name.clone_from(file);
                    String::from_utf8_lossy(bytes).into_owned()
                }
                Err(error) => {
                    kernel.err(&format!("bash: {file}: {error}\n"));
                    self.state.status = 127;
                    return;
                }
            },
            None if matches!(streams.stdin, Source::Terminal(_)) => {
                let mut shell = Self::interactive(kernel.pid, container.clone());
                shell.state.variables.extend(state.variables);
                shell.state.cwd = state.cwd;
                self.start_in(
                    kernel,
                    streams,
                    Body::Shell(Box::new(shell)),
                    title,
                    deadline,
                    container,
                );
                return;
            }
            None => {
                // Commands from a pipe: all that is there by its end.
                self.start_in(
                    kernel,
                    streams,
                    Body::Shell(Box::new(Self::piped(state))),
                    title,
                    deadline,
                    container,
                );
                return;
            }
        };
        state.positional = words.cloned().collect();
        self.start_in(
            kernel,
            streams,
            Body::Shell(Box::new(Self::text(state, text))),
            title,
            deadline,
            container,
        );
    }

    fn docker(
        &mut self,
        name: &str,
        rest: Vec<String>,
        streams: Streams,
        line: u32,
        deadline: Option<Micros>,
        kernel: &mut Kernel<'_>,
    ) {
        let words = match name {
            "docker-compose" => std::iter::once("compose".to_owned()).chain(rest).collect(),
            _ => rest,
        };
        if self.state.container.is_some() {
            self.not_found(name, line, &streams, kernel);
            return;
        }
        let Some(command) = container_command(&words) else {
            let tool = if crate::docker::follows(&words) { "docker logs" } else { "docker" };
            let fields = std::iter::once("docker".to_owned()).chain(words).collect();
            self.program(fields, tool, streams, line, deadline, None, kernel);
            return;
        };
        let node = kernel.host.nodes().into_iter().find(|node| node.name == command.service);
        let refusal = match node.map(|node| node.state) {
            None if command.service.is_empty() && command.compose => {
                "requires at least 2 arg(s), only received 0".to_owned()
            }
            None if command.service.is_empty() => {
                "docker: 'docker exec' requires at least 2 arguments".to_owned()
            }
            None if command.compose => format!("no such service: {}", command.service),
            None => format!("Error response from daemon: No such container: {}", command.service),
            Some(NodeState::Exited(_)) if command.compose => {
                format!("service \"{}\" is not running", command.service)
            }
            Some(NodeState::Exited(_)) => {
                format!(
                    "Error response from daemon: container {} is not running",
                    crate::docker::container_id(&command.service)
                )
            }
            Some(NodeState::Paused) => format!(
                "Error response from daemon: Container {} is paused, unpause the container before exec",
                command.service
            ),
            Some(NodeState::Running) if command.words.is_empty() && command.compose => {
                "requires at least 2 arg(s), only received 1".to_owned()
            }
            Some(NodeState::Running) if command.words.is_empty() => {
                "docker: 'docker exec' requires at least 2 arguments".to_owned()
            }
            Some(NodeState::Running) => String::new(),
        };
        if !refusal.is_empty() {
            kernel.world.write(&streams.stderr, format!("{refusal}\n").as_bytes());
            if self.state.interactive && refusal.contains("such") {
                let names: Vec<String> =
                    kernel.host.nodes().into_iter().map(|node| node.name).collect();
                let note = format!(
                    "There is no container of that name here. Those that exist: {}.",
                    names.join(", ")
                );
                kernel.world.notice(kernel.terminal, Notice::new(NoticeKind::Explanation, note));
            }
            self.state.status = 1;
            return;
        }
        let known = |name: &str| {
            let name = program(name);
            matches!(name, "bash" | "sh" | "env" | "timeout")
                || name.contains('/')
                || utility::NAMES.contains(&name)
                || name != "docker" && crate::tools::find(name).is_some()
                || matches!(
                    name,
                    "echo" | "printf" | "pwd" | "true" | "false" | "test" | "[" | "kill"
                )
        };
        let first = command.words[0].clone();
        if !known(&first) {
            let text = format!(
                "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{first}\": executable file not found in $PATH: unknown\n"
            );
            kernel.world.write(&streams.stderr, text.as_bytes());
            self.state.status = 127;
            return;
        }
        let service = Some(command.service);
        if builtin::NAMES.contains(&first.as_str()) {
            // The program of that name behaves as the built-in does.
            let mut state = State::new(self.state.top, false, service.clone());
            state.positional = command.words.clone();
            let text: Vec<String> = command.words.iter().map(|word| text::quote(word)).collect();
            let shell = Self::text(state, text.join(" "));
            self.start_in(
                kernel,
                streams,
                Body::Shell(Box::new(shell)),
                command.words.join(" "),
                deadline,
                service,
            );
            return;
        }
        self.run_command(command.words, streams, line, deadline, service, kernel);
    }

    /// A shell whose commands come from a pipe.
    fn piped(state: State) -> Self {
        let mut shell = Self::text(state, String::new());
        // Collected by the `cat` of an `eval`.
        shell.input = super::Input::Text { rest: "eval \"$(cat)\"".to_owned(), line: 1 };
        shell
    }
}

/// Splits `[compose …] exec [options] SERVICE COMMAND …`.
fn container_command(words: &[String]) -> Option<ContainerCommand> {
    let mut words = words.iter().peekable();
    let compose = words.next_if(|word| *word == "compose").is_some();
    if !compose {
        words.next_if(|word| *word == "container");
    } else {
        while let Some(option) = words.next_if(|word| word.starts_with('-')) {
            if matches!(option.as_str(), "-f" | "-p" | "--file" | "--project-name") {
                words.next();
            }
        }
    }
    words.next_if(|word| *word == "exec")?;
    while let Some(option) = words.next_if(|word| word.starts_with('-')) {
        if matches!(
            option.as_str(),
            "-u" | "--user" | "-e" | "--env" | "-w" | "--workdir" | "--index"
        ) {
            words.next();
        }
    }
    let service = words.next().cloned().unwrap_or_default();
    Some(ContainerCommand { service, words: words.cloned().collect(), compose })
}
