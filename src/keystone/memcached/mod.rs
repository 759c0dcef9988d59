//! Tokens that any process of the service knows, in one or more memcached (`[keystone_authtoken] memcached_servers`).
//!
//! It is the second place to look: after the memory of the process, before Keystone. What is there is our own, under a
//! name that no other service uses. The client is ours as well: the crates there are connect without a time-out, reserve
//! whatever length a server claims, and would need OpenSSL for TLS.

mod address;
mod entry;
mod protocol;
mod seal;
mod server;
mod stream;
mod tls;

use std::cmp::Reverse;
use std::io;
use std::time::Duration;

pub use address::Address;
pub use seal::Strategy;
pub use tls::Tls;

use super::cache::Key;
use super::token::Token;
use crate::workers;
use entry::{Entry, Known};
use protocol::MAX_VALUE;
use seal::Seal;
use server::{Absent, Connection, Server};

/// Memcached takes more seconds than these for a date.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The `memcached_servers` of `[keystone_authtoken]`, and what belongs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `memcached_servers`: where they are, at least one.
    pub servers: Vec<Address>,
    /// `memcache_security_strategy` (None) and `memcache_secret_key`
    pub strategy: Strategy,
    /// TLS, where `memcache_tls_enabled` asks for it.
    pub tls: Option<Tls>,
    /// `memcache_pool_dead_retry` (300 s): for how long a server that failed is not asked.
    pub dead_retry: Duration,
    /// `memcache_pool_maxsize` (10): how many connections there are to a server at most.
    pub max_connections: usize,
    /// `memcache_pool_socket_timeout` (3 s): how long an exchange with a server may take, connecting included; never
    /// more than 1.5 s.
    pub socket_timeout: Duration,
    /// `memcache_pool_unused_timeout` (60 s): how long a connection is kept that nobody uses.
    pub unused_timeout: Duration,
    /// `memcache_pool_conn_get_timeout` (10 s): how long to wait for a connection if all are used; never more than
    /// an exchange may take.
    pub connection_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            strategy: Strategy::None,
            tls: None,
            dead_retry: Duration::from_secs(300),
            max_connections: 10,
            socket_timeout: Duration::from_secs(3),
            unused_timeout: Duration::from_secs(60),
            connection_wait: Duration::from_secs(10),
        }
    }
}

/// Which answers of Keystone are the same to all who share a memcached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Where that Keystone is.
    pub keystone: String,
    /// Whether it was asked for the catalogue.
    pub catalog: bool,
    /// For how long an answer is believed.
    pub life: Duration,
}

/// Tokens in memcached. Whatever is wrong with it, nobody hears of it but the log: then nothing is known.
pub struct Memcached {
    servers: Vec<Server>,
    seal: Seal,
    context: Context,
}

impl Memcached {
    /// Nobody is connected to yet.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read; there is no TLS on a socket of this machine.
    pub fn new(settings: &Settings, context: Context) -> Result<Self, String> {
        let tls = settings.tls.as_ref().map(Tls::config).transpose()?;
        if let Some(address) = settings.servers.iter().find(|address| matches!(address, Address::Unix(_)))
            && tls.is_some()
        {
            return Err(format!(
                "There is no TLS with the memcached {address}: turn memcache_tls_enabled off."
            ));
        }
        if settings.strategy == Strategy::None {
            log::warn!(
                "memcache_security_strategy is None: whoever can write to memcached can become anybody; ENCRYPT, with \
                 a memcache_secret_key, prevents that"
            );
        }
        let server = |address: &Address| Server::new(address.clone(), tls.clone(), settings);
        Ok(Self {
            servers: settings.servers.iter().map(server).collect(),
            seal: Seal::new(&settings.strategy),
            context,
        })
    }

    /// What is known of a token. What was said to a question with `allow_expired` is no answer to one without.
    pub fn get(&self, key: &Key, allow_expired: bool) -> Option<Known> {
        let name = self.seal.name(key)?;
        let stored = self.ask(&name, |connection| connection.get(&name))??;
        let Some(entry) = self.seal.open(key, &name, stored) else {
            log::warn!("an entry in memcached is not one of ours, or was changed; it is not believed");
            return None;
        };
        let known = Entry::read(&entry, &name, &self.context)?;
        (allow_expired || !known.allow_expired).then_some(known)
    }

    /// Notes what Keystone said just now.
    pub fn put(&self, key: &Key, allow_expired: bool, token: &Token) {
        let stored = || {
            let name = self.seal.name(key)?;
            let entry = Entry::write(&name, &self.context, allow_expired, token)?;
            let sealed = self.seal.seal(key, &name, entry)?;
            (sealed.len() <= MAX_VALUE).then_some((name, sealed))
        };
        let Some((name, sealed)) = stored() else { return };
        // None at all would be for ever.
        let seconds = token.believed_for(self.context.life).min(LONGEST).as_secs().max(1);
        let _ = self.ask(&name, |connection| connection.set(&name, seconds, &sealed));
    }

    /// What the server for this name answers, or the next one in its stead while it is dead.
    fn ask<T>(&self, name: &str, exchange: impl Fn(&mut Connection) -> io::Result<T>) -> Option<T> {
        let mut servers: Vec<_> = self.servers.iter().collect();
        servers.sort_by_cached_key(|server| Reverse(server.claim(name)));
        workers::while_parked(|| {
            for server in servers {
                match server.ask(&exchange) {
                    Ok(value) => return Some(value),
                    Err(Absent::Dead) => {}
                    // One wait is enough for a request.
                    Err(Absent::Failed) => return None,
                }
            }
            None
        })
    }
}
