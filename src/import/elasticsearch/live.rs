//! A server of Elasticsearch or OpenSearch.

mod cursor;
mod seen;
mod server;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use cursor::Cursor;
use seen::Seen;
use server::{Server, Trouble};

use super::delivery::Delivery;
use super::documents::{broken, row};
use super::hit::Hit;
use super::kinds::{DEFAULT_INDEX, Kinds};
use super::page::Page;
use super::total::{Expected, differs};
use super::{Options, edited};
use crate::import::legacy::{Row, Table};
use crate::import::{Description, Result, Source};

/// How often a read restarts because the server lost it.
const RESTARTS: u32 = 5;

/// How often a read restarts because the number of documents differs from the total.
const RECOUNTS: u32 = 1;

/// The indices of a server.
pub struct Live {
    server: Server,
    kinds: Kinds,
    expected: Expected,
    skip_unknown: bool,
    rate: Option<u32>,
}

impl Live {
    /// Asks the server what it is.
    pub fn open(url: &str, options: &Options, kinds: Kinds, expected: Expected) -> Result<Self> {
        let server = Server::open(url, options)?;
        Ok(Self { server, kinds, expected, skip_unknown: options.skip_unknown, rate: options.rate })
    }

    /// The documents of each index, as `_count` says.
    fn count(&self) -> Result<Vec<(String, u64)>> {
        let mut counts = Vec::new();
        for index in &self.kinds.indices {
            match self.server.count(index)? {
                Some(count) => counts.push((index.clone(), count)),
                None => {
                    let name = &self.server.name;
                    return Err(format!("There is no index {index} on {name}.{}", self.hint()?).into());
                }
            }
        }
        Ok(counts)
    }

    /// Up to 18.0.0 the service wrote to `freezer`, whatever it was configured to.
    fn hint(&self) -> Result<String> {
        if self.kinds.indices.iter().any(|index| index == DEFAULT_INDEX) {
            return Ok(String::new());
        }
        Ok(match self.server.count(DEFAULT_INDEX)? {
            Some(count) if count > 0 => format!(
                " The index {DEFAULT_INDEX} has {count} documents: releases up to 18.0.0 wrote there, whatever their \
                 configuration said."
            ),
            _ => String::new(),
        })
    }

    fn read_index(
        &self,
        index: &str,
        pace: &mut Pace,
        seen: &mut Seen,
        delivery: &mut Delivery<'_>,
    ) -> Result<()> {
        let mut restarts = 0;
        loop {
            let mut cursor = Cursor::new(&self.server, index);
            let outcome = self.pass(&mut cursor, index, pace, seen, delivery);
            // Also after a failure: a server has only so many of them open.
            cursor.close();
            let why = match outcome {
                Ok(()) => return Ok(()),
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(Trouble::Incomplete { read, sentence }) if restarts >= RECOUNTS => {
                    return Err(differs(read, &sentence));
                }
                Err(Trouble::Lost(why)) if restarts == RESTARTS => return Err(why.into()),
                Err(Trouble::Incomplete { read, sentence }) => {
                    format!("{read} documents were read, and {sentence}")
                }
                Err(Trouble::Lost(why)) => why,
            };
            restarts += 1;
            log::warn!("reading the index {index} begins anew ({restarts} of {RESTARTS}): {why}");
            self.server.pause(restarts);
        }
    }

