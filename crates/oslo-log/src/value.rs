//! The values that a format puts in place of its keys.

use std::borrow::Cow;

/// The value of a key in one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Text from any source; its control characters are escaped.
    Text(Cow<'a, str>),
    /// A colour: control characters that stay as they are.
    Raw(&'static str),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
}
