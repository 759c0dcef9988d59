//! `freezer-api serve`: puts the rooms together and opens the door.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::{db, say};
use crate::auth::Strategy;
use crate::config::{AuthStrategy, Config, Reload};
use crate::handlers::health::Health;
use crate::identity::{self, Openrc, Standalone, bootstrap, refresh_openrc_url, write_openrc};
use crate::keystone::Keystone;
use crate::policy::Policy;
use crate::routes::{self, App};
use crate::server;
use crate::store::url::Backend;
use crate::store::{self, Store, migrations, sqlite_file};
use crate::trusts::Trusts;

/// Serves until SIGTERM or SIGINT; SIGHUP runs `reload`.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached or has another schema, a file that the configuration
/// names cannot be read, or nobody may listen there.
pub fn run(config: &Config, reload: Reload) -> Result<(), String> {
    let starting = exits_when_told()?;
    let app = app(config)?;
    let store = app.store.clone();
    let on_ready = |address: SocketAddr| {
        starting.store(false, Ordering::SeqCst);
        say(format_args!("listening on http://{address}"));
        log::info!(
            "freezer-api {} listens on http://{address}, with auth_strategy {} and the database {:?}",
            env!("CARGO_PKG_VERSION"),
            config.auth_strategy.name(),
            config.database
        );
        if config.auth_strategy == AuthStrategy::Standalone {
            introduce(&store, &config.openrc, address);
        }
    };
    server::serve(
        config.server.clone(),
        on_ready,
        move || reload.run(),
        move |call| routes::dispatch(&app, call),
    )
    .map_err(|error| cannot_listen(&config.server, &error))
}

/// Every room with its settings.
fn app(config: &Config) -> Result<App, String> {
    let policy = Policy::new(config.policy.clone())?;
    let keystone = config.keystone.clone().map(Keystone::new).transpose()?;
    let retries = config.keystone.as_ref().map_or(0, |keystone| keystone.http_request_max_retries);
    let trusts = config.trusts.clone().map(|trusts| Trusts::new(trusts, retries)).transpose()?;
    let health = Health::new(config.health.clone()).map_err(|why| format!("[healthcheck] {why}"))?;
    prepare(config)?;
    let mut store = Store::with_settings(config.database.clone(), &config.store);
    if let Some(replica) = &config.slave_database {
        store = store.with_replica(replica.clone(), &config.store);
    }
    let auth = match (config.auth_strategy, keystone) {
        (AuthStrategy::Keystone, Some(keystone)) => Strategy::Keystone(Box::new(keystone)),
        (AuthStrategy::Keystone, None) => return Err("There are no settings for Keystone.".to_owned()),
        (AuthStrategy::Noauth, _) => Strategy::Noauth,
        (AuthStrategy::Standalone, _) => {
            let defaults = identity::Settings::default();
            let max_waiting_logins = defaults.max_waiting_logins.min(config.server.workers / 2);
            let settings = identity::Settings { max_waiting_logins, ..defaults };
            Strategy::Standalone(Standalone::new(store.clone(), &settings))
        }
    };
    Ok(App {
        trusts,
        health,
        max_limit: config.max_limit,
        max_body: (config.server.max_request_body_size, config.server.max_document_body_size),
        client_down_time: config.client_down_time,
        max_log_size: config.max_log_size,
        ..App::new(store, auth, policy)
    })
}

/// Until the flag is lowered, SIGTERM and SIGINT end the process at once and as they should end it: there may be a
/// long wait for the database before the server minds signals itself, and nothing has been begun.
fn exits_when_told() -> Result<Arc<AtomicBool>, String> {
    let starting = Arc::new(AtomicBool::new(true));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&starting))
            .map_err(cannot_listen_to_signals)?;
    }
    // Nothing is there yet that could be reloaded; without this it ends the process.
    flag::register(SIGHUP, Arc::default()).map_err(cannot_listen_to_signals)?;
    Ok(starting)
}

fn cannot_listen_to_signals(error: io::Error) -> String {
    format!("Cannot listen to signals: {error}.")
}

/// An SQLite database belongs to this process, which creates and migrates it. Any other is shared, and changed by
/// nobody but `db sync`.
fn prepare(config: &Config) -> Result<(), String> {
    let database = &config.database;
    if database.backend() != Backend::Sqlite {
        store::wait_for(database, &config.store)?;
        return db::ready(database).map(drop);
    }
    sqlite_file::create(database)?;
    for name in migrations::sync(database)? {
        log::info!("applied the migration {name}");
    }
    Ok(())
}

/// On the first start, makes an administrator and says how to go on; on any other, sees to it that the openrc file
/// points here. The service is of use without either, so that a failure is said and no more.
fn introduce(store: &Store, openrc: &Path, address: SocketAddr) {
    let auth_url = format!("http://{}/identity/v3", reachable(address));
    let admin = match bootstrap(store) {
        Ok(Some(admin)) => admin,
        Ok(None) => {
            if let Err(error) = refresh_openrc_url(openrc, &auth_url) {
                log::info!("the openrc file is not brought up to date: {error}");
            }
            return;
        }
        Err(error) => return log::error!("no administrator was made: {error}"),
    };
    let (username, project_name) = (&admin.user_name, &admin.project_name);
    let file = Openrc { auth_url: &auth_url, username, password: &admin.password, project_name };
    let path = std::path::absolute(openrc).unwrap_or_else(|_| openrc.to_owned());
    match write_openrc(&path, &file) {
        Ok(()) => say(format_args!(
            "First start: the password of user {username} is in {path}, which only you can read.\n\
             To try it, in another shell:\n    \
             pip install python-freezerclient\n    \
             . {path}\n    \
             freezer client-list",
            path = path.display()
        )),
        Err(error) => say(format_args!(
            "First start: there is a user {username}, but no openrc file: {error}.\n\
             Give the user a password with: freezer-api user set-password {username}"
        )),
    }
}

/// The address as a client on this machine can use it.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn cannot_listen(settings: &server::Settings, error: &io::Error) -> String {
    let place = format!("{} port {}", settings.bind_host, settings.bind_port);
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Cannot listen on {place}: something listens there already. Stop it, or choose another port with \
             --bind-port (0 picks a free one)."
        ),
        _ => format!("Cannot listen on {place}: {error}."),
    }
}
