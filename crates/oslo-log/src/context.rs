//! The request that a thread serves, as its log records name it.

use std::cell::RefCell;

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// The request that a thread serves.
#[derive(Debug)]
pub struct Context {
    /// The id that this service gave the request.
    pub request_id: String,
    /// The id that the caller gave the request.
    pub global_request_id: Option<String>,
    /// The caller, as soon as it is known.
    pub identity: Identity,
}

/// The caller, under oslo.context's names; none of the fields is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user_id: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The domain that the user belongs to.
    pub user_domain_id: Option<String>,
    /// The project that the token is for.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The domain that this project belongs to.
    pub project_domain_id: Option<String>,
    /// The domain that the token is for.
    pub domain_id: Option<String>,
    /// `all` for a token of the whole system.
    pub system_scope: Option<String>,
    /// The roles.
    pub roles: Vec<String>,
}

/// As long as this value lives, the records of this thread carry the request's ids.
#[must_use]
pub struct Scope(());

/// Starts logging on behalf of a request; `global` is the caller's own id for it.
pub fn enter(request_id: &str, global: Option<&str>) -> Scope {
    CONTEXT.set(Some(Context {
        request_id: request_id.to_owned(),
        global_request_id: global.map(str::to_owned),
        identity: Identity::default(),
    }));
    Scope(())
}

/// Names the caller in this thread's records from here to the end of the request.
pub fn identify(identity: Identity) {
    CONTEXT.with_borrow_mut(|context| {
        if let Some(context) = context {
            context.identity = identity;
        }
    });
}

impl Drop for Scope {
    fn drop(&mut self) {
        CONTEXT.set(None);
    }
}

/// Calls `work` with this thread's context; with `None` if the thread is being torn down.
pub fn with(work: impl FnOnce(Option<&Context>)) {
    let mut work = Some(work);
    let _ = CONTEXT.try_with(|context| {
        if let (Ok(context), Some(work)) = (context.try_borrow(), work.take()) {
            work(context.as_ref());
        }
    });
    if let Some(work) = work {
        work(None);
    }
}
