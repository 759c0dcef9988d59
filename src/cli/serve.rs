//! `freezer-api serve`: puts the rooms together and opens the door.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::say;
use crate::auth::Strategy;
use crate::config::{AuthStrategy, Config};
use crate::routes::{self, App};
use crate::server;
use crate::store::url::{Backend, DatabaseUrl};
use crate::store::{Store, migrations, sqlite_file};

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached or has another schema, or nobody may listen there.
pub fn run(config: &Config) -> Result<(), String> {
    ready(&config.database)?;
    // A worker works on one request, and a request on one connection.
    let store = Store::new(config.database.clone(), config.server.workers as u32);
    let auth = match config.auth_strategy {
        AuthStrategy::Noauth => Strategy::Noauth,
        AuthStrategy::Standalone => {
            return Err("The strategy standalone is still to come; use noauth.".to_owned());
        }
    };
    let app = Arc::new(App {
        store,
        auth,
        max_limit: config.max_limit,
        healthcheck_disable_file: config.healthcheck_disable_file.clone(),
    });
    let on_ready = |address: SocketAddr| say(format_args!("listening on http://{address}"));
    server::serve(config.server.clone(), on_ready, move |call| routes::dispatch(&app, call))
        .map_err(|error| cannot_listen(&config.server, &error))
}

/// An SQLite database belongs to this process, which creates and migrates it. Any other is shared, and changed by
/// nobody but `db sync`.
pub(super) fn ready(database: &DatabaseUrl) -> Result<(), String> {
    if database.backend() == Backend::Sqlite {
        sqlite_file::create(database)?;
        for name in migrations::sync(database)? {
            log::info!("applied the migration {name}");
        }
        return Ok(());
    }
    match migrations::refusal(&migrations::state(database)?) {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

fn cannot_listen(settings: &server::Settings, error: &io::Error) -> String {
    // The front wraps what the system said.
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()).unwrap_or(error);
    let place = format!("{} port {}", settings.bind_host, settings.bind_port);
    match inner.kind() {
        io::ErrorKind::AddrInUse => format!(
            "Cannot listen on {place}: something listens there already. Stop it, or choose another port with \
             --bind-port (0 picks a free one)."
        ),
        _ => format!("Cannot listen on {place}: {inner}."),
    }
}
