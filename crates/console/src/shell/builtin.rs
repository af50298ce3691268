//! Commands that run inside the shell, because they change it or are as quick as that.

use super::state::{State, Variable};
use super::{Frame, Job, JobState, Shell, resolve, text};
use crate::disk::{Disk, absolute};
use crate::output::Item;
use crate::pattern::{Pattern, Syntax, glob};
use crate::process::{Kernel, SIGHUP, SIGINT, SIGKILL, SIGTERM, Target};
use crate::world::Pid;

/// Their names.
pub const NAMES: [&str; 41] = [
    ".", ":", "[", "alias", "bg", "break", "cd", "clear", "command", "continue", "declare",
    "disown", "echo", "eval", "exit", "export", "false", "fg", "help", "history", "jobs", "kill",
    "let", "local", "man", "printf", "pwd", "read", "readonly", "return", "set", "shift", "source",
    "test", "trap", "true", "type", "unset", "wait", "which", "logout",
];

/// Runs one; its code is in the shell's status, unless it pushed a frame that will set it.
pub fn run(
    shell: &mut Shell,
    name: &str,
    arguments: &[String],
    line: u32,
    kernel: &mut Kernel<'_>,
) {
    let code = match name {
        ":" | "true" | "trap" | "alias" | "disown" => 0,
        "false" => 1,
        "echo" => echo(arguments, kernel),
        "printf" => printf(shell, arguments, line, kernel),
        "cd" => change_directory(shell, arguments, line, kernel),
        "pwd" => {
            kernel.out(&format!("{}\n", shell.state.cwd));
            0
        }
        "export" | "declare" | "readonly" | "local" => {
            declare(shell, name, arguments, line, kernel)
        }
        "unset" => {
            for name in arguments.iter().filter(|name| !name.starts_with('-')) {
                shell.state.variables.remove(name);
                shell.state.functions.remove(name);
            }
            0
        }
        "set" => set(shell, arguments, kernel),
        "shift" => {
            let count = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(1);
            match count <= shell.state.positional.len() {
                true => {
                    shell.state.positional.drain(..count);
                    0
                }
                false => 1,
            }
        }
        "test" | "[" => test(shell, name, arguments, line, kernel),
        "let" => {
            let mut value = 0;
            for expression in arguments {
                match super::arithmetic::evaluate(expression, &mut shell.state) {
                    Ok(result) => value = result,
                    Err(message) => {
                        shell.complain(kernel, line, &format!("let: {message}"));
                        value = 0;
                    }
                }
            }
            i32::from(value == 0)
        }
        "read" => match read(shell, arguments, kernel) {
            Some(code) => code,
            None => return,
        },
        "wait" => {
            wait(shell, arguments, line, kernel);
            return;
        }
        "exit" | "logout" => {
            let code =
                arguments.first().map_or(shell.state.status, |code| match code.parse::<i64>() {
                    Ok(code) => (code & 255) as i32,
                    Err(_) => {
                        let message = format!("exit: {code}: numeric argument required");
                        shell.complain(kernel, line, &message);
                        2
                    }
                });
            if shell.is_interactive() {
                kernel.err("exit\n");
            }
            shell.state.status = code;
            shell.exit = Some(code);
            return;
        }
        "return" => {
            let code =
                arguments.first().and_then(|code| code.parse().ok()).unwrap_or(shell.state.status);
            if !shell.return_from(kernel.streams) {
                shell.complain(
                    kernel,
                    line,
                    "return: can only `return' from a function or sourced script",
                );
                shell.state.status = 2;
                return;
            }
            code
        }
        "break" | "continue" => {
            let count =
                arguments.first().and_then(|count| count.parse().ok()).unwrap_or(1_u32).max(1);
            if shell.in_loop() {
                shell.break_loops(count, name == "continue", kernel.streams);
            } else {
                let message =
                    format!("{name}: only meaningful in a `for', `while', or `until' loop");
                shell.complain(kernel, line, &message);
            }
            0
        }
        "eval" => {
            shell.state.status = 0;
            shell.frames.push(Frame::Text { rest: arguments.join(" "), line });
            return;
        }
        "." | "source" => {
            let Some(file) = arguments.first() else {
                let message = format!("{name}: filename argument required");
                shell.complain(kernel, line, &message);
                shell.state.status = 2;
                return;
            };
            match kernel.world.disk.read(&absolute(&shell.state.cwd, file)) {
                Ok(bytes) => {
                    let rest = String::from_utf8_lossy(bytes).into_owned();
                    shell.state.status = 0;
                    shell.frames.push(Frame::Text { rest, line: 1 });
                    return;
                }
                Err(error) => {
                    shell.complain(kernel, line, &format!("{file}: {error}"));
                    1
                }
            }
        }
        "history" => history(arguments, kernel),
        "jobs" => {
            let lines: Vec<String> = shell.jobs.iter().map(|job| shell.job_line(job)).collect();
            kernel.out(&lines.concat());
            shell.jobs.retain(|job| !matches!(job.state, JobState::Ended(_)));
            0
        }
        "fg" | "bg" => {
            resume(shell, name, arguments, line, kernel);
            return;
        }
        "kill" => kill(shell, arguments, line, kernel),
        "type" | "which" | "command" => {
            if name == "command"
                && !arguments.first().is_some_and(|word| word == "-v" || word == "-V")
            {
                if arguments.is_empty() {
                    shell.state.status = 0;
                    return;
                }
                let streams = kernel.streams.clone();
                shell.run_words(arguments.to_vec(), streams, line, kernel);
                return;
            }
            kind_of(shell, name, arguments, line, kernel)
        }
        "clear" => {
            if let Some(terminal) = kernel.terminal {
                kernel.world.show(terminal, Item::Clear);
            }
            0
        }
        "help" => {
            let text = crate::manual::help(arguments.first().map(String::as_str));
            match text {
                Some(text) => {
                    kernel.out(&text);
                    0
                }
                None => {
                    let topic = arguments.join(" ");
                    shell.complain(kernel, line, &format!("help: no help topics match `{topic}'."));
                    1
                }
            }
        }
        "man" => match arguments.first() {
            None => {
                kernel.err("What manual page do you want?\nFor example, try 'man man'.\n");
                1
            }
            Some(page) => match crate::manual::page(page) {
                Some(text) => {
                    kernel.out(&text);
                    0
                }
                None => {
                    kernel.err(&format!("No manual entry for {page}\n"));
                    16
                }
            },
        },
        _ => 0,
    };
    shell.state.status = code;
    shell.check_exit_on_error();
}

