//! The shell: an interpreter as a resumable state machine. What it is in the middle of is a stack of frames over the syntax tree,
//! so that it can wait anywhere (for a process, a line, a time) and be cloned, stored and taken up again.

pub mod arithmetic;
pub mod ast;
pub mod builtin;
pub mod expand;
pub mod parser;
pub mod resolve;
pub mod state;
pub mod text;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::disk::absolute;
use crate::output::{Item, Notice, NoticeKind};
use crate::process::{Body, End, Kernel, SIGINT, SIGTERM, Table, Target, Turn};
use crate::world::{Pid, PipeId, Read, Sink, Source, Streams, World};
use ast::{Command, Redirect, RedirectKind, Simple, Word};
use expand::Expander;
use parser::{SyntaxError, parse_next};
use state::{State, Variable};

/// So many commands may run in one instant of virtual time; then a millisecond passes. Keeps endless loops from stopping the clock.
const COMMANDS_PER_INSTANT: u32 = 200;
/// Functions may not call each other deeper than this.
const FRAMES_MAX: usize = 2_000;

/// Where a shell's commands come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Input {
    /// A text: `bash -c`, a script file.
    Text { rest: String, line: u32 },
    /// A terminal; the lines of an unfinished command.
    Terminal { unfinished: String },
    /// A subshell: it runs the frames it was born with.
    None,
}

/// A job of an interactive shell, or a background process of any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub number: u32,
    pub pid: Pid,
    pub text: String,
    pub state: JobState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    Running,
    Stopped,
    Ended(End),
}

/// What the shell is in the middle of.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Frame {
    /// Not begun.
    Run(Arc<Command>),
    List {
        command: Arc<Command>,
        next: u32,
    },
    AndOr {
        command: Arc<Command>,
        next: u32,
    },
    Negate,
    If {
        command: Arc<Command>,
        branch: u32,
    },
    /// `while`: in its condition or its body; `last` is the body's status.
    Loop {
        command: Arc<Command>,
        condition: bool,
        last: i32,
    },
    For {
        command: Arc<Command>,
        values: VecDeque<String>,
    },
    Count {
        command: Arc<Command>,
        begun: bool,
    },
    /// Runs the command substitutions of a command's words, one after the other.
    Prepare {
        command: Arc<Command>,
        words: Vec<Word>,
        results: VecDeque<String>,
        pending: Option<(Pid, PipeId)>,
    },
    /// Back to these streams once the frames above are done.
    Restore(Streams),
    /// A function: what it hid.
    Call {
        positional: Vec<String>,
        hidden: Vec<(String, Option<Variable>)>,
    },
    /// `A=1 builtin`, `eval`: variables to put back.
    Variables(Vec<(String, Option<Variable>)>),
    /// Waits for processes; the last one's code counts.
    Wait {
        pids: Vec<Pid>,
        codes: Vec<i32>,
        foreground: bool,
        deadline: Option<Micros>,
        text: String,
    },
    /// `time`: when it began.
    Time(Micros),
    /// `wait`.
    WaitJobs {
        pids: Vec<Pid>,
    },
    /// `read`: the names to set.
    Read {
        names: Vec<String>,
        raw: bool,
        deadline: Option<Micros>,
    },
    /// Text still to run: `eval`, `source`.
    Text {
        rest: String,
        line: u32,
    },
}

/// A shell process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shell {
    pub state: State,
    input: Input,
    frames: Vec<Frame>,
    pub jobs: Vec<Job>,
    exit: Option<i32>,
    /// The pipe it reads a command substitution from.
    capture: Option<PipeId>,
    instant: Micros,
    commands: u32,
    resume_at: Option<Micros>,
    /// A command of this line has begun: its end is worth showing.
    busy: bool,
    /// `set -o pipefail`.
    pipe_fail: bool,
}

impl Shell {
    fn with(state: State, input: Input) -> Self {
        Self {
            state,
            input,
            frames: Vec::new(),
            jobs: Vec::new(),
            exit: None,
            capture: None,
            instant: Micros::ZERO,
            commands: 0,
            resume_at: None,
            busy: false,
            pipe_fail: false,
        }
    }

    /// One that reads commands from its terminal.
    pub fn interactive(pid: Pid, container: Option<String>) -> Self {
        Self::with(State::new(pid, true, container), Input::Terminal { unfinished: String::new() })
    }

    /// One that runs a text.
    pub fn text(state: State, text: String) -> Self {
        Self::with(State { interactive: false, ..state }, Input::Text { rest: text, line: 1 })
    }

    fn subshell(&self, command: Arc<Command>) -> Self {
        let mut shell = Self::with(State { interactive: false, ..self.state.clone() }, Input::None);
        // Its messages look as the parent's.
        shell.state.interactive = self.state.interactive;
        shell.pipe_fail = self.pipe_fail;
        shell.frames.push(Frame::Run(command));
        shell
    }

    /// Whether it reads commands from a terminal.
    pub fn is_interactive(&self) -> bool {
        matches!(self.input, Input::Terminal { .. })
    }

    /// At the prompt: it would take a line.
    pub fn at_prompt(&self) -> bool {
        self.is_interactive() && self.frames.is_empty() && self.exit.is_none()
    }

    /// In the middle of a command of several lines.
    pub fn unfinished(&self) -> bool {
        matches!(&self.input, Input::Terminal { unfinished } if !unfinished.is_empty())
    }

    /// What stands before the line being typed.
    pub fn prompt(&self) -> String {
        if self.unfinished() {
            return "> ".to_owned();
        }
        let home = self.state.lookup("HOME").unwrap_or_default();
        let place = match self.state.cwd.strip_prefix(&home) {
            Some(rest) if !home.is_empty() && (rest.is_empty() || rest.starts_with('/')) => {
                format!("~{rest}")
            }
            _ => self.state.cwd.clone(),
        };
        match &self.state.container {
            Some(container) => format!("[appuser@{container} {place}]$ "),
            None if place == "~" => "$ ".to_owned(),
            None => format!("{place} $ "),
        }
    }

