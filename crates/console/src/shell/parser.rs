//! Text to commands, one complete line at a time, as bash reads them.

use std::sync::Arc;

use super::ast::{Arm, Command, Item, Operation, Part, Redirect, RedirectKind, Simple, Word};

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// More lines are needed.
    Incomplete,
    /// Bash's message (without `bash: `), and the line it is about, from 1.
    Message(String, u32),
}

/// What [`parse_next`] read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// `None`: only blanks and comments.
    pub command: Option<Arc<Command>>,
    /// Bytes read, with the newline.
    pub used: usize,
}

/// How deep commands and words may nest.
const DEPTH_MAX: u32 = 60;
const KEYWORDS: [&str; 16] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{",
    "}", "!", "in",
];

type Parse<T> = Result<T, SyntaxError>;

/// Reads one line, or as many as belong together, from the start of `text`. `end`: no more text will come.
/// `line` numbers the first line in messages.
pub fn parse_next(text: &str, end: bool, line: u32) -> Parse<Parsed> {
    let mut parser = Parser::new(text, end, line);
    parser.skip_blanks();
    match parser.peek()? {
        Token::End => return Ok(Parsed { command: None, used: text.len() }),
        Token::Newline => {
            parser.take()?;
            return Ok(Parsed { command: None, used: parser.offset().min(text.len()) });
        }
        _ => {}
    }
    let command = parser.list(false)?;
    match parser.take()? {
        Token::Newline | Token::End => {
            Ok(Parsed { command: Some(command), used: parser.offset().min(text.len()) })
        }
        token => Err(parser.unexpected(&token)),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    Operator(&'static str),
    /// A digit right before `<` or `>`.
    Descriptor(u32),
    Newline,
    End,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    end: bool,
    line: u32,
    peeked: Option<(Token, usize, u32)>,
    /// Where the text goes on after the here-documents of this line.
    after_documents: Option<usize>,
    depth: u32,
    /// The text ended with a backslash and a newline: more must follow.
    continued: bool,
}

impl Parser {
    fn new(text: &str, end: bool, line: u32) -> Self {
        let mut chars: Vec<char> = text.chars().collect();
        if end && chars.last() != Some(&'\n') {
            chars.push('\n');
        }
        Self {
            chars,
            at: 0,
            end,
            line,
            peeked: None,
            after_documents: None,
            depth: 0,
            continued: false,
        }
    }

    fn offset(&self) -> usize {
        self.chars[..self.at].iter().map(|letter| letter.len_utf8()).sum()
    }

    fn here(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, letter)| self.here(index) == Some(letter))
    }

    fn error<T>(&self, message: impl Into<String>) -> Parse<T> {
        Err(SyntaxError::Message(message.into(), self.line))
    }

    /// The text ended inside something that `closer` would close.
    fn unfinished<T>(&self, closer: char, line: u32) -> Parse<T> {
        match self.end {
            true => Err(SyntaxError::Message(
                format!("unexpected EOF while looking for matching `{closer}'"),
                line,
            )),
            false => Err(SyntaxError::Incomplete),
        }
    }

    fn unexpected(&self, token: &Token) -> SyntaxError {
        let shown = match token {
            Token::End if !self.end => return SyntaxError::Incomplete,
            Token::End => {
                return SyntaxError::Message(
                    "syntax error: unexpected end of file".to_owned(),
                    self.line,
                );
            }
            Token::Newline => "newline".to_owned(),
            Token::Operator(operator) => (*operator).to_owned(),
            Token::Descriptor(number) => number.to_string(),
            Token::Word(word) => source(word),
        };
        // A newline that has been taken belongs to the line before.
        let line = if *token == Token::Newline && self.peeked.is_none() {
            self.line - 1
        } else {
            self.line
        };
        SyntaxError::Message(format!("syntax error near unexpected token `{shown}'"), line)
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= DEPTH_MAX {
            return self.error("maximum nesting depth exceeded");
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.here(0) {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.here(1) == Some('\n') => {
                    self.join_lines();
                }
                Some('#') => {
                    while self.here(0).is_some_and(|letter| letter != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// At a backslash and a newline.
    fn join_lines(&mut self) {
        self.at += 2;
        self.line += 1;
        self.continued = self.at == self.chars.len();
    }

    fn peek(&mut self) -> Parse<Token> {
        if self.peeked.is_none() {
            let (at, line) = (self.at, self.line);
            let token = self.token()?;
            self.peeked = Some((token, self.at, self.line));
            self.at = at;
            self.line = line;
        }
        Ok(self.peeked.as_ref().map_or(Token::End, |(token, ..)| token.clone()))
    }

    fn take(&mut self) -> Parse<Token> {
        let token = self.peek()?;
        if let Some((_, at, line)) = self.peeked.take() {
            self.at = at;
            self.line = line;
        }
        if token == Token::Newline
            && let Some(at) = self.after_documents.take()
        {
            self.line += self.chars[self.at..at.min(self.chars.len())]
                .iter()
                .filter(|letter| **letter == '\n')
                .count() as u32;
            self.at = at;
        }
        Ok(token)
    }

    fn token(&mut self) -> Parse<Token> {
        const OPERATORS: [&str; 20] = [
            "&>>", "<<<", "<<-", ";;", "&&", "||", "&>", ">>", ">&", "<&", "<<", ">|", "<>", ";",
            "&", "|", "<", ">", "(", ")",
        ];
        self.skip_blanks();
        let Some(first) = self.here(0) else {
            if self.continued && !self.end {
                return Err(SyntaxError::Incomplete);
            }
            return Ok(Token::End);
        };
        if first == '\\' && self.here(1).is_none() && !self.end {
            return Err(SyntaxError::Incomplete);
        }
        if first == '\n' {
            self.at += 1;
            self.line += 1;
            return Ok(Token::Newline);
        }
        if first.is_ascii_digit() && matches!(self.here(1), Some('<' | '>')) {
            self.at += 1;
            return Ok(Token::Descriptor(first as u32 - '0' as u32));
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| self.starts_with(operator)) {
            self.at += operator.len();
            return Ok(Token::Operator(operator));
        }
        Ok(Token::Word(self.word()?))
    }

    fn keyword(&mut self) -> Parse<Option<String>> {
        Ok(match self.peek()? {
            Token::Word(word) => {
                word.bare().filter(|text| KEYWORDS.contains(text)).map(String::from)
            }
            _ => None,
        })
    }

    fn expect_keyword(&mut self, keyword: &str) -> Parse<()> {
        if self.keyword()?.as_deref() == Some(keyword) {
            self.take()?;
            return Ok(());
        }
        let token = self.peek()?;
        Err(self.unexpected(&token))
    }

    fn expect_operator(&mut self, operator: &'static str) -> Parse<()> {
        let token = self.take()?;
        if token == Token::Operator(operator) { Ok(()) } else { Err(self.unexpected(&token)) }
    }

    fn skip_newlines(&mut self) -> Parse<()> {
        while self.peek()? == Token::Newline {
            self.take()?;
        }
        Ok(())
    }

    /// Commands up to a closing keyword or operator; `lines`: newlines separate, as inside compound commands.
    fn list(&mut self, lines: bool) -> Parse<Arc<Command>> {
        let mut items = Vec::new();
        loop {
            if lines {
                self.skip_newlines()?;
            }
            let closes = match self.peek()? {
                Token::End | Token::Newline | Token::Operator(")" | ";;") => true,
                Token::Word(_) => matches!(
                    self.keyword()?.as_deref(),
                    Some("then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}")
                ),
                _ => false,
            };
            if closes && !items.is_empty() {
                break;
            }
            self.skip_blanks();
            let start = self.at;
            let command = self.and_or()?;
            let text: String = self.chars[start..self.at].iter().collect();
            let mut item = Item { command, background: None };
            let more = match self.peek()? {
                Token::Operator("&") => {
                    self.take()?;
                    item.background = Some(text.trim().to_owned());
                    true
                }
                Token::Operator(";") => {
                    self.take()?;
                    true
                }
                Token::Newline => lines,
                _ => false,
            };
            items.push(item);
            if !more {
                break;
            }
        }
        Ok(Arc::new(match items.as_slice() {
            [Item { command, background: None }] => return Ok(command.clone()),
            _ => Command::List(items),
        }))
    }

    fn and_or(&mut self) -> Parse<Arc<Command>> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        while let Token::Operator(operator @ ("&&" | "||")) = self.peek()? {
            self.take()?;
            self.skip_newlines()?;
            rest.push((operator == "&&", self.pipeline()?));
        }
        Ok(if rest.is_empty() { first } else { Arc::new(Command::AndOr { first, rest }) })
    }

    fn pipeline(&mut self) -> Parse<Arc<Command>> {
        let mut negated = false;
        while self.keyword()?.as_deref() == Some("!") {
            self.take()?;
            negated = !negated;
        }
        let mut stages = vec![self.command()?];
        while self.peek()? == Token::Operator("|") {
            self.take()?;
            if self.chars.get(self.at) == Some(&'&') {
                self.at += 1;
                let redirect = Redirect {
                    fd: 2,
                    kind: RedirectKind::Duplicate,
                    target: Word(vec![Part::Bare("1".to_owned())]),
                };
                let last = stages.pop().map(|command| {
                    Arc::new(Command::Redirected { command, redirects: vec![redirect] })
                });
                stages.extend(last);
            }
            self.skip_newlines()?;
            stages.push(self.command()?);
        }
        if !negated && stages.len() == 1 {
            return Ok(stages.remove(0));
        }
        Ok(Arc::new(Command::Pipeline { negated, stages }))
    }

    fn command(&mut self) -> Parse<Arc<Command>> {
        self.deeper(|parser| {
            let token = parser.peek()?;
            let compound = match &token {
                Token::Operator("(") => Some(parser.parenthesis()?),
                Token::Word(word) => match word.bare() {
                    Some("if") => Some(parser.conditional()?),
                    Some("while") => Some(parser.repetition(false)?),
                    Some("until") => Some(parser.repetition(true)?),
                    Some("for") => Some(parser.iteration()?),
                    Some("case") => Some(parser.case()?),
                    Some("{") => Some(parser.group()?),
                    Some("[[") => Some(parser.test()?),
                    Some("function") => return parser.function_keyword(),
                    Some("then" | "else" | "elif" | "fi" | "do" | "done" | "esac" | "}") => {
                        return Err(parser.unexpected(&token));
                    }
                    _ => None,
                },
                _ => None,
            };
            let Some(command) = compound else { return parser.simple() };
            let mut redirects = Vec::new();
            while let Some(redirect) = parser.redirect()? {
                redirects.push(redirect);
            }
            let command = Arc::new(command);
            Ok(if redirects.is_empty() {
                command
            } else {
                Arc::new(Command::Redirected { command, redirects })
            })
        })
    }

    fn body(&mut self, closer: &str) -> Parse<Arc<Command>> {
        let list = self.list(true)?;
        self.expect_keyword(closer)?;
        Ok(list)
    }

    fn parenthesis(&mut self) -> Parse<Command> {
        self.take()?;
        if self.peeked.is_none() && self.here(0) == Some('(') && self.closes_arithmetic(1) {
            self.at += 1;
            return Ok(Command::Arithmetic(self.arithmetic()?));
        }
        let list = self.list(true)?;
        self.skip_newlines()?;
        self.expect_operator(")")?;
        Ok(Command::Subshell(list))
    }

    fn group(&mut self) -> Parse<Command> {
        self.take()?;
        Ok(Command::Group(self.body("}")?))
    }

    fn conditional(&mut self) -> Parse<Command> {
        self.take()?;
        let mut branches = Vec::new();
        loop {
            let condition = self.body("then")?;
            branches.push((condition, self.list(true)?));
            match self.keyword()?.as_deref() {
                Some("elif") => {
                    self.take()?;
                }
                Some("else") => {
                    self.take()?;
                    let otherwise = Some(self.body("fi")?);
                    return Ok(Command::If { branches, otherwise });
                }
                _ => {
                    self.expect_keyword("fi")?;
                    return Ok(Command::If { branches, otherwise: None });
                }
            }
        }
    }

    fn repetition(&mut self, until: bool) -> Parse<Command> {
        self.take()?;
        let condition = self.body("do")?;
        Ok(Command::While { until, condition, body: self.body("done")? })
    }

    fn iteration(&mut self) -> Parse<Command> {
        self.take()?;
        if self.peek()? == Token::Operator("(") {
            self.take()?;
            if self.here(0) != Some('(') {
                return Err(self.unexpected(&Token::Operator("(")));
            }
            self.at += 1;
            let header = self.arithmetic()?;
            let mut thirds: Vec<Word> = vec![Word::default()];
            for part in header.0 {
                let Part::Bare(text) = part else {
                    thirds.last_mut().expect("never empty").0.push(part);
                    continue;
                };
                for (index, piece) in text.split(';').enumerate() {
                    if index > 0 {
                        thirds.push(Word::default());
                    }
                    thirds.last_mut().expect("never empty").0.push(Part::Bare(piece.to_owned()));
                }
            }
            let Ok([first, condition, step]) = <[Word; 3]>::try_from(thirds) else {
                return self.error("syntax error: arithmetic expression required");
            };
            if self.peek()? == Token::Operator(";") {
                self.take()?;
            }
            self.skip_newlines()?;
            self.expect_keyword("do")?;
            return Ok(Command::Count { first, condition, step, body: self.body("done")? });
        }
        let token = self.take()?;
        let name = match &token {
            Token::Word(word) => word.bare().filter(|name| is_name(name)).map(String::from),
            _ => None,
        };
        let Some(name) = name else {
            return match &token {
                Token::Word(word) => {
                    self.error(format!("`{}': not a valid identifier", source(word)))
                }
                _ => Err(self.unexpected(&token)),
            };
        };
        self.skip_newlines()?;
        let mut words = None;
        if self.keyword()?.as_deref() == Some("in") {
            self.take()?;
            let mut list = Vec::new();
            while let Token::Word(word) = self.peek()? {
                self.take()?;
                list.push(word);
            }
            words = Some(list);
            match self.take()? {
                Token::Newline | Token::Operator(";") => {}
                token => return Err(self.unexpected(&token)),
            }
        } else if self.peek()? == Token::Operator(";") {
            self.take()?;
        }
        self.skip_newlines()?;
        self.expect_keyword("do")?;
        Ok(Command::For { name, words, body: self.body("done")? })
    }

    fn case(&mut self) -> Parse<Command> {
        self.take()?;
        let word = match self.take()? {
            Token::Word(word) => word,
            token => return Err(self.unexpected(&token)),
        };
        self.skip_newlines()?;
        self.expect_keyword("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.keyword()?.as_deref() == Some("esac") {
                self.take()?;
                return Ok(Command::Case { word, arms });
            }
            if self.peek()? == Token::Operator("(") {
                self.take()?;
            }
            let mut patterns = Vec::new();
            loop {
                match self.take()? {
                    Token::Word(word) => patterns.push(word),
                    token => return Err(self.unexpected(&token)),
                }
                match self.take()? {
                    Token::Operator("|") => {}
                    Token::Operator(")") => break,
                    token => return Err(self.unexpected(&token)),
                }
            }
            self.skip_newlines()?;
            let empty =
                self.peek()? == Token::Operator(";;") || self.keyword()?.as_deref() == Some("esac");
            let body = if empty { None } else { Some(self.list(true)?) };
            self.skip_newlines()?;
            arms.push(Arm { patterns, body });
            if self.peek()? == Token::Operator(";;") {
                self.take()?;
            } else if self.keyword()?.as_deref() != Some("esac") {
                let token = self.peek()?;
                return Err(self.unexpected(&token));
            }
        }
    }

    /// `[[ … ]]`: its words and operators as words.
    fn test(&mut self) -> Parse<Command> {
        self.take()?;
        let mut words = Vec::new();
        loop {
            match self.take()? {
                Token::Word(word) if word.bare() == Some("]]") => {
                    return Ok(Command::Conditional(words));
                }
                Token::Word(word) => words.push(word),
                Token::Operator(operator @ ("&&" | "||" | "<" | ">" | "(" | ")")) => {
                    words.push(Word(vec![Part::Bare(operator.to_owned())]));
                }
                Token::Newline => {}
                token => return Err(self.unexpected(&token)),
            }
        }
    }

    fn function_keyword(&mut self) -> Parse<Arc<Command>> {
        self.take()?;
        let name = match self.take()? {
            Token::Word(word) if word.bare().is_some() => source(&word),
            token => return Err(self.unexpected(&token)),
        };
        if self.peek()? == Token::Operator("(") {
            self.take()?;
            self.expect_operator(")")?;
        }
        self.function(name)
    }

    fn function(&mut self, name: String) -> Parse<Arc<Command>> {
        self.skip_newlines()?;
        let body = self.command()?;
        Ok(Arc::new(Command::Function { name, body }))
    }

    fn simple(&mut self) -> Parse<Arc<Command>> {
        let mut simple = Simple { line: self.line, ..Simple::default() };
        loop {
            if let Some(redirect) = self.redirect()? {
                simple.redirects.push(redirect);
                continue;
            }
            match self.peek()? {
                Token::Word(word) => {
                    self.take()?;
                    match assignment(&word).filter(|_| simple.words.is_empty()) {
                        Some(assignment) => simple.assignments.push(assignment),
                        None => simple.words.push(word),
                    }
                }
                Token::Operator("(")
                    if simple.words.len() == 1
                        && simple.assignments.is_empty()
                        && simple.redirects.is_empty() =>
                {
                    let Some(name) = simple.words[0].bare().map(String::from) else {
                        return Err(self.unexpected(&Token::Operator("(")));
                    };
                    self.take()?;
                    let token = self.take()?;
                    if token != Token::Operator(")") {
                        return Err(self.unexpected(&token));
                    }
                    return self.function(name);
                }
                token => {
                    if simple.words.is_empty()
                        && simple.assignments.is_empty()
                        && simple.redirects.is_empty()
                    {
                        return Err(self.unexpected(&token));
                    }
                    if token == Token::Operator("(") {
                        return Err(self.unexpected(&token));
                    }
                    return Ok(Arc::new(Command::Simple(simple)));
                }
            }
        }
    }

    fn redirect(&mut self) -> Parse<Option<Redirect>> {
        let mut fd = None;
        if let Token::Descriptor(number) = self.peek()? {
            self.take()?;
            fd = Some(number);
        }
        let Token::Operator(operator) = self.peek()? else { return Ok(None) };
        let (default, kind) = match operator {
            "<" | "<>" => (0, RedirectKind::Read),
            ">" | ">|" => (1, RedirectKind::Write),
            ">>" => (1, RedirectKind::Append),
            ">&" => (1, RedirectKind::Duplicate),
            "<&" => (0, RedirectKind::Duplicate),
            "&>" => (1, RedirectKind::Both),
            "&>>" => (1, RedirectKind::BothAppend),
            "<<" | "<<-" | "<<<" => (0, RedirectKind::Text),
            _ => return Ok(None),
        };
        self.take()?;
        let fd = fd.unwrap_or(default);
        let mut target = match self.take()? {
            Token::Word(word) => word,
            Token::Descriptor(number) => Word(vec![Part::Bare(number.to_string())]),
            token => return Err(self.unexpected(&token)),
        };
        match operator {
            "<<" | "<<-" => target = self.document(&target, operator == "<<-")?,
            "<<<" => target.0.push(Part::Quoted("\n".to_owned())),
            _ => {}
        }
        // `>&word` with a word that is no number means both streams.
        let number = target
            .bare()
            .is_some_and(|text| text == "-" || text.chars().all(|letter| letter.is_ascii_digit()));
        let kind = if kind == RedirectKind::Duplicate && operator == ">&" && !number {
            RedirectKind::Both
        } else {
            kind
        };
        Ok(Some(Redirect { fd, kind, target }))
    }

    /// Reads a here-document's text, which starts on the next line; the parser goes on behind it once it gets there.
    fn document(&mut self, delimiter: &Word, strip_tabs: bool) -> Parse<Word> {
        let quoted = delimiter.bare().is_none();
        let delimiter = unquoted(delimiter);
        let mut at = match self.after_documents {
            Some(at) => at,
            None => self.line_end(),
        };
        let mut text = String::new();
        loop {
            if at >= self.chars.len() {
                if !self.end {
                    return Err(SyntaxError::Incomplete);
                }
                break;
            }
            let stop = self.chars[at..]
                .iter()
                .position(|letter| *letter == '\n')
                .map_or(self.chars.len(), |n| at + n);
            let whole = stop < self.chars.len();
            let mut line: String = self.chars[at..stop].iter().collect();
            at = stop + usize::from(whole);
            if strip_tabs {
                line = line.trim_start_matches('\t').to_owned();
            }
            if line == delimiter {
                break;
            }
            text.push_str(&line);
            if whole || self.end {
                text.push('\n');
            }
        }
        self.after_documents = Some(at);
        if quoted {
            return Ok(Word::quoted(text));
        }
        let mut inner = Self::new(&text, true, self.line);
        inner.depth = self.depth;
        let parts = inner.quoted_parts(None)?;
        Ok(Word(vec![Part::Double(parts)]))
    }

    /// The start of the next line, past quotes that span lines.
    fn line_end(&self) -> usize {
        let mut quote = None;
        let mut at = self.at;
        while let Some(letter) = self.chars.get(at) {
            match (letter, quote) {
                ('\n', None) => return at + 1,
                ('\\', None | Some('"')) => at += 1,
                ('\'' | '"', None) => quote = Some(*letter),
                (letter, Some(open)) if *letter == open => quote = None,
                _ => {}
            }
            at += 1;
        }
        self.chars.len()
    }

    fn word(&mut self) -> Parse<Word> {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            let Some(letter) = self.here(0) else { break };
            match letter {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\\' => match self.here(1) {
                    Some('\n') => self.join_lines(),
                    Some(escaped) => {
                        self.at += 2;
                        parts.push(Part::Quoted(escaped.to_string()));
                    }
                    None => {
                        if !self.end {
                            return Err(SyntaxError::Incomplete);
                        }
                        self.at += 1;
                        parts.push(Part::Quoted("\\".to_owned()));
                    }
                },
                '\'' => {
                    self.at += 1;
                    parts.push(Part::Quoted(self.until('\'')?));
                }
                '"' => {
                    self.at += 1;
                    let inside = self.quoted_parts(Some('"'))?;
                    parts.push(Part::Double(inside));
                }
                '$' if self.here(1) == Some('\'') => {
                    self.at += 2;
                    parts.push(Part::Quoted(self.ansi_quoted()?));
                }
                '$' | '`' => {
                    let part = self.expansion(false)?;
                    push_bare(&mut parts, part);
                }
                letter => {
                    self.at += 1;
                    push_bare(&mut parts, Part::Bare(letter.to_string()));
                }
            }
        }
        Ok(Word(parts))
    }

    fn until(&mut self, closer: char) -> Parse<String> {
        let mut text = String::new();
        let start = self.line;
        loop {
            match self.here(0) {
                None => return self.unfinished(closer, start),
                Some(letter) => {
                    self.at += 1;
                    if letter == closer {
                        return Ok(text);
                    }
                    self.line += u32::from(letter == '\n');
                    text.push(letter);
                }
            }
        }
    }

    /// `$'…'`.
    fn ansi_quoted(&mut self) -> Parse<String> {
        let mut raw = String::new();
        let start = self.line;
        loop {
            match self.here(0) {
                None => return self.unfinished('\'', start),
                Some('\'') => {
                    self.at += 1;
                    return Ok(super::text::unescape(&raw, true).0);
                }
                Some('\\') => {
                    if self.here(1) == Some('\'') {
                        raw.push('\'');
                    } else {
                        raw.push('\\');
                        raw.extend(self.here(1));
                    }
                    self.at += 2;
                }
                Some(letter) => {
                    self.at += 1;
                    raw.push(letter);
                }
            }
        }
    }

    /// Parts as inside double quotes, up to `closer`, or to the end of the text if there is none (here-documents).
    fn quoted_parts(&mut self, closer: Option<char>) -> Parse<Vec<Part>> {
        self.deeper(|parser| {
            let mut parts = Vec::new();
            let start = parser.line;
            loop {
                let Some(letter) = parser.here(0) else {
                    return match closer {
                        None => Ok(parts),
                        Some(closer) => parser.unfinished(closer, start),
                    };
                };
                if Some(letter) == closer {
                    parser.at += 1;
                    return Ok(parts);
                }
                match letter {
                    '\\' => match parser.here(1) {
                        Some('\n') => {
                            parser.at += 2;
                            parser.line += 1;
                        }
                        Some(escaped)
                            if matches!(escaped, '$' | '`' | '\\') || Some(escaped) == closer =>
                        {
                            parser.at += 2;
                            push_quoted(&mut parts, escaped);
                        }
                        _ => {
                            parser.at += 1;
                            push_quoted(&mut parts, '\\');
                        }
                    },
                    '$' | '`' => match parser.expansion(true)? {
                        Part::Bare(text) => {
                            text.chars().for_each(|letter| push_quoted(&mut parts, letter))
                        }
                        part => parts.push(part),
                    },
                    letter => {
                        parser.at += 1;
                        parser.line += u32::from(letter == '\n');
                        push_quoted(&mut parts, letter);
                    }
                }
            }
        })
    }

    /// At `$` or a backtick.
    fn expansion(&mut self, quoted: bool) -> Parse<Part> {
        self.deeper(|parser| {
            if parser.here(0) == Some('`') {
                parser.at += 1;
                return parser.backticks(quoted);
            }
            parser.at += 1;
            match parser.here(0) {
                Some('(') if parser.here(1) == Some('(') && parser.closes_arithmetic(2) => {
                    parser.at += 2;
                    Ok(Part::Arithmetic(parser.arithmetic()?))
                }
                Some('(') => {
                    parser.at += 1;
                    let start = parser.line;
                    let documents = parser.after_documents.take();
                    let peeked = parser.peeked.take();
                    parser.skip_newlines()?;
                    let command = match parser.peek()? {
                        Token::Operator(")") => Arc::new(Command::List(Vec::new())),
                        _ => parser.list(true)?,
                    };
                    parser.skip_newlines()?;
                    if parser.peek()? == Token::End {
                        return parser.unfinished(')', start);
                    }
                    parser.expect_operator(")")?;
                    parser.after_documents = documents;
                    parser.peeked = peeked;
                    Ok(Part::Command(command))
                }
                Some('{') => {
                    parser.at += 1;
                    parser.braces(quoted)
                }
                Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
                    let mut name = String::new();
                    while let Some(letter) = parser
                        .here(0)
                        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                    {
                        name.push(letter);
                        parser.at += 1;
                    }
                    Ok(Part::Parameter { name, operation: Operation::Value })
                }
                Some(letter) if letter.is_ascii_digit() || "?$#@*!-".contains(letter) => {
                    parser.at += 1;
                    Ok(Part::Parameter { name: letter.to_string(), operation: Operation::Value })
                }
                _ => Ok(Part::Bare("$".to_owned())),
            }
        })
    }

    fn backticks(&mut self, quoted: bool) -> Parse<Part> {
        let mut text = String::new();
        let start = self.line;
        loop {
            match self.here(0) {
                None => return self.unfinished('`', start),
                Some('`') => {
                    self.at += 1;
                    break;
                }
                Some('\\')
                    if self
                        .here(1)
                        .is_some_and(|next| "`$\\".contains(next) || quoted && next == '"') =>
                {
                    text.extend(self.here(1));
                    self.at += 2;
                }
                Some(letter) => {
                    self.line += u32::from(letter == '\n');
                    self.at += 1;
                    text.push(letter);
                }
            }
        }
        let mut inner = Self::new(&text, true, self.line);
        inner.depth = self.depth;
        inner.skip_newlines()?;
        if inner.peek()? == Token::End {
            return Ok(Part::Command(Arc::new(Command::List(Vec::new()))));
        }
        let command = inner.list(true)?;
        match inner.take()? {
            Token::End => Ok(Part::Command(command)),
            token => Err(inner.unexpected(&token)),
        }
    }

    /// Whether what opens with `((` closes with `))`, `ahead` of here; else it is a subshell in parentheses.
    fn closes_arithmetic(&self, ahead: usize) -> bool {
        let mut open = 0;
        let mut at = self.at + ahead;
        while let Some(letter) = self.chars.get(at) {
            match letter {
                '(' => open += 1,
                ')' if open == 0 => return self.chars.get(at + 1) == Some(&')'),
                ')' => open -= 1,
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// The inside of `((…))`, with its closing parentheses.
    fn arithmetic(&mut self) -> Parse<Word> {
        let mut parts = Vec::new();
        let mut open = 0;
        let start = self.line;
        loop {
            match self.here(0) {
                None => return self.unfinished(')', start),
                Some(')') if open == 0 => {
                    if self.here(1) != Some(')') {
                        return self.error("syntax error near unexpected token `)'");
                    }
                    self.at += 2;
                    return Ok(Word(parts));
                }
                Some('$' | '`') => {
                    let part = self.expansion(true)?;
                    push_bare(&mut parts, part);
                }
                Some('"') => self.at += 1,
                Some(letter) => {
                    open += i32::from(letter == '(') - i32::from(letter == ')');
                    self.line += u32::from(letter == '\n');
                    self.at += 1;
                    push_bare(&mut parts, Part::Bare(letter.to_string()));
                }
            }
        }
    }

    /// After `${`.
    fn braces(&mut self, quoted: bool) -> Parse<Part> {
        let start = self.at;
        let length = self.here(0) == Some('#') && self.here(1).is_some_and(|next| next != '}');
        if length {
            self.at += 1;
        }
        let mut name = String::new();
        while let Some(letter) =
            self.here(0).filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        {
            name.push(letter);
            self.at += 1;
        }
        if name.is_empty()
            && let Some(letter) = self.here(0).filter(|letter| "?$#@*!-".contains(*letter))
        {
            name.push(letter);
            self.at += 1;
        }
        let bad = |parser: &Self| {
            let raw: String =
                parser.chars[start..].iter().take_while(|letter| **letter != '}').collect();
            SyntaxError::Message(format!("${{{raw}}}: bad substitution"), parser.line)
        };
        if self.here(0).is_none() {
            return self.unfinished('}', self.line);
        }
        if name.is_empty() {
            return Err(bad(self));
        }
        if length {
            if self.here(0) != Some('}') {
                return Err(bad(self));
            }
            self.at += 1;
            return Ok(Part::Parameter { name, operation: Operation::Length });
        }
        let first = self.here(0);
        let second = self.here(1);
        let doubled = first == second;
        let operation = match (first, second) {
            (Some('}'), _) => {
                self.at += 1;
                return Ok(Part::Parameter { name, operation: Operation::Value });
            }
            (Some(':'), Some(kind @ ('-' | '=' | '?' | '+'))) => {
                self.at += 2;
                Operation::Fallback { kind, colon: true, word: self.brace_word("}", quoted)?.0 }
            }
            (Some(kind @ ('-' | '=' | '?' | '+')), _) => {
                self.at += 1;
                Operation::Fallback { kind, colon: false, word: self.brace_word("}", quoted)?.0 }
            }
            (Some(kind @ ('#' | '%')), _) => {
                self.at += 1 + usize::from(doubled);
                Operation::Remove {
                    prefix: kind == '#',
                    longest: doubled,
                    pattern: self.brace_word("}", false)?.0,
                }
            }
            (Some('/'), _) => {
                self.at += 1 + usize::from(doubled);
                let (pattern, closer) = self.brace_word("/}", false)?;
                let with =
                    if closer == '/' { self.brace_word("}", quoted)?.0 } else { Word::default() };
                Operation::Replace { all: doubled, pattern, with }
            }
            (Some(':'), _) => {
                self.at += 1;
                let (offset, closer) = self.brace_word(":}", false)?;
                let length =
                    if closer == ':' { Some(self.brace_word("}", false)?.0) } else { None };
                Operation::Slice { offset, length }
            }
            (Some(kind @ ('^' | ',')), _) => {
                self.at += 1 + usize::from(doubled);
                self.brace_word("}", false)?;
                Operation::Case { upper: kind == '^', all: doubled }
            }
            _ => return Err(bad(self)),
        };
        Ok(Part::Parameter { name, operation })
    }

    /// A word inside `${…}` up to one of `closers`.
    fn brace_word(&mut self, closers: &str, quoted: bool) -> Parse<(Word, char)> {
        let mut parts = Vec::new();
        let start = self.line;
        loop {
            let Some(letter) = self.here(0) else { return self.unfinished('}', start) };
            if closers.contains(letter) {
                self.at += 1;
                return Ok((Word(parts), letter));
            }
            match letter {
                '\\' => {
                    let Some(escaped) = self.here(1) else { return self.unfinished('}', start) };
                    self.at += 2;
                    parts.push(Part::Quoted(escaped.to_string()));
                }
                '\'' if !quoted => {
                    self.at += 1;
                    parts.push(Part::Quoted(self.until('\'')?));
                }
                '"' => {
                    self.at += 1;
                    let inside = self.quoted_parts(Some('"'))?;
                    parts.push(Part::Double(inside));
                }
                '$' | '`' => {
                    let part = self.expansion(quoted)?;
                    push_bare(&mut parts, part);
                }
                letter => {
                    self.at += 1;
                    push_bare(&mut parts, Part::Bare(letter.to_string()));
                }
            }
        }
    }
}

fn push_bare(parts: &mut Vec<Part>, part: Part) {
    if let (Some(Part::Bare(text)), Part::Bare(more)) = (parts.last_mut(), &part) {
        text.push_str(more);
        return;
    }
    parts.push(part);
}

fn push_quoted(parts: &mut Vec<Part>, letter: char) {
    if let Some(Part::Quoted(text)) = parts.last_mut() {
        text.push(letter);
        return;
    }
    parts.push(Part::Quoted(letter.to_string()));
}

/// Whether a text can name a variable.
pub fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `name=value` with a bare name.
fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Part::Bare(first)) = word.0.first() else { return None };
    let (name, value) = first.split_once('=')?;
    if !is_name(name) {
        return None;
    }
    let mut parts = Vec::new();
    if !value.is_empty() {
        parts.push(Part::Bare(value.to_owned()));
    }
    parts.extend(word.0[1..].iter().cloned());
    Some((name.to_owned(), Word(parts)))
}

/// A here-document's delimiter without its quotes.
fn unquoted(word: &Word) -> String {
    fn add(parts: &[Part], text: &mut String) {
        for part in parts {
            match part {
                Part::Bare(piece) | Part::Quoted(piece) => text.push_str(piece),
                Part::Double(parts) => add(parts, text),
                Part::Parameter { name, .. } => {
                    text.push('$');
                    text.push_str(name);
                }
                Part::Command(_) | Part::Arithmetic(_) => {}
            }
        }
    }
    let mut text = String::new();
    add(&word.0, &mut text);
    text
}

/// A word roughly as it was written, for messages.
fn source(word: &Word) -> String {
    unquoted(word)
}