fn echo(arguments: &[String], kernel: &mut Kernel<'_>) -> i32 {
    let mut newline = true;
    let mut escapes = false;
    let mut words = arguments;
    while let Some(flags) = words.first().and_then(|word| word.strip_prefix('-'))
        && !flags.is_empty()
        && flags.chars().all(|flag| "neE".contains(flag))
    {
        for flag in flags.chars() {
            match flag {
                'n' => newline = false,
                flag => escapes = flag == 'e',
            }
        }
        words = &words[1..];
    }
    let mut line = words.join(" ");
    if escapes {
        let (unescaped, ends) = text::unescape(&line, false);
        line = unescaped;
        newline &= !ends;
    }
    if newline {
        line.push('\n');
    }
    kernel.out(&line);
    0
}

fn printf(shell: &mut Shell, arguments: &[String], line: u32, kernel: &mut Kernel<'_>) -> i32 {
    let (variable, arguments) = match arguments {
        [flag, name, rest @ ..] if flag == "-v" => (Some(name), rest),
        [dashes, rest @ ..] if dashes == "--" => (None, rest),
        rest => (None, rest),
    };
    let Some((format, values)) = arguments.split_first() else {
        kernel.err("printf: usage: printf [-v var] format [arguments]\n");
        return 2;
    };
    match text::printf(format, values) {
        Ok((text, complaints)) => {
            match variable {
                Some(name) => shell.state.assign(name, text),
                None => kernel.out(&text),
            }
            for complaint in &complaints {
                shell.complain(kernel, line, &format!("printf: {complaint}"));
            }
            i32::from(!complaints.is_empty())
        }
        Err(message) => {
            shell.complain(kernel, line, &format!("printf: {message}"));
            1
        }
    }
}

