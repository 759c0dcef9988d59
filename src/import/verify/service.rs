//! Reads documents from the old service over HTTP.

use std::path::Path;

use front::outbound::{Client, Settings, Stage};
use serde_json::Value;

use super::Kind;
use crate::import::Result;

/// The API version of the old service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OldApi {
    /// `/v1/...`: the rows of the token's user.
    V1,
    /// `/v2/{project_id}/...`.
    V2,
}

/// A view of the old service: up to release 18 each user sees rows of its own only.
#[derive(Clone, PartialEq, Eq)]
pub struct View {
    /// The project; empty for version 1, which knows none.
    pub project: String,
    /// A token that may read there.
    token: String,
}

impl std::fmt::Debug for View {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("project", &self.project).finish_non_exhaustive()
    }
}

impl View {
    /// The views that a file names: `PROJECT TOKEN` in each line; for version 1 the token alone is enough.
    ///
    /// # Errors
    /// The file cannot be read, or has a line of another form. The sentence repeats nothing of the line.
    pub fn from_file(path: &Path, api: OldApi) -> Result<Vec<Self>> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("Cannot read the token file {}: {error}.", path.display()))?;
        let mut views = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let view = match (&*words, api) {
                ([], _) => continue,
                ([first, ..], _) if first.starts_with('#') => continue,
                ([project, token], _) => Self { project: (*project).to_owned(), token: (*token).to_owned() },
                ([token], OldApi::V1) => Self { project: String::new(), token: (*token).to_owned() },
                _ => {
                    let line = number + 1;
                    return Err(format!(
                        "{}, line {line}: a line is a project's id, a blank and a token.",
                        path.display()
                    )
                    .into());
                }
            };
            views.push(view);
        }
        match views.is_empty() {
            true => Err(format!("There is no token in {}.", path.display()).into()),
            false => Ok(views),
        }
    }
}

/// A running old service.
pub struct OldService {
    client: Client,
    base: String,
    api: OldApi,
    views: Vec<View>,
}

/// How many documents a page has at first. The old tables hold JSON of up to 64 KiB a column, and an answer that is taken
/// is of up to 4 MiB.
const PAGE: usize = 30;

impl OldService {
    /// The service at a URL, with or without the version at its end, and how to look at it.
    ///
    /// # Errors
    /// A certificate cannot be read.
    pub fn new(url: &str, api: OldApi, views: Vec<View>, settings: &Settings) -> Result<Self> {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/v1").or_else(|| base.strip_suffix("/v2")).unwrap_or(base).to_owned();
        Ok(Self { client: Client::new(settings)?, base, api, views })
    }

    /// Gives every document of a collection to `sink`, page by page, as each of the views shows it. A document that
    /// several views show comes several times.
    ///
    /// # Errors
    /// The service cannot be reached, or does not answer with a list; any error of `sink`.
    pub fn each(&self, kind: Kind, sink: &mut dyn FnMut(&View, Vec<Value>) -> Result<()>) -> Result<()> {
        for view in &self.views {
            let (mut offset, mut limit, mut last) = (0, PAGE, None);
            loop {
                let page = match self.page(view, kind, limit, offset) {
                    Ok(page) => page,
                    // The answer may be too long, or take too long.
                    Err(PageError::Perhaps(_)) if limit > 1 => {
                        limit = limit.div_ceil(4);
                        continue;
                    }
                    Err(PageError::Perhaps(why) | PageError::Never(why)) => return Err(why.into()),
                };
                let Some(first) = page.first() else { break };
                // Without an order of its own, a list that ignores the offset would go on for ever.
                if last.as_ref() == Some(first) {
                    let name = kind.name();
                    return Err(
                        format!("The old service answers the same page of {name} for every offset.").into()
                    );
                }
                last = Some(first.clone());
                offset += page.len();
                sink(view, page)?;
            }
        }
        Ok(())
    }

    fn page(
        &self,
        view: &View,
        kind: Kind,
        limit: usize,
        offset: usize,
    ) -> std::result::Result<Vec<Value>, PageError> {
        let name = kind.name();
        let path = match self.api {
            OldApi::V1 => format!("/v1/{name}"),
            OldApi::V2 => format!("/v2/{}/{name}", view.project),
        };
        let url = format!("{}{path}?limit={limit}&offset={offset}", self.base);
        let headers = [("X-Auth-Token", &*view.token), ("Accept", "application/json")];
        let answer = self.client.try_send("GET", &url, &headers, None).map_err(|failure| {
            let why = format!("The old service does not answer: {failure}.");
            if failure.stage == Stage::MaybeSent { PageError::Perhaps(why) } else { PageError::Never(why) }
        })?;
        let why = match answer.status {
            200 => {
                let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
                match body.and_then(|mut body| body.get_mut(name).map(Value::take)) {
                    Some(Value::Array(items)) => return Ok(items),
                    _ => format!(
                        "The old service answers GET {path} with something that is no list of {name}."
                    ),
                }
            }
            401 => format!("The old service takes no token for GET {path} (401): it may have expired."),
            status => format!("The old service answers GET {path} with {status}."),
        };
        Err(if answer.status >= 500 { PageError::Perhaps(why) } else { PageError::Never(why) })
    }
}

/// Why a page was not read, and whether a smaller one may be.
enum PageError {
    Perhaps(String),
    Never(String),
}
