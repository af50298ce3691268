//! The small programs beside the shell: `cat`, `ls`, `sleep`, `grep`, `sort` …, as far as tutorials use them.
//!
//! Those that read do so line by line, so that they stream; those that need the whole input keep its lines until the end.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use simulation::Micros;

use crate::date::{civil, days_from_civil};
use crate::disk::{DiskError, absolute};
use crate::pattern::{Pattern, Syntax, in_class};
use crate::process::Kernel;
use crate::shell::text::decimal;
use crate::world::{PipeId, Read, Sink, Streams, World};

/// Their names.
pub const NAMES: [&str; 31] = [
    "basename", "cat", "cp", "cut", "date", "dirname", "env", "expr", "grep", "head", "hostname",
    "ls", "mkdir", "mv", "nl", "printenv", "rev", "rm", "rmdir", "sed", "seq", "sleep", "sort",
    "tail", "tee", "touch", "tr", "uname", "uniq", "wc", "whoami",
];

/// Lines that a filter takes in one turn, so that its reader gets a turn too.
const LINES_PER_TURN: usize = 2_000;

/// A running utility.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Utility {
    name: String,
    arguments: Vec<String>,
    cwd: String,
    environment: Vec<(String, String)>,
    /// `sleep`: until when.
    until: Option<Micros>,
    filter: Option<Filter>,
}

/// A filter between its lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Filter {
    options: Vec<(char, String)>,
    operands: Vec<String>,
    /// Files still to read; `-` is stdin.
    inputs: VecDeque<String>,
    /// The lines of the file being read; `None`: stdin.
    file: Option<VecDeque<Vec<u8>>>,
    reading: Option<String>,
    several: bool,
    kept: VecDeque<Vec<u8>>,
    lines: u64,
    words: u64,
    bytes: u64,
    totals: (u64, u64, u64),
    last: Option<Vec<u8>>,
    repeats: u64,
    code: i32,
    matched: bool,
    follow: bool,
}

/// A span as `sleep` and `timeout` read it: `1`, `0.5`, `2s`, `1m`, `1h`, `1d`.
pub fn duration(word: &str) -> Option<Micros> {
    let (digits, unit) = match word.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) => (digits, &word[digits.len()..]),
        None => (word, "s"),
    };
    let plain = !digits.is_empty()
        && digits.len() < 15
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !plain || digits.matches('.').count() > 1 || digits == "." {
        return None;
    }
    let micros: u64 = decimal(digits, 6).replace('.', "").parse().ok()?;
    let factor = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 1,
    };
    Some(Micros(micros) * factor)
}

/// Short options by the letters of `spec` (`:` behind one that takes a value) and operands; `Err` is the bad option's message.
fn options(
    arguments: &[String],
    spec: &str,
    long: &[(&str, char)],
) -> Result<(Vec<(char, String)>, Vec<String>), String> {
    let takes_value = |letter: char| spec.contains(&format!("{letter}:"));
    let mut found = Vec::new();
    let mut operands = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.cloned());
            break;
        }
        if let Some(body) = word.strip_prefix("--") {
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (body, None),
            };
            let Some((_, letter)) = long.iter().find(|(known, _)| *known == name) else {
                return Err(format!("unrecognized option '--{name}'"));
            };
            let value = match value {
                Some(value) => value,
                None if takes_value(*letter) => words.next().cloned().unwrap_or_default(),
                None => String::new(),
            };
            found.push((*letter, value));
        } else if let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) {
            // `-5` of head and tail.
            if flags.bytes().all(|byte| byte.is_ascii_digit()) && spec.starts_with('#') {
                found.push(('n', flags.to_owned()));
                continue;
            }
            let mut letters = flags.chars();
            while let Some(letter) = letters.next() {
                if !spec.contains(letter) || letter == ':' {
                    return Err(format!("invalid option -- '{letter}'"));
                }
                if takes_value(letter) {
                    let rest: String = letters.by_ref().collect();
                    let value = if rest.is_empty() { words.next().cloned() } else { Some(rest) };
                    let Some(value) = value else {
                        return Err(format!("option requires an argument -- '{letter}'"));
                    };
                    found.push((letter, value));
                } else {
                    found.push((letter, String::new()));
                }
            }
        } else {
            operands.push(word.clone());
        }
    }
    Ok((found, operands))
}

impl Filter {
    fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(other, _)| *other == letter)
    }

    fn value(&self, letter: char) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|(other, _)| *other == letter)
            .map(|(_, value)| value.as_str())
    }
}

impl Utility {
    pub fn new(
        name: &str,
        arguments: Vec<String>,
        cwd: String,
        environment: Vec<(String, String)>,
    ) -> Self {
        Self { name: name.to_owned(), arguments, cwd, environment, until: None, filter: None }
    }

    pub fn due(&self, world: &World, streams: &Streams, now: Micros) -> bool {
        if let Some(until) = self.until {
            return until <= now;
        }
        match &self.filter {
            Some(Filter { file: None, reading: Some(_), .. }) => world.readable(streams.stdin),
            Some(Filter { follow: true, .. }) => false,
            _ => true,
        }
    }

    pub fn deadline(&self) -> Option<Micros> {
        self.until
    }

    /// Whether it is reading its stdin.
    pub fn reads_stdin(&self) -> bool {
        matches!(&self.filter, Some(Filter { file: None, reading: Some(_), .. }))
    }

    /// Streams beyond the three.
    pub fn writes(&self, _pipe: PipeId) -> bool {
        false
    }

    /// One turn; its exit code when it is done.
    pub fn turn(&mut self, kernel: &mut Kernel<'_>) -> Option<i32> {
        if let Some(mut filter) = self.filter.take() {
            let done = self.run_filter(&mut filter, kernel);
            self.filter = Some(filter);
            return done;
        }
        if let Some(until) = self.until {
            return (until <= kernel.host.now()).then_some(0);
        }
        let filter = match self.name.as_str() {
            "cat" => Some(("nEbs", 0)),
            "head" => Some(("#n:c:q", 0)),
            "tail" => Some(("#n:c:fFq", 0)),
            "wc" => Some(("lwcm", 0)),
            "sort" => Some(("nruk:t:hs", 0)),
            "uniq" => Some(("cdu", 0)),
            "nl" => Some(("b:", 0)),
            "rev" => Some(("", 0)),
            "cut" => Some(("d:f:c:b:s", 0)),
            "grep" => Some(("EFivcnoqwxhHe:m:sA:B:C:P", 1)),
            "tr" => Some(("ds", 2)),
            "sed" => Some(("nEre:", 1)),
            "tee" => Some(("a", 9)),
            _ => None,
        };
        match filter {
            Some((spec, operands)) => self.begin_filter(spec, operands, kernel),
            None => self.at_once(kernel),
        }
    }

