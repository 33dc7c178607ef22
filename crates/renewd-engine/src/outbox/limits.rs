//! Every bound on telling sinks: its name, its default, its unit.

use std::time::Duration;

/// Longest line that is looked for at the end of a file, bytes: far above any event.
pub(super) const LINE_BYTES_MAX: u64 = 1024 * 1024;
/// How long another process may hold the file of a sink.
pub(super) const FILE_LOCK_WAIT: Duration = Duration::from_secs(5);

/// The bounds of one run, for each sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxLimits {
    /// Records of the journal that are read, told and journaled as told together.
    pub(crate) batch_records: usize,
    /// Batches of one run; what is left is told by the next.
    pub(crate) batches: usize,
    /// Wall time of one delivery to a webhook: name, connection and answer together.
    pub(crate) delivery: Duration,
    /// Wall time after which a run begins no further delivery to a webhook.
    pub(crate) run: Duration,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { batch_records: 100, batches: 100, delivery: Duration::from_secs(10), run: Duration::from_secs(60) }
    }
}
