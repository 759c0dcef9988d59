//! How many requests are served at once.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A fixed number of places to work in. Whoever waits for something else leaves his ([`outside`]).
pub struct Workers {
    free: Mutex<usize>,
    freed: Condvar,
}

thread_local! {
    /// Where this thread has its place.
    static PLACE: RefCell<Option<Arc<Workers>>> = const { RefCell::new(None) };
}

impl Workers {
    /// `count` places, at least one.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(count.max(1)), freed: Condvar::new() })
    }

    /// Waits for a place; it is free again when the result is dropped, a panic included.
    pub fn take(self: &Arc<Self>) -> Place {
        self.wait();
        PLACE.set(Some(Arc::clone(self)));
        Place(())
    }

    fn wait(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
    }

    fn give_back(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.freed.notify_one();
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
        *workers.free.lock().unwrap()
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
