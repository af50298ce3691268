//! JSON files as Kafka's tools read them. Kafka: `org.apache.kafka.server.util.Json`, `JsonValue`.

use std::fmt::{self, Write};

use super::exception::Exception;

/// A value of a JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    Text(String),
    Array(Vec<Json>),
    /// In the order of the text; of equal names the last counts.
    Object(Vec<(String, Json)>),
}

/// Deeper documents are refused rather than read.
const MAX_DEPTH: u32 = 64;

impl Json {
    /// `Json.parseFull`: the first value of the text; `None` where it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        Reader { rest: text }.value(0)
    }

    fn mapping(message: String) -> Exception {
        Exception::new("com.fasterxml.jackson.databind.JsonMappingException", message)
    }

    /// A field of an object, if there is one of that name.
    pub fn get(&self, name: &str) -> Result<Option<&Self>, Exception> {
        let Self::Object(fields) = self else {
            return Err(Self::mapping(format!("Expected JSON object, received {self}")));
        };
        Ok(fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value))
    }

    /// A field that an object has to have.
    pub fn field(&self, name: &str) -> Result<&Self, Exception> {
        self.get(name)?.ok_or_else(|| Self::mapping(format!("No such field exists: `{name}`")))
    }

    /// The elements of an array.
    pub fn array(&self) -> Result<&[Self], Exception> {
        match self {
            Self::Array(values) => Ok(values),
            _ => Err(Self::mapping(format!("Expected JSON array, received {self}"))),
        }
    }

    pub fn text(&self) -> Result<&str, Exception> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.expected("String")),
        }
    }

    pub fn integer(&self) -> Result<i32, Exception> {
        self.number().and_then(|text| text.parse().ok()).ok_or_else(|| self.expected("Integer"))
    }

    fn number(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(text),
            _ => None,
        }
    }

    fn expected(&self, kind: &str) -> Exception {
        Self::mapping(format!("Expected `{kind}` value, received {self}"))
    }
}

/// Without blanks, as Jackson prints it.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { '[' } else { ',' })?;
                }
                f.write_str(if values.is_empty() { "[]" } else { "]" })
            }
            Self::Object(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{}:{value}", if index == 0 { '{' } else { ',' }, quoted(name))?;
                }
                f.write_str(if fields.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

/// A text in quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => _ = write!(out, "\\u{:04X}", u32::from(control)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// The next character that is no blank, left in place.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.rest.chars().next()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest = &self.rest[wanted.len_utf8()..];
        }
        found
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '"' => self.text().map(Json::Text),
            '[' => {
                self.accept('[');
                let mut values = Vec::new();
                if self.accept(']') {
                    return Some(Json::Array(values));
                }
                loop {
                    values.push(self.value(depth + 1)?);
                    if self.accept(']') {
                        return Some(Json::Array(values));
                    }
                    if !self.accept(',') {
                        return None;
                    }
                }
            }
            '{' => {
                self.accept('{');
                let mut fields = Vec::new();
                if self.accept('}') {
                    return Some(Json::Object(fields));
                }
                loop {
                    self.peek()?;
                    let name = self.text()?;
                    if !self.accept(':') {
                        return None;
                    }
                    fields.push((name, self.value(depth + 1)?));
                    if self.accept('}') {
                        return Some(Json::Object(fields));
                    }
                    if !self.accept(',') {
                        return None;
                    }
                }
            }
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Option<Json> {
        let in_word = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
        let end = self.rest.find(|letter| !in_word(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" => Some(Json::Null),
            "true" => Some(Json::Boolean(true)),
            "false" => Some(Json::Boolean(false)),
            _ => is_number(word).then(|| Json::Number(word.to_owned())),
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut letters = self.rest.strip_prefix('"')?.char_indices();
        let mut out = String::new();
        loop {
            let (at, letter) = letters.next()?;
            match letter {
                '"' => {
                    self.rest = &self.rest[at + 2..];
                    return Some(out);
                }
                '\\' => match letters.next()?.1 {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'u' => {
                        let digits: String = letters.by_ref().take(4).map(|pair| pair.1).collect();
                        let code = u32::from_str_radix(&digits, 16).ok()?;
                        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    escaped @ ('"' | '\\' | '/') => out.push(escaped),
                    _ => return None,
                },
                control if control < ' ' => return None,
                other => out.push(other),
            }
        }
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let leading_zero =
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    digits.starts_with(|letter: char| letter.is_ascii_digit())
        && !leading_zero
        && !digits.ends_with('.')
        && word.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_and_printed() {
        for (text, printed) in [
            (
                "{\"a\": [1, -2.5e3, true, null], \"b\\n\": {\"c\": \"\\u0041\\\"\"}} rest",
                Some("{\"a\":[1,-2.5e3,true,null],\"b\\n\":{\"c\":\"A\\\"\"}}"),
            ),
            ("[]", Some("[]")),
            ("{ }", Some("{}")),
            ("{\"nope\":1", None),
            ("", None),
            ("{a:1}", None),
            ("[1,]", None),
            ("01", None),
            ("nan", None),
        ] {
            let found = Json::parse(text).map(|json| json.to_string());
            assert_eq!(found.as_deref(), printed, "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(10_000)), None);
    }

    #[test]
    fn what_is_missing_is_said_in_kafkas_words() {
        let json = Json::parse("{\"topic\":\"e1\",\"partition\":\"x\"}").unwrap();
        let message = |result: Result<i32, Exception>| result.unwrap_err().message;
        assert_eq!(
            message(json.field("partition").and_then(Json::integer)),
            "Expected `Integer` value, received \"x\""
        );
        assert_eq!(
            message(json.field("nope").and_then(Json::integer)),
            "No such field exists: `nope`"
        );
    }
}
