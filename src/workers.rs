//! How many requests are served at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

/// How long somebody may wait before nobody takes a free place out of turn. It takes a moment to wake those who wait, and
/// who is awake is faster: usually that is good for all. But a client that sends one request after the other without
/// waiting is always awake.
const TURN: Duration = Duration::from_millis(5);

/// A fixed number of places to work in. Whoever waits for something else leaves his ([`outside`]).
pub struct Workers {
    places: Mutex<Places>,
}

struct Places {
    free: usize,
    /// Who waits for one, in the order they came.
    waiting: VecDeque<(Thread, Instant)>,
}

impl Places {
    /// Takes a free place, if there is one and this thread may have it.
    fn take(&mut self, me: ThreadId) -> bool {
        let (mine, long) = match self.waiting.front() {
            Some((first, since)) => (first.id() == me, since.elapsed() > TURN),
            None => (true, false),
        };
        let taken = self.free > 0 && (mine || !long);
        self.free -= usize::from(taken);
        taken
    }

    /// Wakes who is to have the next place, if there is one.
    fn wake(&self) {
        if let Some((first, _)) = self.waiting.front().filter(|_| self.free > 0) {
            first.unpark();
        }
    }
}

thread_local! {
    /// Where this thread has its place.
    static PLACE: RefCell<Option<Arc<Workers>>> = const { RefCell::new(None) };
}

impl Workers {
    /// `count` places, at least one.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { places: Mutex::new(Places { free: count.max(1), waiting: VecDeque::new() }) })
    }

    /// Waits for a place; it is free again when the result is dropped, a panic included.
    pub fn take(self: &Arc<Self>) -> Place {
        self.wait();
        PLACE.set(Some(Arc::clone(self)));
        Place(())
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) {
        let me = thread::current();
        let mut places = self.lock();
        if places.take(me.id()) {
            return;
        }
        places.waiting.push_back((me.clone(), Instant::now()));
        loop {
            // Whoever gives a place back wakes the first; being woken for nothing does no harm.
            drop(places);
            thread::park();
            places = self.lock();
            let first = places.waiting.front().is_some_and(|(first, _)| first.id() == me.id());
            if first && places.take(me.id()) {
                places.waiting.pop_front();
                places.wake();
                return;
            }
        }
    }

    fn give_back(&self) {
        let mut places = self.lock();
        places.free += 1;
        places.wake();
    }
}

/// This thread's place to work in, taken.
#[must_use]
pub struct Place(());

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(workers) = PLACE.take() {
            workers.give_back();
        }
    }
}

/// Waits for somebody else's answer without keeping others from their work: this thread's place, if it has one, is
/// free for another request while `work` runs, and taken again after it.
pub fn outside<T>(work: impl FnOnce() -> T) -> T {
    /// Takes the place again, a panic included.
    struct Return(Option<Arc<Workers>>);
    impl Drop for Return {
        fn drop(&mut self) {
            if let Some(workers) = self.0.take() {
                workers.wait();
                PLACE.set(Some(workers));
            }
        }
    }
    let place = PLACE.take();
    if let Some(workers) = &place {
        workers.give_back();
    }
    let _return = Return(place);
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(workers: &Workers) -> usize {
        workers.lock().free
    }

    #[test]
    fn whoever_waits_outside_leaves_the_place_to_others() {
        let workers = Workers::new(1);
        let place = workers.take();
        assert_eq!(free(&workers), 0);
        outside(|| {
            assert_eq!(free(&workers), 1);
            outside(|| assert_eq!(free(&workers), 1));
        });
        assert_eq!(free(&workers), 0);
        drop(place);
        assert_eq!(free(&workers), 1);
    }

    #[test]
    fn without_a_place_there_is_none_to_give_back() {
        assert_eq!(outside(|| 5), 5);
    }
}