fn change_directory(
    shell: &mut Shell,
    arguments: &[String],
    line: u32,
    kernel: &mut Kernel<'_>,
) -> i32 {
    let old = shell.state.cwd.clone();
    let target = match arguments {
        [] => shell.state.lookup("HOME").unwrap_or_default(),
        [dash] if dash == "-" => shell.state.lookup("OLDPWD").unwrap_or_else(|| old.clone()),
        [path] => path.clone(),
        _ => {
            shell.complain(kernel, line, "cd: too many arguments");
            return 1;
        }
    };
    let path = absolute(&old, &target);
    if !kernel.world.disk.is_directory(&path) {
        let why = if kernel.world.disk.is_file(&path) {
            "Not a directory"
        } else {
            "No such file or directory"
        };
        shell.complain(kernel, line, &format!("cd: {target}: {why}"));
        return 1;
    }
    if arguments.first().is_some_and(|word| word == "-") {
        kernel.out(&format!("{path}\n"));
    }
    shell.state.cwd.clone_from(&path);
    shell.state.assign("OLDPWD", old);
    shell.state.assign("PWD", path);
    0
}

fn declare(
    shell: &mut Shell,
    kind: &str,
    arguments: &[String],
    line: u32,
    kernel: &mut Kernel<'_>,
) -> i32 {
    let words: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    if words.is_empty() {
        let mut text = String::new();
        for (name, variable) in
            shell.state.variables.iter().filter(|(_, variable)| variable.exported)
        {
            text.push_str(&format!("declare -x {name}=\"{}\"\n", variable.value));
        }
        kernel.out(&text);
        return 0;
    }
    let mut code = 0;
    for word in words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        if !super::parser::is_name(name) {
            shell.complain(kernel, line, &format!("{kind}: `{word}': not a valid identifier"));
            code = 1;
            continue;
        }
        if kind == "local" {
            if !shell.hide(name) {
                shell.complain(kernel, line, "local: can only be used in a function");
                return 1;
            }
            if value.is_none() {
                shell.state.variables.remove(name);
                continue;
            }
        }
        let variable =
            shell.state.variables.entry(name.to_owned()).or_insert_with(Variable::default);
        if let Some(value) = value {
            value.clone_into(&mut variable.value);
        }
        variable.exported |= kind == "export" || kind == "declare" && arguments[0] == "-x";
    }
    code
}

fn set(shell: &mut Shell, arguments: &[String], kernel: &mut Kernel<'_>) -> i32 {
    if arguments.is_empty() {
        let lines: Vec<String> = shell
            .state
            .variables
            .iter()
            .map(|(name, variable)| format!("{name}={}\n", text::quote(&variable.value)))
            .collect();
        kernel.out(&lines.concat());
        return 0;
    }
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let on = word.starts_with('-');
        match word.as_str() {
            "--" => {
                shell.state.positional = words.cloned().collect();
                return 0;
            }
            "-o" | "+o" => match words.next().map(String::as_str) {
                Some("pipefail") => shell.pipe_fail = on,
                Some("errexit") => shell.state.exit_on_error = on,
                Some("xtrace") => shell.state.trace = on,
                Some("nounset") => shell.state.unset_is_error = on,
                _ => {}
            },
            flags if flags.starts_with(['-', '+']) && flags.len() > 1 => {
                for flag in flags[1..].chars() {
                    match flag {
                        'e' => shell.state.exit_on_error = on,
                        'x' => shell.state.trace = on,
                        'u' => shell.state.unset_is_error = on,
                        'o' => {
                            shell.pipe_fail |=
                                on && words.next().is_some_and(|name| name == "pipefail")
                        }
                        _ => {}
                    }
                }
            }
            _ => {
                shell.state.positional =
                    std::iter::once(word.clone()).chain(words.cloned()).collect();
                return 0;
            }
        }
    }
    0
}

