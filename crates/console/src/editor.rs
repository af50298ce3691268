//! The line being typed at a terminal: keys in, a [`LineState`] to draw out.

use serde::{Deserialize, Serialize};

/// What a person does at a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalInput {
    Key(Key),
    /// Typed text, without newlines.
    Text(String),
    /// The line and the caret (in letters) after an edit by the page.
    Edit {
        text: String,
        cursor: u32,
    },
    /// Enter, with the line as it stands.
    Submit(String),
    /// The whole line after a paste; every newline enters a line, the rest stays to be edited.
    Paste(String),
    /// A whole command, entered by a button. It waits for the prompt and is never a program's input; what is being typed stays.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfFile,
}

/// Keys that edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    Enter,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
    Escape,
    /// Ctrl with a letter.
    Control(char),
    /// Takes the ghost text.
    AcceptGhost,
    /// Takes the n-th candidate of the menu.
    Choose(u16),
    /// Runs what the newest note offers.
    RunOffer,
}

/// Who gets the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineMode {
    /// The shell, as a command.
    #[default]
    Prompt,
    /// The shell, as one more line of a command.
    Continuation,
    /// The running program, as input.
    Program,
    /// A program runs and reads nothing; lines wait.
    Busy,
    /// The console itself, which has asked for a value.
    Question,
}

/// The input line as it is drawn. Positions count letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineState {
    pub mode: LineMode,
    pub prompt: String,
    pub text: String,
    pub cursor: u32,
    /// What would complete the line: newest matching history line, or the offer of the newest note. While searching: what was found.
    pub ghost: String,
    /// What Tab found, if there is a choice.
    pub menu: Vec<String>,
    /// The chosen one of the menu.
    pub selected: Option<u32>,
    /// Ctrl-R: what is being searched for; it is the text as well.
    pub search: Option<String>,
}

/// A value that a pasted line needs (R1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The line with its placeholders.
    pub line: String,
    /// The one asked for now: where it stands, in bytes, and its name.
    pub start: u32,
    pub end: u32,
    pub name: String,
}

/// A line that waits for its reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingLine {
    pub line: String,
    /// Entered by a button: for the shell, as it stands.
    pub verbatim: bool,
    /// Part of a paste: the next line may belong to it.
    pub pasted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Search {
    /// Index of the history line found.
    found: Option<u32>,
    /// The line before the search.
    draft: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Menu {
    /// Where the completed word begins.
    start: u32,
    words: Vec<String>,
    selected: Option<u32>,
}

/// The editor of one terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Editor {
    text: Vec<char>,
    cursor: u32,
    killed: Vec<char>,
    /// Index into the history while going through it, and the line before.
    walking: Option<(u32, String)>,
    search: Option<Search>,
    menu: Option<Menu>,
    pub question: Option<Question>,
    /// A line that was shown for confirmation (R5).
    pub proposed: Option<String>,
    /// Confirmed once: lines without tool names run from now on.
    pub trusted: bool,
    /// What the newest note offers.
    pub offer: Option<String>,
    pub last_tool: Option<String>,
    /// What was on the line when a question or a line to confirm took its place.
    pub aside: String,
    pub pending: std::collections::VecDeque<PendingLine>,
}

/// What a key means beyond the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    None,
    Submit(String),
    Complete { back: bool },
    Interrupt,
    EndOfFile,
    Suspend,
    Clear,
    RunOffer,
}

impl Editor {
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The line up to the cursor.
    pub fn before_cursor(&self) -> String {
        self.text[..self.cursor as usize].iter().collect()
    }

    pub fn set(&mut self, text: &str) {
        self.text = text.chars().collect();
        self.cursor = self.text.len() as u32;
    }

    /// Frees the line for a question, or for a line to be confirmed.
    pub fn put_aside(&mut self) {
        if self.aside.is_empty() {
            self.aside = self.text();
        }
        self.clear();
    }

    /// Brings back what was put aside, once nothing is asked and nothing waits.
    pub fn bring_back(&mut self) {
        let free = self.question.is_none() && self.proposed.is_none() && self.pending.is_empty();
        if free && self.text.is_empty() && !self.aside.is_empty() {
            let text = std::mem::take(&mut self.aside);
            self.set(&text);
        }
    }

    pub fn clear(&mut self) {
        self.set("");
        self.walking = None;
        self.search = None;
        self.menu = None;
    }

    pub fn insert(&mut self, text: &str, history: &[String]) {
        self.menu = None;
        let at = self.cursor as usize;
        let letters: Vec<char> = text.chars().filter(|letter| !letter.is_control()).collect();
        self.cursor += letters.len() as u32;
        self.text.splice(at..at, letters);
        self.find(history, None);
    }