    /// Reads an index from its beginning. Documents of an earlier pass are not passed on again.
    fn pass(
        &self,
        cursor: &mut Cursor<'_>,
        index: &str,
        pace: &mut Pace,
        seen: &mut Seen,
        delivery: &mut Delivery<'_>,
    ) -> std::result::Result<(), Trouble> {
        let mut read = 0;
        let mut total = None;
        loop {
            let answer = cursor.next()?;
            let page: Page<'_> = serde_json::from_slice(&answer.body).map_err(|error| {
                Trouble::Lost(format!("{} gave no answer to a search: {error}.", self.server.name))
            })?;
            cursor.note(&page)?;
            if let Some(gap) = page.gap() {
                return Err(Trouble::Lost(format!("{gap}.")));
            }
            total = total.or(page.total());
            if page.hits.hits.is_empty() {
                break;
            }
            read += page.hits.hits.len() as u64;
            let before = delivery.read;
            seen.page(|seen| {
                for hit in &page.hits.hits {
                    self.document(hit.get(), index, cursor, seen, delivery)?;
                }
                Ok(())
            })?;
            pace.wait(delivery.read - before);
            // A server that gives the same page again would never end.
            if total.is_some_and(|total| read > total) {
                break;
            }
        }
        match total {
            Some(total) if total != read => {
                Err(Trouble::Incomplete { read, sentence: format!("the search has found {total}") })
            }
            _ => Ok(()),
        }
    }

    fn document(
        &self,
        text: &str,
        index: &str,
        cursor: &mut Cursor<'_>,
        seen: &mut Seen,
        delivery: &mut Delivery<'_>,
    ) -> Result<()> {
        let place = format!("{index}:{}", delivery.read + 1);
        let hit = match serde_json::from_str::<Value>(text) {
            Ok(raw) => {
                cursor.passed(&raw);
                if !seen.is_new(&raw)? {
                    return Ok(());
                }
                Hit::from_json(raw)
            }
            Err(error) => Err((format!("is no JSON: {error}"), Value::String(text.to_owned()))),
        };
        match hit {
            // An alias has the name that `--index` gave, and the hit that of the index behind it.
            Ok(hit) => delivery.add(row(Hit { index: Some(index.to_owned()), ..hit }, &self.kinds, &place)),
            Err((why, raw)) => {
                let id = raw.get("_id").and_then(Value::as_str).unwrap_or(&place).to_owned();
                let detail = format!("A document of the index {index} {why}.");
                delivery.add(broken(Table::Unknown, id, "bad-line", detail, raw))
            }
        }
    }
}

impl Source for Live {
    fn describe(&mut self) -> Result<Description> {
        let mut description = Description { lines: vec![self.server.title()], ..Description::default() };
        for (index, count) in self.count()? {
            description.lines.push(format!("index {index}: {count} documents"));
            if count == 0 {
                description.warnings.push(format!("The index {index} is empty.{}", self.hint()?));
            }
            for (kind, count) in self.server.count_types(&index)? {
                *description.counts.entry(kind.to_owned()).or_default() += count;
            }
        }
        Ok(description)
    }

    fn read(&mut self, sink: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let sum = |counts: &[(String, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
        let before = sum(&self.count()?);
        let mut delivery = Delivery::new(sink, self.skip_unknown);
        let mut seen = Seen::new()?;
        let mut pace = Pace::new(self.rate);
        for index in &self.kinds.indices {
            self.read_index(index, &mut pace, &mut seen, &mut delivery)?;
        }
        let after = sum(&self.count()?);
        if before != after {
            log::warn!(
                "{} had {before} documents before the read and has {after} after it: it is being written to",
                self.server.name
            );
        } else if delivery.read != after {
            return Err(differs(delivery.read, &format!("`_count` says {after}")));
        }
        self.expected.check(delivery.read)
    }

    /// `_count` knows no kinds; [`Source::read`] has compared it with what was read.
    fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        Ok(BTreeMap::new())
    }

    fn row(&mut self, table: Table, id: &str, raw: Value) -> std::result::Result<Row, String> {
        edited::row(&self.kinds, table, id, raw)
    }
}

/// `--rate`: the most documents per second.
struct Pace {
    rate: Option<u32>,
    begun: Instant,
    read: u64,
}

impl Pace {
    fn new(rate: Option<u32>) -> Self {
        Self { rate: rate.filter(|rate| *rate > 0), begun: Instant::now(), read: 0 }
    }

    /// Waits until so many more documents may have been read.
    #[allow(clippy::cast_precision_loss)] // milliseconds do not matter
    fn wait(&mut self, documents: u64) {
        self.read += documents;
        let Some(rate) = self.rate else { return };
        let due = Duration::from_secs_f64(self.read as f64 / f64::from(rate));
        std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
    }
}