/// `read`: `None` if it waits in a frame of its own.
fn read(shell: &mut Shell, arguments: &[String], kernel: &mut Kernel<'_>) -> Option<i32> {
    let mut raw = false;
    let mut names = Vec::new();
    let mut deadline = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-p" => {
                let prompt = words.next().cloned().unwrap_or_default();
                if matches!(kernel.streams.stdin, crate::world::Source::Terminal(_)) {
                    kernel.err(&prompt);
                }
            }
            "-t" => {
                let span = words.next().and_then(|word| crate::utility::duration(word));
                deadline = span.map(|span| kernel.host.now() + span);
            }
            "-d" | "-n" | "-N" | "-u" => {
                words.next();
            }
            flags if flags.starts_with('-') => raw |= flags.contains('r'),
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() {
        names.push("REPLY".to_owned());
    }
    shell.frames.push(Frame::Read { names, raw, deadline });
    None
}

fn find_job(shell: &Shell, word: &str) -> Option<Job> {
    let Some(name) = word.strip_prefix('%') else {
        let pid: u32 = word.parse().ok()?;
        return shell.jobs.iter().find(|job| job.pid == Pid(pid)).cloned();
    };
    match name {
        "" | "%" | "+" => shell.jobs.last().cloned(),
        "-" => shell.jobs.iter().rev().nth(1).cloned(),
        number => match number.parse::<u32>() {
            Ok(number) => shell.jobs.iter().find(|job| job.number == number).cloned(),
            Err(_) => shell.jobs.iter().rev().find(|job| job.text.starts_with(number)).cloned(),
        },
    }
}

fn wait(shell: &mut Shell, arguments: &[String], line: u32, kernel: &mut Kernel<'_>) {
    let mut pids = Vec::new();
    for word in arguments.iter().filter(|word| !word.starts_with('-')) {
        match find_job(shell, word) {
            Some(job) => pids.push(job.pid),
            None => {
                let why = match word.starts_with('%') {
                    true => format!("wait: {word}: no such job"),
                    false => format!("wait: pid {word} is not a child of this shell"),
                };
                shell.complain(kernel, line, &why);
                shell.state.status = 127;
                return;
            }
        }
    }
    if arguments.is_empty() {
        // Without words it waits for all and its code is 0.
        pids = shell
            .jobs
            .iter()
            .filter(|job| job.state == JobState::Running)
            .map(|job| job.pid)
            .collect();
        pids.push(Pid(0));
    }
    shell.frames.push(Frame::WaitJobs { pids });
}

fn resume(shell: &mut Shell, name: &str, arguments: &[String], line: u32, kernel: &mut Kernel<'_>) {
    let word = arguments.first().cloned().unwrap_or_else(|| "%+".to_owned());
    let job = find_job(shell, &word).filter(|job| !matches!(job.state, JobState::Ended(_)));
    let Some(job) = job else {
        let shown = if arguments.is_empty() { "current" } else { &word };
        shell.complain(kernel, line, &format!("{name}: {shown}: no such job"));
        shell.state.status = 1;
        return;
    };
    kernel.resume(job.pid);
    shell.state.status = 0;
    if name == "bg" {
        kernel.err(&format!("[{}]+ {} &\n", job.number, job.text));
        for other in &mut shell.jobs {
            if other.pid == job.pid {
                other.state = JobState::Running;
            }
        }
        return;
    }
    kernel.out(&format!("{}\n", job.text));
    shell.jobs.retain(|other| other.pid != job.pid);
    shell.frames.push(Frame::Wait {
        pids: vec![job.pid],
        codes: Vec::new(),
        foreground: true,
        deadline: None,
        text: job.text,
    });
}