    /// The line as the page has it.
    pub fn edit(&mut self, text: &str, cursor: u32, history: &[String]) {
        self.set(text);
        self.cursor = cursor.min(self.text.len() as u32);
        self.menu = None;
        self.find(history, None);
    }

    /// What Enter would enter: while searching, what was found.
    pub fn to_submit(&self, text: &str, history: &[String]) -> String {
        let found = self
            .search
            .as_ref()
            .and_then(|search| search.found)
            .and_then(|at| history.get(at as usize));
        found.map_or_else(|| text.to_owned(), Clone::clone)
    }

    /// What would complete the line.
    fn ghost(&self, history: &[String], at_prompt: bool) -> String {
        if let Some(search) = &self.search {
            let found = search.found.and_then(|at| history.get(at as usize));
            return found.map(|line| format!(" \u{2192} {line}")).unwrap_or_default();
        }
        if !at_prompt || self.cursor as usize != self.text.len() {
            return String::new();
        }
        if self.text.is_empty() {
            return self.offer.clone().unwrap_or_default();
        }
        let text = self.text();
        let found = history
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix(&text).filter(|rest| !rest.is_empty()));
        found.unwrap_or_default().to_owned()
    }

    pub fn state(&self, mode: LineMode, prompt: String, history: &[String]) -> LineState {
        let at_prompt = mode == LineMode::Prompt;
        LineState {
            mode,
            prompt,
            text: self.text(),
            cursor: self.cursor,
            ghost: self.ghost(history, at_prompt),
            menu: self.menu.as_ref().map(|menu| menu.words.clone()).unwrap_or_default(),
            selected: self.menu.as_ref().and_then(|menu| menu.selected),
            search: self.search.as_ref().map(|_| self.text()),
        }
    }

    /// Takes Tab's candidates: one is inserted, several extend the word or open a menu.
    pub fn completed(&mut self, completions: crate::completion::Completions) {
        let start = completions.start as u32;
        match completions.words.as_slice() {
            [] => {}
            [only] => {
                let open = only.ends_with(['/', '=']);
                let word = if open { only.clone() } else { format!("{only} ") };
                self.replace_word(start, &word);
                self.menu = None;
            }
            words => {
                let common = crate::completion::common_start(words);
                if common.chars().count() as u32 > self.cursor - start {
                    self.replace_word(start, &common);
                }
                self.menu = Some(Menu { start, words: words.to_vec(), selected: None });
            }
        }
    }

    fn replace_word(&mut self, start: u32, word: &str) {
        let letters: Vec<char> = word.chars().collect();
        let end = start + letters.len() as u32;
        self.text.splice(start as usize..self.cursor as usize, letters);
        self.cursor = end;
    }

    /// Tab with the menu open: the next candidate. False: no menu.
    fn walk_menu(&mut self, back: bool) -> bool {
        let Some(menu) = &mut self.menu else { return false };
        let count = menu.words.len() as u32;
        let next = match menu.selected {
            None if back => count - 1,
            None => 0,
            Some(at) if back => (at + count - 1) % count,
            Some(at) => (at + 1) % count,
        };
        menu.selected = Some(next);
        let (start, word) = (menu.start, menu.words[next as usize].clone());
        self.replace_word(start, &word);
        true
    }

    fn find(&mut self, history: &[String], older_than: Option<u32>) {
        let query = self.text();
        let Some(search) = &mut self.search else { return };
        let end = older_than.unwrap_or(history.len() as u32) as usize;
        let found = history[..end.min(history.len())]
            .iter()
            .rposition(|line| !query.is_empty() && line.contains(&query));
        if found.is_some() || older_than.is_none() {
            search.found = found.map(|at| at as u32);
        }
    }

    fn walk_history(&mut self, history: &[String], back: bool) {
        let (at, draft) =
            self.walking.take().unwrap_or_else(|| (history.len() as u32, self.text()));
        let next = if back { at.saturating_sub(1) } else { (at + 1).min(history.len() as u32) };
        match history.get(next as usize) {
            Some(line) => {
                self.set(line);
                self.walking = Some((next, draft));
            }
            None => self.set(&draft),
        }
    }

    fn word_left(&self) -> u32 {
        let mut at = self.cursor as usize;
        while at > 0 && self.text[at - 1].is_whitespace() {
            at -= 1;
        }
        while at > 0 && !self.text[at - 1].is_whitespace() {
            at -= 1;
        }
        at as u32
    }

    fn word_right(&self) -> u32 {
        let mut at = self.cursor as usize;
        while at < self.text.len() && self.text[at].is_whitespace() {
            at += 1;
        }
        while at < self.text.len() && !self.text[at].is_whitespace() {
            at += 1;
        }
        at as u32
    }

    fn kill(&mut self, from: u32, to: u32) {
        self.killed = self.text.drain(from as usize..to as usize).collect();
        self.cursor = from;
    }

    /// One key.
    pub fn key(&mut self, key: Key, history: &[String], at_prompt: bool) -> Action {
        let key = match key {
            Key::Control('a') => Key::Home,
            Key::Control('e') => Key::End,
            Key::Control('b') => Key::Left,
            Key::Control('f') => Key::Right,
            Key::Control('p') => Key::Up,
            Key::Control('n') => Key::Down,
            Key::Control('h') => Key::Backspace,
            Key::Control('m' | 'j') => Key::Enter,
            Key::Control('i') => Key::Tab,
            Key::Control('o') => Key::RunOffer,
            key => key,
        };
        if let Some(action) = self.search_key(key, history) {
            return action;
        }
        let chosen = self.menu.clone();
        if !matches!(key, Key::Tab | Key::BackTab) {
            self.menu = None;
        }
        let length = self.text.len() as u32;
        match key {
            Key::Enter => {
                let line = self.text();
                self.clear();
                return Action::Submit(line);
            }
            Key::Tab | Key::BackTab => {
                let back = key == Key::BackTab;
                if self.walk_menu(back) {
                    return Action::None;
                }
                if self.text.is_empty() && at_prompt {
                    if let Some(offer) = self.offer.take() {
                        self.set(&offer);
                    }
                    return Action::None;
                }
                return Action::Complete { back };
            }
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor as usize);
            }
            Key::Delete if self.cursor < length => {
                self.text.remove(self.cursor as usize);
            }
            Key::Control('d') if length > 0 => {
                if self.cursor < length {
                    self.text.remove(self.cursor as usize);
                }
            }
            Key::Control('d') => return Action::EndOfFile,
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Choose(at) => {
                if let Some((start, word)) =
                    chosen.and_then(|menu| Some((menu.start, menu.words.get(at as usize)?.clone())))
                {
                    self.replace_word(start, &word);
                    self.insert(" ", history);
                }
            }
            Key::Right | Key::AcceptGhost if self.cursor == length => {
                let ghost = self.ghost(history, at_prompt);
                if !ghost.is_empty() {
                    let text = self.text() + &ghost;
                    self.set(&text);
                }
            }
            Key::Right if self.cursor < length => self.cursor += 1,
            Key::Up | Key::Down if at_prompt => self.walk_history(history, key == Key::Up),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = length,
            Key::WordLeft => self.cursor = self.word_left(),
            Key::WordRight => self.cursor = self.word_right(),
            Key::Escape => self.offer = None,
            Key::Control('k') => {
                let at = self.cursor;
                self.kill(at, length);
            }
            Key::Control('u') => {
                let at = self.cursor;
                self.kill(0, at);
            }
            Key::Control('w') => self.kill(self.word_left(), self.cursor),
            Key::Control('y') => {
                let at = self.cursor as usize;
                let killed = self.killed.clone();
                self.cursor += killed.len() as u32;
                self.text.splice(at..at, killed);
            }
            Key::Control('t') if self.cursor > 0 && length > 1 => {
                let at = self.cursor.min(length - 1) as usize;
                self.text.swap(at - 1, at);
                self.cursor = at as u32 + 1;
            }
            Key::Control('r') if at_prompt => {
                self.search = Some(Search { found: None, draft: self.text() });
                self.set("");
            }
            Key::Control('l') => return Action::Clear,
            Key::Control('c') => return Action::Interrupt,
            Key::Control('z') => return Action::Suspend,
            Key::RunOffer => return Action::RunOffer,
            _ => {}
        }
        Action::None
    }

    /// A key while searching; `None`: the search is not on, or it ended and the key is still to be done.
    fn search_key(&mut self, key: Key, history: &[String]) -> Option<Action> {
        let search = self.search.as_mut()?;
        match key {
            Key::Control('r') => {
                let found = search.found;
                self.find(history, found);
            }
            Key::Control('g' | 'c') => {
                let draft = search.draft.clone();
                self.search = None;
                self.set(&draft);
            }
            Key::Backspace => {
                self.cursor = self.cursor.saturating_sub(1);
                self.text.truncate(self.cursor as usize);
                self.find(history, None);
            }
            key => {
                let line = self.to_submit(&self.text(), history);
                self.search = None;
                self.set(&line);
                // These only leave the search, with what was found.
                if !matches!(key, Key::Escape | Key::Right | Key::AcceptGhost | Key::Tab) {
                    return None;
                }
            }
        }
        Some(Action::None)
    }
}
