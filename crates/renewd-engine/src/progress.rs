//! Progress of long work, told to whoever wants to show it.

/// Shows how far a long piece of work is.
pub trait Progress: Send + Sync {
    /// A piece of work of so many steps begins.
    fn begin(&self, what: &str, total: u64);
    /// So many more steps are done.
    fn step(&self, steps: u64);
    /// The piece of work is over.
    fn end(&self);
}

/// A running piece of work; it is over when this is dropped.
pub(crate) struct Step<'a>(Option<&'a dyn Progress>);

impl<'a> Step<'a> {
    pub(crate) fn begin(progress: Option<&'a dyn Progress>, what: &str, total: usize) -> Self {
        if let Some(progress) = progress {
            progress.begin(what, total as u64);
        }
        Self(progress)
    }

    pub(crate) fn step(&self, steps: usize) {
        if let Some(progress) = self.0 {
            progress.step(steps as u64);
        }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if let Some(progress) = self.0 {
            progress.end();
        }
    }
}
