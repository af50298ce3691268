//! What a person does at a terminal, and who gets the lines: the shell (after repairs), the running program, or a question.

use crate::completion::complete;
use crate::console::Console;
use crate::editor::{
    Action, Editor, Key, LineMode, LineState, PendingLine, Question, TerminalInput,
};
use crate::host::{Address, Host};
use crate::output::{Item, Notice, NoticeKind, TerminalId};
use crate::process::Body;
use crate::repair;
use crate::shell::text::quote;
use crate::world::{Source, Typed};

/// History lines kept.
const HISTORY_MAX: usize = 1_000;

impl Console {
    /// What a person did at a terminal.
    pub fn input(&mut self, host: &mut dyn Host, terminal: TerminalId, input: TerminalInput) {
        match input {
            TerminalInput::Key(key) => self.key(host, terminal, key),
            TerminalInput::Text(text) => {
                let history = self.history(terminal);
                self.editor(terminal).insert(&text, &history);
            }
            TerminalInput::Edit { text, cursor } => {
                let history = self.history(terminal);
                self.editor(terminal).edit(&text, cursor, &history);
            }
            TerminalInput::Submit(line) => {
                self.editor(terminal).set(&line);
                self.enter(host, terminal, line);
            }
            TerminalInput::Paste(text) => self.paste(host, terminal, &text),
            TerminalInput::Line(line) => {
                let editor = self.editor(terminal);
                let asked = editor.question.take().is_some() || editor.proposed.is_some();
                if editor.proposed.as_ref() == Some(&line) {
                    editor.proposed = None;
                    editor.trusted = true;
                    editor.clear();
                }
                let next = PendingLine { line, verbatim: true, pasted: false };
                // An answer comes before the lines that wait for it.
                match asked {
                    true => editor.pending.push_front(next),
                    false => editor.pending.push_back(next),
                }
                self.pump(host, terminal);
            }
            TerminalInput::Interrupt => self.key(host, terminal, Key::Control('c')),
            TerminalInput::EndOfFile => self.key(host, terminal, Key::Control('d')),
        }
    }

    /// The input line of a terminal, to draw.
    pub fn line_state(&self, terminal: TerminalId) -> LineState {
        let Some(editor) = self.editors.get(&terminal) else { return LineState::default() };
        let history = self.world().history.get(&terminal).map(Vec::as_slice).unwrap_or_default();
        let (mode, prompt) = match (&editor.question, self.shell_at_prompt(terminal)) {
            (Some(question), _) => (LineMode::Question, format!("{}? ", question.name)),
            (None, Some(shell)) if shell.unfinished() => (LineMode::Continuation, shell.prompt()),
            (None, Some(shell)) => (LineMode::Prompt, shell.prompt()),
            (None, None) if self.program_reads(terminal) => (LineMode::Program, String::new()),
            (None, None) => (LineMode::Busy, String::new()),
        };
        editor.state(mode, prompt, history)
    }

    fn editor(&mut self, terminal: TerminalId) -> &mut Editor {
        self.editors.entry(terminal).or_default()
    }

    fn history(&self, terminal: TerminalId) -> Vec<String> {
        self.world().history.get(&terminal).cloned().unwrap_or_default()
    }