    fn complain(&self, kernel: &mut Kernel<'_>, message: &str) {
        kernel.err(&format!("{}: {message}\n", self.name));
    }

    fn begin_filter(
        &mut self,
        spec: &str,
        own_operands: usize,
        kernel: &mut Kernel<'_>,
    ) -> Option<i32> {
        let long = [
            ("lines", 'n'),
            ("bytes", 'c'),
            ("follow", 'f'),
            ("ignore-case", 'i'),
            ("invert-match", 'v'),
            ("count", 'c'),
            ("quiet", 'q'),
            ("line-number", 'n'),
            ("extended-regexp", 'E'),
            ("fixed-strings", 'F'),
            ("numeric-sort", 'n'),
            ("reverse", 'r'),
            ("unique", 'u'),
            ("delimiter", 'd'),
            ("fields", 'f'),
            ("append", 'a'),
            ("delete", 'd'),
            ("number", 'n'),
            ("words", 'w'),
            ("only-matching", 'o'),
            ("max-count", 'm'),
        ];
        let long: Vec<(&str, char)> =
            long.into_iter().filter(|(_, letter)| spec.contains(*letter)).collect();
        let (options, mut operands) = match options(&self.arguments, spec, &long) {
            Ok(parsed) => parsed,
            Err(message) => {
                self.complain(kernel, &message);
                kernel.err(&format!("Try '{} --help' for more information.\n", self.name));
                return Some(if self.name == "grep" { 2 } else { 1 });
            }
        };
        let pattern_given = options.iter().any(|(letter, _)| *letter == 'e');
        let own = if pattern_given { 0 } else { own_operands.min(operands.len()) };
        let files = operands.split_off(own);
        let mut filter = Filter {
            options,
            operands,
            several: files.len() > 1,
            inputs: files.into(),
            ..Filter::default()
        };
        if filter.inputs.is_empty() {
            filter.inputs.push_back("-".to_owned());
        }
        let wrong = match self.name.as_str() {
            "grep" if !pattern_given && filter.operands.is_empty() => Some((
                "usage",
                "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n",
                2,
            )),
            "tr" if filter.operands.is_empty() => {
                Some(("usage", "tr: missing operand\nTry 'tr --help' for more information.\n", 1))
            }
            "sed" if !pattern_given && filter.operands.is_empty() => Some((
                "usage",
                "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n",
                1,
            )),
            "cut" if !filter.has('f') && !filter.has('c') && !filter.has('b') => Some((
                "usage",
                "cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.\n",
                1,
            )),
            _ => None,
        };
        let count = filter.value('n').filter(|_| matches!(self.name.as_str(), "head" | "tail"));
        if let Some(count) =
            count.filter(|count| count.trim_start_matches(['-', '+']).parse::<u64>().is_err())
        {
            let message = format!("invalid number of lines: ‘{count}’");
            self.complain(kernel, &message);
            return Some(1);
        }
        if let Some((_, message, code)) = wrong {
            kernel.err(message);
            return Some(code);
        }
        if self.name == "tee" {
            for file in &filter.operands {
                let path = absolute(&self.cwd, file);
                let opened = if filter.has('a') {
                    kernel.world.disk.append(&path, b"")
                } else {
                    kernel.world.disk.write(&path, b"")
                };
                if let Err(error) = opened {
                    kernel.err(&format!("tee: {file}: {error}\n"));
                    filter.code = 1;
                }
            }
        }
        filter.code = if self.name == "grep" { 1 } else { filter.code };
        filter.follow = false;
        self.filter = Some(filter);
        None
    }

    fn run_filter(&mut self, filter: &mut Filter, kernel: &mut Kernel<'_>) -> Option<i32> {
        for _ in 0..LINES_PER_TURN {
            if filter.reading.is_none() {
                let Some(name) = filter.inputs.pop_front() else {
                    self.end_input(filter, kernel);
                    if self.name == "wc" && filter.several {
                        let totals = filter.totals;
                        (filter.lines, filter.words, filter.bytes) = totals;
                        kernel.out(&wc_line(filter, "total"));
                    }
                    return Some(filter.code);
                };
                filter.file = None;
                if name != "-" {
                    let path = absolute(&self.cwd, &name);
                    match kernel.world.disk.read(&path) {
                        Ok(bytes) => {
                            filter.file = Some(
                                bytes
                                    .split_inclusive(|byte| *byte == b'\n')
                                    .map(<[u8]>::to_vec)
                                    .collect(),
                            )
                        }
                        Err(error) => {
                            let shown = match (self.name.as_str(), error) {
                                ("head" | "tail", DiskError::IsADirectory) => {
                                    format!("error reading '{name}': {error}")
                                }
                                ("head" | "tail", error) => {
                                    format!("cannot open '{name}' for reading: {error}")
                                }
                                ("sed", error) => format!("can't read {name}: {error}"),
                                ("sort", error) => format!("cannot read: {name}: {error}"),
                                (_, error) => format!("{name}: {error}"),
                            };
                            self.complain(kernel, &shown);
                            filter.code = if matches!(self.name.as_str(), "grep" | "sort" | "sed") {
                                2
                            } else {
                                1
                            };
                            continue;
                        }
                    }
                }
                if filter.several
                    && matches!(self.name.as_str(), "head" | "tail")
                    && !filter.has('q')
                {
                    let blank = if filter.matched { "\n" } else { "" };
                    kernel.out(&format!("{blank}==> {name} <==\n"));
                    filter.matched = true;
                }
                filter.reading = Some(name);
            }
            let line = match &mut filter.file {
                Some(lines) => lines.pop_front(),
                None => match kernel.world.read_line(kernel.streams.stdin) {
                    Read::Wait => return None,
                    Read::End => None,
                    Read::Data(line) => Some(line),
                },
            };
            let Some(line) = line else {
                if self.ends_per_file() {
                    self.end_input(filter, kernel);
                }
                filter.reading = None;
                continue;
            };
            match self.line(filter, &line, kernel) {
                Ok(true) => {}
                Ok(false) if filter.inputs.is_empty() || self.name != "head" => {
                    return Some(filter.code);
                }
                Ok(false) => filter.reading = None,
                Err(message) => {
                    self.complain(kernel, &message);
                    return Some(if self.name == "grep" { 2 } else { 1 });
                }
            }
            if let Sink::Pipe(id) = kernel.streams.stdout
                && kernel
                    .world
                    .pipes
                    .get(&id)
                    .is_some_and(|pipe| !pipe.kept && pipe.buffer.len() > 4096)
            {
                return None;
            }
        }
        None
    }

    fn ends_per_file(&self) -> bool {
        matches!(self.name.as_str(), "tail" | "wc" | "head") || self.name == "grep"
    }

