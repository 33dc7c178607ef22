//! What can go wrong in a use case, with the exit code and the next step of each.

use renewd_core::refusal::Refusal;
use renewd_policy::{Finding, Sources};
use renewd_store::{CommitError, JournalError, StoreError};

/// The exit codes (docs/cli.md): 0 done, 1 refused, 2 changes pending, 3 invalid input, 4 unknown or held, 5 busy,
/// 6 damaged, 7 partly done, 64 usage, 70 bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done.
    Done,
    /// Refused, declined, or a guard.
    Refused,
    /// `plan --detailed-exitcode` only.
    ChangesPending,
    /// Invalid input or an unreadable file.
    Invalid,
    /// Held, unknown, pending, or needs action.
    Waiting,
    /// The store is busy.
    Busy,
    /// The store is damaged, or a sync failed.
    Damaged,
    /// Partly done.
    Partly,
    /// Wrong use of the command line.
    Usage,
    /// A bug.
    Bug,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::ChangesPending => 2,
            Self::Invalid => 3,
            Self::Waiting => 4,
            Self::Busy => 5,
            Self::Damaged => 6,
            Self::Partly => 7,
            Self::Usage => 64,
            Self::Bug => 70,
        }
    }

    /// The highest concern of two: 70 > 6 > 5 > 4 > 7 > 3 > 1 > 2 > 0; usage is found before anything runs.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Done => 0,
            Self::ChangesPending => 1,
            Self::Refused => 2,
            Self::Invalid => 3,
            Self::Partly => 4,
            Self::Waiting => 5,
            Self::Busy => 6,
            Self::Damaged => 7,
            Self::Usage => 8,
            Self::Bug => 9,
        };
        if rank(self) < rank(other) { other } else { self }
    }
}

/// A use case that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Documents or inventories have findings; nothing was changed.
    #[error("{} in the input; nothing was changed", count(findings.len()))]
    Findings {
        /// All of them, in order of place.
        findings: Vec<Finding>,
        /// The texts, for snippets.
        sources: Box<Sources>,
    },
    /// An input that is not a document: a file that cannot be read, a name that does not exist, a bad value.
    #[error("{message}")]
    Input {
        /// A word for machines.
        code: &'static str,
        /// The sentence.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// A guard: it needs a flag or a person.
    #[error("{message}")]
    Guard {
        /// `removals`, `grants`, `lock`, `plan-stale` …
        code: &'static str,
        /// The sentence.
        message: String,
        /// What to do next.
        hint: String,
    },
    /// The core refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Something that must not happen.
    #[error("{0}")]
    Bug(String),
}

fn count(findings: usize) -> String {
    if findings == 1 { "1 finding".to_owned() } else { format!("{findings} findings") }
}

impl EngineError {
    /// An input error.
    pub fn input(code: &'static str, message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Self::Input { code, message: message.into(), hint: hint.into() }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Findings { .. } | Self::Input { .. } => Exit::Invalid,
            Self::Guard { .. } | Self::Refused(_) => Exit::Refused,
            Self::Store(error) => store_exit(error),
            Self::Commit(error) => {
                if error.is_fatal() {
                    Exit::Damaged
                } else {
                    commit_exit(error)
                }
            }
            Self::Bug(_) => Exit::Bug,
        }
    }

    /// A word for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::Findings { .. } => "invalid-input",
            Self::Input { code, .. } | Self::Guard { code, .. } => code,
            Self::Refused(refusal) => refusal.reason.as_str(),
            Self::Store(error) => store_word(error),
            Self::Commit(error) => {
                if error.is_fatal() {
                    "store-failed"
                } else {
                    "commit-refused"
                }
            }
            Self::Bug(_) => "bug",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Findings { .. } => None,
            Self::Input { hint, .. } => hint.clone(),
            Self::Guard { hint, .. } => Some(hint.clone()),
            Self::Refused(refusal) => refusal.hint.clone(),
            Self::Store(error) => store_hint(error),
            Self::Commit(error) => commit_hint(error),
            Self::Bug(_) => Some("please report it with the command that caused it".to_owned()),
        }
    }
}

fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::Exists(_) | StoreError::NoSpace { .. } => Exit::Refused,
        error if error.is_busy() => Exit::Busy,
        error if error.is_damage() => Exit::Damaged,
        _ => Exit::Invalid,
    }
}

fn store_word(error: &StoreError) -> &'static str {
    match error {
        StoreError::Exists(_) => "store-exists",
        StoreError::NoSpace { .. } => "no-space",
        error if error.is_busy() => "store-busy",
        error if error.is_damage() => "store-damaged",
        error if error.is_missing() => "no-store",
        _ => "store-refused",
    }
}

fn store_hint(error: &StoreError) -> Option<String> {
    let hint = match error {
        StoreError::Busy { .. } => "another renewd is at work; try again, or wait longer with `--wait SECONDS`",
        StoreError::Missing(_) => "`renewd apply DIR` makes one, or name another with `--store`",
        StoreError::Exists(_) => "nothing is written over a store; name another directory",
        StoreError::NoSpace { .. } => "make room on the disk; nothing was changed",
        StoreError::Target { .. } => "name a directory that does not exist yet, in one that does",
        StoreError::Backup(_) => {
            "`renewd store restore BACKUP --store DIR` makes a store of it, `renewd store verify BACKUP` checks it"
        }
        StoreError::NotABackup(_) => "`renewd store backup DIR` makes a backup",
        StoreError::BadCopy { .. } => {
            "take another backup, or save what is intact: `renewd store salvage NEWDIR --store DIR`"
        }
        StoreError::NothingIntact(_) => "`renewd store restore BACKUP --store DIR` makes a store of a backup",
        StoreError::NoBlob(_) | StoreError::BadBlob(_) => {
            "`renewd apply DIR` writes it again if a document in force has it"
        }
        StoreError::Index(_) => "nothing was lost: `renewd store rebuild` makes the index anew from the journal",
        StoreError::Journal(JournalError::Io { .. } | JournalError::Poisoned(_)) | StoreError::Io { .. } => {
            "see to the disk, then run `renewd store verify`"
        }
        StoreError::Journal(JournalError::Missing) => {
            "nothing can be told without it, nor salvaged: `renewd store restore BACKUP --store NEWDIR` makes a store \
             of a backup"
        }
        StoreError::Journal(JournalError::Damaged(_) | JournalError::BadHeader(_))
        | StoreError::Orphaned(_)
        | StoreError::BadIdentity(_)
        | StoreError::Mixed { .. } => {
            "nothing was changed; `renewd store restore BACKUP --store NEWDIR` makes a store of a backup, \
             `renewd store salvage NEWDIR` one of all that is intact here"
        }
        StoreError::Version(_)
        | StoreError::Journal(JournalError::Version(_) | JournalError::TooLarge(_) | JournalError::NoSpace { .. })
        | StoreError::BlobTooLarge { .. }
        | StoreError::ReadOnly => return None,
    };
    Some(hint.to_owned())
}

fn commit_exit(error: &CommitError) -> Exit {
    match error {
        CommitError::Moved { .. } => Exit::Busy,
        CommitError::TooLarge(_) => Exit::Invalid,
        CommitError::NoSpace { .. } => Exit::Refused,
        _ => Exit::Bug,
    }
}

fn commit_hint(error: &CommitError) -> Option<String> {
    match error {
        CommitError::Moved { .. } => Some("another renewd was faster; try again".to_owned()),
        CommitError::TooLarge(_) => Some("split the input".to_owned()),
        CommitError::NoSpace { .. } => Some("make room on the disk; nothing was changed".to_owned()),
        _ if error.is_fatal() => Some(
            "what was not confirmed may or may not be there: run `renewd store verify` once the disk works".to_owned(),
        ),
        _ => None,
    }
}
