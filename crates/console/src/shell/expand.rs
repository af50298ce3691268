//! Words to fields: braces, tilde, parameters, substitutions, arithmetic, splitting, globbing, in bash's order.
//!
//! Expansion is one pure pass: command substitutions have run before, and their results come in a queue.

use std::collections::VecDeque;

use super::arithmetic;
use super::ast::{Operation, Part, Word};
use super::state::State;
use crate::disk::{Disk, absolute};
use crate::pattern::glob;

/// A letter, and whether it is quoted.
type Letter = (char, bool);

/// More fields than this from one word's braces are not made.
const BRACES_MAX: usize = 20_000;

/// What an expansion works with. An error is bash's message without its prefix.
pub struct Expander<'a> {
    pub state: &'a mut State,
    pub disk: &'a Disk,
    /// Results of the words' command substitutions, in order.
    pub substitutions: VecDeque<String>,
}

/// Fields under construction.
struct Fields {
    done: Vec<Vec<Letter>>,
    current: Vec<Letter>,
    /// The current field exists even if empty (it had quotes).
    exists: bool,
}

impl Fields {
    fn close(&mut self) {
        if self.exists || !self.current.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
        self.exists = false;
    }
}

/// The words that `a{b,c}` and `{1..3}` stand for.
pub fn braces(words: &[Word]) -> Vec<Word> {
    let mut all = Vec::new();
    for word in words {
        let candidate =
            word.0.iter().any(|part| matches!(part, Part::Bare(text) if text.contains('{')));
        if !candidate {
            all.push(word.clone());
            continue;
        }
        let mut atoms = Vec::new();
        for part in &word.0 {
            match part {
                Part::Bare(text) => atoms.extend(text.chars().map(Atom::Letter)),
                part => atoms.push(Atom::Part(part.clone())),
            }
        }
        let mut results = Vec::new();
        expand_braces(&atoms, 0, &mut results);
        all.extend(results.into_iter().map(|atoms| {
            let mut parts: Vec<Part> = Vec::new();
            for atom in atoms {
                match (atom, parts.last_mut()) {
                    (Atom::Letter(letter), Some(Part::Bare(text))) => text.push(letter),
                    (Atom::Letter(letter), _) => parts.push(Part::Bare(letter.to_string())),
                    (Atom::Part(part), _) => parts.push(part),
                }
            }
            Word(parts)
        }));
    }
    all
}

#[derive(Clone, Debug, PartialEq)]
enum Atom {
    Letter(char),
    Part(Part),
}

fn expand_braces(atoms: &[Atom], depth: u32, results: &mut Vec<Vec<Atom>>) {
    let is = |at: usize, letter: char| atoms.get(at) == Some(&Atom::Letter(letter));
    for open in 0..atoms.len() {
        if !is(open, '{') || depth > 20 {
            continue;
        }
        // Find its comma-separated pieces.
        let mut level = 0;
        let mut cuts = vec![open];
        let mut close = None;
        for at in open..atoms.len() {
            if is(at, '{') {
                level += 1;
            } else if is(at, '}') {
                level -= 1;
                if level == 0 {
                    close = Some(at);
                    break;
                }
            } else if is(at, ',') && level == 1 {
                cuts.push(at);
            }
        }
        let Some(close) = close else { continue };
        let inside: String = atoms[open + 1..close]
            .iter()
            .map(|atom| match atom {
                Atom::Letter(letter) => *letter,
                Atom::Part(_) => '\0',
            })
            .collect();
        let pieces: Vec<Vec<Atom>> = if cuts.len() > 1 {
            cuts.push(close);
            cuts.windows(2).map(|pair| atoms[pair[0] + 1..pair[1]].to_vec()).collect()
        } else if let Some(range) = brace_range(&inside) {
            range.into_iter().map(|text| text.chars().map(Atom::Letter).collect()).collect()
        } else {
            continue;
        };
        for piece in pieces {
            let mut inner = Vec::new();
            expand_braces(&piece, depth + 1, &mut inner);
            let mut rests = Vec::new();
            expand_braces(&atoms[close + 1..], depth + 1, &mut rests);
            for middle in &inner {
                for rest in &rests {
                    if results.len() >= BRACES_MAX {
                        return;
                    }
                    results.push([&atoms[..open], middle, rest].concat());
                }
            }
        }
        return;
    }
    results.push(atoms.to_vec());
}