fn kill(shell: &mut Shell, arguments: &[String], line: u32, kernel: &mut Kernel<'_>) -> i32 {
    const SIGNALS: [(&str, i32); 6] = [
        ("HUP", SIGHUP),
        ("INT", SIGINT),
        ("QUIT", 131),
        ("KILL", SIGKILL),
        ("TERM", SIGTERM),
        ("CONT", 146),
    ];
    let mut signal = SIGTERM;
    let mut check = false;
    let mut words = arguments.iter().peekable();
    while let Some(word) = words.next_if(|word| word.starts_with('-') && word.len() > 1) {
        let name = match word.as_str() {
            "-l" => {
                kernel.out(
                    " 1) SIGHUP\t 2) SIGINT\t 3) SIGQUIT\t 9) SIGKILL\t15) SIGTERM\t18) SIGCONT\n",
                );
                return 0;
            }
            "-s" | "-n" => words.next().cloned().unwrap_or_default(),
            word => word[1..].to_owned(),
        };
        let upper = name.to_uppercase();
        let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
        if name == "0" {
            check = true;
        } else if let Some((_, code)) =
            SIGNALS.iter().find(|(known, code)| *known == bare || (code - 128).to_string() == bare)
        {
            signal = *code;
        } else {
            shell.complain(kernel, line, &format!("kill: {name}: invalid signal specification"));
            return 1;
        }
    }
    if words.peek().is_none() {
        kernel.err("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n");
        return 2;
    }
    let mut code = 0;
    for word in words {
        let target = match find_job(shell, word) {
            Some(job) => Some(job.pid),
            None if word.starts_with('%') => {
                shell.complain(kernel, line, &format!("kill: {word}: no such job"));
                code = 1;
                continue;
            }
            None => match word.parse::<u32>() {
                Ok(pid) => Some(Pid(pid)).filter(|pid| kernel.table.alive(*pid)),
                Err(_) => {
                    shell.complain(
                        kernel,
                        line,
                        &format!("kill: {word}: arguments must be process or job IDs"),
                    );
                    code = 1;
                    continue;
                }
            },
        };
        match target {
            Some(pid) if kernel.table.alive(pid) => {
                if !check {
                    kernel.signals.push((Target::Tree(pid), signal));
                }
            }
            _ => {
                shell.complain(kernel, line, &format!("kill: ({word}) - No such process"));
                code = 1;
            }
        }
    }
    code
}

fn history(arguments: &[String], kernel: &mut Kernel<'_>) -> i32 {
    let Some(terminal) = kernel.terminal else { return 0 };
    let lines = kernel.world.history.entry(terminal).or_default();
    if arguments.first().is_some_and(|flag| flag == "-c") {
        lines.clear();
        return 0;
    }
    let count = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(lines.len());
    let skip = lines.len().saturating_sub(count);
    let text: Vec<String> = lines
        .iter()
        .enumerate()
        .skip(skip)
        .map(|(index, line)| format!("{:5}  {line}\n", index + 1))
        .collect();
    kernel.out(&text.concat());
    0
}

