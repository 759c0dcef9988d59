//! Pages of a list.

/// The part of a list that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The most rows.
    pub limit: i64,
    /// The number of rows to skip.
    pub offset: i64,
}
