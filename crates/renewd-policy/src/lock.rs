//! `renewd.lock`: which plugin bytes, with which rights, the documents were last accepted with.
//!
//! Written by machine and read by people in reviews, so it is sorted and stable: the same lock is the same text.
//! This module compares and never decides; whether a difference is refused is for whoever applies.

use crate::finding::quoted;
use crate::limits::LOCK_BYTES_MAX;
use crate::load::bounded;
use crate::set::DocumentSet;
use crate::tree::{decode, parse};
use renewd_core::documents::{Plugin, PluginLimits, PluginRole};
use renewd_core::ids::{Digest, PluginName};
use renewd_core::web::Grant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// The name of the file, beside the documents.
pub const LOCK_FILE_NAME: &str = "renewd.lock";

const HEADER: &str = "# Written by renewd; commit it. `renewd plugin lock --upgrade NAME` changes an entry.\n";
const VERSION: u32 = 1;

/// What is pinned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The store that these documents belong to, if it is pinned.
    pub store: Option<String>,
    /// Plugins by name.
    pub plugins: BTreeMap<PluginName, LockEntry>,
}

/// What is pinned of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockEntry {
    /// The file as the document writes it.
    pub file: String,
    /// Digest of the component's bytes.
    pub sha256: Digest,
    /// The plugin interface's world with its version, such as `renewd:plugin/pricing-plugin@0.1.0`.
    pub world: String,
    /// What the plugin is for.
    pub role: PluginRole,
    /// The HTTP requests that it may send.
    pub grants: Vec<Grant>,
    /// Limits that differ from the defaults.
    pub limits: PluginLimits,
}

/// The lock as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LockFile {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    plugins: BTreeMap<PluginName, LockEntry>,
}

/// Why a lock file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}", file = file.display())]
pub struct LockError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}

impl LockError {
    /// The next step.
    pub fn hint(&self) -> String {
        format!("restore `{LOCK_FILE_NAME}` from version control, or remove it and let `renewd apply` write it anew")
    }
}

impl LockEntry {
    /// What to pin of a plugin whose world has been inspected.
    pub fn of(plugin: &Plugin, world: impl Into<String>) -> Self {
        Self {
            file: plugin.file.clone(),
            sha256: plugin.digest,
            world: world.into(),
            role: plugin.role,
            grants: plugin.grants.clone(),
            limits: plugin.limits.clone(),
        }
    }
}

impl Lock {
    /// Where the lock of a directory (or of a single document file) is.
    pub fn path_of(documents: &Path) -> PathBuf {
        let directory = if documents.is_dir() { documents } else { documents.parent().unwrap_or(Path::new("")) };
        directory.join(LOCK_FILE_NAME)
    }

    /// Reads the lock beside the documents; none if there is no such file.
    ///
    /// # Errors
    /// The file is unreadable, too large, or not a lock of a known version.
    pub fn read(documents: &Path) -> Result<Option<Self>, LockError> {
        let path = Self::path_of(documents);
        if matches!(path.try_exists(), Ok(false)) {
            return Ok(None);
        }
        let wrong = |message: String| LockError { file: path.clone(), line: 1, column: 1, message };
        let bytes = bounded(&path, LOCK_BYTES_MAX).map_err(|problem| wrong(problem.message))?;
        Self::parse(&bytes, &path).map(Some)
    }

    /// Reads a lock from bytes; `path` is only for errors.
    ///
    /// # Errors
    /// The bytes are not a lock of a known version.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, LockError> {
        let wrong =
            |(line, column): (u32, u32), message: String| LockError { file: path.to_owned(), line, column, message };
        let decoded = decode(bytes).map_err(|(place, problem)| wrong((place.line, place.column), problem.message))?;
        let parsed = parse(decoded.text);
        if let Some((place, problem)) = decoded.problems.into_iter().chain(parsed.problems).next() {
            return Err(wrong((place.line, place.column), problem.message));
        }
        let file: LockFile = serde_yaml::from_str(decoded.text).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).max(1);
            wrong((small(line), small(column)), "this is not a lock file of renewd".to_owned())
        })?;
        if file.version != VERSION {
            return Err(wrong((1, 1), format!("lock version {} is not known to this renewd", file.version)));
        }
        Ok(Self { store: file.store, plugins: file.plugins })
    }

    /// The text of the lock: sorted, with a comment at its head.
    pub fn to_text(&self) -> String {
        let file = LockFile { version: VERSION, store: self.store.clone(), plugins: self.plugins.clone() };
        // Names, digests and words always serialise; were one not to, the header alone would not read back.
        format!("{HEADER}{}", serde_yaml::to_string(&file).unwrap_or_default())
    }
}