    fn key(&mut self, host: &mut dyn Host, terminal: TerminalId, key: Key) {
        let at_prompt =
            self.shell_at_prompt(terminal).is_some() && self.editor(terminal).question.is_none();
        let history = self.history(terminal);
        match self.editor(terminal).key(key, &history, at_prompt) {
            Action::None => {}
            Action::Submit(line) => {
                if self.editor(terminal).question.is_some() {
                    self.answer(host, terminal, &line);
                } else {
                    self.entered(terminal, line);
                }
                self.pump(host, terminal);
            }
            Action::Complete { .. } => self.tab(host, terminal),
            Action::Interrupt => {
                let editor = self.editor(terminal);
                let typed = editor.text();
                editor.clear();
                editor.pending.clear();
                editor.aside.clear();
                editor.proposed = None;
                if editor.question.take().is_some() {
                    let prompt = self.line_state(terminal).prompt;
                    self.world_mut()
                        .show(terminal, Item::Echo { prompt, line: format!("{typed}^C") });
                    return;
                }
                self.interrupt_with(host, terminal, &typed);
                self.pump(host, terminal);
            }
            Action::EndOfFile => {
                if self.editor(terminal).question.take().is_none() {
                    self.type_end(host, terminal);
                    self.pump(host, terminal);
                }
            }
            Action::Suspend => {
                self.suspend(host, terminal);
                self.pump(host, terminal);
            }
            Action::Clear => self.world_mut().show(terminal, Item::Clear),
            Action::RunOffer => {
                if let Some(line) = self.editor(terminal).offer.take() {
                    self.editor(terminal).proposed = Some(line.clone());
                    self.entered(terminal, line);
                    self.pump(host, terminal);
                }
            }
        }
    }

    /// What Enter would enter for this text: while searching, what was found.
    pub fn line_to_submit(&self, terminal: TerminalId, text: &str) -> String {
        match self.editors.get(&terminal) {
            Some(editor) => editor.to_submit(text, &self.history(terminal)),
            None => text.to_owned(),
        }
    }

    fn enter(&mut self, host: &mut dyn Host, terminal: TerminalId, line: String) {
        let editor = self.editor(terminal);
        editor.clear();
        if editor.question.is_some() {
            self.answer(host, terminal, &line);
        } else {
            self.entered(terminal, line);
        }
        self.pump(host, terminal);
    }

    /// A line entered by hand: behind those that wait, but one that was shown for confirmation is what they wait for.
    fn entered(&mut self, terminal: TerminalId, line: String) {
        let editor = self.editor(terminal);
        let next = PendingLine { line, verbatim: false, pasted: false };
        match editor.proposed {
            Some(_) => editor.pending.push_front(next),
            None => editor.pending.push_back(next),
        }
    }

    fn tab(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        let before = self.editor(terminal).before_cursor();
        let completions = if let Some(question) = &self.editor(terminal).question {
            let mut words = host.completions(repair::placeholder_values(&question.name));
            words.retain(|word| word.starts_with(&before));
            crate::completion::Completions { start: 0, words }
        } else {
            let Some(shell) = self.shell_at_prompt(terminal) else { return };
            let cwd = shell.state.cwd.clone();
            complete(&before, &cwd, &self.world().disk, host)
        };
        self.editor(terminal).completed(completions);
    }

    fn paste(&mut self, host: &mut dyn Host, terminal: TerminalId, text: &str) {
        let mut lines: Vec<&str> =
            text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
        let mut last = lines.pop().unwrap_or_default();
        // The end of a code block whose beginning was pasted too.
        if last.trim() == "```" {
            last = "";
        }
        let editor = self.editor(terminal);
        editor.clear();
        editor.pending.extend(lines.iter().map(|line| PendingLine {
            line: (*line).to_owned(),
            verbatim: false,
            pasted: true,
        }));
        // A last line without a newline that clearly belongs to the one before joins it.
        let joins = self
            .editor(terminal)
            .pending
            .back()
            .is_some_and(|before| repair::goes_on(&before.line, last));
        if joins {
            self.editor(terminal).pending.push_back(PendingLine {
                line: last.to_owned(),
                verbatim: false,
                pasted: true,
            });
        } else {
            self.editor(terminal).set(last);
        }
        self.pump(host, terminal);
    }

    /// Hands waiting lines to whoever reads at the terminal, one after the other, as a terminal does.
    pub(crate) fn pump(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        self.hand_over(host, terminal);
        if let Some(editor) = self.editors.get_mut(&terminal) {
            editor.bring_back();
        }
    }

