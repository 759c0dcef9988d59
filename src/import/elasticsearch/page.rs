//! An answer of a search or a scroll, of a server or saved in a file.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The answer; each hit stays the text that it is until its turn comes, which keeps a page small in memory.
#[derive(Debug, Deserialize)]
pub struct Page<'p> {
    /// The scroll to go on with.
    #[serde(rename = "_scroll_id")]
    pub scroll_id: Option<String>,
    /// The point in time to go on with.
    pub pit_id: Option<String>,
    #[serde(rename = "_shards")]
    shards: Option<Shards>,
    #[serde(default)]
    timed_out: bool,
    /// The hits.
    #[serde(borrow)]
    pub hits: Hits<'p>,
}

/// `hits` of an answer.
#[derive(Debug, Deserialize)]
pub struct Hits<'p> {
    total: Option<Value>,
    /// The documents.
    #[serde(borrow)]
    pub hits: Vec<&'p RawValue>,
}

#[derive(Debug, Deserialize)]
struct Shards {
    #[serde(default)]
    total: u64,
    #[serde(default)]
    failed: u64,
}

impl Page<'_> {
    /// Why documents are missing from the page, if some are.
    pub fn gap(&self) -> Option<String> {
        match &self.shards {
            Some(shards) if shards.failed > 0 => {
                Some(format!("{} of {} shards failed", shards.failed, shards.total))
            }
            _ if self.timed_out => Some("the search timed out".to_owned()),
            _ => None,
        }
    }

    /// How many documents the search has found; an integer, or an object since 7.0.
    pub fn total(&self) -> Option<u64> {
        let total = self.hits.total.as_ref()?;
        let is_exact = total.get("relation").is_none_or(|relation| relation == "eq");
        total.as_u64().or_else(|| total.get("value")?.as_u64()).filter(|_| is_exact)
    }
}
