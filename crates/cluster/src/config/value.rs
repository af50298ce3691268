//! Values of configs: text to value and back, with Java's rules and Kafka's messages. Kafka: `ConfigDef.parseType`.

use simulation::sorted::SortedMap;
use std::fmt;

use super::key::ConfigType;

/// Why a config is refused: the exception's simple name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub exception: &'static str,
    pub message: String,
}

impl ConfigError {
    /// Kafka's `ConfigException` with a text of its own.
    pub fn config(message: impl Into<String>) -> Self {
        Self { exception: "ConfigException", message: message.into() }
    }

    /// Kafka's `ConfigException` about one value.
    pub fn value(name: &str, value: impl fmt::Display, message: &str) -> Self {
        Self::config(format!("Invalid value {value} for configuration {name}: {message}"))
    }

    /// Kafka's `InvalidConfigurationException`.
    pub fn invalid_configuration(message: impl Into<String>) -> Self {
        Self { exception: "InvalidConfigurationException", message: message.into() }
    }

    /// Kafka's `InvalidRequestException`.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self { exception: "InvalidRequestException", message: message.into() }
    }

    /// Java's `IllegalArgumentException`, as Scala's `require` words it.
    pub fn requirement(message: impl fmt::Display) -> Self {
        Self {
            exception: "IllegalArgumentException",
            message: format!("requirement failed: {message}"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A config's value. Doubles are for checks only and never enter the state of the simulation.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    Null,
    Boolean(bool),
    /// `STRING`, `CLASS` and `PASSWORD`.
    Text(String),
    /// `INT`, `SHORT` and `LONG`.
    Integer(i64),
    Double(f64),
    List(Vec<String>),
}

impl ConfigValue {
    /// Reads the text of a value.
    pub fn parse(name: &str, text: &str, config_type: ConfigType) -> Result<Self, ConfigError> {
        let trimmed = java_trim(text);
        let number = || {
            ConfigError::value(name, text, &format!("Not a number of type {}", config_type.name()))
        };
        match config_type {
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Self::Boolean(true)),
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("false") => {
                Ok(Self::Boolean(false))
            }
            ConfigType::Boolean => {
                Err(ConfigError::value(name, text, "Expected value to be either true or false"))
            }
            ConfigType::Text | ConfigType::Password | ConfigType::Class => {
                Ok(Self::Text(trimmed.to_owned()))
            }
            ConfigType::Int => {
                trimmed.parse::<i32>().map(|n| Self::Integer(n.into())).map_err(|_| number())
            }
            ConfigType::Short => {
                trimmed.parse::<i16>().map(|n| Self::Integer(n.into())).map_err(|_| number())
            }
            ConfigType::Long => trimmed.parse().map(Self::Integer).map_err(|_| number()),
            ConfigType::Double => parse_java_double(trimmed).map(Self::Double).ok_or_else(number),
            ConfigType::List if trimmed.is_empty() => Ok(Self::List(Vec::new())),
            ConfigType::List => Ok(Self::List(split_list(trimmed))),
        }
    }

    /// The text of a value, as `ConfigDef.convertToString` gives it; none for null.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Double(value) => Some(java_double_text(*value)),
            Self::List(values) => Some(values.join(",")),
        }
    }
}

impl fmt::Display for ConfigValue {
    /// Java's `toString`: as messages show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(values) => write!(f, "[{}]", values.join(", ")),
            other => f.write_str(&other.to_text().unwrap_or_else(|| "null".into())),
        }
    }
}

/// Every config of a table with its value. Kafka: `AbstractConfig.values`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedConfigs(pub(super) SortedMap<&'static str, ConfigValue>);

impl ParsedConfigs {
    /// The value; null for a name that the table does not have.
    pub fn get(&self, name: &str) -> &ConfigValue {
        self.0.get(name).unwrap_or(&ConfigValue::Null)
    }

    /// An `INT`, `SHORT` or `LONG`; 0 where null.
    pub fn integer(&self, name: &str) -> i64 {
        if let ConfigValue::Integer(value) = self.get(name) { *value } else { 0 }
    }

    /// An `INT`, `SHORT` or `LONG`; none where null.
    pub fn optional_integer(&self, name: &str) -> Option<i64> {
        if let ConfigValue::Integer(value) = self.get(name) { Some(*value) } else { None }
    }

    /// A `BOOLEAN`; false where null.
    pub fn boolean(&self, name: &str) -> bool {
        matches!(self.get(name), ConfigValue::Boolean(true))
    }

    /// A `STRING`, `CLASS` or `PASSWORD`; none where null.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let ConfigValue::Text(text) = self.get(name) { Some(text) } else { None }
    }

    /// A `LIST`; empty where null.
    pub fn list(&self, name: &str) -> &[String] {
        if let ConfigValue::List(values) = self.get(name) { values } else { &[] }
    }

    /// Every name and value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ConfigValue)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}

/// `String.trim`: what is not above the space is white.
fn java_trim(text: &str) -> &str {
    text.trim_matches(|letter: char| letter <= ' ')
}

/// `Pattern.compile("\\s*,\\s*").split(text, -1)`.
fn split_list(text: &str) -> Vec<String> {
    let white = |letter: char| matches!(letter, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r');
    let last = text.split(',').count() - 1;
    text.split(',')
        .enumerate()
        .map(|(index, part)| {
            let part = if index > 0 { part.trim_start_matches(white) } else { part };
            if index < last { part.trim_end_matches(white) } else { part }.to_owned()
        })
        .collect()
}

/// `Double.parseDouble` without hexadecimal floats.
#[allow(clippy::float_arithmetic)]
fn parse_java_double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        "NaN" => return Some(f64::NAN),
        "Infinity" => return Some(sign * f64::INFINITY),
        _ => {}
    }
    let digits = unsigned.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(unsigned);
    let decimal = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !decimal || digits.starts_with(['+', '-']) {
        return None;
    }
    digits.parse::<f64>().ok().map(|value| sign * value)
}

/// `Double.toString`: decimal between 10^-3 and 10^7, else with an exponent.
fn java_double_text(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else if size == 0.0 || (1e-3..1e7).contains(&size) {
        format!("{value:?}")
    } else {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        format!("{digits}{point}E{exponent}")
    }
}