/// `1..5`, `01..10`, `5..1..2`, `a..e`.
fn brace_range(text: &str) -> Option<Vec<String>> {
    let pieces: Vec<&str> = text.split("..").collect();
    let (from, to, step) = match pieces.as_slice() {
        [from, to] => (*from, *to, 1),
        [from, to, step] => (*from, *to, step.parse::<i64>().ok()?.abs().max(1)),
        _ => return None,
    };
    let letter = |text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
    };
    let (start, end, letters) = match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(start), Ok(end)) => (start, end, false),
        _ => (i64::from(letter(from)? as u32), i64::from(letter(to)? as u32), true),
    };
    let padded = |text: &str| {
        text.trim_start_matches('-').starts_with('0') && text.trim_start_matches('-').len() > 1
    };
    let width = if padded(from) || padded(to) { from.len().max(to.len()) } else { 0 };
    let mut values = Vec::new();
    let mut value = start;
    while if start <= end { value <= end } else { value >= end } {
        values.push(match letters {
            true => char::from_u32(value as u32)?.to_string(),
            false => format!("{value:0width$}"),
        });
        if values.len() >= BRACES_MAX {
            break;
        }
        value = if start <= end { value.checked_add(step)? } else { value.checked_sub(step)? };
    }
    Some(values)
}

