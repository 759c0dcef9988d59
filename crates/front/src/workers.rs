//! Bounds how many requests are served at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

/// Barging limit. A running thread may overtake queued ones, which avoids a wake-up, until the first in the queue has
/// waited this long; then slots are handed out in order. Without the limit a client that sends one request right after
/// the other could keep its slot for ever.
const BARGING_LIMIT: Duration = Duration::from_millis(5);

/// A fixed number of worker slots. A thread that waits for something else frees its slot meanwhile ([`while_parked`]).
pub struct Workers {
    slots: Mutex<Slots>,
}

struct Slots {
    free: usize,
    /// The waiting threads in the order in which they came, each with the start of its wait.
    waiting: VecDeque<(Thread, Instant)>,
}

impl Slots {
    /// Takes a free slot, if there is one and the barging limit lets this thread have it.
    fn take(&mut self, me: ThreadId) -> bool {
        let (mine, long) = match self.waiting.front() {
            Some((first, since)) => (first.id() == me, since.elapsed() > BARGING_LIMIT),
            None => (true, false),
        };
        let taken = self.free > 0 && (mine || !long);
        self.free -= usize::from(taken);
        taken
    }

    /// Wakes the first waiting thread, if a slot is free.
    fn wake(&self) {
        if let Some((first, _)) = self.waiting.front().filter(|_| self.free > 0) {
            first.unpark();
        }
    }
}

thread_local! {
    /// The pool that this thread has a slot of.
    static SLOT: RefCell<Option<Arc<Workers>>> = const { RefCell::new(None) };
}

impl Workers {
    /// `count` slots, at least one.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { slots: Mutex::new(Slots { free: count.max(1), waiting: VecDeque::new() }) })
    }

    /// Waits for a slot; it is free again when the result is dropped, a panic included.
    pub fn take(self: &Arc<Self>) -> Slot {
        self.wait();
        SLOT.set(Some(Arc::clone(self)));
        Slot(())
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) {
        let me = thread::current();
        let mut slots = self.lock();
        if slots.take(me.id()) {
            return;
        }
        slots.waiting.push_back((me.clone(), Instant::now()));
        loop {
            // A thread that gives a slot back wakes the first in the queue; a spurious wake-up does no harm.
            drop(slots);
            thread::park();
            slots = self.lock();
            let first = slots.waiting.front().is_some_and(|(first, _)| first.id() == me.id());
            if first && slots.take(me.id()) {
                slots.waiting.pop_front();
                slots.wake();
                return;
            }
        }
    }

    fn give_back(&self) {
        let mut slots = self.lock();
        slots.free += 1;
        slots.wake();
    }
}

/// This thread's slot. Dropping it frees the slot.
#[must_use]
pub struct Slot(());

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(workers) = SLOT.take() {
            workers.give_back();
        }
    }
}

/// Runs `work`, which waits for another thread or a remote service, without a worker slot: another request can use this
/// thread's slot, if it has one, until `work` ends.
pub fn while_parked<T>(work: impl FnOnce() -> T) -> T {
    /// Takes a slot again when it is dropped, also after a panic in `work`.
    struct Return(Option<Arc<Workers>>);
    impl Drop for Return {
        fn drop(&mut self) {
            if let Some(workers) = self.0.take() {
                workers.wait();
                SLOT.set(Some(workers));
            }
        }
    }
    let slot = SLOT.take();
    if let Some(workers) = &slot {
        workers.give_back();
    }
    let _return = Return(slot);
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(workers: &Workers) -> usize {
        workers.lock().free
    }

    #[test]
    fn a_parked_thread_frees_its_slot() {
        let workers = Workers::new(1);
        let slot = workers.take();
        assert_eq!(free(&workers), 0);
        while_parked(|| {
            assert_eq!(free(&workers), 1);
            while_parked(|| assert_eq!(free(&workers), 1));
        });
        assert_eq!(free(&workers), 0);
        drop(slot);
        assert_eq!(free(&workers), 1);
    }

    #[test]
    fn a_thread_without_a_slot_gives_none_back() {
        assert_eq!(while_parked(|| 5), 5);
    }
}