    /// One line with its newline (the last may lack it). `Ok(false)`: enough.
    fn line(
        &mut self,
        filter: &mut Filter,
        line: &[u8],
        kernel: &mut Kernel<'_>,
    ) -> Result<bool, String> {
        let body = line.strip_suffix(b"\n").unwrap_or(line);
        let text = || String::from_utf8_lossy(body).into_owned();
        let write = |kernel: &mut Kernel<'_>, bytes: &[u8]| {
            kernel.world.write(&kernel.streams.stdout, bytes)
        };
        match self.name.as_str() {
            "cat" | "nl" => {
                let number = filter.has('n')
                    || self.name == "nl" && !body.is_empty()
                    || filter.has('b') && !body.is_empty();
                if number {
                    filter.lines += 1;
                    write(kernel, format!("{:6}\t", filter.lines).as_bytes());
                } else if self.name == "nl" {
                    write(kernel, b"       ");
                }
                if filter.has('E') {
                    write(kernel, body);
                    write(kernel, if line.len() > body.len() { b"$\n" } else { b"" });
                } else {
                    write(kernel, line);
                }
            }
            "head" => {
                if let Some(count) = filter.value('c') {
                    let left = count
                        .parse::<u64>()
                        .map_err(|_| format!("invalid number of bytes: ‘{count}’"))?
                        - filter.bytes;
                    let part = &line[..line.len().min(left as usize)];
                    write(kernel, part);
                    filter.bytes += part.len() as u64;
                    return Ok((part.len() as u64) < left);
                }
                let given = filter.value('n').unwrap_or("10");
                let count = given
                    .trim_start_matches('-')
                    .parse::<u64>()
                    .map_err(|_| format!("invalid number of lines: ‘{given}’"))?;
                if given.starts_with('-') {
                    filter.kept.push_back(line.to_vec());
                    if filter.kept.len() as u64 > count
                        && let Some(first) = filter.kept.pop_front()
                    {
                        write(kernel, &first);
                    }
                    return Ok(true);
                }
                if count == 0 {
                    return Ok(false);
                }
                write(kernel, line);
                filter.lines += 1;
                if filter.lines >= count {
                    filter.lines = 0;
                    return Ok(false);
                }
            }
            "tail" => {
                if filter.has('c') {
                    filter.kept.push_back(line.to_vec());
                    return Ok(true);
                }
                filter.lines += 1;
                let given = filter.value('n').unwrap_or("10");
                if let Some(from) = given.strip_prefix('+') {
                    let from = from
                        .parse::<u64>()
                        .map_err(|_| format!("invalid number of lines: ‘{given}’"))?;
                    if filter.lines >= from {
                        write(kernel, line);
                    }
                    return Ok(true);
                }
                let count = given
                    .trim_start_matches('-')
                    .parse::<usize>()
                    .map_err(|_| format!("invalid number of lines: ‘{given}’"))?;
                filter.kept.push_back(line.to_vec());
                if filter.kept.len() > count {
                    filter.kept.pop_front();
                }
            }
            "wc" => {
                filter.lines += u64::from(line.len() > body.len());
                filter.words +=
                    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count()
                        as u64;
                filter.bytes += match filter.has('m') {
                    true => String::from_utf8_lossy(line).chars().count() as u64,
                    false => line.len() as u64,
                };
            }
            "sort" => filter.kept.push_back(body.to_vec()),
            "uniq" => {
                if filter.last.as_deref() == Some(body) {
                    filter.repeats += 1;
                } else {
                    let before = uniq_line(filter);
                    write(kernel, &before);
                    filter.last = Some(body.to_vec());
                    filter.repeats = 1;
                }
            }
            "rev" => {
                write(kernel, format!("{}\n", text().chars().rev().collect::<String>()).as_bytes())
            }
            "cut" => {
                if let Some(cut) = cut(filter, &text())? {
                    write(kernel, format!("{cut}\n").as_bytes());
                }
            }
            "tr" => {
                let text = String::from_utf8_lossy(line).into_owned();
                let translated = translate(filter, &text)?;
                write(kernel, translated.as_bytes());
            }
            "tee" => {
                write(kernel, line);
                for file in &filter.operands {
                    let _ = kernel.world.disk.append(&absolute(&self.cwd, file), line);
                }
            }
            "grep" => return self.grep(filter, &text(), kernel),
            "sed" => return sed(filter, &text(), line.len() > body.len(), kernel),
            _ => {}
        }
        Ok(true)
    }

    /// The input (or one file of it) has ended.
    fn end_input(&mut self, filter: &mut Filter, kernel: &mut Kernel<'_>) {
        let write = |kernel: &mut Kernel<'_>, bytes: &[u8]| {
            kernel.world.write(&kernel.streams.stdout, bytes)
        };
        match self.name.as_str() {
            "head" => {
                filter.kept.clear();
                filter.lines = 0;
            }
            "tail" => {
                let kept: Vec<u8> =
                    std::mem::take(&mut filter.kept).into_iter().flatten().collect();
                let from = match filter
                    .value('c')
                    .and_then(|count| count.trim_start_matches('-').parse::<usize>().ok())
                {
                    Some(count) => kept.len().saturating_sub(count),
                    None => 0,
                };
                write(kernel, &kept[from..]);
                filter.lines = 0;
            }
            "wc" if filter.reading.is_some() => {
                let name = filter.reading.clone().filter(|name| name != "-").unwrap_or_default();
                kernel.out(&wc_line(filter, &name));
                filter.totals.0 += filter.lines;
                filter.totals.1 += filter.words;
                filter.totals.2 += filter.bytes;
                (filter.lines, filter.words, filter.bytes) = (0, 0, 0);
            }
            "sort" => {
                let sorted = sort(filter);
                for line in sorted {
                    write(kernel, &line);
                    write(kernel, b"\n");
                }
            }
            "uniq" => {
                let last = uniq_line(filter);
                write(kernel, &last);
            }
            "grep" if filter.has('c') && filter.reading.is_some() => {
                let prefix = grep_prefix(filter);
                kernel.out(&format!("{prefix}{}\n", filter.lines));
                filter.lines = 0;
            }
            _ => {}
        }
    }

    fn grep(
        &self,
        filter: &mut Filter,
        text: &str,
        kernel: &mut Kernel<'_>,
    ) -> Result<bool, String> {
        let patterns: Vec<String> = match filter.value('e') {
            Some(_) => filter
                .options
                .iter()
                .filter(|(letter, _)| *letter == 'e')
                .map(|(_, value)| value.clone())
                .collect(),
            None => filter.operands.clone(),
        };
        let ignore_case = filter.has('i');
        let letters: Vec<char> = text.chars().collect();
        let mut found: Option<(usize, usize)> = None;
        let mut all: Vec<(usize, usize)> = Vec::new();
        for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
            let syntax =
                if filter.has('E') || filter.has('P') { Syntax::Extended } else { Syntax::Basic };
            let source = if filter.has('F') {
                pattern
                    .chars()
                    .flat_map(|letter| {
                        if ".*[]^$\\".contains(letter) { vec!['\\', letter] } else { vec![letter] }
                    })
                    .collect()
            } else {
                pattern.to_owned()
            };
            let compiled =
                Pattern::new(&source, syntax, ignore_case).map_err(|error| {
                    match error.message {
                        "Unclosed character class" => "Unmatched [, [^, [:, [., or [=".to_owned(),
                        "Unclosed group" => "Unmatched ( or \\(".to_owned(),
                        "Unmatched closing ')'" => "Unmatched ) or \\)".to_owned(),
                        _ => "Invalid regular expression".to_owned(),
                    }
                })?;
            let mut from = 0;
            while let Some((start, end)) =
                compiled.find(&letters, from).and_then(|groups| groups[0])
            {
                let word = |at: Option<usize>| {
                    at.and_then(|at| letters.get(at))
                        .is_some_and(|l| l.is_alphanumeric() || *l == '_')
                };
                let fits = (!filter.has('w') || !word(start.checked_sub(1)) && !word(Some(end)))
                    && (!filter.has('x') || start == 0 && end == letters.len());
                if fits {
                    found.get_or_insert((start, end));
                    if end > start {
                        all.push((start, end));
                    }
                }
                from = if end > start { end } else { start + 1 };
                if !filter.has('o') && found.is_some() || from > letters.len() {
                    break;
                }
            }
        }
        filter.repeats += 1;
        if found.is_some() == filter.has('v') {
            return Ok(true);
        }
        if filter.code == 1 {
            filter.code = 0;
        }
        filter.lines += 1;
        if filter.has('q') {
            filter.code = 0;
            return Ok(false);
        }
        if !filter.has('c') {
            let mut prefix = grep_prefix(filter);
            if filter.has('n') {
                prefix.push_str(&format!("{}:", filter.repeats));
            }
            if filter.has('o') {
                for (start, end) in all {
                    let piece: String = letters[start..end].iter().collect();
                    kernel.out(&format!("{prefix}{piece}\n"));
                }
            } else {
                kernel.out(&format!("{prefix}{text}\n"));
            }
        }
        let enough = filter
            .value('m')
            .and_then(|count| count.parse::<u64>().ok())
            .is_some_and(|count| filter.lines >= count);
        Ok(!enough)
    }

    /// Programs that do not read their input.
    fn at_once(&mut self, kernel: &mut Kernel<'_>) -> Option<i32> {
        let arguments = self.arguments.clone();
        let flags = |letter: char| {
            arguments.iter().any(|word| {
                word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
            })
        };
        let operands: Vec<&String> =
            arguments.iter().filter(|word| !word.starts_with('-') || *word == "-").collect();
        Some(match self.name.as_str() {
            "sleep" => {
                let spans: Option<Vec<Micros>> =
                    operands.iter().map(|word| duration(word)).collect();
                match spans {
                    Some(spans) if !spans.is_empty() => {
                        let span = spans.into_iter().fold(Micros::ZERO, |sum, span| sum + span);
                        self.until = Some(kernel.host.now() + span);
                        return if span == Micros::ZERO { Some(0) } else { None };
                    }
                    Some(_) => {
                        self.complain(kernel, "missing operand");
                        kernel.err("Try 'sleep --help' for more information.\n");
                    }
                    None => {
                        let wrong = operands
                            .iter()
                            .find(|word| duration(word).is_none())
                            .map_or("", |word| word.as_str());
                        self.complain(kernel, &format!("invalid time interval ‘{wrong}’"));
                        kernel.err("Try 'sleep --help' for more information.\n");
                    }
                }
                1
            }
            "seq" => self.seq(kernel),
            "ls" => self.ls(kernel),
            "date" => self.date(kernel),
            "expr" => self.expr(kernel),
            "rm" | "rmdir" => {
                let mut code = 0;
                if operands.is_empty() && !flags('f') {
                    self.complain(kernel, "missing operand");
                    kernel.err(&format!("Try '{} --help' for more information.\n", self.name));
                    return Some(1);
                }
                for operand in operands {
                    let path = absolute(&self.cwd, operand);
                    let disk = &mut kernel.world.disk;
                    let result = match self.name.as_str() {
                        "rmdir" => disk
                            .remove_directory(&path)
                            .map_err(|error| format!("failed to remove '{operand}': {error}")),
                        _ if disk.is_directory(&path) && (flags('r') || flags('R')) => {
                            disk.remove_all(&path);
                            Ok(())
                        }
                        _ if flags('f') && !disk.exists(&path) => Ok(()),
                        _ => disk
                            .remove(&path)
                            .map_err(|error| format!("cannot remove '{operand}': {error}")),
                    };
                    if let Err(message) = result {
                        self.complain(kernel, &message);
                        code = 1;
                    }
                }
                code
            }
            "mkdir" => {
                let mut code = 0;
                if operands.is_empty() {
                    self.complain(kernel, "missing operand");
                    kernel.err("Try 'mkdir --help' for more information.\n");
                    return Some(1);
                }
                for operand in operands {
                    let path = absolute(&self.cwd, operand);
                    let mut result = Ok(());
                    if flags('p') {
                        let mut at = String::new();
                        for part in path.split('/').filter(|part| !part.is_empty()) {
                            at.push('/');
                            at.push_str(part);
                            if !kernel.world.disk.is_directory(&at) {
                                result = kernel.world.disk.make_directory(&at);
                            }
                        }
                    } else {
                        result = kernel.world.disk.make_directory(&path);
                    }
                    if let Err(error) = result {
                        self.complain(
                            kernel,
                            &format!("cannot create directory ‘{operand}’: {error}"),
                        );
                        code = 1;
                    }
                }
                code
            }
            "touch" => {
                let mut code = 0;
                for operand in operands {
                    let path = absolute(&self.cwd, operand);
                    if !kernel.world.disk.exists(&path)
                        && let Err(error) = kernel.world.disk.write(&path, b"")
                    {
                        self.complain(kernel, &format!("cannot touch '{operand}': {error}"));
                        code = 1;
                    }
                }
                code
            }
            "cp" | "mv" => self.copy(&operands, kernel),
            "basename" => {
                let path = operands.first().map_or("", |path| path.trim_end_matches('/'));
                let name = path.rsplit('/').next().unwrap_or(path);
                let suffix = operands.get(1).map_or("", |suffix| suffix.as_str());
                let name =
                    name.strip_suffix(suffix).filter(|name| !name.is_empty()).unwrap_or(name);
                kernel.out(&format!("{name}\n"));
                0
            }
            "dirname" => {
                let path = operands.first().map_or("", |path| path.trim_end_matches('/'));
                let folder = match path.rsplit_once('/') {
                    Some(("", _)) => "/",
                    Some((folder, _)) => folder,
                    None => ".",
                };
                kernel.out(&format!("{folder}\n"));
                0
            }
            "env" | "printenv" => {
                let mut code = 0;
                match operands.first() {
                    Some(name) => match self.environment.iter().find(|(known, _)| known == *name) {
                        Some((_, value)) => kernel.out(&format!("{value}\n")),
                        None => code = 1,
                    },
                    None => {
                        let text: Vec<String> = self
                            .environment
                            .iter()
                            .map(|(name, value)| format!("{name}={value}\n"))
                            .collect();
                        kernel.out(&text.concat());
                    }
                }
                code
            }
            "hostname" | "whoami" | "uname" => {
                let variable = |name: &str| {
                    self.environment
                        .iter()
                        .find(|(known, _)| known == name)
                        .map(|(_, value)| value.clone())
                };
                let text = match self.name.as_str() {
                    "hostname" => variable("HOSTNAME"),
                    "whoami" => variable("USER"),
                    _ => Some("Linux".to_owned()),
                };
                kernel.out(&format!("{}\n", text.unwrap_or_default()));
                0
            }
            _ => 0,
        })
    }

    fn seq(&self, kernel: &mut Kernel<'_>) -> i32 {
        let mut separator = "\n".to_owned();
        let mut pad = false;
        let mut numbers = Vec::new();
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-w" => pad = true,
                "-s" => separator = words.next().cloned().unwrap_or_default(),
                word if word.starts_with("-s") => word[2..].clone_into(&mut separator),
                "-f" => {
                    words.next();
                }
                word => numbers.push(word.to_owned()),
            }
        }
        let places = numbers
            .iter()
            .filter_map(|number| number.split_once('.'))
            .map(|(_, digits)| digits.len())
            .max()
            .unwrap_or(0)
            .min(6);
        let scale = 10_i64.pow(places as u32);
        let parse = |word: &String| {
            let bare = word.trim_start_matches(['-', '+']);
            let valid = !bare.is_empty()
                && bare.len() < 16
                && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            valid
                .then(|| {
                    decimal(word.trim_start_matches('+'), places)
                        .replace('.', "")
                        .parse::<i64>()
                        .ok()
                })
                .flatten()
        };
        let mut values = Vec::new();
        for word in &numbers {
            match parse(word) {
                Some(value) => values.push(value),
                None => {
                    self.complain(kernel, &format!("invalid floating point argument: ‘{word}’"));
                    kernel.err("Try 'seq --help' for more information.\n");
                    return 1;
                }
            }
        }
        let (first, step, last) = match values.as_slice() {
            [last] => (scale, scale, *last),
            [first, last] => (*first, scale, *last),
            [first, step, last] => (*first, *step, *last),
            _ => {
                self.complain(
                    kernel,
                    if values.is_empty() { "missing operand" } else { "extra operand" },
                );
                kernel.err("Try 'seq --help' for more information.\n");
                return 1;
            }
        };
        if step == 0 {
            self.complain(kernel, &format!("invalid Zero increment value: ‘{}’", numbers[1]));
            kernel.err("Try 'seq --help' for more information.\n");
            return 1;
        }
        let show = |value: i64| {
            if places == 0 {
                return value.to_string();
            }
            let sign = if value < 0 { "-" } else { "" };
            format!("{sign}{}.{:0places$}", (value / scale).abs(), (value % scale).abs())
        };
        let width = if pad { show(first).len().max(show(last).len()) } else { 0 };
        let mut text = String::new();
        let mut value = first;
        let mut count = 0_u32;
        while if step > 0 { value <= last } else { value >= last } {
            if count > 0 {
                text.push_str(&separator);
            }
            let shown = show(value);
            text.extend(std::iter::repeat_n('0', width.saturating_sub(shown.len())));
            text.push_str(&shown);
            count += 1;
            let Some(next) = value.checked_add(step).filter(|_| count < 2_000_000) else { break };
            value = next;
        }
        if count > 0 {
            text.push('\n');
        }
        kernel.out(&text);
        0
    }

    fn ls(&self, kernel: &mut Kernel<'_>) -> i32 {
        let (options, mut operands) = match options(&self.arguments, "la1hRtrdAF", &[("all", 'a')])
        {
            Ok(parsed) => parsed,
            Err(message) => {
                self.complain(kernel, &message);
                kernel.err("Try 'ls --help' for more information.\n");
                return 2;
            }
        };
        let has = |letter: char| options.iter().any(|(other, _)| *other == letter);
        if operands.is_empty() {
            operands.push(".".to_owned());
        }
        simulation::sorted::sort(&mut operands);
        let columns = matches!(kernel.streams.stdout, Sink::Terminal(..)) && !has('1') && !has('l');
        let mut code = 0;
        let mut blocks: Vec<String> = Vec::new();
        let mut files = Vec::new();
        let mut folders = Vec::new();
        for operand in &operands {
            let path = absolute(&self.cwd, operand);
            if kernel.world.disk.is_directory(&path) && !has('d') {
                folders.push((operand.clone(), path));
            } else if kernel.world.disk.exists(&path) {
                files.push((operand.clone(), path));
            } else {
                self.complain(
                    kernel,
                    &format!("cannot access '{operand}': No such file or directory"),
                );
                code = 2;
            }
        }
        let clock = kernel.clock_ms();
        let disk = &kernel.world.disk;
        let show = |entries: &[(String, String)]| -> String {
            if has('l') {
                let at = civil(clock);
                let months = [
                    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                    "Dec",
                ];
                let sizes: Vec<usize> = entries
                    .iter()
                    .map(|(_, path)| disk.read(path).map_or(4096, <[u8]>::len))
                    .collect();
                let width = sizes.iter().max().map_or(1, |size| size.to_string().len());
                return entries
                    .iter()
                    .zip(&sizes)
                    .map(|((name, path), size)| {
                        let (kind, links) = if disk.is_directory(path) { ("drwxr-xr-x", 2) } else { ("-rw-r--r--", 1) };
                        format!(
                            "{kind} {links} kafka kafka {size:>width$} {} {:>2} {:02}:{:02} {name}\n",
                            months[at.month as usize - 1], at.day, at.hour, at.minute
                        )
                    })
                    .collect();
            }
            if columns {
                let names: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
                return if names.is_empty() {
                    String::new()
                } else {
                    format!("{}\n", names.join("  "))
                };
            }
            entries.iter().map(|(name, _)| format!("{name}\n")).collect()
        };
        if !files.is_empty() {
            blocks.push(show(&files));
        }
        let titled = operands.len() > 1;
        for (operand, path) in folders {
            let entries: Vec<(String, String)> = disk
                .list(&path)
                .into_iter()
                .filter(|name| has('a') || has('A') || !name.starts_with('.'))
                .map(|name| (name.clone(), absolute(&path, &name)))
                .collect();
            let title = if titled { format!("{operand}:\n") } else { String::new() };
            let total =
                if has('l') { format!("total {}\n", entries.len() * 4) } else { String::new() };
            blocks.push(format!("{title}{total}{}", show(&entries)));
        }
        kernel.out(&blocks.join("\n"));
        code
    }

    fn date(&self, kernel: &mut Kernel<'_>) -> i32 {
        const DAYS: [&str; 7] =
            ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let mut clock = kernel.clock_ms();
        let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
        let mut words = self.arguments.iter();
        while let Some(word) = words.next() {
            if let Some(given) = word.strip_prefix('+') {
                given.clone_into(&mut format);
            } else if matches!(word.as_str(), "-d" | "--date") || word.starts_with("--date=") {
                let text = match word.split_once('=') {
                    Some((_, text)) => text.to_owned(),
                    None => words.next().cloned().unwrap_or_default(),
                };
                match moment(&text, clock) {
                    Some(moment) => clock = moment,
                    None => {
                        self.complain(kernel, &format!("invalid date ‘{text}’"));
                        return 1;
                    }
                }
            } else if word == "-Iseconds" {
                "%Y-%m-%dT%H:%M:%S+00:00".clone_into(&mut format);
            } else if word == "-I" {
                "%Y-%m-%d".clone_into(&mut format);
            }
        }
        let at = civil(clock);
        let mut text = String::new();
        let mut letters = format.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            let digits: String =
                std::iter::from_fn(|| letters.next_if(char::is_ascii_digit)).collect();
            let nanos = format!("{:03}000000", at.millisecond);
            match letters.next() {
                Some('Y') => text.push_str(&at.year.to_string()),
                Some('y') => text.push_str(&format!("{:02}", at.year % 100)),
                Some('m') => text.push_str(&format!("{:02}", at.month)),
                Some('d') => text.push_str(&format!("{:02}", at.day)),
                Some('e') => text.push_str(&format!("{:2}", at.day)),
                Some('H') => text.push_str(&format!("{:02}", at.hour)),
                Some('I') => text.push_str(&format!("{:02}", (at.hour + 11) % 12 + 1)),
                Some('p') => text.push_str(if at.hour < 12 { "AM" } else { "PM" }),
                Some('M') => text.push_str(&format!("{:02}", at.minute)),
                Some('S') => text.push_str(&format!("{:02}", at.second)),
                Some('N') => text.push_str(&nanos[..digits.parse().unwrap_or(9).clamp(1, 9)]),
                Some('s') => text.push_str(&(clock / 1000).to_string()),
                Some('F') => text.push_str(&format!("{}-{:02}-{:02}", at.year, at.month, at.day)),
                Some('T') => {
                    text.push_str(&format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second))
                }
                Some('D') => {
                    text.push_str(&format!("{:02}/{:02}/{:02}", at.month, at.day, at.year % 100))
                }
                Some('R') => text.push_str(&format!("{:02}:{:02}", at.hour, at.minute)),
                Some('j') => text.push_str(&format!("{:03}", at.day_of_year)),
                Some('a') => text.push_str(&DAYS[at.weekday as usize][..3]),
                Some('A') => text.push_str(DAYS[at.weekday as usize]),
                Some('b' | 'h') => text.push_str(&MONTHS[at.month as usize - 1][..3]),
                Some('B') => text.push_str(MONTHS[at.month as usize - 1]),
                Some('u') => {
                    text.push_str(&(if at.weekday == 0 { 7 } else { at.weekday }).to_string())
                }
                Some('w') => text.push_str(&at.weekday.to_string()),
                Some('Z') => text.push_str("UTC"),
                Some('z') => text.push_str("+0000"),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('%') => text.push('%'),
                Some(other) => {
                    text.push('%');
                    text.push(other);
                }
                None => text.push('%'),
            }
        }
        kernel.out(&format!("{text}\n"));
        0
    }

    fn expr(&self, kernel: &mut Kernel<'_>) -> i32 {
        struct NoNames;
        impl crate::shell::arithmetic::Names for NoNames {
            fn get(&self, _: &str) -> String {
                String::new()
            }
            fn set(&mut self, _: &str, _: i64) {}
        }
        let text = self.arguments.join(" ").replace(" = ", " == ");
        match crate::shell::arithmetic::evaluate(&text, &mut NoNames) {
            Ok(value) => {
                kernel.out(&format!("{value}\n"));
                i32::from(value == 0)
            }
            Err(_) => {
                self.complain(kernel, "syntax error");
                2
            }
        }
    }

    fn copy(&self, operands: &[&String], kernel: &mut Kernel<'_>) -> i32 {
        let Some((target, sources)) =
            operands.split_last().filter(|(_, sources)| !sources.is_empty())
        else {
            let message = match operands.first() {
                None => "missing file operand".to_owned(),
                Some(only) => format!("missing destination file operand after '{only}'"),
            };
            self.complain(kernel, &message);
            kernel.err(&format!("Try '{} --help' for more information.\n", self.name));
            return 1;
        };
        let mut code = 0;
        for source in sources {
            let from = absolute(&self.cwd, source);
            let mut to = absolute(&self.cwd, target);
            if kernel.world.disk.is_directory(&to) {
                to = absolute(&to, from.rsplit('/').next().unwrap_or_default());
            }
            let bytes = kernel.world.disk.read(&from).map(<[u8]>::to_vec);
            let result = match bytes {
                Ok(bytes) => kernel
                    .world
                    .disk
                    .write(&to, &bytes)
                    .map_err(|error| format!("cannot create regular file '{target}': {error}")),
                Err(DiskError::IsADirectory) => {
                    Err(format!("-r not specified; omitting directory '{source}'"))
                }
                Err(error) => Err(format!("cannot stat '{source}': {error}")),
            };
            match result {
                Ok(()) if self.name == "mv" && from != to => {
                    let _ = kernel.world.disk.remove(&from);
                }
                Ok(()) => {}
                Err(message) => {
                    self.complain(kernel, &message);
                    code = 1;
                }
            }
        }
        code
    }
}

