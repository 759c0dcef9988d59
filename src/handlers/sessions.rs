//! To come.
#[allow(missing_docs)]
pub fn list(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn create(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn show(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn update(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn replace(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn delete(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn event(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn action(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn add_job(_: &crate::routes::App, _: &super::Request<'_>) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
#[allow(missing_docs)]
pub fn remove_job(
    _: &crate::routes::App,
    _: &super::Request<'_>,
) -> crate::error::Result<crate::http::Reply> {
    Err(crate::error::Error::no_route())
}
