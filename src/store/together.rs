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

/// The most questions in one statement.
const MOST_AT_ONCE: usize = 32;

/// Who has waited for this long for another to ask asks alone, and who has asked for this long is waited for by nobody any
/// more: a statement that hangs is to hang nobody else.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where questions meet.
pub struct Together<K, V> {
    state: Mutex<State<K, V>>,
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

    /// Takes the turn of one who asks, with some of those who wait, if there are fewer of them than are useful.
    fn turn(&mut self, number: u64, askers: usize) -> Option<Vec<Waiting<K, V>>> {
        if self.asking.iter().filter(|(_, since)| since.elapsed() < PATIENCE).count() >= askers {
            return None;
        }
        self.asking.push((number, Instant::now()));
        self.waiting.retain(|waiting| waiting.number != number);
        let company = self.waiting.len().min(MOST_AT_ONCE - 1);
        Some(self.waiting.drain(..company).collect())
    }
}

struct Waiting<K, V> {
    number: u64,
    key: K,
    news: SyncSender<News<V>>,
}

enum News<V> {
    /// An asker is done; whoever is told so may be the next.
    Go,
    /// What was found; `None` if the one who asked was told nothing of use.
    Found(Option<V>),
}

/// What there is to do for who puts a question.
enum Turn<K, V> {
    Ask(u64, Vec<Waiting<K, V>>),
    Wait(u64, Receiver<News<V>>),
}

impl<K: Clone, V> Together<K, V> {
    /// With so many asking at the same time; more would only wait for one another.
    pub fn new(askers: usize) -> Self {
        let state = State { asking: Vec::new(), waiting: VecDeque::new(), next: 0 };
        Self { state: Mutex::new(state), askers: askers.max(1) }
    }

    /// What `ask` says to `key`, or `None` if it is better asked alone. `ask` gets the keys of several, this one first, and
    /// says something to each of them in that order.
    pub fn put<E>(
        &self,
        key: &K,
        ask: impl FnOnce(&[K]) -> Result<Vec<Option<V>>, E>,
    ) -> Result<Option<V>, E> {
        match self.begin(key) {
            Turn::Ask(number, others) => self.ask(number, key, others, ask),
            Turn::Wait(number, news) => loop {
                match news.recv_timeout(PATIENCE) {
                    Ok(News::Found(found)) => return Ok(found),
                    Ok(News::Go) => {
                        if let Some(others) = self.take(number) {
                            return self.ask(number, key, others, ask);
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

    fn begin(&self, key: &K) -> Turn<K, V> {
        let mut state = self.state();
        let number = state.number();
        if let Some(others) = state.turn(number, self.askers) {
            return Turn::Ask(number, others);
        }
        // Room for what was found behind a word to go.
        let (sender, receiver) = sync_channel(2);
        state.waiting.push_back(Waiting { number, key: key.clone(), news: sender });
        Turn::Wait(number, receiver)
    }

    /// The others that one who waited is to ask for as well; `None` if somebody has been faster.
    fn take(&self, number: u64) -> Option<Vec<Waiting<K, V>>> {
        let mut state = self.state();
        let is_waiting = state.waiting.iter().any(|waiting| waiting.number == number);
        if is_waiting { state.turn(number, self.askers) } else { None }
    }

    fn ask<E>(
        &self,
        number: u64,
        key: &K,
        others: Vec<Waiting<K, V>>,
        ask: impl FnOnce(&[K]) -> Result<Vec<Option<V>>, E>,
    ) -> Result<Option<V>, E> {
        let answers = {
            let _asking = Asking(self, number);
            let keys: Vec<K> =
                std::iter::once(key).chain(others.iter().map(|waiting| &waiting.key)).cloned().collect();
            ask(&keys)?
            // After an error, or a panic, the others hear that nobody will tell them.
        };
        let mut answers = answers.into_iter();
        let own = answers.next().flatten();
        for (waiting, found) in others.iter().zip(answers) {
            // Who has left needs no answer.
            waiting.news.try_send(News::Found(found)).ok();
        }
        Ok(own)
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
    type Answers = Result<Vec<Option<u32>>, ()>;
    type Answer = Result<Option<u32>, ()>;

    fn squares(keys: &[u32]) -> Answers {
        Ok(keys.iter().map(|key| Some(key * key)).collect())
    }

    /// Somebody asks until told to go on, and so many others have put their questions meanwhile.
    fn while_somebody_asks(together: &Arc<Numbers>, others: u32, ask: fn(&[u32]) -> Answers) -> Vec<Answer> {
        let (go, wait) = channel::<()>();
        let begun = Arc::new(Barrier::new(2));
        let first = {
            let (together, begun) = (Arc::clone(together), Arc::clone(&begun));
            thread::spawn(move || {
                together.put(&1000, |keys| {
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
                thread::spawn(move || together.put(&number, ask))
            })
            .collect();
        while together.state().waiting.len() < others.len() {
            thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(first.join().unwrap(), Ok(Some(1_000_000)));
        others.into_iter().map(|other| other.join().unwrap()).collect()
    }

    #[test]
    fn each_gets_its_own_answer() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 50, squares);
        let expected: Vec<_> = (0..50).map(|number| Ok(Some(number * number))).collect();
        assert_eq!(answers, expected);
        assert!(together.state().asking.is_empty());
        assert_eq!(together.put(&3, squares), Ok(Some(9)));
    }

    #[test]
    fn who_waits_is_asked_for_by_one() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 5, |keys| Ok(vec![Some(keys.len() as u32); keys.len()]));
        assert_eq!(answers, vec![Ok(Some(5)); 5]);
    }

    #[test]
    fn an_error_is_one_persons_and_the_others_ask_alone() {
        let together = Arc::new(Numbers::new(1));
        let answers = while_somebody_asks(&together, 5, |_| Err(()));
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(None)).count(), 4);
        assert_eq!(together.put(&3, squares), Ok(Some(9)));
    }

    #[test]
    fn who_asks_for_all_may_fall_and_nobody_hangs() {
        let together = Arc::new(Numbers::new(1));
        let fallen = Arc::clone(&together);
        let fallen = thread::spawn(move || fallen.put(&1, |_| -> Result<_, ()> { panic!("on purpose") }));
        assert!(fallen.join().is_err());
        assert_eq!(together.put(&3, squares), Ok(Some(9)));
    }

    #[test]
    fn nobody_waits_for_who_hangs() {
        let together = Arc::new(Numbers::new(1));
        let (go, wait) = channel::<()>();
        let hung = Arc::clone(&together);
        let hung = thread::spawn(move || {
            hung.put(&1, |keys| {
                wait.recv().ok();
                squares(keys)
            })
        });
        while together.state().asking.is_empty() {
            thread::yield_now();
        }
        assert_eq!(together.put(&3, squares), Ok(None));
        // And whoever comes from now on does not even wait for a moment.
        assert_eq!(together.put(&3, squares), Ok(Some(9)));
        go.send(()).unwrap();
        assert_eq!(hung.join().unwrap(), Ok(Some(1)));
        assert_eq!(together.put(&3, squares), Ok(Some(9)));
    }
}
