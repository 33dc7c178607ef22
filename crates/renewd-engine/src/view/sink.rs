//! What a run told sinks.

use serde::Serialize;

/// What one sink was told, or why not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkView {
    /// The sink.
    pub sink: String,
    /// Its URL or file.
    pub to: String,
    /// How many events it was told by this run.
    pub delivered: usize,
    /// What keeps it from being told everything.
    pub behind: Option<SinkBehind>,
}

/// What keeps a sink from being told everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkBehind {
    /// RFC 3339 in UTC: since when nothing has been delivered.
    pub since: String,
    /// Whether telling failed; else it only takes more than one run.
    pub failed: bool,
    /// Why, in one sentence, with the event that was not taken.
    pub reason: String,
}