/// A moment as `date -d` reads it: `@seconds`, `now`, `N minutes ago`, `YYYY-MM-DD[ T]HH:MM[:SS]`.
fn moment(text: &str, now: u64) -> Option<u64> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse::<u64>().ok()?.checked_mul(1000);
    }
    if text == "now" {
        return Some(now);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (count, unit, ago) = match words.as_slice() {
        [count, unit] => (*count, *unit, false),
        [count, unit, "ago"] => (*count, *unit, true),
        _ => ("", "", false),
    };
    if let Ok(count) = count.trim_start_matches('+').parse::<i64>() {
        let unit_ms = match unit.trim_end_matches('s') {
            "sec" | "second" => 1_000,
            "min" | "minute" => 60_000,
            "hour" => 3_600_000,
            "day" => 86_400_000,
            "week" => 604_800_000,
            _ => 0,
        };
        if unit_ms > 0 {
            let span = count.checked_mul(unit_ms)?;
            return now.checked_add_signed(if ago { -span } else { span });
        }
    }
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let mut numbers = date.splitn(3, '-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let time = time.trim_end_matches('Z');
    let mut numbers = time
        .splitn(3, ':')
        .map(|part| part.split('.').next().unwrap_or_default().parse::<u64>().ok());
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().flatten().unwrap_or(0);
    let valid = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60;
    let days =
        u64::try_from(days_from_civil(i64::from(year), month, day)).ok().filter(|_| valid)?;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1000)
}

