//! The acknowledged writes, to be compared with the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;

use crate::cluster::Cluster;

/// The acknowledged writes of all clients.
#[derive(Default)]
pub struct Ledger(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// Table and id of the rows that were created and not deleted.
    created: BTreeSet<(&'static str, String)>,
    /// Table and id of the deleted rows.
    deleted: BTreeSet<(&'static str, String)>,
    /// Pairs of an action and a key that was added to it.
    added: BTreeSet<(String, String)>,
    /// Increments of the counter: those acknowledged, and those found without an acknowledgement.
    increments: u64,
    /// The highest acknowledged tag of a session.
    tag: i64,
    counts: BTreeMap<String, u64>,
}

impl Ledger {
    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.0.lock().unwrap()
    }

    pub fn created(&self, table: &'static str, id: &str) {
        self.books().created.insert((table, id.to_owned()));
    }

    /// A DELETE of it got no definite answer, so whether it exists is unknown.
    pub fn uncertain(&self, table: &'static str, id: &str) {
        self.books().created.remove(&(table, id.to_owned()));
    }

    pub fn deleted(&self, table: &'static str, id: &str) {
        self.books().deleted.insert((table, id.to_owned()));
    }

    pub fn added(&self, action: &str, key: &str) {
        self.books().added.insert((action.to_owned(), key.to_owned()));
    }

    pub fn incremented(&self) {
        self.books().increments += 1;
    }

    pub fn tag(&self, tag: i64) {
        let mut books = self.books();
        books.tag = books.tag.max(tag);
    }

    /// Counts one event of this kind.
    pub fn count(&self, what: &str) {
        *self.books().counts.entry(what.to_owned()).or_default() += 1;
    }

    /// The events since the last call of `take_counts` whose names begin with `prefix`.
    pub fn counted(&self, prefix: &str) -> u64 {
        self.books().counts.iter().filter(|(what, _)| what.starts_with(prefix)).map(|(_, n)| n).sum()
    }

    /// Returns the counts and resets them.
    pub fn take_counts(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.books().counts)
    }

    /// The acknowledged writes that are missing on a node.
    pub fn lost(&self, cluster: &Cluster, counter: &str, session: &str) -> Vec<String> {
        let books = self.books();
        let mut lost = Vec::new();
        for table in ["job_attachments", "backups", "actions", "clients"] {
            for (node, there) in cluster.nodes.iter().zip(cluster.ids(table)) {
                let of = |books: &BTreeSet<(&str, String)>, is_there| {
                    let wrong = |(of, id): &&(&str, String)| *of == table && there.contains(id) == is_there;
                    books.iter().filter(wrong).map(|(_, id)| id.clone()).collect::<Vec<_>>()
                };
                for id in of(&books.created, false) {
                    lost.push(format!("{}: {table} {id} was created and is not there", node.name));
                }
                for id in of(&books.deleted, true) {
                    lost.push(format!("{}: {table} {id} was deleted and is there", node.name));
                }
            }
        }
        for node in &cluster.nodes {
            let rows = node.sql("SELECT id, metadata FROM actions WHERE metadata LIKE '%hot%'");
            let documents: BTreeMap<&str, Value> = rows
                .lines()
                .filter_map(|line| line.split_once('\t'))
                .map(|(id, text)| (id, serde_json::from_str(text).unwrap()))
                .collect();
            for (action, key) in &books.added {
                if documents.get(action.as_str()).is_none_or(|document| document.get(key).is_none()) {
                    lost.push(format!("{}: {key} was added to {action} and is not there", node.name));
                }
            }
            let count = documents.get(counter).and_then(|document| document["count"].as_u64()).unwrap_or(0);
            if count < books.increments {
                lost.push(format!(
                    "{}: {} increments of the counter lost",
                    node.name,
                    books.increments - count
                ));
            }
            let tag = node.sql(&format!("SELECT session_tag FROM sessions WHERE id = '{session}'"));
            if tag.trim().parse::<i64>().unwrap() < books.tag {
                lost.push(format!("{}: the session's tag was {} and is {tag}", node.name, books.tag));
            }
        }
        lost
    }

    /// The numbers of acknowledged writes, as text.
    pub fn size(&self) -> String {
        let books = self.books();
        format!(
            "{} creates, {} deletes, {} keys in hot documents, {} increments of one counter, session tag {}",
            books.created.len(),
            books.deleted.len(),
            books.added.len(),
            books.increments,
            books.tag
        )
    }

    /// The counter on one node minus the acknowledged increments: above 0, a write succeeded without an acknowledgement.
    pub fn surplus(&self, cluster: &Cluster, counter: &str) -> i64 {
        let text = cluster.nodes[0].sql(&format!("SELECT metadata FROM actions WHERE id = '{counter}'"));
        let document: Value = serde_json::from_str(&text).unwrap();
        document["count"].as_i64().unwrap() - i64::try_from(self.books().increments).unwrap()
    }
}
