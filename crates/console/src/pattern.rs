//! Patterns: the shell's globs, and regular expressions small enough for a tab.
//!
//! A regular expression backtracks, with a bound on its steps: a pattern that runs away matches nothing.

/// Whether the whole text matches a glob. A letter marked true is quoted and stands for itself.
pub fn glob(pattern: &[(char, bool)], text: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where to go on if the newest star takes one letter more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            None => (seen == text.len()).then_some(0),
            Some(('*', false)) => {
                star = Some((at + 1, seen));
                at += 1;
                continue;
            }
            Some(('?', false)) if seen < text.len() => Some(1),
            Some(('[', false)) if seen < text.len() => match bracket(&pattern[at..], text[seen]) {
                Some((true, used)) => Some(used),
                Some((false, _)) => None,
                None => (text[seen] == '[').then_some(1),
            },
            Some((letter, _)) => (text.get(seen) == Some(letter)).then_some(1),
        };
        match (step, star) {
            (Some(0), _) => return true,
            (Some(used), _) => {
                at += used;
                seen += 1;
            }
            (None, Some((after, from))) if from < text.len() => {
                star = Some((after, from + 1));
                at = after;
                seen = from + 1;
            }
            (None, _) => return false,
        }
    }
}

/// Whether `letter` is in the bracket expression at the start, and how long that is; `None` if it does not close.
fn bracket(pattern: &[(char, bool)], letter: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let negated = matches!(pattern.get(at), Some(('!' | '^', false)));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let (item, quoted) = *pattern.get(at)?;
        if item == ']' && !quoted && at > first {
            return Some((found != negated, at + 1));
        }
        if item == '[' && pattern.get(at + 1).is_some_and(|next| next.0 == ':') {
            let name: String = pattern[at + 2..]
                .iter()
                .map(|item| item.0)
                .take_while(|letter| *letter != ':')
                .collect();
            let close = at + 2 + name.chars().count();
            if pattern.get(close + 1).is_some_and(|next| next.0 == ']') {
                found |= in_class(&name, letter);
                at = close + 2;
                continue;
            }
        }
        let range = matches!(pattern.get(at + 1), Some(('-', false)))
            && pattern.get(at + 2).is_some_and(|(end, quoted)| *quoted || *end != ']');
        if range {
            found |= (item..=pattern[at + 2].0).contains(&letter);
            at += 3;
        } else {
            found |= item == letter;
            at += 1;
        }
    }
}

/// POSIX character classes.
pub fn in_class(name: &str, letter: char) -> bool {
    match name {
        "alpha" => letter.is_alphabetic(),
        "digit" => letter.is_ascii_digit(),
        "alnum" => letter.is_alphanumeric(),
        "upper" => letter.is_uppercase(),
        "lower" => letter.is_lowercase(),
        "space" => letter.is_whitespace(),
        "blank" => letter == ' ' || letter == '\t',
        "punct" => letter.is_ascii_punctuation(),
        "xdigit" => letter.is_ascii_hexdigit(),
        "print" => !letter.is_control(),
        "cntrl" => letter.is_control(),
        _ => false,
    }
}

/// How a regular expression is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `grep`: `\(`, `\|`, `\+`, `\?`, `\{` are special with a backslash.
    Basic,
    /// `grep -E`, and Java as far as Kafka's tools need it (`\d`, `\w`, `\s`, `\b`, lazy repeats, `(?:…)`, `(?i)`).
    Extended,
}

/// What is wrong with an expression, in the words of `java.util.regex.PatternSyntaxException`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    pub message: &'static str,
    /// In letters; -1 if unknown, as there.
    pub index: i32,
}

#[derive(Clone, Debug)]
enum Node {
    Letter(char),
    Any,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
        classes: Vec<(&'static str, bool)>,
    },
    Start,
    End,
    /// Between a word and what is none (true), or not so.
    Boundary(bool),
    All(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: u32,
        lazy: bool,
    },
    Group(Box<Node>, usize),
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    node: Node,
    groups: usize,
    ignore_case: bool,
}

