//! Questions that several requests have at the same time, asked in one statement.
//!
//! A statement costs the database and us about as much for one row as for several: the way there and back, the planning,
//! the answer's description. Nobody waits for company: who finds fewer askers at work than are useful asks at once. All
//! others wait until one of those is done, and then one of them asks for all. So each question is still asked after it
//! was put, and sees whatever was acknowledged before.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most keys in one statement where nothing else is said, unless one question has more.
const MOST_AT_ONCE: usize = 64;

/// Who has waited for this long for another to ask asks alone, and who has asked for this long is waited for by nobody any
/// more: a statement that hangs is to hang nobody else.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where questions meet.
pub struct Together<K, V> {
    state: Mutex<State<K, V>>,
    /// The most keys in one statement.
    most: usize,
    askers: usize,
}

struct State<K, V> {
    /// Who is asking, by number, and since when.
    asking: Vec<(u64, Instant)>,
    waiting: VecDeque<Waiting<K, V>>,
    next: u64,
}

impl<K, V> State<K, V> {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Takes the turn of one who asks for so many keys, with some of those who wait, if there are fewer of them than are
    /// useful.
    fn turn(
        &mut self,
        number: u64,
        own: usize,
        (most, askers): (usize, usize),
    ) -> Option<Vec<Waiting<K, V>>> {
        if self.asking.iter().filter(|(_, since)| since.elapsed() < PATIENCE).count() >= askers {
            return None;
        }
        self.asking.push((number, Instant::now()));
        self.waiting.retain(|waiting| waiting.number != number);
        let mut keys = own;
        let has_room = |waiting: &&Waiting<K, V>| {
            keys = keys.saturating_add(waiting.keys.len());
            keys <= most
        };
        let company = self.waiting.iter().take_while(has_room).count();
        Some(self.waiting.drain(..company).collect())
    }
}

struct Waiting<K, V> {
    number: u64,
    keys: Vec<K>,
    news: SyncSender<News<V>>,
}

enum News<V> {
    /// An asker is done; whoever is told so may be the next.
    Go,
    /// What was found; `None` if the one who asked was told nothing of use.
    Found(Vec<V>),
}

/// What there is to do for who puts a question.
enum Turn<K, V> {
    Ask(u64, Vec<Waiting<K, V>>),
    Wait(u64, Receiver<News<V>>),
}

impl<K: Clone, V> Together<K, V> {
    /// With so many asking at the same time; more would only wait for one another.
    pub fn new(askers: usize) -> Self {
        Self::with_most(MOST_AT_ONCE, askers)
    }

    /// The same, with at most so many keys in one statement, unless one question has more.
    pub fn with_most(most: usize, askers: usize) -> Self {
        let state = State { asking: Vec::new(), waiting: VecDeque::new(), next: 0 };
        Self { state: Mutex::new(state), most, askers: askers.max(1) }
    }

    fn bounds(&self) -> (usize, usize) {
        (self.most, self.askers)
    }

    /// What `ask` says to each of `keys`, in their order, or `None` if they are better asked alone. `ask` gets the keys of
    /// several questions, these first, and says something to each of them in that order.
    pub fn put<E>(
        &self,
        keys: &[K],
        ask: impl FnOnce(&[K]) -> Result<Vec<V>, E>,
    ) -> Result<Option<Vec<V>>, E> {
        match self.begin(keys) {
            Turn::Ask(number, others) => self.ask(number, keys, others, ask),
            Turn::Wait(number, news) => loop {
                match news.recv_timeout(PATIENCE) {
                    Ok(News::Found(found)) => return Ok(Some(found)),
                    Ok(News::Go) => {
                        if let Some(others) = self.take(number, keys.len()) {
                            return self.ask(number, keys, others, ask);
                        }
                    }
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                        self.state().waiting.retain(|waiting| waiting.number != number);
                        return Ok(None);
                    }
                }
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, keys: &[K]) -> Turn<K, V> {
        let mut state = self.state();
        let number = state.number();
        if let Some(others) = state.turn(number, keys.len(), self.bounds()) {
            return Turn::Ask(number, others);
        }
        // Room for what was found behind a word to go.
        let (sender, receiver) = sync_channel(2);
        state.waiting.push_back(Waiting { number, keys: keys.to_vec(), news: sender });
        Turn::Wait(number, receiver)
    }

    /// The others that one who waited is to ask for as well; `None` if somebody has been faster.
    fn take(&self, number: u64, own: usize) -> Option<Vec<Waiting<K, V>>> {
        let mut state = self.state();
        let is_waiting = state.waiting.iter().any(|waiting| waiting.number == number);
        if is_waiting { state.turn(number, own, self.bounds()) } else { None }
    }

    fn ask<E>(
        &self,
        number: u64,
        keys: &[K],
        others: Vec<Waiting<K, V>>,
        ask: impl FnOnce(&[K]) -> Result<Vec<V>, E>,
    ) -> Result<Option<Vec<V>>, E> {
        let answers = {
            let _asking = Asking(self, number);
            let theirs = others.iter().flat_map(|waiting| &waiting.keys);
            let all: Vec<K> = keys.iter().chain(theirs).cloned().collect();
            ask(&all)?
            // After an error, or a panic, the others hear that nobody will tell them.
        };
        let mut answers = answers.into_iter();
        let own = answers.by_ref().take(keys.len()).collect();
        for waiting in others {
            let found = answers.by_ref().take(waiting.keys.len()).collect();
            // Who has left needs no answer.
            waiting.news.try_send(News::Found(found)).ok();
        }
        Ok(Some(own))
    }
}

/// Somebody who asks; whatever ends that, the next one may.
struct Asking<'t, K, V>(&'t Together<K, V>, u64);

