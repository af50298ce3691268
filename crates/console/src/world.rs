//! What processes share: the disk, pipes, terminals, and the output to show.

use std::collections::VecDeque;

use simulation::sorted::SortedMap;

use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::output::{ConsoleOutput, Item, Notice, Stream, TerminalId};

/// A process's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pid(pub u32);

/// A pipe's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PipeId(pub u32);

/// Where a process reads from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// At its end from the start: `/dev/null`.
    Null,
    Terminal(TerminalId),
    /// A pipe; also a file opened for reading and a here-document, which are pipes that nobody writes to.
    Pipe(PipeId),
}

/// Where a process writes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sink {
    Null,
    Terminal(TerminalId, Stream),
    Pipe(PipeId),
    /// The end of a file, by absolute path.
    File(String),
}

/// The three streams of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streams {
    pub stdin: Source,
    pub stdout: Sink,
    pub stderr: Sink,
}

impl Streams {
    /// All three at a terminal.
    pub fn terminal(terminal: TerminalId) -> Self {
        Self {
            stdin: Source::Terminal(terminal),
            stdout: Sink::Terminal(terminal, Stream::Stdout),
            stderr: Sink::Terminal(terminal, Stream::Stderr),
        }
    }

    /// Whether one of them reads from the pipe.
    pub fn reads(&self, pipe: PipeId) -> bool {
        self.stdin == Source::Pipe(pipe)
    }

    /// Whether one of them writes to the pipe.
    pub fn writes(&self, pipe: PipeId) -> bool {
        self.stdout == Sink::Pipe(pipe) || self.stderr == Sink::Pipe(pipe)
    }
}

/// Bytes on their way from writers to readers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipe {
    pub buffer: VecDeque<u8>,
    /// No process can write to it any more.
    pub closed: bool,
    /// Kept by the console itself: the output of a [`crate::console::Run`], never full and never broken.
    pub kept: bool,
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Read<T> {
    Data(T),
    /// The end of input.
    End,
    /// Nothing yet.
    Wait,
}

/// What has been typed at a terminal and not yet been read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Typed {
    /// A line, without its newline.
    Line(String),
    /// Ctrl-D on an empty line.
    End,
}

/// What processes share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct World {
    pub disk: Disk,
    pub pipes: SortedMap<PipeId, Pipe>,
    /// Input of every terminal, oldest first.
    pub typed: SortedMap<TerminalId, VecDeque<Typed>>,
    /// Terminals that do not show what is typed (transcript replays).
    pub silent: Vec<TerminalId>,
    /// Lines entered at every terminal, oldest first.
    pub history: SortedMap<TerminalId, Vec<String>>,
    /// What is to be shown, oldest first.
    pub outputs: Vec<ConsoleOutput>,
    /// Whether notes are shown.
    pub notices: bool,
    next_pipe: u32,
}

impl World {
    /// A new pipe holding `bytes`.
    pub fn open_pipe(&mut self, bytes: &[u8]) -> PipeId {
        self.next_pipe += 1;
        let id = PipeId(self.next_pipe);
        self.pipes.insert(
            id,
            Pipe { buffer: bytes.iter().copied().collect(), closed: false, kept: false },
        );
        id
    }

    /// A pipe that nobody writes to: a file or a here-document.
    pub fn open_text(&mut self, bytes: &[u8]) -> PipeId {
        let id = self.open_pipe(bytes);
        if let Some(pipe) = self.pipes.get_mut(&id) {
            pipe.closed = true;
        }
        id
    }

    /// Writes to a sink. A file that cannot be written swallows the bytes; opening it has reported the error.
    pub fn write(&mut self, sink: &Sink, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match sink {
            Sink::Null => {}
            Sink::Terminal(terminal, stream) => {
                let text = String::from_utf8_lossy(bytes);
                if let Some(ConsoleOutput {
                    terminal: last,
                    item: Item::Text { stream: before, text: shown },
                }) = self.outputs.last_mut()
                    && last == terminal
                    && before == stream
                {
                    shown.push_str(&text);
                    return;
                }
                self.show(*terminal, Item::Text { stream: *stream, text: text.into_owned() });
            }
            Sink::Pipe(pipe) => {
                if let Some(pipe) = self.pipes.get_mut(pipe) {
                    pipe.buffer.extend(bytes);
                }
            }
            Sink::File(path) => {
                let _ = self.disk.append(path, bytes);
            }
        }
    }

    /// Shows something at a terminal.
    pub fn show(&mut self, terminal: TerminalId, item: Item) {
        self.outputs.push(ConsoleOutput { terminal, item });
    }

    /// Shows a note, unless notes are off.
    pub fn notice(&mut self, terminal: Option<TerminalId>, notice: Notice) {
        if let (true, Some(terminal)) = (self.notices, terminal) {
            self.show(terminal, Item::Notice(notice));
        }
    }

    /// The next line with its newline; the last line of a pipe may lack it.
    pub fn read_line(&mut self, source: Source) -> Read<Vec<u8>> {
        match source {
            Source::Null => Read::End,
            Source::Terminal(terminal) => self.read_typed(terminal, true),
            Source::Pipe(id) => {
                let Some(pipe) = self.pipes.get_mut(&id) else { return Read::End };
                match pipe.buffer.iter().position(|byte| *byte == b'\n') {
                    Some(at) => Read::Data(pipe.buffer.drain(..=at).collect()),
                    None if !pipe.closed => Read::Wait,
                    None if pipe.buffer.is_empty() => Read::End,
                    None => Read::Data(pipe.buffer.drain(..).collect()),
                }
            }
        }
    }

    /// Whatever is there.
    pub fn read(&mut self, source: Source) -> Read<Vec<u8>> {
        match source {
            Source::Null => Read::End,
            Source::Terminal(terminal) => self.read_typed(terminal, true),
            Source::Pipe(id) => {
                let Some(pipe) = self.pipes.get_mut(&id) else { return Read::End };
                match pipe.buffer.is_empty() {
                    false => Read::Data(pipe.buffer.drain(..).collect()),
                    true if pipe.closed => Read::End,
                    true => Read::Wait,
                }
            }
        }
    }

    /// A line typed at a terminal, echoed now if `echo`: a reader's line appears where it was read.
    pub fn read_typed(&mut self, terminal: TerminalId, echo: bool) -> Read<Vec<u8>> {
        match self.typed.entry(terminal).or_default().pop_front() {
            None => Read::Wait,
            Some(Typed::End) => Read::End,
            Some(Typed::Line(line)) => {
                if echo && !self.silent.contains(&terminal) {
                    self.show(terminal, Item::Echo { prompt: String::new(), line: line.clone() });
                }
                let mut bytes = line.into_bytes();
                bytes.push(b'\n');
                Read::Data(bytes)
            }
        }
    }

    /// Whether a read from the source would not wait.
    pub fn readable(&self, source: Source) -> bool {
        match source {
            Source::Null => true,
            Source::Terminal(terminal) => {
                self.typed.get(&terminal).is_some_and(|typed| !typed.is_empty())
            }
            Source::Pipe(id) => {
                self.pipes.get(&id).is_none_or(|pipe| pipe.closed || !pipe.buffer.is_empty())
            }
        }
    }
}