fn wc_line(filter: &Filter, name: &str) -> String {
    let chosen: Vec<u64> = [('l', filter.lines), ('w', filter.words)]
        .into_iter()
        .filter(|(letter, _)| filter.has(*letter))
        .map(|(_, count)| count)
        .chain((filter.has('c') || filter.has('m')).then_some(filter.bytes))
        .collect();
    let counts =
        if chosen.is_empty() { vec![filter.lines, filter.words, filter.bytes] } else { chosen };
    let width = match counts.len() {
        1 => 1,
        _ if filter.reading.as_deref() == Some("-") => 7,
        _ => counts.iter().map(|count| count.to_string().len()).max().unwrap_or(1),
    };
    let shown: Vec<String> = counts.iter().map(|count| format!("{count:>width$}")).collect();
    let name = if name.is_empty() { String::new() } else { format!(" {name}") };
    format!("{}{name}\n", shown.join(" "))
}

fn uniq_line(filter: &mut Filter) -> Vec<u8> {
    let Some(last) = filter.last.take() else { return Vec::new() };
    if filter.has('d') && filter.repeats < 2 || filter.has('u') && filter.repeats > 1 {
        return Vec::new();
    }
    let mut line =
        if filter.has('c') { format!("{:7} ", filter.repeats).into_bytes() } else { Vec::new() };
    line.extend(last);
    line.push(b'\n');
    line
}