/// One way in which documents differ from their lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockDifference {
    /// The plugin has no entry.
    Missing {
        /// The plugin.
        plugin: PluginName,
    },
    /// The entry has no plugin.
    Stale {
        /// The plugin.
        plugin: PluginName,
    },
    /// The bytes differ.
    Digest {
        /// The plugin.
        plugin: PluginName,
        /// What is pinned.
        locked: Digest,
        /// What is there.
        found: Digest,
    },
    /// The role differs.
    Role {
        /// The plugin.
        plugin: PluginName,
        /// What is pinned.
        locked: PluginRole,
        /// What is there.
        found: PluginRole,
    },
    /// The limits differ.
    Limits {
        /// The plugin.
        plugin: PluginName,
        /// What is pinned.
        locked: PluginLimits,
        /// What is there.
        found: PluginLimits,
    },
    /// The grants differ.
    Grants {
        /// The plugin.
        plugin: PluginName,
        /// What is pinned.
        locked: Vec<Grant>,
        /// What is there.
        found: Vec<Grant>,
    },
    /// The file's path differs; the bytes are judged by themselves.
    File {
        /// The plugin.
        plugin: PluginName,
        /// What is pinned.
        locked: String,
        /// What is there.
        found: String,
    },
}

impl LockDifference {
    /// The plugin that it is about.
    pub fn plugin(&self) -> &PluginName {
        match self {
            Self::Missing { plugin }
            | Self::Stale { plugin }
            | Self::Digest { plugin, .. }
            | Self::Role { plugin, .. }
            | Self::Limits { plugin, .. }
            | Self::Grants { plugin, .. }
            | Self::File { plugin, .. } => plugin,
        }
    }

    /// The next step.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => "`renewd apply` writes the entry".to_owned(),
            Self::Stale { plugin }
            | Self::Digest { plugin, .. }
            | Self::Role { plugin, .. }
            | Self::Limits { plugin, .. }
            | Self::Grants { plugin, .. }
            | Self::File { plugin, .. } => {
                format!("if the change is meant, run `renewd plugin lock --upgrade {plugin}`")
            }
        }
    }
}

impl fmt::Display for LockDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { plugin } => write!(f, "plugin `{plugin}` is not locked"),
            Self::Stale { plugin } => write!(f, "plugin `{plugin}` is locked but not declared"),
            Self::Digest { plugin, locked, found } => {
                write!(f, "plugin `{plugin}` has other bytes than locked: sha256 {found}, locked {locked}")
            }
            Self::Role { plugin, locked, found } => {
                write!(f, "plugin `{plugin}` has the role `{}`, locked `{}`", found.as_str(), locked.as_str())
            }
            Self::Limits { plugin, .. } => write!(f, "plugin `{plugin}` has other limits than locked"),
            Self::Grants { plugin, locked, found } => {
                let more: Vec<String> =
                    found.iter().filter(|grant| !locked.contains(grant)).map(|grant| format!("`{grant}`")).collect();
                match more.as_slice() {
                    [] => write!(f, "plugin `{plugin}` has fewer grants than locked"),
                    more => write!(f, "plugin `{plugin}` is granted {}, which is not locked", more.join(", ")),
                }
            }
            Self::File { plugin, locked, found } => {
                write!(f, "plugin `{plugin}` is read from {}, locked {}", quoted(found), quoted(locked))
            }
        }
    }
}

/// How the documents differ from their lock, by plugin name. The worlds are not compared: they are known only to
/// whoever inspects the components.
pub fn compare(lock: &Lock, set: &DocumentSet) -> Vec<LockDifference> {
    let mut differences = Vec::new();
    for plugin in set.plugins() {
        let name = &plugin.name;
        match lock.plugins.get(name) {
            None => differences.push(LockDifference::Missing { plugin: name.clone() }),
            Some(entry) => differences.extend(entry_differences(entry, plugin)),
        }
    }
    let stale = lock.plugins.keys().filter(|name| set.plugin(name.as_str()).is_none());
    differences.extend(stale.map(|name| LockDifference::Stale { plugin: name.clone() }));
    differences.sort_by(|a, b| a.plugin().cmp(b.plugin()));
    differences
}

fn entry_differences(entry: &LockEntry, found: &Plugin) -> Vec<LockDifference> {
    let plugin = || found.name.clone();
    let mut differences = Vec::new();
    if entry.sha256 != found.digest {
        differences.push(LockDifference::Digest { plugin: plugin(), locked: entry.sha256, found: found.digest });
    }
    if entry.role != found.role {
        differences.push(LockDifference::Role { plugin: plugin(), locked: entry.role, found: found.role });
    }
    if entry.limits != found.limits {
        let (locked, found) = (entry.limits.clone(), found.limits.clone());
        differences.push(LockDifference::Limits { plugin: plugin(), locked, found });
    }
    // Their order means nothing.
    let sorted = |grants: &[Grant]| grants.iter().cloned().collect::<BTreeSet<_>>();
    if sorted(&entry.grants) != sorted(&found.grants) {
        let (locked, found) = (entry.grants.clone(), found.grants.clone());
        differences.push(LockDifference::Grants { plugin: plugin(), locked, found });
    }
    if entry.file != found.file {
        let (locked, found) = (entry.file.clone(), found.file.clone());
        differences.push(LockDifference::File { plugin: plugin(), locked, found });
    }
    differences
}
