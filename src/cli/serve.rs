//! `freezer-api serve`: builds the service from its parts and runs the server.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use front::health::Health;
use front::server;
use front::supervisor;
use keystone_auth::Keystone;
use oslo_policy::Policy;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::{Failure, db, say};
use crate::app::App;
use crate::auth::Strategy;
use crate::config::{AuthStrategy, Config, Reload};
use crate::identity::{self, Openrc, Standalone, bootstrap, refresh_openrc_url, write_openrc};
use crate::openapi::with_api_docs;
use crate::quotas::Quotas;
use crate::routes;
use crate::store::engine::migrations;
use crate::store::engine::sqlite_file::ServedFile;
use crate::store::engine::url::Backend;
use crate::store::identity as rows;
use crate::store::{self, Store};
use crate::trusts::Trusts;

/// The status text in `systemctl status` while the service runs.
const SERVING: &str = "Serving";

/// Serves until SIGTERM or SIGINT; SIGHUP runs `reload`.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached or has another schema, a file that the configuration
/// names cannot be read, or the address cannot be listened on.
pub fn run(config: &Config, reload: Reload, allow_newer_schema: bool) -> Result<(), Failure> {
    let starting = exit_on_signals()?;
    let parts = parts(config).map_err(Failure::lasting)?;
    let file = prepare(config, allow_newer_schema)?.map(Arc::new);
    let app = app(config, parts, file.clone())?;
    let store = app.store.clone();
    let inherited = supervisor::listener().map_err(Failure::lasting)?;
    let on_ready = |address: SocketAddr| {
        starting.store(false, Ordering::SeqCst);
        say(format_args!("listening on http://{address}"));
        log::info!(
            "freezer-api {} listens on http://{address}, with auth_strategy {} and the database {:?}",
            env!("CARGO_PKG_VERSION"),
            config.auth_strategy.name(),
            config.database
        );
        if let Some(file) = &file {
            log::info!("the database is the file {}", file.path().display());
        }
        if let Some(path) = file.as_ref().and_then(|file| file.created()) {
            say(format_args!("There was no database yet; a new one is {}", path.display()));
        }
        let pool = store.clone();
        supervisor::watch(server::reachable(address), move || pool.expect_pool());
        supervisor::ready(SERVING);
        if config.auth_strategy == AuthStrategy::Standalone {
            let endpoint = config.server.public_endpoint.as_ref();
            let url = endpoint.map_or_else(
                || format!("http://{}", server::reachable(address)),
                |endpoint| endpoint.url.clone(),
            );
            introduce(&store, &config.openrc, &format!("{url}/identity/v3"));
        }
    };
    server::serve(
        server::Settings { takes_document: routes::takes_document, ..config.server.clone() },
        inherited,
        on_ready,
        move || {
            supervisor::reloading();
            reload.run();
            supervisor::ready(SERVING);
        },
        move |call| routes::dispatch(&app, call),
    )
    .map_err(|error| cannot_listen(&config.server, &error))
}

/// The parts of the service that can refuse the configuration; none of them needs the database.
struct Parts {
    policy: Policy,
    keystone: Option<Keystone>,
    trusts: Option<Trusts>,
    health: Health,
}

fn parts(config: &Config) -> Result<Parts, String> {
    let keystone = config.keystone.clone().map(Keystone::new).transpose()?;
    if config.auth_strategy == AuthStrategy::Keystone && keystone.is_none() {
        return Err("There are no settings for Keystone.".to_owned());
    }
    let retries = config.keystone.as_ref().map_or(0, |keystone| keystone.http_request_max_retries);
    Ok(Parts {
        policy: Policy::new(config.policy.clone(), crate::rules::DEFAULTS)?,
        keystone,
        trusts: config.trusts.clone().map(|trusts| Trusts::new(trusts, retries)).transpose()?,
        health: Health::new(config.health.clone()).map_err(|why| format!("[healthcheck] {why}"))?,
    })
}

/// Whether any part of the service refuses the configuration.
///
/// # Errors
/// A sentence for the operator.
pub fn check(config: &Config) -> Result<(), String> {
    parts(config).map(|_| ())
}