const DEPTH_MAX: u32 = 40;
const STEPS_MAX: u32 = 200_000;
const RECURSION_MAX: u32 = 500;

impl Pattern {
    pub fn new(text: &str, syntax: Syntax, ignore_case: bool) -> Result<Self, PatternError> {
        let mut reader = Reader {
            letters: text.chars().collect(),
            at: 0,
            syntax,
            groups: 0,
            depth: 0,
            ignore_case,
        };
        let node = reader.either()?;
        if reader.at < reader.letters.len() {
            return Err(PatternError {
                message: "Unmatched closing ')'",
                index: reader.at as i32 - 1,
            });
        }
        Ok(Self { node, groups: reader.groups, ignore_case: reader.ignore_case })
    }

    /// Whether the whole text matches (Java's `matches`).
    pub fn matches(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        let mut run = Run::new(self, &letters);
        run.go(&self.node, 0, &mut |_, at| at == letters.len())
    }

    /// The first match: start and end of the whole and of each group, in letters.
    pub fn find(&self, letters: &[char], from: usize) -> Option<Vec<Option<(usize, usize)>>> {
        let mut run = Run::new(self, letters);
        for start in from..=letters.len() {
            let mut end = None;
            run.groups.fill(None);
            let mut groups = Vec::new();
            if run.go(&self.node, start, &mut |run, at| {
                end = Some(at);
                groups.clone_from(&run.groups);
                true
            }) {
                let mut found = vec![end.map(|end| (start, end))];
                found.extend(groups);
                return Some(found);
            }
            if run.steps > STEPS_MAX {
                return None;
            }
        }
        None
    }

    /// Whether it matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.find(&text.chars().collect::<Vec<_>>(), 0).is_some()
    }
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    syntax: Syntax,
    groups: usize,
    depth: u32,
    ignore_case: bool,
}

