//! Wraps every request: its id, its log line, and a response even if the handler panics.

use std::any::Any;
use std::borrow::Cow;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rouille::{Request, Response, ResponseBody};

use super::Settings;
use super::answer::{Answer, Body};
use crate::cors;
use crate::error::{Error, Result};
use crate::http::proxy::Forwarded;
use crate::http::{self, Caching, Call, Reply, authority};

/// Answers one request with the service's reply.
///
/// A panic becomes a 500. An error becomes a response in the contract's error form, and is logged here only.
pub fn serve<F>(settings: &Settings, service: &F, request: &Request) -> Answer
where
    F: Fn(&Call) -> Result<Reply>,
{
    answer(settings, request, |request_id, forwarded, caching| {
        if settings.loopback_hosts_only {
            check_loopback_host(request, forwarded)?;
        }
        if is_preflight(settings, request) {
            *caching = Caching::Never;
            return Ok(preflight(settings, request));
        }
        let limit = settings.body_limit(request.method(), request.raw_url());
        let call = Call::read(request, request_id, limit, &settings.authority())?;
        let mut call = call.behind_proxy(&settings.proxy, forwarded);
        if let Some(endpoint) = &settings.public_endpoint {
            call = call.with_endpoint(endpoint);
        }
        call.port = settings.bind_port;
        *caching = Caching::for_path(call.segments.iter().map(String::as_str));
        let outcome = catch_unwind(AssertUnwindSafe(|| service(&call)));
        outcome.unwrap_or_else(|cause| Err(panicked(&*cause)))
    })
}

/// As [`serve`], for a request without a connection.
pub fn respond<F>(settings: &Settings, service: &F, request: &Request) -> Response
where
    F: Fn(&Call) -> Result<Reply>,
{
    let Answer { status, headers, length, body } = serve(settings, service, request);
    let data = match body {
        Body::None => ResponseBody::from_reader_and_size(io::empty(), length),
        Body::Bytes(bytes) => ResponseBody::from_data(bytes),
        Body::Stream(stream) => {
            let mut bytes = Vec::with_capacity(length);
            // Writing to a vector never fails.
            let _ = stream.write(&mut bytes);
            ResponseBody::from_data(bytes)
        }
    };
    Response { status_code: status, headers, data, upgrade: None }
}

/// Answers a request that could not be read with this error.
pub fn refuse(settings: &Settings, request: &Request, error: Error) -> Answer {
    answer(settings, request, |_, _, _| Err(error))
}

fn answer(
    settings: &Settings,
    request: &Request,
    outcome: impl FnOnce(&str, &Forwarded, &mut Caching) -> Result<Reply>,
) -> Answer {
    let started = Instant::now();
    let request_id = format!("req-{}", uuid::Uuid::new_v4());
    let _scope = oslo_log::enter(&request_id, http::global_request_id(request));
    let forwarded = Forwarded::read(&settings.proxy, |name| request.header(name));
    // The request may be refused before its target is parsed; until then, take the parts of the raw path.
    let parts = http::path_of(request.raw_url()).split('/').filter(|part| !part.is_empty());
    let mut caching = Caching::for_path(parts);
    let mut level = log::Level::Info;
    let reply = outcome(&request_id, &forwarded, &mut caching).unwrap_or_else(|error| {
        if error.is_counted() {
            level = log::Level::Debug;
        } else {
            log_failure(&error);
        }
        Reply::from_error(&error, &request_id)
    });
    let mut reply = caching.apply(reply);
    if let Some(origin) = request.header("Origin").filter(|_| !is_preflight(settings, request)) {
        reply = cors::allow(&settings.cors, origin, reply);
    }
    let head = request.method() == "HEAD";
    let bytes = if head { 0 } else { reply.length() };
    log::log!(
        level,
        "{} \"{} {}\" status: {} len: {bytes} time: {:.1} ms",
        forwarded.client.unwrap_or_else(|| request.remote_addr().ip().to_string()),
        request.method(),
        // The path only: the query, and the user and password of an absolute URL, must not be logged.
        http::path_of(request.raw_url()),
        reply.status,
        started.elapsed().as_secs_f64() * 1000.0,
    );
    to_answer(reply, &request_id, head)
}

/// Checks that the request's target and headers name no other host than this machine.
///
/// Errors: 400 for any other name or address.
fn check_loopback_host(request: &Request, forwarded: &Forwarded) -> Result<()> {
    let target = authority::from_target(request.raw_url());
    let hosts = [target, request.header("Host"), forwarded.host.as_deref()];
    match hosts.into_iter().flatten().find(|host| !authority::is_loopback(host)) {
        None => Ok(()),
        Some(other) => Err(Error::bad_request(format!(
            "With auth_strategy noauth requests are served only for localhost, 127.0.0.0/8 and [::1], not for the host \
             {:?}.",
            other.chars().take(64).collect::<String>()
        ))),
    }
}

/// Whether a request is a CORS preflight, and CORS is enabled.
fn is_preflight(settings: &Settings, request: &Request) -> bool {
    let has = |name| request.header(name).is_some();
    let asks = request.method() == "OPTIONS" && has("Origin") && has("Access-Control-Request-Method");
    asks && cors::is_enabled(&settings.cors)
}

fn preflight(settings: &Settings, request: &Request) -> Reply {
    let header = |name| request.header(name).unwrap_or_default();
    let (method, headers) =
        (header("Access-Control-Request-Method"), header("Access-Control-Request-Headers"));
    cors::preflight(&settings.cors, header("Origin"), method, headers)
}

/// Logs an error that has a text for the log. An error without one is the client's fault, or a state whose cause was
/// logged when it began.
fn log_failure(error: &Error) {
    match error.log {
        Some(_) if error.status() >= 500 => log::error!("{error}"),
        Some(_) => log::info!("{error}"),
        None => {}
    }
}

fn panicked(cause: &(dyn Any + Send)) -> Error {
    let message = match (cause.downcast_ref::<&str>(), cause.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "without a message",
    };
    Error::internal(format!("panic: {message}"))
}

/// The reply as it is sent. HEAD gets the headers of GET, including the length, and no body.
fn to_answer(reply: Reply, request_id: &str, head: bool) -> Answer {
    let length = reply.length();
    let bodiless = matches!(reply.status, 100..=199 | 204 | 304);
    let mut headers: Vec<_> = reply
        .headers
        .into_iter()
        .filter(|(name, _)| !(bodiless && name.eq_ignore_ascii_case("content-type")))
        .map(|(name, value)| (name, one_line(value)))
        .collect();
    headers.push(("x-openstack-request-id".into(), request_id.to_owned().into()));
    let body = match (reply.body, reply.stream) {
        _ if bodiless || head => Body::None,
        (Some(body), _) => Body::Bytes(body),
        (None, Some(stream)) => Body::Stream(stream),
        (None, None) => Body::None,
    };
    Answer { status: reply.status, headers, length: if bodiless { 0 } else { length }, body }
}

/// A header's value with all but printable ASCII replaced. A line break would begin another header.
fn one_line(value: Cow<'static, str>) -> Cow<'static, str> {
    let printable = |c: char| c == '\t' || (' '..='~').contains(&c);
    if value.chars().all(printable) {
        return value;
    }
    value.chars().map(|c| if printable(c) { c } else { '?' }).collect::<String>().into()
}
