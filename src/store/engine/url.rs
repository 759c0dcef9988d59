//! Database URLs: converts SQLAlchemy's form, which every OpenStack configuration file has in `[database] connection`, and
//! Diesel's form to what each driver expects.

mod mysql;
mod parts;
mod postgres;

use std::path::Path;

pub use mysql::Tls;
use parts::Parts;
pub use parts::with_parameters;

/// A database backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// SQLite, in a file.
    Sqlite,
}

/// The URL of a database.
#[derive(Clone)]
pub struct DatabaseUrl {
    backend: Backend,
    target: String,
    /// The URL for logs and messages: no user, no password, no options.
    redacted: String,
    tls: Tls,
}

impl DatabaseUrl {
    /// Parses `mysql[+driver]://`, `postgresql[+driver]://` (or `postgres`), `sqlite:///relative`,
    /// `sqlite:////absolute`, and a bare path, which Diesel reads as an SQLite file.
    ///
    /// # Errors
    /// A sentence for the operator: the URL is not understood, names an in-memory database or none, or its backend
    /// was not built in. The sentence never repeats the URL, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = text.strip_prefix("sqlite:").unwrap_or(text);
            return Self::sqlite(path);
        };
        let scheme = scheme.to_ascii_lowercase();
        let (dialect, driver) = scheme.split_once('+').unwrap_or((&scheme, ""));
        match dialect {
            "sqlite" => Self::sqlite(&parts::decoded(rest.strip_prefix('/').unwrap_or(rest), "path")?),
            "file" => Self::sqlite(text),
            "mysql" | "mariadb" => Self::mysql(driver, rest),
            "postgresql" | "postgres" => Self::postgres(rest),
            // Only a plain word is repeated: without a scheme, the text before `://` may be part of a password.
            other if other.chars().all(|c| c.is_ascii_alphanumeric()) => Err(format!(
                "The database URL begins with `{other}://`; this service knows mysql://, postgresql:// and sqlite:///."
            )),
            _ => Err("The database URL has to begin with mysql://, postgresql:// or sqlite:///.".to_owned()),
        }
    }

    fn sqlite(path: &str) -> Result<Self, String> {
        let (path, options) = path.split_once('?').unwrap_or((path, ""));
        if path.is_empty() || path.contains(":memory:") || options.contains("mode=memory") {
            return Err("An in-memory SQLite database would be lost with each connection; name a file, \
                        as in sqlite:////var/lib/freezer/freezer.sqlite."
                .to_owned());
        }
        // In SQLite's own URI form, only the path is used; its options are dropped above.
        let path = match path.strip_prefix("file:") {
            Some(uri) => {
                let path =
                    uri.strip_prefix("//").map_or(uri, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
                parts::decoded(path, "path")?
            }
            None => path.to_owned(),
        };
        let redacted = format!("sqlite:///{path}");
        Ok(Self { backend: Backend::Sqlite, target: path, redacted, tls: Tls::Any })
    }

    fn mysql(driver: &str, rest: &str) -> Result<Self, String> {
        let Some(library) = LIBRARY else { return Err(not_built_in("MySQL", "mysql")) };
        let parts = Parts::parse(rest)?;
        let redacted = redact("mysql", &parts)?;
        let (target, tls) = mysql::target(driver, parts, library)?;
        Ok(Self { backend: Backend::Mysql, target, redacted, tls })
    }

    fn postgres(rest: &str) -> Result<Self, String> {
        if !cfg!(feature = "postgres") {
            return Err(not_built_in("PostgreSQL", "postgres"));
        }
        let parts = Parts::parse(rest)?;
        let redacted = redact("postgresql", &parts)?;
        Ok(Self { backend: Backend::Postgres, target: postgres::target(parts)?, redacted, tls: Tls::Any })
    }

    /// Which backend this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The file of an SQLite database.
    pub fn sqlite_path(&self) -> Option<&Path> {
        (self.backend == Backend::Sqlite).then(|| Path::new(&self.target))
    }

    /// The driver's target: Diesel's URL, or SQLite's path. It contains the password.
    pub(in crate::store) fn target(&self) -> &str {
        &self.target
    }

    /// Whether an unencrypted connection to MySQL must be refused. For PostgreSQL, libpq refuses it itself.
    pub(in crate::store) fn wants_tls(&self) -> bool {
        self.tls >= Tls::Required
    }

    /// The URL for logs and messages: no user, no password, no options.
    pub fn redacted(&self) -> &str {
        &self.redacted
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.redacted())
    }
}

/// The client library that is linked; `None` without MySQL.
const LIBRARY: Option<mysql::Library> = {
    #[cfg(not(feature = "mysql"))]
    let library = None;
    #[cfg(feature = "mysql")]
    let library = Some(if mysqlclient_sys::SUPPORTS_MYSQL_SSL_MODE {
        mysql::Library::Mysql
    } else {
        mysql::Library::Mariadb
    });
    library
};

fn redact(scheme: &str, parts: &Parts) -> Result<String, String> {
    let named = parts.database.as_deref().or(parts.option("dbname")).or(parts.option("database"));
    let Some(database) = named else {
        return Err(format!("The database URL names no database, as {scheme}://host/freezer does."));
    };
    let hosts = if parts.hosts.is_empty() { parts.option("host").unwrap_or_default() } else { &parts.hosts };
    Ok(format!("{scheme}://{hosts}/{database}"))
}

fn not_built_in(name: &str, feature: &str) -> String {
    format!(
        "This binary was built without {name}. Build it with: cargo build --release --features {feature} \
         (docs/INSTALL.md names the system library that needs)."
    )
}

#[cfg(test)]
mod tests;
