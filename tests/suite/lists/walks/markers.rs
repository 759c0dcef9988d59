//! What a marker stands on: rows that come and go, rows of others, rows of the same moment.
