//! What became of one case of a vector file, and the small tools that runners share.

use serde::Serialize;
use serde_json::Value;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// What was found instead.
    Failed(String),
    /// The engine has nothing that this case asks about.
    Unknown,
}

impl Outcome {
    /// Passed if it holds.
    pub fn check(holds: bool, found: impl FnOnce() -> String) -> Self {
        if holds { Self::Passed } else { Self::Failed(found()) }
    }

    /// The first outcome that is not a pass.
    pub fn and(self, next: impl FnOnce() -> Self) -> Self {
        if self == Self::Passed { next() } else { self }
    }
}

/// Compares one field of a case with what the engine found; an absent field is null.
pub fn compare(case: &Value, field: &str, found: impl Serialize) -> Outcome {
    let found = serde_json::to_value(found).unwrap_or_default();
    Outcome::check(found == case[field], || {
        format!("{field}: expected {}, found {found}", case[field])
    })
}

/// A field as text; empty if it is none.
pub fn text(case: &Value, field: &str) -> String {
    case[field].as_str().unwrap_or_default().to_owned()
}

/// A list of texts.
pub fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A list of numbers.
pub fn numbers(list: &Value) -> Vec<i32> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .map(|number| number as i32)
        .collect()
}
