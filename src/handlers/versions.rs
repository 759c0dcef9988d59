//! To come.
use crate::{
    error::Result,
    http::{Call, Reply},
    routes::App,
};
#[allow(missing_docs)]
pub fn list(_: &App, _: &Call) -> Result<Reply> {
    Ok(Reply::empty(300))
}
#[allow(missing_docs)]
pub fn home(_: &App, _: &Call) -> Result<Reply> {
    Ok(Reply::empty(200))
}
#[allow(missing_docs)]
pub fn healthcheck(_: &App, _: &Call) -> Result<Reply> {
    Ok(Reply::text(200, "OK"))
}
