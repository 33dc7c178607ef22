//! Many cases, as many at once as the machine that checks every change has processors.

use std::sync::atomic::{AtomicUsize, Ordering};

const WORKERS: usize = 2;

/// Does the work for each item, in no order that can be relied on. What a worker needs for itself it makes once.
pub(crate) fn each<T: Sync, W>(items: &[T], make: impl Fn() -> W + Sync, work: impl Fn(&mut W, &T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut own = make();
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(&mut own, item);
                }
            });
        }
    });
}
