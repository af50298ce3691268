//! How a record is shown as text. Kafka: `DefaultMessageFormatter` and its siblings, and the deserializers it can be given.

use serde::{Deserialize, Serialize};

use super::common::Properties;
use crate::client::ConsumerRecord;

const PACKAGE: &str = "org.apache.kafka.tools.consumer.";
const SERIALIZATION: &str = "org.apache.kafka.common.serialization.";

/// The deserializers whose values have a text of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Deserializer {
    /// UTF-8, also without any deserializer.
    Text,
    /// A whole number of so many bytes.
    Integer(u8),
    Boolean,
    Uuid,
    Void,
    /// Java's `Bytes`: letters as they are, other bytes as `\x00`.
    Bytes,
    Float,
    Double,
}

impl Deserializer {
    fn of_class(class: &str) -> Option<Self> {
        Some(match class.strip_prefix(SERIALIZATION)?.strip_suffix("Deserializer")? {
            "String" => Self::Text,
            "Long" => Self::Integer(8),
            "Integer" => Self::Integer(4),
            "Short" => Self::Integer(2),
            "Boolean" => Self::Boolean,
            "UUID" => Self::Uuid,
            "Void" => Self::Void,
            "Bytes" => Self::Bytes,
            "Float" => Self::Float,
            "Double" => Self::Double,
            _ => return None,
        })
    }

    /// The value as text; the error is an exception as Java prints it.
    fn text(self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let exception = |message: &str| {
            Err(format!("org.apache.kafka.common.errors.SerializationException: {message}"))
        };
        let wrong_size = |kind: &str, size: usize| {
            exception(&format!("Size of data received by {kind}Deserializer is not {size}"))
        };
        let text = match self {
            Self::Text => return Ok(bytes.to_vec()),
            Self::Integer(size) => {
                let kind = match size {
                    8 => "Long",
                    4 => "Integer",
                    _ => "Short",
                };
                if bytes.len() != usize::from(size) {
                    return wrong_size(kind, usize::from(size));
                }
                let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
                bytes
                    .iter()
                    .fold(sign, |value: i64, byte| value << 8 | i64::from(*byte))
                    .to_string()
            }
            Self::Float => match bytes.try_into().map(f32::from_be_bytes) {
                Ok(value) => java_float(&format!("{value:?}")),
                Err(_) => return exception("Size of data received by Deserializer is not 4"),
            },
            Self::Double => match bytes.try_into().map(f64::from_be_bytes) {
                Ok(value) => java_float(&format!("{value:?}")),
                Err(_) => return exception("Size of data received by Deserializer is not 8"),
            },
            Self::Boolean => match bytes {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [other] => {
                    return exception(&format!(
                        "Unexpected byte received by BooleanDeserializer: {other}"
                    ));
                }
                _ => return wrong_size("Boolean", 1),
            },
            Self::Uuid => {
                let text = String::from_utf8_lossy(bytes);
                let shape: Vec<usize> = text.split('-').map(str::len).collect();
                let hex = text.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit());
                if !hex || shape != [8, 4, 4, 4, 12] {
                    return exception("Error parsing data into UUID");
                }
                text.to_lowercase()
            }
            Self::Void => return Err(
                "java.lang.IllegalArgumentException: Data should be null for a VoidDeserializer."
                    .to_owned(),
            ),
            Self::Bytes => bytes
                .iter()
                .map(|byte| match byte {
                    b' '..=b'~' if *byte != b'\\' => char::from(*byte).to_string(),
                    other => format!("\\x{other:02X}"),
                })
                .collect(),
        };
        Ok(text.into_bytes())
    }
}

/// Java's spelling of a number that Rust has written: exponents differ.
fn java_float(text: &str) -> String {
    match text {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => match text.split_once('e') {
            Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
            Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
            None => text.to_owned(),
        },
    }
}

