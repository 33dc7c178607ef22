//! Long work as a bar on standard error, only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use renewd_engine::Progress;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Work shorter than this is over before a bar can be read.
const WORTH_A_BAR: Duration = Duration::from_secs(1);
/// How often a bar is drawn anew: a slow gateway must not look like a standstill.
const TICK: Duration = Duration::from_millis(500);

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
        let hidden = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} {bar:30} {human_pos}/{human_len} {elapsed}") {
            hidden.set_style(style);
        }
        hidden.set_message(super::clean::line(what));
        let late = hidden.downgrade();
        std::thread::spawn(move || {
            std::thread::sleep(WORTH_A_BAR);
            // Gone, where the work was over before.
            if let Some(bar) = late.upgrade().filter(|bar| !bar.is_finished()) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
            }
        });
        self.with(|bar| *bar = Some(hidden));
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