    fn hand_over(&mut self, host: &mut dyn Host, terminal: TerminalId) {
        loop {
            let waiting =
                self.world().typed.get(&terminal).is_none_or(std::collections::VecDeque::is_empty);
            let Some(editor) = self.editors.get(&terminal) else { return };
            let Some(next) =
                editor.pending.front().filter(|_| waiting && editor.question.is_none())
            else {
                return;
            };
            let verbatim = next.verbatim;
            if self.shell_at_prompt(terminal).is_some() {
                // A line shown for confirmation must not be overrun by those behind it.
                if editor.proposed.is_some()
                    && !editor.pending.front().is_some_and(|next| !next.pasted)
                {
                    return;
                }
                if let Some(next) = self.editor(terminal).pending.pop_front() {
                    self.submit(host, terminal, next);
                }
            } else if !verbatim && self.program_reads(terminal) {
                if let Some(next) = self.editor(terminal).pending.pop_front() {
                    self.world_mut()
                        .typed
                        .entry(terminal)
                        .or_default()
                        .push_back(Typed::Line(next.line));
                }
            } else {
                return;
            }
            self.run_due(host);
        }
    }

    /// A line for the shell.
    fn submit(&mut self, host: &mut dyn Host, terminal: TerminalId, pending: PendingLine) {
        let continued = self.shell_at_prompt(terminal).is_some_and(crate::shell::Shell::unfinished);
        let mut line = pending.line;
        // A button's line leaves the one to be confirmed where it is.
        let proposed = match pending.verbatim {
            true => None,
            false => self.editor(terminal).proposed.take(),
        };
        if !pending.verbatim && !continued && self.world().notices {
            match self.repaired(host, terminal, line, pending.pasted, proposed) {
                Some(repaired) => line = repaired,
                None => return,
            }
        }
        self.editor(terminal).offer = None;
        self.remember(terminal, &line);
        self.world_mut().typed.entry(terminal).or_default().push_back(Typed::Line(line));
    }

    fn remember(&mut self, terminal: TerminalId, line: &str) {
        let history = self.world_mut().history.entry(terminal).or_default();
        if !line.trim().is_empty() && history.last().map(String::as_str) != Some(line) {
            history.push(line.to_owned());
            if history.len() > HISTORY_MAX {
                history.remove(0);
            }
        }
        let tool = line
            .split_whitespace()
            .find_map(crate::tools::find)
            .filter(|tool| tool.name != "docker");
        if let Some(tool) = tool {
            self.editor(terminal).last_tool = Some(tool.name.to_owned());
        }
    }

    /// Takes the next pasted line if it goes on with `line`.
    fn continuation(&mut self, terminal: TerminalId, pasted: bool, line: &str) -> Option<String> {
        let pending = &mut self.editor(terminal).pending;
        let joins = pasted
            && pending.front().is_some_and(|next| next.pasted && repair::goes_on(line, &next.line));
        if joins { pending.pop_front().map(|next| next.line) } else { None }
    }

