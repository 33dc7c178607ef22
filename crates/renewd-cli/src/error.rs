//! What ends a command early, with its exit code and next step.

use renewd_engine::{EngineError, Exit};
use renewd_policy::Problem;
use std::io;
use std::path::Path;

/// A command that did not do what it was asked.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The command line asks for something that does not exist or does not go together.
    Usage {
        /// The sentence.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A value on the command line, or a file that it names, is not what it must be.
    Input {
        /// A word for machines.
        code: &'static str,
        /// The sentence.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// The engine refused or failed.
    Engine(Box<EngineError>),
    /// A person said no.
    NotConfirmed,
    /// Nobody reads the output any more: silent.
    BrokenPipe,
    /// Something that must not happen, with what led to it.
    Bug(anyhow::Error),
}

impl CliError {
    /// A usage error.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// An input error.
    pub(crate) fn input(code: &'static str, message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self::Input { code, message: message.into(), hint: hint.into() }
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::input("unreadable-file", format!("cannot read `{}`: {}", file.display(), io_words(error)), None)
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::Usage,
            Self::Input { .. } => Exit::Invalid,
            Self::Engine(error) => error.exit(),
            Self::NotConfirmed => Exit::Refused,
            Self::BrokenPipe => Exit::Done,
            Self::Bug(_) => Exit::Bug,
        }
    }

    /// A word for machines.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Input { code, .. } => code,
            Self::Engine(error) => error.code(),
            Self::NotConfirmed => "not-confirmed",
            Self::BrokenPipe => "broken-pipe",
            Self::Bug(_) => "bug",
        }
    }

    /// The sentence.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage { message, .. } | Self::Input { message, .. } => message.clone(),
            Self::Bug(error) => format!("{error:#}"),
            Self::Engine(error) => error.to_string(),
            Self::NotConfirmed => "not confirmed; nothing was changed".to_owned(),
            Self::BrokenPipe => "the output was closed".to_owned(),
        }
    }

    /// What to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } | Self::Input { hint, .. } => hint.clone(),
            Self::Engine(error) => error.hint(),
            Self::NotConfirmed | Self::BrokenPipe => None,
            Self::Bug(_) => Some("please report it with the command that caused it".to_owned()),
        }
    }
}

/// The system's words without the number that Rust adds to them.
pub(crate) fn io_words(error: &io::Error) -> String {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = plain.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<anyhow::Error> for CliError {
    fn from(error: anyhow::Error) -> Self {
        Self::Bug(error)
    }
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        let Problem { code, message, hint } = problem;
        Self::Input { code: code.as_str(), message, hint }
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::input("output-failed", format!("cannot write the output: {}", io_words(&error)), None),
        }
    }
}
