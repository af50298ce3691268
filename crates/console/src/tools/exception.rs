//! What goes wrong in a tool, as Java would throw it: a class and a message.

use std::fmt;

use cluster::config::ConfigError;
use cluster::protocol::ErrorCode;

use super::common::Surroundings;
use crate::client::ClientError;
use crate::options::ParseError;
use crate::script::Pending;

/// A thrown exception; `Display` is the first line of its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// With its package.
    pub class: String,
    pub message: String,
}

/// What a step of a script comes to: a value or an exception, unless it waits.
pub type Attempt<T> = Result<Result<T, Exception>, Pending>;

impl Exception {
    pub fn new(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into() }
    }

    /// `java.lang.IllegalArgumentException`
    pub fn illegal_argument(message: impl Into<String>) -> Self {
        Self::new("java.lang.IllegalArgumentException", message)
    }

    /// `org.apache.kafka.tools.NAME`
    pub fn of_tools(name: &str, message: impl Into<String>) -> Self {
        Self { class: ["org.apache.kafka.tools.", name].concat(), message: message.into() }
    }

    /// What a client throws for an error in an answer; the answer's own words take precedence. `None` if there is no error.
    pub fn of_code(code: i16, message: Option<&str>) -> Result<(), Self> {
        match ErrorCode::from_code(code) {
            ErrorCode::None => Ok(()),
            error => Err(ClientError::of(error, message).into()),
        }
    }

    /// What `Integer.parseInt` throws.
    pub fn number_format(text: &str) -> Self {
        Self::new("java.lang.NumberFormatException", format!("For input string: \"{text}\""))
    }

    /// `ExecutionException` around this one.
    pub fn in_execution(&self) -> Self {
        Self::new("java.util.concurrent.ExecutionException", self.to_string())
    }

    /// `System.err.println(message)` and its trace, which ends in an empty line: what most tools' `main` does.
    pub fn print(&self, io: &mut impl Surroundings) {
        io.err(&format!("{}\n{self}\n\n", self.message));
    }

    /// Whether it is the exception of this error.
    pub fn is(&self, error: ErrorCode) -> bool {
        error.exception().is_some_and(|name| {
            self.class.strip_suffix(name).is_some_and(|package| package.ends_with('.'))
        })
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl From<ClientError> for Exception {
    fn from(error: ClientError) -> Self {
        Self { class: error.exception, message: error.message }
    }
}

impl From<ParseError> for Exception {
    fn from(error: ParseError) -> Self {
        Self::new(error.class(), error.to_string())
    }
}

impl From<ConfigError> for Exception {
    fn from(error: ConfigError) -> Self {
        ClientError::of_config(&error).into()
    }
}

/// The value, or leaves the function with the exception: for functions that return an [`Attempt`].
macro_rules! attempt {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(crate::tools::exception::Exception::from(error))),
        }
    };
}
pub(super) use attempt;