impl<K, V> Drop for Asking<'_, K, V> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asking.retain(|(number, _)| *number != self.1);
        if let Some(next) = state.waiting.front() {
            next.news.try_send(News::Go).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    type Numbers = Together<u32, u32>;
    type Answers = Result<Vec<u32>, ()>;
    type Answer = Result<Option<Vec<u32>>, ()>;

    fn squares(keys: &[u32]) -> Answers {
        Ok(keys.iter().map(|key| key * key).collect())
    }

    /// Somebody asks until told to go on, and so many others have put their questions meanwhile, each with two keys.
    fn while_somebody_asks(together: &Arc<Numbers>, others: u32, ask: fn(&[u32]) -> Answers) -> Vec<Answer> {
        let (go, wait) = channel::<()>();
        let begun = Arc::new(Barrier::new(2));
        let first = {
            let (together, begun) = (Arc::clone(together), Arc::clone(&begun));
            thread::spawn(move || {
                together.put(&[1000], |keys| {
                    begun.wait();
                    wait.recv().ok();
                    squares(keys)
                })
            })
        };
        begun.wait();
        let others: Vec<_> = (0..others)
            .map(|number| {
                let together = Arc::clone(together);
                thread::spawn(move || together.put(&[number, number + 1], ask))
            })
            .collect();
        while together.state().waiting.len() < others.len() {
            thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(first.join().unwrap(), Ok(Some(vec![1_000_000])));
        others.into_iter().map(|other| other.join().unwrap()).collect()
    }

    #[test]
    fn each_gets_its_own_answer() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 50, squares);
        let expected: Vec<_> =
            (0..50).map(|number: u32| Ok(Some(vec![number.pow(2), (number + 1).pow(2)]))).collect();
        assert_eq!(answers, expected);
        assert!(together.state().asking.is_empty());
        assert_eq!(together.put(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn who_waits_is_asked_for_by_one() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 5, |keys| Ok(vec![keys.len() as u32; keys.len()]));
        assert_eq!(answers, vec![Ok(Some(vec![10, 10])); 5]);
    }

    #[test]
    fn who_asks_for_very_much_asks_alone() {
        let together = Numbers::new(1);
        let keys: Vec<u32> = (0..1000).collect();
        let answer = together.put(&keys, squares);
        assert_eq!(answer.unwrap().unwrap().len(), 1000);
    }

    #[test]
    fn an_error_is_one_persons_and_the_others_ask_alone() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 5, |_| Err(()));
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(None)).count(), 4);
        assert_eq!(together.put(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn who_asks_for_all_may_fall_and_nobody_hangs() {
        let together = Arc::new(Numbers::new(1));
        let fallen = Arc::clone(&together);
        let fallen = thread::spawn(move || fallen.put(&[1], |_| -> Result<_, ()> { panic!("on purpose") }));
        assert!(fallen.join().is_err());
        assert_eq!(together.put(&[3], squares), Ok(Some(vec![9])));
    }

    #[test]
    fn nobody_waits_for_who_hangs() {
        let together = Arc::new(Numbers::new(1));
        let (go, wait) = channel::<()>();
        let hung = Arc::clone(&together);
        let hung = thread::spawn(move || {
            hung.put(&[1], |keys| {
                wait.recv().ok();
                squares(keys)
            })
        });
        while together.state().asking.is_empty() {
            thread::yield_now();
        }
        assert_eq!(together.put(&[3], squares), Ok(None));
        // And whoever comes from now on does not even wait for a moment.
        assert_eq!(together.put(&[3], squares), Ok(Some(vec![9])));
        go.send(()).unwrap();
        assert_eq!(hung.join().unwrap(), Ok(Some(vec![1])));
        assert_eq!(together.put(&[3], squares), Ok(Some(vec![9])));
    }
}