fn sort(filter: &mut Filter) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = std::mem::take(&mut filter.kept).into();
    let separator = filter.value('t').and_then(|text| text.chars().next());
    let (key, key_flags) = match filter.value('k') {
        Some(spec) => {
            let start = spec.split(',').next().unwrap_or_default();
            let digits: String = start.chars().take_while(char::is_ascii_digit).collect();
            let flags: String = spec.chars().filter(char::is_ascii_alphabetic).collect();
            (digits.parse::<usize>().ok(), flags)
        }
        None => (None, String::new()),
    };
    let numeric = filter.has('n') || filter.has('h') || key_flags.contains('n');
    let reverse = filter.has('r') || key_flags.contains('r');
    let key_of = |line: &[u8]| -> String {
        let text = String::from_utf8_lossy(line).into_owned();
        match (key, separator) {
            (None, _) => text,
            (Some(number), Some(separator)) => text
                .split(separator)
                .skip(number.saturating_sub(1))
                .collect::<Vec<_>>()
                .join(&separator.to_string()),
            (Some(number), None) => {
                text.split_whitespace().skip(number.saturating_sub(1)).collect::<Vec<_>>().join(" ")
            }
        }
    };
    let number_of = |text: &str| {
        let text = text.trim_start();
        let end = text.char_indices().find(|(at, letter)| {
            !(letter.is_ascii_digit() || *letter == '.' || *at == 0 && *letter == '-')
        });
        let digits = &text[..end.map_or(text.len(), |(at, _)| at)];
        decimal(if digits.len() < 15 { digits } else { &digits[..15] }, 6)
            .replace('.', "")
            .parse::<i128>()
            .unwrap_or(0)
    };
    let compare = |left: &[u8], right: &[u8]| {
        let (left, right) = (key_of(left), key_of(right));
        if numeric {
            number_of(&left).cmp(&number_of(&right))
        } else {
            left.as_bytes().cmp(right.as_bytes())
        }
    };
    simulation::sorted::sort_by(&mut lines, |left, right| {
        let order = compare(left, right).then_with(|| {
            if filter.has('s') { std::cmp::Ordering::Equal } else { left.cmp(right) }
        });
        if reverse { order.reverse() } else { order }
    });
    if filter.has('u') {
        lines.dedup_by(|right, left| compare(left, right).is_eq());
    }
    lines
}

