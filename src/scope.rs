//! Which rows a caller of version 1 sees.

use front::context::Caller;

/// Which rows a request of version 1 sees (`[api_v1] scope`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// The caller's own rows in the token's project.
    #[default]
    Own,
    /// The caller's own rows in every project, as the Python service showed them.
    User,
    /// Every row of the token's project, as version 2 shows them.
    Project,
}

impl Scope {
    /// The values of the option, in the order of the variants.
    pub const WORDS: &[&str] = &["own", "user", "project"];

    /// Parses a value of the option.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "own" => Some(Self::Own),
            "user" => Some(Self::User),
            "project" => Some(Self::Project),
            _ => None,
        }
    }

    /// The rows that a caller sees.
    pub fn visible_rows(self, caller: &Caller) -> VisibleRows {
        let user = || Some(caller.user_id.clone());
        match self {
            Self::Own => VisibleRows { user: user(), in_any_project: false },
            Self::User => VisibleRows { user: user(), in_any_project: true },
            Self::Project => VisibleRows { user: None, in_any_project: false },
        }
    }
}

/// Whose rows a request of version 1 sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisibleRows {
    /// The user; `None` for every user of the project.
    pub user: Option<String>,
    /// Whether the rows of every project are shown, not only those of the token's.
    pub in_any_project: bool,
}