impl Reader {
    fn sees(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(index, letter)| self.letters.get(self.at + index) == Some(&letter))
    }

    /// An operator: bare in extended expressions, behind a backslash in basic ones.
    fn operator(&self, letter: char) -> usize {
        match self.syntax {
            Syntax::Extended => usize::from(self.letters.get(self.at) == Some(&letter)),
            Syntax::Basic
                if self.letters.get(self.at) == Some(&'\\')
                    && self.letters.get(self.at + 1) == Some(&letter) =>
            {
                2
            }
            Syntax::Basic => 0,
        }
    }

    fn either(&mut self) -> Result<Node, PatternError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(PatternError { message: "Pattern nests too deep", index: self.at as i32 });
        }
        let mut choices = vec![self.all()?];
        loop {
            let used = self.operator('|');
            if used == 0 {
                break;
            }
            self.at += used;
            choices.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if choices.len() == 1 { choices.remove(0) } else { Node::Either(choices) })
    }

    fn all(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        while self.at < self.letters.len() && self.operator('|') == 0 && self.operator(')') == 0 {
            let first = nodes.is_empty();
            let node = self.atom(first)?;
            nodes.extend(node);
            while let Some((min, max, lazy)) = self.repeat()? {
                let node = Box::new(nodes.pop().unwrap_or(Node::All(Vec::new())));
                nodes.push(Node::Repeat { node, min, max, lazy });
            }
        }
        Ok(Node::All(nodes))
    }

    fn repeat(&mut self) -> Result<Option<(u32, u32, bool)>, PatternError> {
        let bounds = if self.letters.get(self.at) == Some(&'*') {
            self.at += 1;
            (0, u32::MAX)
        } else if self.operator('+') > 0 {
            self.at += self.operator('+');
            (1, u32::MAX)
        } else if self.operator('?') > 0 {
            self.at += self.operator('?');
            (0, 1)
        } else if self.operator('{') > 0 {
            let start = self.at;
            self.at += self.operator('{');
            let body: String = self.letters[self.at..]
                .iter()
                .take_while(|letter| **letter != '}' && **letter != '\\')
                .collect();
            self.at += body.chars().count();
            let close = self.operator('}');
            let error = PatternError { message: "Illegal repetition", index: start as i32 };
            if close == 0 {
                return Err(error);
            }
            self.at += close;
            let (min, max) = body.split_once(',').unwrap_or((&body, &body));
            let min: u32 =
                if min.is_empty() { 0 } else { min.parse().map_err(|_| error.clone())? };
            let max: u32 =
                if max.is_empty() { u32::MAX } else { max.parse().map_err(|_| error.clone())? };
            if min > max || min > 1000 {
                return Err(PatternError {
                    message: "Illegal repetition range",
                    index: start as i32,
                });
            }
            (min, max)
        } else {
            return Ok(None);
        };
        let lazy = self.syntax == Syntax::Extended && self.sees("?");
        self.at += usize::from(lazy || self.syntax == Syntax::Extended && self.sees("+"));
        Ok(Some((bounds.0, bounds.1, lazy)))
    }

    fn atom(&mut self, first: bool) -> Result<Option<Node>, PatternError> {
        let start = self.at;
        let open = self.operator('(');
        if open > 0 {
            self.at += open;
            let mut index = None;
            if self.syntax == Syntax::Extended && self.sees("?") {
                if self.sees("?i)") {
                    self.at += 3;
                    self.ignore_case = true;
                    return Ok(None);
                }
                if !self.sees("?:") {
                    return Err(PatternError {
                        message: "Unknown inline modifier",
                        index: self.at as i32,
                    });
                }
                self.at += 2;
            } else {
                index = Some(self.groups);
                self.groups += 1;
            }
            let node = self.either()?;
            let close = self.operator(')');
            if close == 0 {
                return Err(PatternError {
                    message: "Unclosed group",
                    index: self.letters.len() as i32,
                });
            }
            self.at += close;
            return Ok(Some(match index {
                Some(index) => Node::Group(Box::new(node), index),
                None => node,
            }));
        }
        self.at += 1;
        let letter = self.letters[start];
        Ok(Some(match letter {
            '.' => Node::Any,
            '^' if self.syntax == Syntax::Extended || first => Node::Start,
            '$' if self.syntax == Syntax::Extended
                || self.at == self.letters.len()
                || self.operator(')') > 0 =>
            {
                Node::End
            }
            '[' => self.set(start)?,
            '*' | '+' | '?' if self.syntax == Syntax::Extended => {
                return Err(PatternError {
                    message: match letter {
                        '*' => "Dangling meta character '*'",
                        '+' => "Dangling meta character '+'",
                        _ => "Dangling meta character '?'",
                    },
                    index: start as i32,
                });
            }
            '\\' => {
                let Some(escaped) = self.letters.get(self.at).copied() else {
                    return Err(PatternError {
                        message: "Unexpected internal error",
                        index: self.at as i32,
                    });
                };
                self.at += 1;
                let class = |name, negated| Node::Set {
                    negated,
                    ranges: Vec::new(),
                    classes: vec![(name, true)],
                };
                match escaped {
                    'd' => class("digit", false),
                    'D' => class("digit", true),
                    's' => class("space", false),
                    'S' => class("space", true),
                    'w' | 'W' => Node::Set {
                        negated: escaped == 'W',
                        ranges: vec![('_', '_')],
                        classes: vec![("alnum", true)],
                    },
                    'b' => Node::Boundary(true),
                    'B' => Node::Boundary(false),
                    't' => Node::Letter('\t'),
                    'n' => Node::Letter('\n'),
                    'Q' => {
                        let mut nodes = Vec::new();
                        while self.at < self.letters.len() && !self.sees("\\E") {
                            nodes.push(Node::Letter(self.letters[self.at]));
                            self.at += 1;
                        }
                        self.at = (self.at + 2).min(self.letters.len());
                        Node::All(nodes)
                    }
                    other => Node::Letter(other),
                }
            }
            letter => Node::Letter(letter),
        }))
    }

    fn set(&mut self, start: usize) -> Result<Node, PatternError> {
        let unclosed = PatternError {
            message: "Unclosed character class",
            index: self.letters.len() as i32 - 1,
        };
        let negated = self.sees("^");
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        let mut classes = Vec::new();
        let first = self.at;
        loop {
            let Some(mut letter) = self.letters.get(self.at).copied() else {
                return Err(PatternError {
                    index: if start + 1 == self.letters.len() {
                        start as i32
                    } else {
                        unclosed.index
                    },
                    ..unclosed
                });
            };
            self.at += 1;
            if letter == ']' && self.at - 1 > first {
                return Ok(Node::Set { negated, ranges, classes });
            }
            if letter == '[' && self.sees(":") {
                let name: String = self.letters[self.at + 1..]
                    .iter()
                    .take_while(|letter| **letter != ':')
                    .collect();
                let known = [
                    "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct",
                    "xdigit", "print", "cntrl",
                ];
                if let Some(known) = known.into_iter().find(|known| *known == name) {
                    classes.push((known, true));
                    self.at = (self.at + 1 + name.len() + 2).min(self.letters.len());
                    continue;
                }
            }
            if letter == '\\' && self.syntax == Syntax::Extended {
                let Some(escaped) = self.letters.get(self.at).copied() else {
                    return Err(unclosed);
                };
                self.at += 1;
                match escaped {
                    'd' | 'D' => classes.push(("digit", escaped == 'd')),
                    's' | 'S' => classes.push(("space", escaped == 's')),
                    'w' => {
                        classes.push(("alnum", true));
                        ranges.push(('_', '_'));
                    }
                    't' => ranges.push(('\t', '\t')),
                    other => letter = other,
                }
                if "dDswSt".contains(escaped) {
                    continue;
                }
            }
            let range =
                self.sees("-") && self.letters.get(self.at + 1).is_some_and(|end| *end != ']');
            if !range {
                ranges.push((letter, letter));
                continue;
            }
            let end = self.letters[self.at + 1];
            self.at += 2;
            if end < letter {
                return Err(PatternError {
                    message: "Illegal character range",
                    index: self.at as i32 - 1,
                });
            }
            ranges.push((letter, end));
        }
    }
}

