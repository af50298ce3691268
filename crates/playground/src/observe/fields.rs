//! A message's fields as rows of a table, read from its `Debug` text: one reader for all messages instead of one for each.

use crate::view::Field;

/// Rows of one message; more are left out.
const ROWS: usize = 150;
/// Characters of a value.
const VALUE: usize = 120;

/// Rows for what `Debug` printed, the outermost names left out.
pub fn of_debug(text: &str, depth: u8) -> Vec<Field> {
    let mut reader = Reader { rest: text, rows: Vec::new() };
    reader.value(None, depth);
    reader.rows
}

struct Reader<'a> {
    rest: &'a str,
    rows: Vec<Field>,
}

impl<'a> Reader<'a> {
    fn row(&mut self, name: Option<&str>, value: &str, depth: u8) {
        if self.rows.len() < ROWS {
            self.rows.push(Field {
                name: name.unwrap_or_default().to_owned(),
                value: value.chars().take(VALUE).collect(),
                depth,
                marked: false,
            });
        }
    }

    fn skip(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// Everything up to the end of a plain value or a name, with strings and brackets in it as they are.
    fn plain(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let mut level = 0u32;
        let mut quoted = false;
        let mut escaped = false;
        let mut end = text.len();
        for (at, letter) in text.char_indices() {
            if quoted {
                match letter {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => quoted = false,
                    _ => {}
                }
                continue;
            }
            match letter {
                '"' => quoted = true,
                '(' | '[' | '{' => level += 1,
                ')' | ']' | '}' | ',' if level == 0 => {
                    end = at;
                    break;
                }
                ')' | ']' | '}' => level -= 1,
                _ => {}
            }
        }
        self.rest = &text[end..];
        text[..end].trim_end()
    }

    fn value(&mut self, name: Option<&str>, depth: u8) {
        let text = self.rest.trim_start();
        let word_end = text
            .find(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .unwrap_or(text.len());
        let word = &text[..word_end];
        let after = text[word_end..].trim_start();
        match after.chars().next() {
            // A struct: its fields, below its name.
            Some('{') if !word.is_empty() => {
                self.rest = &after[1..];
                let inner = self.headed(name, "", depth);
                self.fields(inner);
            }
            // A variant or a wrapper around one thing: what is in it. What has several things in it is shown as it is.
            Some('(') if word == "Some" || is_message(word, &after[1..]) => {
                self.rest = &after[1..];
                self.value(name, depth);
                self.skip(")");
            }
            Some('(') if word == "Opaque" => {
                let list = self.plain();
                let bytes = if list.contains("[]") { 0 } else { list.matches(',').count() + 1 };
                self.row(name, &format!("{bytes} bytes"), depth);
            }
            Some('[') if word.is_empty() => self.list(name, depth),
            _ => {
                let value = self.plain();
                let value = match value {
                    "None" => "null",
                    quoted if quoted.starts_with('"') => quoted.trim_matches('"'),
                    value => value,
                };
                self.row(name, value, depth);
            }
        }
    }

    /// A heading, if there is a name; gives the depth of what follows.
    fn headed(&mut self, name: Option<&str>, value: &str, depth: u8) -> u8 {
        match name {
            Some(name) => {
                self.row(Some(name), value, depth);
                depth + 1
            }
            None => depth,
        }
    }

    fn fields(&mut self, depth: u8) {
        while !self.skip("}") {
            let text = self.rest.trim_start();
            let Some(colon) = text.find(':') else { return };
            let name = &text[..colon];
            self.rest = &text[colon + 1..];
            self.value(Some(name), depth);
            self.skip(",");
        }
    }

    fn list(&mut self, name: Option<&str>, depth: u8) {
        let all = {
            let mut ahead = Reader { rest: self.rest, rows: Vec::new() };
            ahead.plain()
        };
        // Plain values stand in one row.
        if !all.contains('{') {
            self.rest = self.rest.trim_start();
            self.rest = &self.rest[all.len()..];
            let inner = all.trim_start_matches('[').trim_end_matches(']').replace('"', "");
            self.row(name, if inner.is_empty() { "none" } else { &inner }, depth);
            return;
        }
        self.skip("[");
        let at = self.rows.len();
        let inner = self.headed(name, "", depth);
        let mut count = 0u32;
        while !self.skip("]") && !self.rest.trim_start().is_empty() {
            if count > 0 {
                self.row(Some(&format!("[{count}]")), "", inner);
            }
            let left = self.rest.len();
            self.value(None, inner);
            self.skip(",");
            if self.rest.len() == left {
                break;
            }
            count += 1;
        }
        if let (Some(name), Some(row)) = (name, self.rows.get_mut(at)) {
            row.name = format!("{name} [{count}]");
        }
    }
}

/// `Fetch(FetchRequest { …`: the enum's variant around the message.
fn is_message(word: &str, inside: &str) -> bool {
    inside
        .trim_start()
        .strip_prefix(word)
        .is_some_and(|rest| rest.starts_with("Request") || rest.starts_with("Response"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::protocol::*;
    use cluster::uuid::Uuid;

    fn rows(text: &str) -> Vec<String> {
        let line = |field: Field| {
            format!("{}{}={}", " ".repeat(usize::from(field.depth)), field.name, field.value)
        };
        of_debug(text, 0).into_iter().map(line).collect()
    }

    #[test]
    fn a_fetch() {
        let partition =
            |index| FetchPartition { partition: index, fetch_offset: 7, ..Default::default() };
        let request = Request::from(FetchRequest {
            max_wait_ms: 500,
            topics: vec![FetchTopic {
                topic_id: Uuid::default(),
                partitions: vec![partition(0), partition(1)],
            }],
            rack_id: "a \"b\", {c}".to_owned(),
            ..Default::default()
        });
        let rows = rows(&format!("{request:?}"));
        assert_eq!(rows[0], "replica_state=");
        assert_eq!(rows[1], " replica_id=0");
        for row in [
            "max_wait_ms=500",
            "topics [1]=",
            " topic_id=AAAAAAAAAAAAAAAAAAAAAA",
            " partitions [2]=",
            "  fetch_offset=7",
            "  [1]=",
            "forgotten_topics_data=none",
        ] {
            assert!(rows.iter().any(|it| it == row), "{row} in {rows:#?}");
        }
        assert_eq!(rows.last().map(String::as_str), Some("rack_id=a \\\"b\\\", {c}"));
    }

    #[test]
    fn options_lists_and_bytes() {
        let request = Request::from(JoinGroupRequest {
            group_id: "billing".to_owned(),
            group_instance_id: None,
            reason: Some("first".to_owned()),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".to_owned(),
                metadata: Opaque(vec![0, 3, 9].into()),
            }],
            ..Default::default()
        });
        let rows = rows(&format!("{request:?}"));
        for row in [
            "group_id=billing",
            "group_instance_id=null",
            "reason=first",
            "protocols [1]=",
            " name=range",
            " metadata=3 bytes",
        ] {
            assert!(rows.iter().any(|it| it == row), "{row} in {rows:#?}");
        }
    }

    #[test]
    fn any_text_ends() {
        for text in [
            "",
            "A {",
            "A { b: [",
            "A { b: [C {",
            "((((",
            "]]]",
            "A { b: \"",
            "[{,{,",
            "Some(",
            "A {}",
            "[[],[{}]]",
        ] {
            of_debug(text, 0);
        }
    }
}
