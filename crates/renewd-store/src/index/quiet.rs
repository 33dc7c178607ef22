//! Turns panics of sled into errors, without their text on the user's terminal.
//!
//! sled 0.34 panics where it should return errors (on damaged files, on a failing sync while it is dropped). Must
//! wrap calls into sled only: a panic of our own code is a bug and has to be seen. Needs `panic = "unwind"`.

use super::error::IndexError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

fn install_hook() {
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
}

/// Runs a call into sled; a panic inside becomes an [`IndexError`].
pub(crate) fn guarded<T, E: Into<IndexError>>(call: impl FnOnce() -> Result<T, E>) -> Result<T, IndexError> {
    install_hook();
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(before);
    match result {
        Ok(result) => result.map_err(Into::into),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            Err(IndexError::Panicked(text.lines().next().unwrap_or_default().to_owned()))
        }
    }
}