/// Builds the service. An SQLite file stays locked until the last connection is closed.
fn app(config: &Config, parts: Parts, file: Option<Arc<ServedFile>>) -> Result<App, String> {
    let Parts { policy, keystone, trusts, health } = parts;
    let mut store = Store::serving(config.database.clone(), &config.store, file);
    if let Some(replica) = &config.slave_database {
        store = store.with_replica(replica.clone(), &config.store);
    }
    let auth = match (config.auth_strategy, keystone) {
        (AuthStrategy::Keystone, Some(keystone)) => Strategy::Keystone(Box::new(keystone)),
        (AuthStrategy::Noauth, _) => Strategy::Noauth,
        (AuthStrategy::Keystone, None) => return Err("There are no settings for Keystone.".to_owned()),
        (AuthStrategy::Standalone, _) => {
            let standalone = Standalone::new(store.clone(), &identity::Settings::default());
            let started = standalone.upkeep().start();
            started.map_err(|error| format!("The built-in identity has no thread to work in: {error}."))?;
            Strategy::Standalone(standalone)
        }
    };
    Ok(with_api_docs(App {
        trusts,
        health,
        max_limit: config.max_limit,
        v1: config.v1,
        max_body: (config.server.max_request_body_size, config.server.max_document_body_size),
        client_down_time: config.client_down_time,
        max_log_size: config.max_log_size,
        quotas: Quotas::new(config.quotas),
        ..App::new(store, auth, policy)
    }))
}

/// While the flag is set, SIGTERM and SIGINT end the process at once with the right status. The wait for the database can
/// be long, and the server handles signals only after it.
fn exit_on_signals() -> Result<Arc<AtomicBool>, String> {
    let starting = Arc::new(AtomicBool::new(true));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&starting))
            .map_err(cannot_listen_to_signals)?;
    }
    // SIGHUP would end the process; there is nothing to reload yet.
    flag::register(SIGHUP, Arc::default()).map_err(cannot_listen_to_signals)?;
    Ok(starting)
}

fn cannot_listen_to_signals(error: io::Error) -> String {
    format!("Cannot listen to signals: {error}.")
}

/// Checks the schema. An SQLite database belongs to this process, which creates and migrates it; the schema of a server is
/// shared, and only `db sync` changes it.
fn prepare(config: &Config, allow_newer_schema: bool) -> Result<Option<ServedFile>, Failure> {
    let database = &config.database;
    if database.backend() == Backend::Sqlite {
        return Ok(ServedFile::open(database, || {
            migrations::expect_known(&migrations::state(database)?, allow_newer_schema)?;
            for name in migrations::sync(database)? {
                log::info!("applied the migration {name}");
            }
            Ok(())
        })?);
    }
    store::wait_for(database, &config.store, supervisor::waiting)?;
    db::ready(database, allow_newer_schema)?;
    Ok(None)
}

/// On the first start, creates an administrator and prints the next steps; on later ones, updates the URL in the openrc
/// file. The service works without either, so a failure is only logged.
fn introduce(store: &Store, openrc: &Path, auth_url: &str) {
    let admin = match bootstrap(store) {
        Ok(Some(admin)) => admin,
        Ok(None) => {
            if let Err(error) = refresh_openrc_url(openrc, auth_url) {
                log::info!("the openrc file is not brought up to date: {error}");
            }
            if store.read(rows::admins).is_ok_and(|admins| admins.is_empty()) {
                log::warn!(
                    "no enabled user has the role admin: `freezer-api user create NAME --project PROJECT --role admin` \
                     makes one"
                );
            }
            return;
        }
        Err(error) => return log::error!("no administrator was made: {error}"),
    };
    let (username, project_name) = (&admin.user_name, &admin.project_name);
    let file = Openrc { auth_url, username, password: &admin.password, project_name };
    let path = std::path::absolute(openrc).unwrap_or_else(|_| openrc.to_owned());
    match write_openrc(&path, &file) {
        Ok(()) => say(format_args!(
            "First start: the password of user {username} is in {path}, which only you can read.\n\
             To try it, in another shell:\n    \
             python3 -m venv venv && venv/bin/pip install python-freezerclient\n    \
             . {path}\n    \
             venv/bin/freezer client-list",
            path = path.display()
        )),
        Err(error) => say(format_args!(
            "First start: there is a user {username}, but no openrc file: {error}.\n\
             Give the user a password with: freezer-api user set-password {username}"
        )),
    }
}

/// The failure to listen. It is permanent for a forbidden port; a port may become free, and an address may come up.
fn cannot_listen(settings: &server::Settings, error: &io::Error) -> Failure {
    let place = format!("{} port {}", settings.bind_host, settings.bind_port);
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Failure::lasting(format!("Cannot listen on {place}: {error}. Choose a port from 1024 on."))
        }
        io::ErrorKind::AddrInUse => Failure::from(format!(
            "Cannot listen on {place}: something listens there already. Stop it, or choose another port with \
             --bind-port (0 picks a free one)."
        )),
        _ => Failure::from(format!("Cannot listen on {place}: {error}.")),
    }
}