/// The positions of `1,3-5,7-`, from 1.
fn positions(spec: &str) -> Result<Vec<(usize, usize)>, String> {
    spec.split(',')
        .map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let from = if from.is_empty() { Some(1) } else { from.parse().ok() };
            let to = if to.is_empty() { Some(usize::MAX) } else { to.parse().ok() };
            match (from, to) {
                (Some(from), Some(to)) if from >= 1 && to >= from => Ok((from, to)),
                (Some(0), _) => Err("fields are numbered from 1".to_owned()),
                _ => Err(format!("invalid field value ‘{part}’")),
            }
        })
        .collect()
}

fn cut(filter: &Filter, text: &str) -> Result<Option<String>, String> {
    let inside = |ranges: &[(usize, usize)], at: usize| {
        ranges.iter().any(|(from, to)| (*from..=*to).contains(&at))
    };
    if let Some(spec) = filter.value('c').or_else(|| filter.value('b')) {
        let ranges = positions(spec)?;
        return Ok(Some(
            text.chars()
                .enumerate()
                .filter(|(at, _)| inside(&ranges, at + 1))
                .map(|(_, letter)| letter)
                .collect(),
        ));
    }
    let ranges = positions(filter.value('f').unwrap_or_default())?;
    let delimiter = filter.value('d').unwrap_or("\t");
    if delimiter.chars().count() != 1 {
        return Err("the delimiter must be a single character".to_owned());
    }
    if !text.contains(delimiter) {
        return Ok(if filter.has('s') { None } else { Some(text.to_owned()) });
    }
    let chosen: Vec<&str> = text
        .split(delimiter)
        .enumerate()
        .filter(|(at, _)| inside(&ranges, at + 1))
        .map(|(_, field)| field)
        .collect();
    Ok(Some(chosen.join(delimiter)))
}

/// The letters of a `tr` set.
fn letters_of(set: &str) -> Vec<char> {
    let mut letters = Vec::new();
    let mut rest = set;
    for class in ["alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct"] {
        let token = format!("[:{class}:]");
        if rest.contains(&token) {
            letters.extend((0_u8..128).map(char::from).filter(|letter| in_class(class, *letter)));
            rest = rest.split_once(&token).map_or("", |(_, after)| after);
        }
    }
    let source: Vec<char> = crate::shell::text::unescape(rest, true).0.chars().collect();
    let mut at = 0;
    while at < source.len() {
        if source.get(at + 1) == Some(&'-')
            && source.get(at + 2).is_some_and(|end| *end >= source[at])
        {
            letters.extend(source[at]..=source[at + 2]);
            at += 3;
        } else {
            letters.push(source[at]);
            at += 1;
        }
    }
    letters
}

