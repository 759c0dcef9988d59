//! Database URLs: SQLAlchemy's form (what `[database] connection` holds in every OpenStack
//! configuration file) and Diesel's own, brought to what each driver wants.

use std::path::Path;

use url::Url;

/// Which of the three backends a URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// SQLite, in a file.
    Sqlite,
}

/// A database and how to reach it.
#[derive(Clone)]
pub struct DatabaseUrl {
    backend: Backend,
    target: String,
}

impl DatabaseUrl {
    /// Understands `mysql[+driver]://`, `postgresql[+driver]://` (or `postgres`), `sqlite:///relative`,
    /// `sqlite:////absolute`, and a bare path, which is SQLite's as Diesel has it.
    ///
    /// # Errors
    /// A sentence for the operator: the URL is not understood, names an in-memory database, or its backend
    /// was not built in. The sentence never repeats the URL, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = text.strip_prefix("sqlite:").unwrap_or(text);
            return Self::sqlite(path);
        };
        let dialect = scheme.split('+').next().unwrap_or_default().to_ascii_lowercase();
        match dialect.as_str() {
            "sqlite" => Self::sqlite(rest.strip_prefix('/').unwrap_or(rest)),
            "file" => Self::sqlite(text),
            "mysql" | "mariadb" => {
                if !cfg!(feature = "mysql") {
                    return Err(not_built_in("MySQL", "mysql"));
                }
                let target = mysql_url(rest)?;
                Ok(Self { backend: Backend::Mysql, target })
            }
            "postgresql" | "postgres" => {
                if !cfg!(feature = "postgres") {
                    return Err(not_built_in("PostgreSQL", "postgres"));
                }
                Ok(Self { backend: Backend::Postgres, target: format!("postgresql://{rest}") })
            }
            other => Err(format!(
                "The database URL begins with `{other}://`; this service knows mysql://, postgresql:// and sqlite:///."
            )),
        }
    }

    fn sqlite(path: &str) -> Result<Self, String> {
        let path = path.split('?').next().unwrap_or_default();
        if path.is_empty() || path.contains(":memory:") {
            return Err("An in-memory SQLite database would be lost with each connection; name a file, \
                        as in sqlite:////var/lib/freezer/freezer.sqlite."
                .to_owned());
        }
        Ok(Self { backend: Backend::Sqlite, target: path.to_owned() })
    }

    /// Which backend this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The file of an SQLite database that is named by its path; none for a `file:` URI, which only SQLite reads.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let is_path = self.backend == Backend::Sqlite && !self.target.starts_with("file:");
        is_path.then(|| Path::new(&self.target))
    }

    /// What the driver is given: Diesel's URL, or SQLite's path. Holds the password.
    pub(super) fn target(&self) -> &str {
        &self.target
    }

    /// The URL for logs and messages: no user, no password, no options.
    pub fn redacted(&self) -> String {
        if self.backend == Backend::Sqlite {
            return format!("sqlite:///{}", self.target);
        }
        match Url::parse(&self.target) {
            Ok(mut url) => {
                // Neither can fail on a URL with a host; without one there is nothing to hide.
                let _ = url.set_password(None);
                let _ = url.set_username("");
                url.set_query(None);
                url.to_string()
            }
            Err(_) => format!("{:?}", self.backend).to_lowercase(),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.redacted())
    }
}

fn not_built_in(name: &str, feature: &str) -> String {
    format!(
        "This binary was built without {name}. Build it with: cargo build --release --features {feature} \
         (docs/INSTALL.md names the system library that needs)."
    )
}

/// Diesel knows five options in a MySQL URL. SQLAlchemy's drivers know more: those that have a
/// counterpart are translated, those that only steer a Python driver (charset, plugin, ...) are left out.
fn mysql_url(rest: &str) -> Result<String, String> {
    let mut url = Url::parse(&format!("mysql://{rest}"))
        .map_err(|e| format!("The database URL cannot be read: {e}."))?;
    if url.host_str().is_none_or(str::is_empty) {
        url = Url::parse(&format!("mysql://{}", rest.replacen('/', "localhost/", 1)))
            .map_err(|e| format!("The database URL cannot be read: {e}."))?;
    }
    let options: Vec<(String, String)> =
        url.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let truthy = |v: &str| matches!(v.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on");
    let mut kept: Vec<(String, String)> = Vec::new();
    for (key, value) in options {
        match key.as_str() {
            "unix_socket" | "ssl_ca" | "ssl_cert" | "ssl_key" | "ssl_mode" => kept.push((key, value)),
            "ssl_verify_cert" if truthy(&value) => kept.push(("ssl_mode".into(), "verify_ca".into())),
            "ssl_verify_identity" if truthy(&value) => {
                kept.push(("ssl_mode".into(), "verify_identity".into()));
            }
            _ => {}
        }
    }
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> String {
        DatabaseUrl::parse(text).unwrap().target().to_owned()
    }

    #[test]
    fn sqlite_takes_sqlalchemys_slashes_and_bare_paths() {
        assert_eq!(target("sqlite:///freezer.sqlite"), "freezer.sqlite");
        assert_eq!(target("sqlite:////var/lib/freezer/freezer.sqlite"), "/var/lib/freezer/freezer.sqlite");
        assert_eq!(target("/srv/f.db"), "/srv/f.db");
        assert_eq!(target("f.db"), "f.db");
    }

    #[test]
    fn memory_is_refused_in_a_sentence() {
        assert!(DatabaseUrl::parse("sqlite://").unwrap_err().contains("in-memory"));
        assert!(DatabaseUrl::parse("sqlite:///:memory:").unwrap_err().contains("in-memory"));
    }

    #[test]
    fn an_unknown_scheme_is_named_without_the_password() {
        let message = DatabaseUrl::parse("oracle://scott:tiger@db/x").unwrap_err();
        assert!(message.contains("oracle://") && !message.contains("tiger"), "{message}");
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn mysql_drops_what_only_python_drivers_know() {
        assert_eq!(
            target("mysql+pymysql://f:p%40w@db:3307/freezer?charset=utf8"),
            "mysql://f:p%40w@db:3307/freezer"
        );
        assert_eq!(
            target("mysql://f:p@db/freezer?ssl_ca=/ca.pem&ssl_verify_cert=true&plugin=dbcounter"),
            "mysql://f:p@db/freezer?ssl_ca=%2Fca.pem&ssl_mode=verify_ca"
        );
        let url = DatabaseUrl::parse("mysql+pymysql://f:secret@db/freezer?charset=utf8").unwrap();
        assert_eq!(format!("{url:?}"), "mysql://db/freezer");
    }

    #[cfg(not(feature = "mysql"))]
    #[test]
    fn a_backend_that_was_not_built_in_says_how_to_build_it() {
        assert!(DatabaseUrl::parse("mysql://db/x").unwrap_err().contains("--features mysql"));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgresql_goes_to_libpq_as_it_is() {
        assert_eq!(
            target("postgresql+psycopg2://f:p@a,b/freezer?sslmode=require"),
            "postgresql://f:p@a,b/freezer?sslmode=require"
        );
        assert_eq!(target("postgres://f@h/x"), "postgresql://f@h/x");
    }
}