fn kind_of(
    shell: &mut Shell,
    asked: &str,
    arguments: &[String],
    line: u32,
    kernel: &mut Kernel<'_>,
) -> i32 {
    let mut code = 0;
    for name in arguments.iter().filter(|word| !word.starts_with('-')) {
        let function = shell.state.functions.contains_key(name);
        let inside =
            NAMES.contains(&name.as_str()) && !matches!(name.as_str(), "clear" | "man" | "which");
        let path = match resolve::is_command(name) && !inside {
            true if name.contains('/') => Some(name.clone()),
            true if name.starts_with("kafka-") => {
                Some(format!("/opt/kafka/bin/{}.sh", name.trim_end_matches(".sh")))
            }
            true => Some(format!("/usr/bin/{name}")),
            false => None,
        };
        match (asked, function, inside, path) {
            ("type", true, ..) => kernel.out(&format!("{name} is a function\n")),
            ("type", _, true, _) => kernel.out(&format!("{name} is a shell builtin\n")),
            ("type", .., Some(path)) => kernel.out(&format!("{name} is {path}\n")),
            ("type", ..) => {
                shell.complain(kernel, line, &format!("type: {name}: not found"));
                code = 1;
            }
            ("command", true, ..) | ("command", _, true, _) => kernel.out(&format!("{name}\n")),
            (_, .., Some(path)) => kernel.out(&format!("{path}\n")),
            _ => code = 1,
        }
    }
    code
}

/// A word of a test.
#[derive(Clone, Debug)]
struct Operand {
    text: String,
    letters: Vec<(char, bool)>,
    /// Unquoted: may be an operator.
    bare: bool,
}

fn test(
    shell: &mut Shell,
    name: &str,
    arguments: &[String],
    line: u32,
    kernel: &mut Kernel<'_>,
) -> i32 {
    let mut words = arguments;
    if name == "[" {
        match words.split_last() {
            Some((last, rest)) if last == "]" => words = rest,
            _ => {
                shell.complain(kernel, line, "[: missing `]'");
                return 2;
            }
        }
    }
    let items: Vec<Operand> = words
        .iter()
        .map(|text| Operand {
            text: text.clone(),
            letters: text.chars().map(|letter| (letter, true)).collect(),
            bare: true,
        })
        .collect();
    let mut test = Test {
        items: &items,
        at: 0,
        state: &shell.state,
        disk: &kernel.world.disk,
        double: false,
        depth: 0,
    };
    match test.whole() {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(message) => {
            shell.complain(kernel, line, &format!("{name}: {message}"));
            2
        }
    }
}

/// `[[ … ]]`: words with whether they are bare, and their letters with whether they are quoted.
pub fn conditional(
    words: &[(bool, Vec<(char, bool)>)],
    state: &State,
    disk: &Disk,
) -> Result<bool, String> {
    let items: Vec<Operand> = words
        .iter()
        .map(|(bare, letters)| Operand {
            text: letters.iter().map(|letter| letter.0).collect(),
            letters: letters.clone(),
            bare: *bare,
        })
        .collect();
    Test { items: &items, at: 0, state, disk, double: true, depth: 0 }.whole()
}

struct Test<'a> {
    items: &'a [Operand],
    at: usize,
    state: &'a State,
    disk: &'a Disk,
    double: bool,
    depth: u32,
}