    /// The line as it will run (R1–R6); `None`: it waits for an answer, or nothing is left of it.
    fn repaired(
        &mut self,
        host: &mut dyn Host,
        terminal: TerminalId,
        original: String,
        pasted: bool,
        proposed: Option<String>,
    ) -> Option<String> {
        let mut mended = repair::mend(&original);
        // The lines behind it that lost their backslash.
        while let Some(next) = self.continuation(terminal, pasted, &mended.line) {
            let more = repair::mend(&next);
            mended.line = format!("{} {}", mended.line.trim_end(), more.line.trim_start());
            mended.changes.extend(more.changes);
            mended.changes.push("lines that belong together were joined");
        }
        simulation::sorted::sort(&mut mended.changes);
        mended.changes.dedup();
        if !mended.changes.is_empty() {
            let text = format!("Repaired before it ran: {}.", mended.changes.join("; "));
            self.notice(terminal, Notice::new(NoticeKind::Repaired, text));
        }
        if mended.line.trim().is_empty() && !original.trim().is_empty() {
            return None;
        }
        let mut line = mended.line;
        let last_tool = self.editor(terminal).last_tool.clone();
        if let Some(inference) = repair::infer(&line, last_tool.as_deref()) {
            let complete = inference.harmless
                || self.editor(terminal).trusted && !inference.why.contains("part of");
            let mut why = format!("{}{}.", inference.why[..1].to_uppercase(), &inference.why[1..]);
            if let Some((text, _)) = &inference.better {
                why = format!("{why} {text}");
            }
            let better = |mut notice: Notice| {
                if let Some((_, command)) = inference.better.clone() {
                    notice = notice.offer("Run the other", command);
                }
                notice
            };
            if complete {
                let text = format!("{why} Run as: {}", inference.command);
                self.notice(terminal, better(Notice::new(NoticeKind::Repaired, text)));
                line = inference.command;
            } else {
                let text = format!("{why} The whole line: {} (Enter runs it).", inference.command);
                let notice = Notice::new(NoticeKind::Question, text)
                    .offer("Run it", inference.command.clone());
                self.notice(terminal, better(notice));
                let editor = self.editor(terminal);
                editor.put_aside();
                editor.set(&inference.command);
                editor.proposed = Some(inference.command);
                return None;
            }
        }
        if proposed.as_deref() == Some(line.as_str()) {
            self.editor(terminal).trusted = true;
        }
        if let Some(found) = repair::placeholder(&line) {
            let text = format!(
                "<{}> stands for a value of yours: type it, or choose with Tab. (bash would have said: {})",
                found.name,
                repair::as_bash_says(&line, &found)
            );
            let mut notice = Notice::new(NoticeKind::Question, text);
            for value in host.completions(repair::placeholder_values(&found.name)) {
                let filled =
                    format!("{}{}{}", &line[..found.start], quote(&value), &line[found.end..]);
                notice = notice.offer(value, filled);
            }
            self.notice(terminal, notice);
            self.editor(terminal).put_aside();
            self.editor(terminal).question = Some(Question {
                line,
                start: found.start as u32,
                end: found.end as u32,
                name: found.name,
            });
            return None;
        }
        let known =
            |name: &str, port: u16| matches!(host.resolve(name, port, None), Address::Node(_));
        if let Some((mapped, server)) = repair::servers(&line, &known) {
            let text = format!(
                "No broker is called {server} here; kafka1:9092 was put in its place. Reachable: kafka1:9092, kafka2:9092, kafka3:9092, localhost:9092."
            );
            self.notice(terminal, Notice::new(NoticeKind::Repaired, text));
            line = mapped;
        }
        Some(line)
    }

    /// The value of a placeholder.
    fn answer(&mut self, host: &mut dyn Host, terminal: TerminalId, value: &str) {
        let value = value.trim();
        let Some(question) = self.editor(terminal).question.take() else { return };
        if value.is_empty() {
            self.editor(terminal).question = Some(question);
            return;
        }
        let prompt = format!("{}? ", question.name);
        self.world_mut().show(terminal, Item::Echo { prompt, line: value.to_owned() });
        let (start, end) = (question.start as usize, question.end as usize);
        let line = format!("{}{}{}", &question.line[..start], quote(value), &question.line[end..]);
        // The same name again has the same value.
        let line = line.replace(&format!("<{}>", question.name), &quote(value));
        self.editor(terminal).pending.push_front(PendingLine {
            line,
            verbatim: false,
            pasted: false,
        });
        self.pump(host, terminal);
    }

    fn notice(&mut self, terminal: TerminalId, notice: Notice) {
        self.world_mut().notice(Some(terminal), notice);
    }

    /// Whether a foreground program of the terminal would take a line.
    pub fn program_reads(&self, terminal: TerminalId) -> bool {
        let Some(shell) = self.foreground_shell(terminal) else { return false };
        let group = self.foreground_group(shell);
        self.processes().any(|(pid, process)| {
            (Some(process.group) == group || *pid == shell)
                && process.streams.stdin == Source::Terminal(terminal)
                && match &process.body {
                    Body::Tool(tool) => tool.wants_input(),
                    Body::Utility(utility) => utility.reads_stdin(),
                    Body::Shell(shell) => shell.reads_line(),
                }
        })
    }
}
