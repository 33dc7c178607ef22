//! Questions to gateways, each in a thread of its own; or, where only one may be asked at a time, one after the other,
//! once the store is closed.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

/// Questions under way.
pub(super) struct Pool<'scope, 'env, T: Send> {
    scope: &'scope Scope<'scope, 'env>,
    sequential: bool,
    queued: VecDeque<Box<dyn FnOnce() + 'scope>>,
    asked: usize,
    sender: Sender<T>,
    receiver: Receiver<T>,
}

impl<'scope, 'env, T: Send + 'scope> Pool<'scope, 'env, T> {
    pub(super) fn new(scope: &'scope Scope<'scope, 'env>, sequential: bool) -> Self {
        let (sender, receiver) = channel();
        Self { scope, sequential, queued: VecDeque::new(), asked: 0, sender, receiver }
    }

    /// Asks. The caller keeps count of how many may be asked at once.
    pub(super) fn ask(&mut self, question: impl FnOnce() -> T + Send + 'scope) {
        self.asked += 1;
        let sender = self.sender.clone();
        let ask = move || {
            let _guard = AbortOnPanic;
            // Nobody is left to hear the answer only where the cashier has failed.
            let _ = sender.send(question());
        };
        if self.sequential {
            self.queued.push_back(Box::new(ask));
        } else {
            self.scope.spawn(ask);
        }
    }

    /// Asks what waits for its turn, where only one may be asked at a time.
    pub(super) fn ask_queued(&mut self) {
        while let Some(ask) = self.queued.pop_front() {
            ask();
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.asked == 0
    }

    /// Waits for an answer, and takes those that have come with it.
    pub(super) fn wait(&mut self) -> Vec<T> {
        if self.is_idle() {
            return Vec::new();
        }
        self.ask_queued();
        let mut answers: Vec<T> = self.receiver.recv().into_iter().collect();
        answers.extend(self.receiver.try_iter());
        self.asked = self.asked.saturating_sub(answers.len());
        answers
    }

    /// The answers that have come.
    pub(super) fn done_so_far(&mut self) -> Vec<T> {
        self.ask_queued();
        let answers: Vec<T> = self.receiver.try_iter().collect();
        self.asked = self.asked.saturating_sub(answers.len());
        answers
    }
}

/// An answer that never comes would be waited for without end. A process that ends leaves intents, which are looked
/// into like any other whose outcome nobody knows.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}