impl Test<'_> {
    fn operator(&self, ahead: usize) -> Option<&str> {
        self.items.get(self.at + ahead).filter(|item| item.bare).map(|item| item.text.as_str())
    }

    fn whole(&mut self) -> Result<bool, String> {
        if self.items.is_empty() {
            return Ok(false);
        }
        if !self.double {
            // POSIX decides by the number of words.
            match self.items.len() {
                1 => return Ok(!self.items[0].text.is_empty()),
                2 if self.items[0].text == "!" => return Ok(self.items[1].text.is_empty()),
                3 if self.is_binary(1) => return self.term(),
                _ => {}
            }
        }
        let value = self.either()?;
        match self.items.get(self.at) {
            None => Ok(value),
            Some(_) if !self.double => Err("too many arguments".to_owned()),
            Some(item) => Err(format!("syntax error near `{}'", item.text)),
        }
    }

    fn either(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > 40 {
            return Err("expression recursion level exceeded".to_owned());
        }
        let mut value = self.both()?;
        while matches!((self.operator(0), self.double), (Some("||"), true) | (Some("-o"), false)) {
            self.at += 1;
            let right = self.both()?;
            value |= right;
        }
        self.depth -= 1;
        Ok(value)
    }

    fn both(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while matches!((self.operator(0), self.double), (Some("&&"), true) | (Some("-a"), false)) {
            self.at += 1;
            let right = self.not()?;
            value &= right;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.operator(0) == Some("!") {
            self.at += 1;
            negated = !negated;
        }
        Ok(self.term()? != negated)
    }

    fn is_binary(&self, ahead: usize) -> bool {
        matches!(
            self.operator(ahead),
            Some(
                "=" | "=="
                    | "!="
                    | "=~"
                    | "<"
                    | ">"
                    | "-eq"
                    | "-ne"
                    | "-lt"
                    | "-le"
                    | "-gt"
                    | "-ge"
                    | "-nt"
                    | "-ot"
            )
        )
    }

    fn term(&mut self) -> Result<bool, String> {
        if self.operator(0) == Some("(") && !self.is_binary(1) {
            self.at += 1;
            let value = self.either()?;
            if self.operator(0) != Some(")") {
                return Err("`)' expected".to_owned());
            }
            self.at += 1;
            return Ok(value);
        }
        let Some(first) = self.items.get(self.at) else {
            return Err("argument expected".to_owned());
        };
        if self.is_binary(1)
            && let Some(right) = self.items.get(self.at + 2)
        {
            let operator = self.items[self.at + 1].text.clone();
            self.at += 3;
            return self.compare(first, &operator, right);
        }
        if first.bare && first.text.len() == 2 && first.text.starts_with('-') {
            if let Some(operand) = self.items.get(self.at + 1) {
                let path = absolute(&self.state.cwd, &operand.text);
                let value = match &first.text[1..] {
                    "z" => operand.text.is_empty(),
                    "n" => !operand.text.is_empty(),
                    "e" | "r" | "w" | "a" => self.disk.exists(&path),
                    "f" => self.disk.is_file(&path),
                    "d" => self.disk.is_directory(&path),
                    "s" => self.disk.read(&path).is_ok_and(|bytes| !bytes.is_empty()),
                    "x" => self.disk.exists(&path),
                    "v" => self.state.lookup(&operand.text).is_some(),
                    "t" | "L" | "h" => false,
                    _ => return Err(format!("{}: unary operator expected", first.text)),
                };
                self.at += 2;
                return Ok(value);
            }
        } else if !self.double
            && self.items.len() == self.at + 3
            && !matches!(self.operator(1), Some("-a" | "-o" | ")"))
        {
            return Err(format!("{}: binary operator expected", self.items[self.at + 1].text));
        } else if !self.double && self.items.len() == self.at + 2 && self.at == 0 {
            return Err(format!("{}: unary operator expected", first.text));
        }
        self.at += 1;
        Ok(!first.text.is_empty())
    }

    fn compare(&self, left: &Operand, operator: &str, right: &Operand) -> Result<bool, String> {
        let number = |item: &Operand| {
            if self.double {
                let mut names = self.state.clone();
                return super::arithmetic::evaluate(item.text.trim(), &mut names);
            }
            item.text
                .trim()
                .parse::<i64>()
                .map_err(|_| format!("{}: integer expression expected", item.text))
        };
        Ok(match operator {
            "=" | "==" if self.double => {
                glob(&right.letters, &left.text.chars().collect::<Vec<_>>())
            }
            "!=" if self.double => !glob(&right.letters, &left.text.chars().collect::<Vec<_>>()),
            "=" | "==" => left.text == right.text,
            "!=" => left.text != right.text,
            "=~" => match Pattern::new(&right.text, Syntax::Extended, false) {
                Ok(pattern) => pattern.is_match(&left.text),
                Err(_) => return Err("syntax error in regular expression".to_owned()),
            },
            "<" => left.text < right.text,
            ">" => left.text > right.text,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            _ => false,
        })
    }
}
