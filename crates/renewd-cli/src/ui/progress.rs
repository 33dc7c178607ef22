//! Long work as a bar on standard error, only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use renewd_engine::Progress;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex};

/// Work shorter than this many steps is over before a bar can be read.
const STEPS_WORTH_A_BAR: u64 = 200;

/// One bar at a time.
struct Bar(Mutex<Option<ProgressBar>>);

/// A bar, where anybody would see it.
pub(crate) fn bar(quiet: bool) -> Option<Arc<dyn Progress>> {
    if quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    Some(Arc::new(Bar(Mutex::new(None))))
}

impl Bar {
    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A bar that a panicking thread left behind is only a bar.
        let mut bar = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut bar);
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: u64) {
        if total < STEPS_WORTH_A_BAR {
            return;
        }
        let drawn = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} {bar:30} {human_pos}/{human_len} {eta}") {
            drawn.set_style(style);
        }
        drawn.set_message(super::clean::line(what));
        self.with(|bar| *bar = Some(drawn));
    }

    fn step(&self, steps: u64) {
        self.with(|bar| {
            if let Some(bar) = bar {
                bar.inc(steps);
            }
        });
    }

    fn end(&self) {
        self.with(|bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
    }
}