impl Expander<'_> {
    /// The fields of words whose braces have been expanded.
    pub fn fields(&mut self, words: &[Word]) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for word in words {
            let mut fields = Fields { done: Vec::new(), current: Vec::new(), exists: false };
            self.parts(&word.0, true, &mut fields, true)?;
            fields.close();
            for field in fields.done {
                self.paths(field, &mut all);
            }
        }
        Ok(all)
    }

    /// The text of a word where no splitting and globbing happens: assignments, redirections, here-documents.
    pub fn text(&mut self, word: &Word) -> Result<String, String> {
        Ok(self.letters(word)?.into_iter().map(|letter| letter.0).collect())
    }

    /// The same with its quotes kept, for patterns.
    pub fn letters(&mut self, word: &Word) -> Result<Vec<Letter>, String> {
        let mut fields = Fields { done: Vec::new(), current: Vec::new(), exists: false };
        self.parts(&word.0, false, &mut fields, true)?;
        fields.close();
        Ok(fields.done.join(&(' ', true)))
    }

    fn parts(
        &mut self,
        parts: &[Part],
        split: bool,
        fields: &mut Fields,
        start: bool,
    ) -> Result<(), String> {
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Bare(text) => {
                    let mut rest = text.as_str();
                    if start
                        && index == 0
                        && rest.starts_with('~')
                        && (rest.len() == 1 || rest[1..].starts_with('/'))
                    {
                        let home = self.state.lookup("HOME").unwrap_or_default();
                        fields.current.extend(home.chars().map(|letter| (letter, true)));
                        rest = &rest[1..];
                    }
                    fields.current.extend(rest.chars().map(|letter| (letter, false)));
                }
                Part::Quoted(text) => {
                    fields.exists = true;
                    fields.current.extend(text.chars().map(|letter| (letter, true)));
                }
                Part::Double(inside) => self.double(inside, fields)?,
                Part::Parameter { name, operation }
                    if (name == "@" || name == "*") && *operation == Operation::Value =>
                {
                    for (index, value) in self.state.positional.clone().iter().enumerate() {
                        if index > 0 {
                            if split { fields.close() } else { fields.current.push((' ', false)) }
                        }
                        self.add(value, split, fields);
                    }
                }
                Part::Parameter { name, operation: Operation::Fallback { kind, colon, word } } => {
                    if let Some(value) = self.fallback(name, *kind, *colon, word)? {
                        self.add(&value, split, fields);
                    } else {
                        self.parts(&word.0, split, fields, true)?;
                    }
                }
                part => {
                    let value = self.value(part)?;
                    self.add(&value, split, fields);
                }
            }
        }
        Ok(())
    }

    fn double(&mut self, parts: &[Part], fields: &mut Fields) -> Result<(), String> {
        // "$@" alone with no parameters is no field at all.
        let none = self.state.positional.is_empty()
            && matches!(parts, [Part::Parameter { name, operation: Operation::Value }] if name == "@");
        if none {
            return Ok(());
        }
        fields.exists = true;
        for part in parts {
            match part {
                Part::Bare(text) | Part::Quoted(text) => {
                    fields.current.extend(text.chars().map(|letter| (letter, true)))
                }
                Part::Double(inside) => self.double(inside, fields)?,
                Part::Parameter { name, operation: Operation::Value } if name == "@" => {
                    for (index, value) in self.state.positional.clone().iter().enumerate() {
                        if index > 0 {
                            fields.close();
                            fields.exists = true;
                        }
                        fields.current.extend(value.chars().map(|letter| (letter, true)));
                    }
                }
                Part::Parameter { name, operation: Operation::Fallback { kind, colon, word } } => {
                    if let Some(value) = self.fallback(name, *kind, *colon, word)? {
                        fields.current.extend(value.chars().map(|letter| (letter, true)));
                    } else {
                        self.double(&word.0, fields)?;
                    }
                }
                part => {
                    let value = self.value(part)?;
                    fields.current.extend(value.chars().map(|letter| (letter, true)));
                }
            }
        }
        Ok(())
    }

    /// Adds an unquoted value: split at IFS, its letters still open to globbing.
    fn add(&mut self, value: &str, split: bool, fields: &mut Fields) {
        if !split {
            fields.current.extend(value.chars().map(|letter| (letter, true)));
            return;
        }
        let separators = self.state.lookup("IFS").unwrap_or_else(|| " \t\n".to_owned());
        let mut after_hard = false;
        for letter in value.chars() {
            if !separators.contains(letter) {
                fields.current.push((letter, false));
                after_hard = false;
            } else if letter.is_ascii_whitespace() {
                if !after_hard {
                    fields.close();
                }
            } else {
                fields.exists = true;
                fields.close();
                after_hard = true;
            }
        }
    }

    /// The value of a parameter with `-`, `=`, `?` or `+`; `None`: its word instead.
    fn fallback(
        &mut self,
        name: &str,
        kind: char,
        colon: bool,
        word: &Word,
    ) -> Result<Option<String>, String> {
        let value = self.state.lookup(name).filter(|value| !colon || !value.is_empty());
        match (kind, value) {
            ('+', Some(_)) => Ok(None),
            ('+', None) => {
                self.skip(word);
                Ok(Some(String::new()))
            }
            ('-', None) => Ok(None),
            ('=', None) => {
                let text = self.text(word)?;
                self.state.assign(name, text.clone());
                Ok(Some(text))
            }
            ('?', None) => {
                let text = self.text(word)?;
                let why = match colon {
                    _ if !text.is_empty() => text,
                    true => "parameter null or not set".to_owned(),
                    false => "parameter not set".to_owned(),
                };
                self.state.failure = 127;
                Err(format!("{name}: {why}"))
            }
            (_, Some(value)) => {
                self.skip(word);
                Ok(Some(value))
            }
            (_, None) => Ok(Some(String::new())),
        }
    }

    /// Drops the results of substitutions in a word that is not used.
    fn skip(&mut self, word: &Word) {
        let mut count = 0;
        word.substitutions(&mut |_| count += 1);
        self.substitutions.drain(..count.min(self.substitutions.len()));
    }

    fn value(&mut self, part: &Part) -> Result<String, String> {
        match part {
            Part::Command(_) => Ok(self.substitutions.pop_front().unwrap_or_default()),
            Part::Arithmetic(word) => {
                let text = self.text(word)?;
                self.state.draw();
                arithmetic::evaluate(text.trim(), self.state).map(|value| value.to_string())
            }
            Part::Parameter { name, operation } => {
                if name == "RANDOM" {
                    self.state.draw();
                }
                let found = self.state.lookup(name);
                if found.is_none()
                    && self.state.unset_is_error
                    && !matches!(name.as_str(), "@" | "*")
                {
                    self.state.failure = 127;
                    return Err(format!("{name}: unbound variable"));
                }
                self.operate(name, found.unwrap_or_default(), operation)
            }
            Part::Bare(text) | Part::Quoted(text) => Ok(text.clone()),
            Part::Double(_) => Ok(String::new()),
        }
    }

    fn operate(
        &mut self,
        name: &str,
        value: String,
        operation: &Operation,
    ) -> Result<String, String> {
        let letters: Vec<char> = value.chars().collect();
        Ok(match operation {
            Operation::Value | Operation::Fallback { .. } => value,
            Operation::Length if name == "@" || name == "*" => {
                self.state.positional.len().to_string()
            }
            Operation::Length => letters.len().to_string(),
            Operation::Remove { prefix, longest, pattern } => {
                let pattern = self.letters(pattern)?;
                let mut ends: Vec<usize> = (0..=letters.len()).collect();
                if *prefix == *longest {
                    ends.reverse();
                }
                let found = ends.into_iter().find(|at| match prefix {
                    true => glob(&pattern, &letters[..*at]),
                    false => glob(&pattern, &letters[*at..]),
                });
                match (found, prefix) {
                    (None, _) => value,
                    (Some(at), true) => letters[at..].iter().collect(),
                    (Some(at), false) => letters[..at].iter().collect(),
                }
            }
            Operation::Replace { all, pattern, with } => {
                let pattern = self.letters(pattern)?;
                let with = self.text(with)?;
                replace(&letters, &pattern, &with, *all)
            }
            Operation::Slice { offset, length } => {
                let mut number = |word: &Word| {
                    let text = self.text(word)?;
                    arithmetic::evaluate(text.trim(), self.state)
                };
                let size = letters.len() as i64;
                let offset = number(offset)?;
                let start = if offset < 0 { size + offset } else { offset };
                let end = match length {
                    None => size,
                    Some(length) => match number(length)? {
                        length if length < 0 => size + length,
                        length => start.saturating_add(length),
                    },
                };
                if start < 0 || start > size {
                    return Ok(String::new());
                }
                if end < start {
                    return Err(format!("{}: substring expression < 0", end - size));
                }
                letters[start as usize..end.min(size) as usize].iter().collect()
            }
            Operation::Case { upper, all } => {
                let change = |letter: char| {
                    if *upper {
                        letter.to_uppercase().to_string()
                    } else {
                        letter.to_lowercase().to_string()
                    }
                };
                letters
                    .iter()
                    .enumerate()
                    .map(
                        |(index, letter)| {
                            if *all || index == 0 { change(*letter) } else { letter.to_string() }
                        },
                    )
                    .collect()
            }
        })
    }

    /// A field's paths if it globs and any exist, else the field itself.
    fn paths(&self, field: Vec<Letter>, all: &mut Vec<String>) {
        let text: String = field.iter().map(|letter| letter.0).collect();
        if !field.iter().any(|(letter, quoted)| !quoted && matches!(letter, '*' | '?' | '[')) {
            all.push(text);
            return;
        }
        let components: Vec<&[Letter]> = field.split(|letter| letter.0 == '/').collect();
        let mut found = vec![String::new()];
        for (index, component) in components.iter().enumerate() {
            let last = index + 1 == components.len();
            let plain: String = component.iter().map(|letter| letter.0).collect();
            let globs = component
                .iter()
                .any(|(letter, quoted)| !quoted && matches!(letter, '*' | '?' | '['));
            let mut next = Vec::new();
            for base in found {
                let directory =
                    absolute(&self.state.cwd, if base.is_empty() { "." } else { &base });
                if !globs {
                    let path = format!("{base}{plain}{}", if last { "" } else { "/" });
                    if last
                        || plain.is_empty()
                        || self.disk.is_directory(&absolute(&self.state.cwd, &path))
                    {
                        next.push(path);
                    }
                    continue;
                }
                for name in self.disk.list(&directory) {
                    let hidden = name.starts_with('.')
                        && component.first().is_none_or(|letter| letter.0 != '.');
                    if !hidden && glob(component, &name.chars().collect::<Vec<_>>()) {
                        let path = format!("{base}{name}{}", if last { "" } else { "/" });
                        if last || self.disk.is_directory(&absolute(&self.state.cwd, &path)) {
                            next.push(path);
                        }
                    }
                }
            }
            found = next;
        }
        found.retain(|path| self.disk.exists(&absolute(&self.state.cwd, path)));
        if found.is_empty() { all.push(text) } else { all.append(&mut found) }
    }
}

fn replace(letters: &[char], pattern: &[Letter], with: &str, all: bool) -> String {
    let (anchor, pattern) = match pattern.first() {
        Some(('#', false)) if !all => (Some('#'), &pattern[1..]),
        Some(('%', false)) if !all => (Some('%'), &pattern[1..]),
        _ => (None, pattern),
    };
    let mut text = String::new();
    let mut at = 0;
    let mut done = pattern.is_empty() && anchor.is_none();
    while at < letters.len() {
        let end = match anchor {
            _ if done => None,
            Some('#') if at > 0 => None,
            Some('%') => glob(pattern, &letters[at..]).then_some(letters.len()),
            _ => (at + 1..=letters.len()).rev().find(|end| glob(pattern, &letters[at..*end])),
        };
        match end {
            Some(end) => {
                text.push_str(with);
                at = end;
                done = !all;
            }
            None => {
                text.push(letters[at]);
                at += 1;
            }
        }
    }
    text
}
