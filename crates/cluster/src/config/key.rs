//! One config: what a table's row says, and how a value is read and checked against it. Kafka: `ConfigDef`.

use super::validator::Validator;
use super::value::{ConfigError, ConfigValue};

/// The type of a config's value. Kafka: `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    Boolean,
    Text,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl ConfigType {
    /// Kafka's name: `STRING`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Text => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }

    /// The number of `DescribeConfigsResponse.ConfigType`.
    pub const fn id(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::Text => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }
}

/// Kafka: `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    /// Kafka's name: `HIGH`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// What holds where nothing is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing: a value must be given.
    Required,
    /// Java's null.
    Null,
    /// The value, as text.
    Is(&'static str),
}

/// One config of a table. Kafka: `ConfigDef.ConfigKey`.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    pub name: &'static str,
    pub config_type: ConfigType,
    pub default: DefaultValue,
    pub validator: Validator,
    pub importance: Importance,
    /// Left out of Kafka's documentation.
    pub internal: bool,
}

impl ConfigKey {
    /// Whether the value must never be shown.
    pub fn is_sensitive(&self) -> bool {
        self.config_type == ConfigType::Password
    }

    /// The default as text; none if it is null or required.
    pub const fn default_text(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Is(text) => Some(text),
            DefaultValue::Required | DefaultValue::Null => None,
        }
    }

    /// Reads and checks a value, or the default where none is set. Kafka: `ConfigDef.parseValue`.
    pub fn parse(&self, text: Option<&str>) -> Result<ConfigValue, ConfigError> {
        let mut value = match (text, self.default) {
            (Some(text), _) | (None, DefaultValue::Is(text)) => {
                ConfigValue::parse(self.name, text, self.config_type)?
            }
            (None, DefaultValue::Null) => ConfigValue::Null,
            (None, DefaultValue::Required) => {
                return Err(ConfigError::config(format!(
                    "Missing required configuration \"{}\" which has no default value.",
                    self.name
                )));
            }
        };
        if let (Validator::List { .. }, ConfigValue::List(values)) = (self.validator, &mut value) {
            let mut distinct: Vec<String> = Vec::with_capacity(values.len());
            for value in values.drain(..) {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            *values = distinct;
        }
        self.validator.ensure_valid(self.name, &value)?;
        Ok(value)
    }
}

// The words that the tables are written in.
pub(super) use ConfigType::*;
pub(super) use Importance::*;

pub(super) const REQUIRED: DefaultValue = DefaultValue::Required;
pub(super) const NULL: DefaultValue = DefaultValue::Null;
pub(super) const ANY: Validator = Validator::Any;
pub(super) const NOT_NULL: Validator = Validator::NotNull;
pub(super) const NOT_EMPTY: Validator = Validator::NotEmpty;
pub(super) const LIST: Validator = Validator::List { valid: &[], empty: true, null: false };
pub(super) const LIST_OR_NULL: Validator = Validator::List { valid: &[], empty: true, null: true };
pub(super) const LIST_NOT_EMPTY: Validator =
    Validator::List { valid: &[], empty: false, null: false };
pub(super) const LIST_NOT_EMPTY_OR_NULL: Validator =
    Validator::List { valid: &[], empty: false, null: true };

pub(super) const fn is(text: &'static str) -> DefaultValue {
    DefaultValue::Is(text)
}

pub(super) const fn at_least(min: &'static str) -> Validator {
    Validator::Range { min, max: "" }
}

pub(super) const fn range(min: &'static str, max: &'static str) -> Validator {
    Validator::Range { min, max }
}

pub(super) const fn one_of(valid: &'static [&'static str]) -> Validator {
    Validator::OneOf(valid)
}

pub(super) const fn one_of_ignoring_case(valid: &'static [&'static str]) -> Validator {
    Validator::OneOfIgnoringCase(valid)
}

pub(super) const fn list_of(valid: &'static [&'static str]) -> Validator {
    Validator::List { valid, empty: true, null: false }
}

pub(super) const fn some_of(valid: &'static [&'static str]) -> Validator {
    Validator::List { valid, empty: false, null: false }
}

pub(super) const fn key(
    name: &'static str,
    config_type: ConfigType,
    default: DefaultValue,
    validator: Validator,
    importance: Importance,
) -> ConfigKey {
    ConfigKey { name, config_type, default, validator, importance, internal: false }
}

pub(super) const fn internal(
    name: &'static str,
    config_type: ConfigType,
    default: DefaultValue,
    validator: Validator,
    importance: Importance,
) -> ConfigKey {
    ConfigKey { internal: true, ..key(name, config_type, default, validator, importance) }
}