    /// The processes it waits for in the foreground.
    pub fn foreground(&self) -> &[Pid] {
        match self.frames.last() {
            Some(Frame::Wait { pids, foreground: true, .. }) => pids,
            Some(Frame::Prepare { pending: Some((pid, _)), .. }) => std::slice::from_ref(pid),
            _ => &[],
        }
    }

    /// Whether its `read` waits for a line.
    pub fn reads_line(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Read { .. }))
    }

    /// Whether it waits for a process in the foreground.
    pub fn waits_in_foreground(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Wait { .. }))
    }

    /// Ctrl-C at an interactive shell itself: what it was doing is over.
    pub fn interrupt(&mut self, streams: &mut Streams) {
        self.abandon(streams);
        self.state.status = SIGINT;
        self.resume_at = None;
        self.commands = 0;
        if let Input::Terminal { unfinished } = &mut self.input {
            unfinished.clear();
        }
    }

    fn abandon(&mut self, streams: &mut Streams) {
        while let Some(frame) = self.frames.pop() {
            self.leave(frame, streams);
        }
    }

    /// Undoes what a frame had changed.
    fn leave(&mut self, frame: Frame, streams: &mut Streams) {
        match frame {
            Frame::Restore(before) => *streams = before,
            Frame::Call { positional, hidden } => {
                self.state.positional = positional;
                self.put_back(hidden);
            }
            Frame::Variables(hidden) => self.put_back(hidden),
            _ => {}
        }
    }

    fn put_back(&mut self, hidden: Vec<(String, Option<Variable>)>) {
        for (name, before) in hidden.into_iter().rev() {
            match before {
                Some(variable) => self.state.variables.insert(name, variable),
                None => self.state.variables.remove(&name),
            };
        }
    }

    pub fn reads(&self, pipe: PipeId) -> bool {
        self.capture == Some(pipe)
            || self
                .frames
                .iter()
                .any(|frame| matches!(frame, Frame::Restore(streams) if streams.reads(pipe)))
    }

    pub fn writes(&self, pipe: PipeId) -> bool {
        self.frames
            .iter()
            .any(|frame| matches!(frame, Frame::Restore(streams) if streams.writes(pipe)))
    }

    pub fn deadline(&self) -> Option<Micros> {
        if self.resume_at.is_some() {
            return self.resume_at;
        }
        match self.frames.last() {
            Some(Frame::Wait { deadline, .. } | Frame::Read { deadline, .. }) => *deadline,
            _ => None,
        }
    }

    pub fn due(&self, world: &World, table: &Table, streams: &Streams, now: Micros) -> bool {
        if let Some(at) = self.resume_at {
            return at <= now;
        }
        let passed = |deadline: &Option<Micros>| deadline.is_some_and(|at| at <= now);
        match self.frames.last() {
            None => match self.input {
                Input::Terminal { .. } => {
                    world.readable(streams.stdin)
                        || self.jobs.iter().any(|job| {
                            matches!(job.state, JobState::Ended(_))
                                || table.ended.contains_key(&job.pid)
                        })
                }
                _ => true,
            },
            Some(Frame::Prepare { pending: Some((pid, _)), .. }) => table.ended.contains_key(pid),
            Some(Frame::Wait { pids, deadline, .. }) => {
                passed(deadline)
                    || pids.iter().all(|pid| !table.alive(*pid))
                    || pids.iter().any(|pid| table.ended.contains_key(pid))
                    || pids
                        .iter()
                        .filter_map(|pid| table.running.get(pid))
                        .any(|process| process.stopped)
            }
            Some(Frame::WaitJobs { pids }) => pids.iter().all(|pid| !table.alive(*pid)),
            Some(Frame::Read { deadline, .. }) => passed(deadline) || world.readable(streams.stdin),
            Some(_) => true,
        }
    }

    /// Runs until it has to wait, has ended, or has done a turn's worth.
    pub fn turn(&mut self, kernel: &mut Kernel<'_>) -> Turn {
        let now = kernel.host.now();
        if self.resume_at.is_some_and(|at| at <= now) {
            self.resume_at = None;
        }
        if self.instant != now {
            self.instant = now;
            self.commands = 0;
        }
        self.note_ended_jobs(kernel);
        loop {
            if let Some(code) = self.exit {
                self.abandon(kernel.streams);
                return Turn::Ended(End { code, signalled: false });
            }
            // What it wrote must be taken before it writes more.
            if let Sink::Pipe(id) = kernel.streams.stdout
                && kernel
                    .world
                    .pipes
                    .get(&id)
                    .is_some_and(|pipe| !pipe.kept && pipe.buffer.len() > 4096)
            {
                return Turn::Goes;
            }
            if self.frames.len() > FRAMES_MAX {
                self.complain(kernel, 0, "maximum function nesting level exceeded");
                self.abandon(kernel.streams);
                self.state.status = 1;
                if !self.is_interactive() {
                    self.exit = Some(1);
                }
                continue;
            }
            let Some(frame) = self.frames.pop() else {
                match self.fetch(kernel) {
                    true => continue,
                    false => return Turn::Goes,
                }
            };
            if matches!(frame, Frame::Run(_)) {
                self.commands += 1;
                if self.commands > COMMANDS_PER_INSTANT {
                    self.frames.push(frame);
                    self.resume_at = Some(now + Micros::from_ms(1));
                    return Turn::Goes;
                }
            }
            if !self.step(frame, kernel) {
                return Turn::Goes;
            }
        }
    }

    fn note_ended_jobs(&mut self, kernel: &mut Kernel<'_>) {
        for job in &mut self.jobs {
            if let Some(end) = kernel.table.ended.remove(&job.pid) {
                job.state = JobState::Ended(end);
            }
        }
    }

    /// Takes the next command from the input. False: there is none yet.
    fn fetch(&mut self, kernel: &mut Kernel<'_>) -> bool {
        if self.busy {
            self.busy = false;
            if let (true, Some(terminal)) = (self.is_interactive(), kernel.terminal) {
                kernel.world.show(terminal, Item::Ended { code: self.state.status });
            }
        }
        match &mut self.input {
            Input::None => {
                self.exit = Some(self.state.status);
                true
            }
            Input::Text { rest, line } => {
                let (mut rest, line) = (std::mem::take(rest), *line);
                if rest.is_empty() {
                    self.exit = Some(self.state.status);
                    return true;
                }
                self.take_command(kernel, &mut rest, line, true);
                true
            }
            Input::Terminal { unfinished } => {
                let mut text = std::mem::take(unfinished);
                let first = text.is_empty();
                if first {
                    self.report_jobs(kernel);
                }
                let Source::Terminal(terminal) = kernel.streams.stdin else {
                    self.exit = Some(self.state.status);
                    return true;
                };
                let prompt = if first { self.prompt() } else { "> ".to_owned() };
                let line = match kernel.world.read_typed(terminal, false) {
                    Read::Wait => {
                        self.input = Input::Terminal { unfinished: text };
                        return false;
                    }
                    Read::End if first => {
                        kernel.world.show(terminal, Item::Echo { prompt, line: "exit".to_owned() });
                        self.exit = Some(self.state.status);
                        return true;
                    }
                    Read::End => {
                        let error = parse_next(&text, true, 1).err();
                        if let Some(SyntaxError::Message(message, _)) = error {
                            self.complain(kernel, 1, &message);
                        }
                        self.state.status = 2;
                        return true;
                    }
                    Read::Data(line) => line,
                };
                let line = String::from_utf8_lossy(&line).into_owned();
                if !kernel.world.silent.contains(&terminal) {
                    kernel.world.show(
                        terminal,
                        Item::Echo { prompt, line: line.trim_end_matches('\n').to_owned() },
                    );
                }
                text.push_str(&line);
                self.take_command(kernel, &mut text, 1, false);
                true
            }
        }
    }

    /// Parses the next command of a text and puts the rest back into the input.
    fn take_command(&mut self, kernel: &mut Kernel<'_>, text: &mut String, line: u32, end: bool) {
        match parse_next(text, end, line) {
            Ok(parsed) => {
                let lines = text[..parsed.used].matches('\n').count() as u32;
                text.drain(..parsed.used);
                match &mut self.input {
                    Input::Text { rest, line } => {
                        *rest = std::mem::take(text);
                        *line += lines;
                    }
                    Input::Terminal { unfinished } => *unfinished = std::mem::take(text),
                    Input::None => {}
                }
                if let Some(command) = parsed.command {
                    self.busy = true;
                    self.frames.push(Frame::Run(command));
                }
            }
            Err(SyntaxError::Incomplete) => {
                self.input = Input::Terminal { unfinished: std::mem::take(text) }
            }
            Err(SyntaxError::Message(message, at)) => {
                self.syntax_error(kernel, &message, at, text);
                self.state.status = 2;
                if !self.is_interactive() {
                    self.exit = Some(2);
                }
            }
        }
    }

    fn syntax_error(&mut self, kernel: &mut Kernel<'_>, message: &str, line: u32, text: &str) {
        if self.state.interactive {
            kernel.err(&format!("{}: {message}\n", self.state.name));
            return;
        }
        let head = format!("{}: -c: line {line}: ", self.state.name);
        kernel.err(&format!("{head}{message}\n"));
        if message.contains("unexpected token") {
            let first = text.lines().next().unwrap_or_default();
            kernel.err(&format!("{head}`{first}'\n"));
        }
    }

    /// `[1]+  Done                    sleep 1`, before the next prompt.
    fn report_jobs(&mut self, kernel: &mut Kernel<'_>) {
        let ended: Vec<Job> = self
            .jobs
            .iter()
            .filter(|job| matches!(job.state, JobState::Ended(_)))
            .cloned()
            .collect();
        for job in ended {
            let line = self.job_line(&job);
            kernel.err(&line);
            self.jobs.retain(|other| other.pid != job.pid);
        }
    }

    /// A job as `jobs` shows it.
    pub fn job_line(&self, job: &Job) -> String {
        let mark = match self.jobs.iter().rev().position(|other| other.pid == job.pid) {
            Some(0) => '+',
            Some(1) => '-',
            _ => ' ',
        };
        let state = match job.state {
            JobState::Running => "Running".to_owned(),
            JobState::Stopped => "Stopped".to_owned(),
            JobState::Ended(End { signalled: true, code: SIGTERM }) => "Terminated".to_owned(),
            JobState::Ended(End { signalled: true, code: SIGINT }) => "Interrupt".to_owned(),
            JobState::Ended(End { signalled: true, .. }) => "Killed".to_owned(),
            JobState::Ended(End { code: 0, .. }) => "Done".to_owned(),
            JobState::Ended(End { code, .. }) => format!("Exit {code}"),
        };
        let ampersand = if job.state == JobState::Running { " &" } else { "" };
        format!("[{}]{mark}  {state:<24}{}{ampersand}\n", job.number, job.text)
    }

    /// Remembers a background process or a stopped one.
    pub fn add_job(&mut self, pid: Pid, text: String, state: JobState) -> u32 {
        let number = self.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.jobs.push(Job { number, pid, text, state });
        number
    }

    /// A message in bash's form on stderr.
    pub fn complain(&self, kernel: &mut Kernel<'_>, line: u32, message: &str) {
        let prefix = self.state.prefix(line.max(1));
        kernel.err(&format!("{prefix}{message}\n"));
    }

    /// A note, at an interactive shell's terminal only.
    pub fn note(&self, kernel: &mut Kernel<'_>, text: String) {
        if self.state.interactive {
            kernel.world.notice(kernel.terminal, Notice::new(NoticeKind::Explanation, text));
        }
    }

    /// One step of one frame. False: it waits.
    fn step(&mut self, frame: Frame, kernel: &mut Kernel<'_>) -> bool {
        match frame {
            Frame::Run(command) => self.begin(command, kernel),
            Frame::List { command, next } => {
                let Command::List(items) = &*command else { return true };
                let Some(item) = items.get(next as usize) else { return true };
                let inner = item.command.clone();
                self.frames.push(Frame::List { command: command.clone(), next: next + 1 });
                match &item.background {
                    None => self.frames.push(Frame::Run(inner)),
                    Some(text) => self.background(inner, text.clone(), kernel),
                }
            }
            Frame::AndOr { command, next } => {
                let Command::AndOr { rest, .. } = &*command else { return true };
                let wanted = |and: bool| and == (self.state.status == 0);
                let found =
                    rest.iter().enumerate().skip(next as usize).find(|(_, (and, _))| wanted(*and));
                if let Some((index, (_, inner))) = found {
                    let inner = inner.clone();
                    self.frames
                        .push(Frame::AndOr { command: command.clone(), next: index as u32 + 1 });
                    self.frames.push(Frame::Run(inner));
                }
            }
            Frame::Negate => self.state.status = i32::from(self.state.status == 0),
            Frame::If { command, branch } => {
                let Command::If { branches, otherwise } = &*command else { return true };
                let chosen = match branches.get(branch as usize) {
                    Some((_, body)) if self.state.status == 0 => Some(body.clone()),
                    _ => match branches.get(branch as usize + 1) {
                        Some((condition, _)) => {
                            let condition = condition.clone();
                            self.frames
                                .push(Frame::If { command: command.clone(), branch: branch + 1 });
                            self.frames.push(Frame::Run(condition));
                            return true;
                        }
                        None => otherwise.clone(),
                    },
                };
                match chosen {
                    Some(body) => self.frames.push(Frame::Run(body)),
                    None => self.state.status = 0,
                }
            }
            Frame::Loop { command, condition, last } => {
                let Command::While { until, condition: test, body } = &*command else {
                    return true;
                };
                if !condition {
                    let last = self.state.status;
                    self.frames.push(Frame::Loop {
                        command: command.clone(),
                        condition: true,
                        last,
                    });
                    self.frames.push(Frame::Run(test.clone()));
                } else if (self.state.status == 0) != *until {
                    self.frames.push(Frame::Loop {
                        command: command.clone(),
                        condition: false,
                        last,
                    });
                    self.frames.push(Frame::Run(body.clone()));
                } else {
                    self.state.status = last;
                }
            }
            Frame::For { command, mut values } => {
                let Command::For { name, body, .. } = &*command else { return true };
                if let Some(value) = values.pop_front() {
                    self.state.assign(name, value);
                    self.frames.push(Frame::For { command: command.clone(), values });
                    self.frames.push(Frame::Run(body.clone()));
                }
            }
            Frame::Count { command, begun } => return self.count(command, begun, kernel),
            Frame::Prepare { command, words, results, pending } => {
                return self.prepare(command, words, results, pending, kernel);
            }
            frame @ (Frame::Restore(_) | Frame::Call { .. } | Frame::Variables(_)) => {
                self.leave(frame, kernel.streams)
            }
            Frame::Wait { pids, codes, foreground, deadline, text } => {
                return self.wait(pids, codes, foreground, deadline, text, kernel);
            }
            Frame::Time(began) => {
                let took = kernel.host.now().since(began).as_ms();
                let minutes = took / 60_000;
                let text = format!(
                    "\nreal\t{minutes}m{}.{:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n",
                    took / 1000 % 60,
                    took % 1000
                );
                kernel.err(&text);
            }
            Frame::WaitJobs { pids } => {
                if pids.iter().any(|pid| kernel.table.alive(*pid)) {
                    self.frames.push(Frame::WaitJobs { pids });
                    return false;
                }
                self.note_ended_jobs(kernel);
                let last = pids.last().copied();
                self.state.status =
                    match last.and_then(|pid| self.jobs.iter().find(|job| job.pid == pid)) {
                        Some(Job { state: JobState::Ended(end), .. }) => end.code,
                        _ => 0,
                    };
                self.jobs.retain(|job| !pids.contains(&job.pid));
            }
            Frame::Read { names, raw, deadline } => return self.read(names, raw, deadline, kernel),
            Frame::Text { mut rest, line } => {
                if rest.is_empty() {
                    return true;
                }
                match parse_next(&rest, true, line) {
                    Ok(parsed) => {
                        let lines = rest[..parsed.used].matches('\n').count() as u32;
                        rest.drain(..parsed.used);
                        self.frames.push(Frame::Text { rest, line: line + lines });
                        self.frames.extend(parsed.command.map(Frame::Run));
                    }
                    Err(error) => {
                        if let SyntaxError::Message(message, at) = error {
                            self.complain(kernel, at, &message);
                        }
                        self.state.status = 2;
                    }
                }
            }
        }
        true
    }

    fn begin(&mut self, command: Arc<Command>, kernel: &mut Kernel<'_>) {
        match &*command {
            Command::Simple(simple) => {
                let words = expand::braces(&simple.words);
                self.frames.push(Frame::Prepare {
                    command,
                    words,
                    results: VecDeque::new(),
                    pending: None,
                });
            }
            Command::For { words, .. } => {
                let words = expand::braces(words.as_deref().unwrap_or_default());
                self.frames.push(Frame::Prepare {
                    command,
                    words,
                    results: VecDeque::new(),
                    pending: None,
                });
            }
            Command::Case { .. }
            | Command::Arithmetic(_)
            | Command::Conditional(_)
            | Command::Redirected { .. } => {
                self.frames.push(Frame::Prepare {
                    command,
                    words: Vec::new(),
                    results: VecDeque::new(),
                    pending: None,
                });
            }
            Command::Count { .. } => self.frames.push(Frame::Count { command, begun: false }),
            Command::Pipeline { negated, stages } => {
                if *negated {
                    self.frames.push(Frame::Negate);
                }
                match stages.as_slice() {
                    [only] => self.frames.push(Frame::Run(only.clone())),
                    stages => self.pipeline(stages, kernel),
                }
            }
            Command::AndOr { first, .. } => {
                let first = first.clone();
                self.frames.push(Frame::AndOr { command, next: 0 });
                self.frames.push(Frame::Run(first));
            }
            Command::List(items) => {
                if items.is_empty() {
                    self.state.status = 0;
                }
                self.frames.push(Frame::List { command, next: 0 });
            }
            Command::Group(inner) => self.frames.push(Frame::Run(inner.clone())),
            Command::Subshell(inner) => {
                let shell = Body::Shell(Box::new(self.subshell(inner.clone())));
                let streams = kernel.streams.clone();
                self.start(kernel, streams, shell, "( … )".to_owned(), None);
            }
            Command::If { branches, .. } => {
                let first = branches.first().map(|branch| branch.0.clone());
                self.frames.push(Frame::If { command, branch: 0 });
                self.frames.extend(first.map(Frame::Run));
            }
            Command::While { condition, .. } => {
                let condition = condition.clone();
                self.frames.push(Frame::Loop { command, condition: true, last: 0 });
                self.frames.push(Frame::Run(condition));
            }
            Command::Function { name, body } => {
                self.state.functions.insert(name.clone(), body.clone());
                self.state.status = 0;
            }
        }
    }

    fn child_group(&self, kernel: &Kernel<'_>) -> Option<Pid> {
        if self.is_interactive() { None } else { Some(kernel.group) }
    }

    /// Starts a process in the foreground and waits for it.
    pub fn start(
        &mut self,
        kernel: &mut Kernel<'_>,
        streams: Streams,
        body: Body,
        text: String,
        deadline: Option<Micros>,
    ) {
        let group = self.child_group(kernel);
        let pid = kernel.spawn(group, streams, self.state.container.clone(), body);
        self.frames.push(Frame::Wait {
            pids: vec![pid],
            codes: Vec::new(),
            foreground: true,
            deadline,
            text,
        });
    }

    fn pipeline(&mut self, stages: &[Arc<Command>], kernel: &mut Kernel<'_>) {
        let mut group = self.child_group(kernel);
        let mut pids = Vec::new();
        let mut stdin = kernel.streams.stdin;
        for (index, stage) in stages.iter().enumerate() {
            let mut streams = Streams { stdin, ..kernel.streams.clone() };
            if index + 1 < stages.len() {
                let pipe = kernel.world.open_pipe(b"");
                streams.stdout = Sink::Pipe(pipe);
                stdin = Source::Pipe(pipe);
            }
            let shell = Body::Shell(Box::new(self.subshell(stage.clone())));
            let pid = kernel.spawn(group, streams, self.state.container.clone(), shell);
            group.get_or_insert(pid);
            pids.push(pid);
        }
        self.frames.push(Frame::Wait {
            pids,
            codes: Vec::new(),
            foreground: true,
            deadline: None,
            text: String::new(),
        });
    }

    fn background(&mut self, command: Arc<Command>, text: String, kernel: &mut Kernel<'_>) {
        let streams = Streams { stdin: Source::Null, ..kernel.streams.clone() };
        let shell = Body::Shell(Box::new(self.subshell(command)));
        let group = self.child_group(kernel);
        let pid = kernel.spawn(group, streams, self.state.container.clone(), shell);
        self.state.last_background = Some(pid);
        let number = self.add_job(pid, text, JobState::Running);
        if self.is_interactive() {
            kernel.err(&format!("[{number}] {}\n", pid.0));
        }
        self.state.status = 0;
    }

    fn wait(
        &mut self,
        mut pids: Vec<Pid>,
        mut codes: Vec<i32>,
        foreground: bool,
        deadline: Option<Micros>,
        text: String,
        kernel: &mut Kernel<'_>,
    ) -> bool {
        let last = pids.last().copied();
        let mut interrupted = false;
        pids.retain(|pid| match kernel.table.ended.remove(pid) {
            Some(end) => {
                interrupted |= end.signalled && end.code == SIGINT;
                codes.push(end.code);
                if Some(*pid) == last {
                    self.state.status = end.code;
                }
                false
            }
            None => kernel.table.alive(*pid),
        });
        if interrupted && self.is_interactive() {
            self.abandon(kernel.streams);
            self.state.status = SIGINT;
            return true;
        }
        let stopped = pids
            .iter()
            .filter_map(|pid| kernel.table.running.get(pid))
            .any(|process| process.stopped);
        if stopped && self.is_interactive() {
            let pid = pids.last().copied().unwrap_or(kernel.pid);
            self.add_job(pid, text, JobState::Stopped);
            if let Some(job) = self.jobs.last().cloned() {
                let line = self.job_line(&job);
                kernel.err(&format!("\n{line}"));
            }
            self.abandon(kernel.streams);
            self.state.status = 148;
            return true;
        }
        if pids.is_empty() {
            if self.pipe_fail {
                self.state.status =
                    codes.iter().rev().find(|code| **code != 0).copied().unwrap_or(0);
            }
            self.check_exit_on_error();
            return true;
        }
        if deadline.is_some_and(|at| at <= kernel.host.now()) {
            for pid in &pids {
                kernel.signals.push((Target::Tree(*pid), SIGTERM));
            }
            self.state.status = 124;
            return true;
        }
        // The last one's code was kept in the status; it stays last in the list for those that come after.
        self.frames.push(Frame::Wait { pids, codes, foreground, deadline, text });
        false
    }

    /// `set -e`, where it applies: not in conditions.
    fn check_exit_on_error(&mut self) {
        let guarded = self.frames.iter().any(|frame| match frame {
            Frame::AndOr { command, next } => {
                matches!(&**command, Command::AndOr { rest, .. } if (*next as usize) < rest.len())
            }
            Frame::Negate | Frame::If { .. } | Frame::Loop { condition: true, .. } => true,
            _ => false,
        });
        if self.state.exit_on_error && self.state.status != 0 && !guarded && !self.is_interactive()
        {
            self.exit = Some(self.state.status);
        }
    }

    fn count(&mut self, command: Arc<Command>, begun: bool, kernel: &mut Kernel<'_>) -> bool {
        let Command::Count { first, condition, step, body } = &*command else { return true };
        let before = if begun { step } else { first };
        let mut value = |word: &Word, empty: i64| -> Result<i64, String> {
            let text = Expander {
                state: &mut self.state,
                disk: &kernel.world.disk,
                substitutions: VecDeque::new(),
            }
            .text(word)?;
            if text.trim().is_empty() {
                Ok(empty)
            } else {
                arithmetic::evaluate(text.trim(), &mut self.state)
            }
        };
        match value(before, 0).and_then(|_| value(condition, 1)) {
            Ok(0) => self.state.status = 0,
            Ok(_) => {
                self.frames.push(Frame::Count { command: command.clone(), begun: true });
                self.frames.push(Frame::Run(body.clone()));
            }
            Err(message) => self.fail_expansion(kernel, 0, &message),
        }
        true
    }

    /// Runs the substitutions that are left, then the command.
    fn prepare(
        &mut self,
        command: Arc<Command>,
        words: Vec<Word>,
        mut results: VecDeque<String>,
        pending: Option<(Pid, PipeId)>,
        kernel: &mut Kernel<'_>,
    ) -> bool {
        if let Some((pid, pipe)) = pending {
            let Some(end) = kernel.table.ended.remove(&pid) else {
                self.frames.push(Frame::Prepare { command, words, results, pending });
                return false;
            };
            self.capture = None;
            if end.signalled && end.code == SIGINT && self.is_interactive() {
                self.abandon(kernel.streams);
                self.state.status = SIGINT;
                return true;
            }
            let bytes: Vec<u8> =
                kernel.world.pipes.remove(&pipe).map(|pipe| pipe.buffer.into()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).replace('\0', "");
            results.push_back(text.trim_end_matches('\n').to_owned());
            self.state.status = end.code;
        }
        let mut wanted = Vec::new();
        let mut visit = |inner: &Arc<Command>| wanted.push(inner.clone());
        for word in &words {
            word.substitutions(&mut visit);
        }
        let mut redirects: &[Redirect] = &[];
        match &*command {
            Command::Simple(simple) => {
                redirects = &simple.redirects;
                for redirect in redirects {
                    redirect.target.substitutions(&mut visit);
                }
                for (_, value) in &simple.assignments {
                    value.substitutions(&mut visit);
                }
            }
            Command::Redirected { redirects: own, .. } => {
                redirects = own;
                for redirect in own {
                    redirect.target.substitutions(&mut visit);
                }
            }
            Command::Case { word, arms } => {
                word.substitutions(&mut visit);
                for pattern in arms.iter().flat_map(|arm| &arm.patterns) {
                    pattern.substitutions(&mut visit);
                }
            }
            Command::Arithmetic(word) => word.substitutions(&mut visit),
            Command::Conditional(own) => own.iter().for_each(|word| word.substitutions(&mut visit)),
            _ => {}
        }
        if let Some(inner) = wanted.get(results.len()) {
            let pipe = kernel.world.open_pipe(b"");
            if let Some(pipe) = kernel.world.pipes.get_mut(&pipe) {
                pipe.kept = true;
            }
            self.capture = Some(pipe);
            let streams = Streams { stdout: Sink::Pipe(pipe), ..kernel.streams.clone() };
            let mut shell = self.subshell(inner.clone());
            shell.jobs.clear();
            let group = self.child_group(kernel);
            let pid = kernel.spawn(
                group,
                streams,
                self.state.container.clone(),
                Body::Shell(Box::new(shell)),
            );
            self.frames.push(Frame::Prepare {
                command,
                words,
                results,
                pending: Some((pid, pipe)),
            });
            return false;
        }
        let substituted = !wanted.is_empty();
        self.state.random = kernel.host.random(0x8000) as u32;
        match self.execute(&command, &words, redirects, results, substituted, kernel) {
            Ok(()) => {}
            Err(message) => {
                let line = if let Command::Simple(simple) = &*command { simple.line } else { 0 };
                self.fail_expansion(kernel, line, &message);
            }
        }
        true
    }

    /// An expansion failed: the line is over; a shell that runs a text ends.
    fn fail_expansion(&mut self, kernel: &mut Kernel<'_>, line: u32, message: &str) {
        self.complain(kernel, line, message);
        self.abandon(kernel.streams);
        self.state.status = 1;
        if !self.is_interactive() {
            self.exit = Some(self.state.failure);
        }
        self.state.failure = 1;
    }

    fn execute(
        &mut self,
        command: &Arc<Command>,
        words: &[Word],
        redirects: &[Redirect],
        substitutions: VecDeque<String>,
        substituted: bool,
        kernel: &mut Kernel<'_>,
    ) -> Result<(), String> {
        let mut expander =
            Expander { state: &mut self.state, disk: &kernel.world.disk, substitutions };
        match &**command {
            Command::For { words: given, .. } => {
                let values = match given {
                    Some(_) => expander.fields(words)?,
                    None => self.state.positional.clone(),
                };
                self.state.status = 0;
                self.frames.push(Frame::For { command: command.clone(), values: values.into() });
            }
            Command::Case { word, arms } => {
                let text: Vec<char> = expander.text(word)?.chars().collect();
                let mut body = None;
                'arms: for arm in arms {
                    for pattern in &arm.patterns {
                        if crate::pattern::glob(&expander.letters(pattern)?, &text) {
                            body = Some(arm.body.clone());
                            break 'arms;
                        }
                    }
                }
                self.state.status = 0;
                self.frames.extend(body.flatten().map(Frame::Run));
            }
            Command::Arithmetic(word) => {
                let text = expander.text(word)?;
                let value = arithmetic::evaluate(text.trim(), &mut self.state)
                    .map_err(|message| format!("((: {message}"))?;
                self.state.status = i32::from(value == 0);
                self.check_exit_on_error();
            }
            Command::Conditional(words) => {
                let words = words
                    .iter()
                    .map(|word| Ok((word.bare().is_some(), expander.letters(word)?)))
                    .collect::<Result<Vec<_>, String>>()?;
                self.state.status =
                    match builtin::conditional(&words, &self.state, &kernel.world.disk) {
                        Ok(true) => 0,
                        Ok(false) => 1,
                        Err(message) => {
                            self.complain(kernel, 0, &message);
                            2
                        }
                    };
                self.check_exit_on_error();
            }
            Command::Redirected { command: inner, .. } => {
                let targets = redirects
                    .iter()
                    .map(|redirect| expander.text(&redirect.target))
                    .collect::<Result<Vec<_>, _>>()?;
                let before = kernel.streams.clone();
                match self.redirected(redirects, &targets, kernel) {
                    Ok(streams) => {
                        self.frames.push(Frame::Restore(before));
                        *kernel.streams = streams;
                        self.frames.push(Frame::Run(inner.clone()));
                    }
                    Err(message) => {
                        self.complain(kernel, 0, &message);
                        self.state.status = 1;
                    }
                }
            }
            Command::Simple(simple) => {
                let fields = expander.fields(words)?;
                let targets = redirects
                    .iter()
                    .map(|redirect| expander.text(&redirect.target))
                    .collect::<Result<Vec<_>, _>>()?;
                let assignments = simple
                    .assignments
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), expander.text(value)?)))
                    .collect::<Result<Vec<_>, String>>()?;
                self.simple(simple, fields, &targets, assignments, substituted, kernel);
            }
            _ => {}
        }
        Ok(())
    }

    fn simple(
        &mut self,
        simple: &Simple,
        fields: Vec<String>,
        targets: &[String],
        assignments: Vec<(String, String)>,
        substituted: bool,
        kernel: &mut Kernel<'_>,
    ) {
        if self.state.trace {
            let shown: Vec<String> = assignments
                .iter()
                .map(|(name, value)| format!("{name}={}", text::quote(value)))
                .chain(fields.iter().map(|field| text::quote(field)))
                .collect();
            kernel.err(&format!("+ {}\n", shown.join(" ")));
        }
        let streams = match self.redirected(&simple.redirects, targets, kernel) {
            Ok(streams) => streams,
            Err(message) => {
                self.complain(kernel, simple.line, &message);
                self.state.status = 1;
                self.check_exit_on_error();
                return;
            }
        };
        if fields.is_empty() {
            for (name, value) in assignments {
                self.state.assign(&name, value);
            }
            if !substituted {
                self.state.status = 0;
            }
            self.check_exit_on_error();
            return;
        }
        let mut hidden = Vec::new();
        for (name, value) in assignments {
            hidden.push((name.clone(), self.state.variables.get(&name).cloned()));
            self.state.variables.insert(name, Variable { value, exported: true });
        }
        if !hidden.is_empty() {
            self.frames.push(Frame::Variables(hidden));
        }
        self.run_words(fields, streams, simple.line, kernel);
    }

    /// Calls a function with these words after its name.
    fn call(
        &mut self,
        body: Arc<Command>,
        arguments: Vec<String>,
        streams: Streams,
        kernel: &mut Kernel<'_>,
    ) {
        self.frames.push(Frame::Restore(std::mem::replace(kernel.streams, streams)));
        let positional = std::mem::replace(&mut self.state.positional, arguments);
        self.frames.push(Frame::Call { positional, hidden: Vec::new() });
        self.frames.push(Frame::Run(body));
    }

    /// The streams after redirections; opening a file for writing creates or empties it.
    fn redirected(
        &mut self,
        redirects: &[Redirect],
        targets: &[String],
        kernel: &mut Kernel<'_>,
    ) -> Result<Streams, String> {
        let mut streams = kernel.streams.clone();
        for (redirect, target) in redirects.iter().zip(targets) {
            let path = absolute(&self.state.cwd, target);
            let mut open = |append: bool| -> Result<Sink, String> {
                match path.as_str() {
                    _ if target.is_empty() => return Err(": No such file or directory".to_owned()),
                    "/dev/null" => return Ok(Sink::Null),
                    "/dev/stdout" => return Ok(kernel.streams.stdout.clone()),
                    "/dev/stderr" => return Ok(kernel.streams.stderr.clone()),
                    _ => {}
                }
                let disk = &mut kernel.world.disk;
                let opened = if append { disk.append(&path, b"") } else { disk.write(&path, b"") };
                opened
                    .map(|()| Sink::File(path.clone()))
                    .map_err(|error| format!("{target}: {error}"))
            };
            match redirect.kind {
                RedirectKind::Text => {
                    let pipe = kernel.world.open_text(target.as_bytes());
                    streams.stdin = Source::Pipe(pipe);
                }
                RedirectKind::Read => {
                    streams.stdin = match path.as_str() {
                        "/dev/null" => Source::Null,
                        "/dev/stdin" | "/dev/tty" => kernel.streams.stdin,
                        _ => {
                            let bytes = kernel
                                .world
                                .disk
                                .read(&path)
                                .map_err(|error| format!("{target}: {error}"))?
                                .to_vec();
                            Source::Pipe(kernel.world.open_text(&bytes))
                        }
                    };
                }
                RedirectKind::Write | RedirectKind::Append => {
                    let sink = open(redirect.kind == RedirectKind::Append)?;
                    match redirect.fd {
                        1 => streams.stdout = sink,
                        2 => streams.stderr = sink,
                        _ => {}
                    }
                }
                RedirectKind::Both | RedirectKind::BothAppend => {
                    let sink = open(redirect.kind == RedirectKind::BothAppend)?;
                    streams.stdout = sink.clone();
                    streams.stderr = sink;
                }
                RedirectKind::Duplicate => match (redirect.fd, target.as_str()) {
                    (2, "1") => streams.stderr = streams.stdout.clone(),
                    (1, "2") => streams.stdout = streams.stderr.clone(),
                    (1, "-") => streams.stdout = Sink::Null,
                    (2, "-") => streams.stderr = Sink::Null,
                    (0, "-") => streams.stdin = Source::Null,
                    (fd, same) if same == fd.to_string() => {}
                    (_, other) => return Err(format!("{other}: Bad file descriptor")),
                },
            }
        }
        Ok(streams)
    }

    /// `read`: one line into its names.
    fn read(
        &mut self,
        names: Vec<String>,
        raw: bool,
        deadline: Option<Micros>,
        kernel: &mut Kernel<'_>,
    ) -> bool {
        let (line, complete) = match kernel.world.read_line(kernel.streams.stdin) {
            Read::Wait if deadline.is_some_and(|at| at <= kernel.host.now()) => {
                self.state.status = 142;
                return true;
            }
            Read::Wait => {
                self.frames.push(Frame::Read { names, raw, deadline });
                return false;
            }
            Read::End => (String::new(), false),
            Read::Data(bytes) => {
                let line = String::from_utf8_lossy(&bytes).into_owned();
                let complete = line.ends_with('\n');
                (line.trim_end_matches('\n').to_owned(), complete)
            }
        };
        let line = if raw {
            line
        } else {
            line.replace("\\\\", "\u{1}").replace('\\', "").replace('\u{1}', "\\")
        };
        let separators = self.state.lookup("IFS").unwrap_or_else(|| " \t\n".to_owned());
        let blank = |letter: char| separators.contains(letter) && letter.is_ascii_whitespace();
        let mut rest = line.trim_matches(blank);
        for (index, name) in names.iter().enumerate() {
            if index + 1 == names.len() {
                self.state.assign(name, rest);
                break;
            }
            let end = rest.find(|letter| separators.contains(letter)).unwrap_or(rest.len());
            self.state.assign(name, &rest[..end]);
            let after = rest[end..].trim_start_matches(blank);
            let hard = after.starts_with(|letter: char| {
                separators.contains(letter) && !letter.is_ascii_whitespace()
            });
            rest = if hard { after[1..].trim_start_matches(blank) } else { after };
        }
        self.state.status = i32::from(!complete);
        true
    }

    /// Ends `count` loops; with `again` the last one goes on with its next round.
    fn break_loops(&mut self, count: u32, again: bool, streams: &mut Streams) {
        let mut left = count;
        while let Some(frame) = self.frames.pop() {
            let is_loop =
                matches!(frame, Frame::For { .. } | Frame::Loop { .. } | Frame::Count { .. });
            if matches!(frame, Frame::Call { .. }) {
                self.frames.push(frame);
                return;
            }
            if !is_loop {
                self.leave(frame, streams);
                continue;
            }
            left -= 1;
            if left == 0 {
                if again {
                    self.frames.push(match frame {
                        Frame::Loop { command, .. } => {
                            Frame::Loop { command, condition: false, last: 0 }
                        }
                        frame => frame,
                    });
                }
                return;
            }
        }
    }

    fn in_loop(&self) -> bool {
        self.frames.iter().rev().take_while(|frame| !matches!(frame, Frame::Call { .. })).any(
            |frame| matches!(frame, Frame::For { .. } | Frame::Loop { .. } | Frame::Count { .. }),
        )
    }

    /// `return`: ends the function (or the sourced text).
    fn return_from(&mut self, streams: &mut Streams) -> bool {
        if !self.frames.iter().any(|frame| matches!(frame, Frame::Call { .. } | Frame::Text { .. }))
        {
            return false;
        }
        while let Some(frame) = self.frames.pop() {
            let done = matches!(frame, Frame::Call { .. } | Frame::Text { .. });
            self.leave(frame, streams);
            if done {
                break;
            }
        }
        true
    }

    /// `local`: hides a variable until the function returns.
    fn hide(&mut self, name: &str) -> bool {
        let before = self.state.variables.get(name).cloned();
        for frame in self.frames.iter_mut().rev() {
            if let Frame::Call { hidden, .. } = frame {
                hidden.push((name.to_owned(), before));
                return true;
            }
        }
        false
    }
}