fn translate(filter: &mut Filter, text: &str) -> Result<String, String> {
    let from = letters_of(&filter.operands[0]);
    let to = filter.operands.get(1).map(|set| letters_of(set)).unwrap_or_default();
    if to.is_empty() && !filter.has('d') && !filter.has('s') {
        return Err(format!("missing operand after ‘{}’", filter.operands[0]));
    }
    let squeezed = if to.is_empty() { &from } else { &to };
    let mut result = String::new();
    let mut before =
        filter.last.as_ref().and_then(|bytes| String::from_utf8_lossy(bytes).chars().next());
    for letter in text.chars() {
        let place = from.iter().position(|other| *other == letter);
        let letter = match place {
            Some(_) if filter.has('d') => continue,
            Some(place) if !to.is_empty() => to[place.min(to.len() - 1)],
            _ => letter,
        };
        if filter.has('s') && before == Some(letter) && squeezed.contains(&letter) {
            continue;
        }
        before = Some(letter);
        result.push(letter);
    }
    filter.last = before.map(|letter| letter.to_string().into_bytes());
    Ok(result)
}

fn grep_prefix(filter: &Filter) -> String {
    match &filter.reading {
        Some(name) if (filter.several || filter.has('H')) && !filter.has('h') => {
            format!("{}:", if name == "-" { "(standard input)" } else { name })
        }
        _ => String::new(),
    }
}

/// `s/…/…/[gi]`, `/…/d`, `/…/p`, `Nd`, `Np`, several separated by `;`.
fn sed(
    filter: &mut Filter,
    text: &str,
    newline: bool,
    kernel: &mut Kernel<'_>,
) -> Result<bool, String> {
    let script = filter
        .value('e')
        .map_or_else(|| filter.operands.first().cloned().unwrap_or_default(), String::from);
    let syntax = if filter.has('E') || filter.has('r') { Syntax::Extended } else { Syntax::Basic };
    filter.lines += 1;
    let mut line = text.to_owned();
    let shown = !filter.has('n');
    let mut extra = Vec::new();
    let unknown = || format!("-e expression #1, char {}: unknown command", script.chars().count());
    let mut rest: Vec<char> = script.chars().collect();
    while !rest.is_empty() {
        let first = rest[0];
        if first == ';' || first.is_whitespace() {
            rest.remove(0);
            continue;
        }
        let mut applies = true;
        let delimited = |letters: &[char], delimiter: char| -> Option<(String, usize)> {
            let mut part = String::new();
            let mut at = 0;
            loop {
                match (letters.get(at)?, letters.get(at + 1)) {
                    ('\\', Some(next)) if *next == delimiter => {
                        part.push(delimiter);
                        at += 2;
                    }
                    ('\\', Some(next)) => {
                        part.push('\\');
                        part.push(*next);
                        at += 2;
                    }
                    (letter, _) if *letter == delimiter => return Some((part, at + 1)),
                    (letter, _) => {
                        part.push(*letter);
                        at += 1;
                    }
                }
            }
        };
        if first.is_ascii_digit() {
            let digits: String = rest.iter().take_while(|letter| letter.is_ascii_digit()).collect();
            rest.drain(..digits.len());
            applies = digits.parse() == Ok(filter.lines);
        } else if first == '/' {
            let (pattern, used) = delimited(&rest[1..], '/')
                .ok_or_else(|| "-e expression #1: unterminated address regex".to_owned())?;
            rest.drain(..=used);
            let pattern = Pattern::new(&pattern, syntax, false)
                .map_err(|_| "-e expression #1: Invalid regular expression".to_owned())?;
            applies = pattern.is_match(&line);
        }
        let Some(command) = rest.first().copied() else { return Err(unknown()) };
        rest.remove(0);
        match command {
            'd' => {
                if applies {
                    return Ok(true);
                }
            }
            'p' => {
                if applies {
                    extra.push(line.clone());
                }
            }
            'q' => {
                if applies {
                    kernel.out(&format!("{line}\n"));
                    return Ok(false);
                }
            }
            's' => {
                let unterminated = || "-e expression #1: unterminated `s' command".to_owned();
                let delimiter = rest.first().copied().ok_or_else(unterminated)?;
                rest.remove(0);
                let (pattern, used) = delimited(&rest, delimiter).ok_or_else(unterminated)?;
                rest.drain(..used);
                let (with, used) = delimited(&rest, delimiter).ok_or_else(unterminated)?;
                rest.drain(..used);
                let flags: String =
                    rest.iter().take_while(|letter| letter.is_ascii_alphabetic()).collect();
                rest.drain(..flags.len());
                if !applies {
                    continue;
                }
                let pattern = Pattern::new(&pattern, syntax, flags.contains(['i', 'I']))
                    .map_err(|_| "-e expression #1: Invalid regular expression".to_owned())?;
                let (replaced, changed) = substitute(&line, &pattern, &with, flags.contains('g'));
                line = replaced;
                if changed && flags.contains('p') {
                    extra.push(line.clone());
                }
            }
            _ => return Err(unknown()),
        }
    }
    for line in extra {
        kernel.out(&format!("{line}\n"));
    }
    if shown {
        kernel.out(&line);
        if newline {
            kernel.out("\n");
        }
    }
    Ok(true)
}

fn substitute(line: &str, pattern: &Pattern, with: &str, all: bool) -> (String, bool) {
    let letters: Vec<char> = line.chars().collect();
    let mut text = String::new();
    let mut at = 0;
    let mut changed = false;
    while at <= letters.len() {
        let Some(groups) = pattern.find(&letters, at).filter(|_| all || !changed) else { break };
        let Some((start, end)) = groups[0] else { break };
        text.extend(&letters[at..start]);
        changed = true;
        let mut template = with.chars();
        while let Some(letter) = template.next() {
            let group = match letter {
                '&' => Some(0),
                '\\' => match template.next() {
                    Some(digit) if digit.is_ascii_digit() => Some(digit as usize - '0' as usize),
                    Some('n') => {
                        text.push('\n');
                        None
                    }
                    Some('t') => {
                        text.push('\t');
                        None
                    }
                    other => {
                        text.extend(other);
                        None
                    }
                },
                letter => {
                    text.push(letter);
                    None
                }
            };
            if let Some((from, to)) = group.and_then(|group| groups.get(group).copied().flatten()) {
                text.extend(&letters[from..to]);
            }
        }
        if end > start {
            at = end;
        } else {
            text.extend(letters.get(start));
            at = start + 1;
        }
    }
    if at < letters.len() {
        text.extend(&letters[at..]);
    }
    (text, changed)
}