struct Run<'a> {
    text: &'a [char],
    groups: Vec<Option<(usize, usize)>>,
    steps: u32,
    depth: u32,
    ignore_case: bool,
}

type Then<'t> = &'t mut dyn FnMut(&mut Run<'_>, usize) -> bool;

impl<'a> Run<'a> {
    fn new(pattern: &Pattern, text: &'a [char]) -> Self {
        Self {
            text,
            groups: vec![None; pattern.groups],
            steps: 0,
            depth: 0,
            ignore_case: pattern.ignore_case,
        }
    }

    /// Whether the node matches one letter; `None` if it is not about one letter.
    fn letter(&self, node: &Node, at: usize) -> Option<bool> {
        let same = |one: char, other: char| {
            one == other || self.ignore_case && one.to_lowercase().eq(other.to_lowercase())
        };
        let letter = self.text.get(at).copied();
        Some(match node {
            Node::Letter(expected) => letter.is_some_and(|letter| same(letter, *expected)),
            Node::Any => letter.is_some_and(|letter| letter != '\n'),
            Node::Set { negated, ranges, classes } => letter.is_some_and(|letter| {
                let folded: Vec<char> = match self.ignore_case {
                    true => letter.to_lowercase().chain(letter.to_uppercase()).collect(),
                    false => vec![letter],
                };
                let inside = folded.iter().any(|letter| {
                    ranges.iter().any(|(from, to)| (from..=to).contains(&letter))
                        || classes.iter().any(|(name, yes)| in_class(name, *letter) == *yes)
                });
                inside != *negated
            }),
            _ => return None,
        })
    }

    fn go(&mut self, node: &Node, at: usize, then: Then<'_>) -> bool {
        self.steps += 1;
        if self.steps > STEPS_MAX || self.depth > RECURSION_MAX {
            return false;
        }
        if let Some(matched) = self.letter(node, at) {
            return matched && then(self, at + 1);
        }
        self.depth += 1;
        let found = self.compound(node, at, then);
        self.depth -= 1;
        found
    }

    fn compound(&mut self, node: &Node, at: usize, then: Then<'_>) -> bool {
        match node {
            Node::Start => at == 0 && then(self, at),
            Node::End => at == self.text.len() && then(self, at),
            Node::Boundary(wanted) => {
                let word = |at: Option<usize>| {
                    at.and_then(|at| self.text.get(at))
                        .is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
                };
                (word(at.checked_sub(1)) != word(Some(at))) == *wanted && then(self, at)
            }
            Node::All(nodes) => self.sequence(nodes, at, then),
            Node::Either(choices) => choices.iter().any(|choice| self.go(choice, at, then)),
            Node::Group(inner, index) => {
                let before = self.groups[*index];
                let found = self.go(inner, at, &mut |run, end| {
                    let inner = run.groups[*index];
                    run.groups[*index] = Some((at, end));
                    then(run, end) || {
                        run.groups[*index] = inner;
                        false
                    }
                });
                if !found {
                    self.groups[*index] = before;
                }
                found
            }
            Node::Repeat { node, min, max, lazy } if self.letter(node, at).is_some() => {
                let (min, max) = (*min as usize, *max as usize);
                if *lazy {
                    let mut count = 0;
                    loop {
                        if count >= min && then(self, at + count) {
                            return true;
                        }
                        self.steps += 1;
                        if count >= max
                            || self.steps > STEPS_MAX
                            || self.letter(node, at + count) != Some(true)
                        {
                            return false;
                        }
                        count += 1;
                    }
                }
                let mut count = 0;
                while count < max && self.letter(node, at + count) == Some(true) {
                    count += 1;
                }
                loop {
                    if count < min {
                        return false;
                    }
                    self.steps += 1;
                    if then(self, at + count) {
                        return true;
                    }
                    if count == 0 || self.steps > STEPS_MAX {
                        return false;
                    }
                    count -= 1;
                }
            }
            Node::Repeat { node, min, max, lazy } => self.repeat(node, *min, *max, *lazy, at, then),
            Node::Letter(_) | Node::Any | Node::Set { .. } => false,
        }
    }

    fn sequence(&mut self, nodes: &[Node], at: usize, then: Then<'_>) -> bool {
        match nodes.split_first() {
            None => then(self, at),
            Some((first, rest)) => self.go(first, at, &mut |run, at| run.sequence(rest, at, then)),
        }
    }

    fn repeat(
        &mut self,
        node: &Node,
        min: u32,
        max: u32,
        lazy: bool,
        at: usize,
        then: Then<'_>,
    ) -> bool {
        if lazy && min == 0 && then(self, at) {
            return true;
        }
        let more = max > 0
            && self.go(node, at, &mut |run, end| {
                // An empty round brings nothing new.
                (end > at || min > 0) && {
                    run.depth += 1;
                    let found = run.depth <= RECURSION_MAX
                        && run.repeat(
                            node,
                            min.saturating_sub(1),
                            if max == u32::MAX { max } else { max - 1 },
                            lazy,
                            end,
                            then,
                        );
                    run.depth -= 1;
                    found
                }
            });
        more || !lazy && min == 0 && then(self, at)
    }
}
