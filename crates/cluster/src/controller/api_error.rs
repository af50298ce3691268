//! An error code with the text of its answer. Kafka: `ApiError`.

use crate::config::ConfigError;
use crate::protocol::errors::ErrorCode;

/// Why a part of a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub error: ErrorCode,
    /// None where Kafka sends none.
    pub message: Option<String>,
}

impl ApiError {
    /// With a text of its own.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Self { error, message: Some(message.into()) }
    }

    /// With the error's default text.
    pub fn with_default_message(error: ErrorCode) -> Self {
        Self::new(error, error.message())
    }

    /// As Kafka passes on an exception without a text of its own.
    pub const fn bare(error: ErrorCode) -> Self {
        Self { error, message: None }
    }

    /// The code on the wire.
    pub const fn code(&self) -> i16 {
        self.error.code()
    }
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> Self {
        let code = match error.exception {
            // Not an exception of the protocol: the controller names it so.
            "ConfigException" => ErrorCode::InvalidConfig,
            exception => {
                ErrorCode::of_exception(exception).unwrap_or(ErrorCode::UnknownServerError)
            }
        };
        Self::new(code, error.message)
    }
}

/// The code and text of an outcome, as responses carry them.
pub fn code_and_message<T>(outcome: &Result<T, ApiError>) -> (i16, Option<String>) {
    match outcome {
        Ok(_) => (ErrorCode::None.code(), None),
        Err(error) => (error.code(), error.message.clone()),
    }
}
