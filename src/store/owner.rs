//! On whose behalf rows are read and written.

/// A project and a user of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The project whose rows are read and written.
    pub project: &'a str,
    /// The user whose name new rows carry.
    pub user: &'a str,
}

impl<'a> Owner<'a> {
    /// A user in a project.
    pub fn new(project: &'a str, user: &'a str) -> Self {
        Self { project, user }
    }
}