/// How records are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formatter {
    /// `NoOpMessageFormatter` shows nothing.
    silent: bool,
    timestamp: bool,
    partition: bool,
    offset: bool,
    delivery: bool,
    epoch: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
    key_deserializer: Option<Deserializer>,
    value_deserializer: Option<Deserializer>,
    headers_deserializer: Option<Deserializer>,
}

impl Formatter {
    /// Whether there is a formatter of that class.
    pub fn knows(class: &str) -> bool {
        class.strip_prefix(PACKAGE).is_some_and(|name| {
            ["DefaultMessageFormatter", "LoggingMessageFormatter", "NoOpMessageFormatter"]
                .contains(&name)
        })
    }

    /// The formatter, and the classes of deserializers that do not exist.
    pub fn configure(class: Option<&str>, properties: &Properties) -> (Self, Vec<String>) {
        let flag = |name: &str, default: bool| {
            properties.get(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| properties.get(name).unwrap_or(default).to_owned();
        let mut missing = Vec::new();
        let mut deserializer = |name: &str| {
            let class = properties.get(name)?;
            let found = Deserializer::of_class(class);
            // Known to Java, and shown as the bytes are here.
            let plain = ["ByteArray", "ByteBuffer", "List"]
                .map(|kind| format!("{SERIALIZATION}{kind}Deserializer"));
            if found.is_none() && !plain.iter().any(|plain| plain == class) {
                missing.push(class.to_owned());
            }
            found
        };
        // `LoggingMessageFormatter` hands over to an unconfigured default formatter.
        let unconfigured = class.is_some_and(|class| class.ends_with(".LoggingMessageFormatter"));
        let no_properties = Properties::default();
        if unconfigured && *properties != no_properties {
            return Self::configure(class, &no_properties);
        }
        let formatter = Self {
            silent: class.is_some_and(|class| class.ends_with(".NoOpMessageFormatter")),
            timestamp: flag("print.timestamp", false),
            partition: flag("print.partition", false),
            offset: flag("print.offset", false),
            delivery: flag("print.delivery", false),
            epoch: flag("print.epoch", false),
            headers: flag("print.headers", false),
            key: flag("print.key", false),
            value: flag("print.value", true),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_deserializer: deserializer("key.deserializer"),
            value_deserializer: deserializer("value.deserializer"),
            headers_deserializer: deserializer("headers.deserializer"),
        };
        (formatter, missing)
    }

    fn field(
        &self,
        bytes: Option<&[u8]>,
        deserializer: Option<Deserializer>,
    ) -> Result<Vec<u8>, String> {
        let bytes = bytes.unwrap_or(self.null_literal.as_bytes());
        deserializer.map_or_else(|| Ok(bytes.to_vec()), |deserializer| deserializer.text(bytes))
    }

    /// Appends the record's text. On an error, an exception as Java prints it, what was written so far stays.
    pub fn write(&self, record: &ConsumerRecord, out: &mut Vec<u8>) -> Result<(), String> {
        if self.silent {
            return Ok(());
        }
        let columns = [
            self.timestamp,
            self.partition,
            self.offset,
            self.delivery,
            self.epoch,
            self.headers,
            self.key,
            self.value,
        ];
        for (at, _) in columns.iter().enumerate().filter(|(_, wanted)| **wanted) {
            match at {
                0 => {
                    let kind = if record.log_append_time { "LogAppendTime" } else { "CreateTime" };
                    out.extend(format!("{kind}:{}", record.timestamp).bytes());
                }
                1 => out.extend(format!("Partition:{}", record.partition).bytes()),
                2 => out.extend(format!("Offset:{}", record.offset).bytes()),
                // The tool hands records on without these two.
                3 => out.extend(b"Delivery:NOT_PRESENT"),
                4 => out.extend(b"Epoch:NOT_PRESENT"),
                5 if record.headers.is_empty() => out.extend(b"NO_HEADERS"),
                5 => {
                    for (index, (key, value)) in record.headers.iter().enumerate() {
                        if index > 0 {
                            out.extend(self.headers_separator.bytes());
                        }
                        out.extend(format!("{key}:").bytes());
                        out.extend(self.field(value.as_deref(), self.headers_deserializer)?);
                    }
                }
                6 => out.extend(self.field(record.key.as_deref(), self.key_deserializer)?),
                _ => out.extend(self.field(record.value.as_deref(), self.value_deserializer)?),
            }
            let last = !columns[at + 1..].contains(&true);
            out.extend(if last { &self.line_separator } else { &self.key_separator }.bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(
        key: Option<&str>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&str>)],
    ) -> ConsumerRecord {
        let bytes = |text: &str| std::sync::Arc::from(text.as_bytes());
        ConsumerRecord {
            topic: "t".into(),
            partition: 2,
            offset: 7,
            leader_epoch: cluster::types::LeaderEpoch(3),
            timestamp: 1_700_000_000_123,
            log_append_time: false,
            key: key.map(bytes),
            value: value.map(std::sync::Arc::from),
            headers: headers
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.map(bytes)))
                .collect(),
        }
    }

    #[test]
    fn columns_and_separators() {
        let all = record(Some("k"), Some(b"v"), &[("a", Some("1")), ("b", None)]);
        let bare = record(None, None, &[]);
        let cases: &[(&[&str], &ConsumerRecord, &str)] = &[
            (&[], &all, "v\n"),
            (&[], &bare, "null\n"),
            (&["print.key=true"], &all, "k\tv\n"),
            (&["print.key=TRUE ", "key.separator=: "], &all, "k: v\n"),
            (&["print.key=true", "print.value=false"], &all, "k\n"),
            (&["print.value=false"], &all, ""),
            (
                &["print.headers=true", "headers.separator=;", "null.literal=-"],
                &all,
                "a:1;b:-\tv\n",
            ),
            (&["print.headers=true"], &bare, "NO_HEADERS\tnull\n"),
            (
                &[
                    "print.timestamp=true",
                    "print.partition=true",
                    "print.offset=true",
                    "print.delivery=true",
                    "print.epoch=true",
                ],
                &all,
                "CreateTime:1700000000123\tPartition:2\tOffset:7\tDelivery:NOT_PRESENT\tEpoch:NOT_PRESENT\tv\n",
            ),
            (&["line.separator=|"], &all, "v|"),
        ];
        for (properties, record, expected) in cases {
            let (formatter, missing) =
                Formatter::configure(None, &Properties::of_words(properties));
            let mut out = Vec::new();
            formatter.write(record, &mut out).expect("nothing is decoded");
            assert_eq!(String::from_utf8_lossy(&out), *expected, "{properties:?}");
            assert!(missing.is_empty());
        }
    }

    #[test]
    fn deserializers() {
        let cases: &[(&str, &[u8], Result<&str, &str>)] = &[
            ("Long", &[0, 0, 0, 0, 0, 0, 1, 0], Ok("256")),
            ("Long", &[255; 8], Ok("-1")),
            ("Integer", &[128, 0, 0, 0], Ok("-2147483648")),
            ("Long", b"v1", Err("Size of data received by LongDeserializer is not 8")),
            ("Double", &[64, 9, 33, 251, 84, 68, 45, 24], Ok("3.141592653589793")),
            ("Boolean", &[1], Ok("true")),
            ("Bytes", b"a\\\x00", Ok("a\\x5C\\x00")),
        ];
        for (kind, bytes, expected) in cases {
            let class = format!("value.deserializer={SERIALIZATION}{kind}Deserializer");
            let (formatter, _) = Formatter::configure(None, &Properties::of_words(&[&class]));
            let mut out = Vec::new();
            let found = formatter.write(&record(None, Some(bytes), &[]), &mut out);
            match expected {
                Ok(text) => {
                    assert_eq!(String::from_utf8_lossy(&out), format!("{text}\n"), "{kind}")
                }
                Err(message) => assert!(found.unwrap_err().ends_with(message), "{kind}"),
            }
        }
    }
}
