//! The column types that Diesel lacks: one SQL type and one Rust type each, over three backends.

pub mod json;
pub mod time;
