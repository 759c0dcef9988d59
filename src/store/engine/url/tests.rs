use super::mysql::Library;
use super::*;

fn target(text: &str) -> String {
    DatabaseUrl::parse(text).unwrap().target().to_owned()
}

/// Converts a MySQL URL for this library, whichever is linked.
fn mysql(library: Library, text: &str) -> Result<(String, Tls), String> {
    let (scheme, rest) = text.split_once("://").unwrap();
    super::mysql::target(
        scheme.split_once('+').map_or("", |(_, driver)| driver),
        Parts::parse(rest)?,
        library,
    )
}

fn mysql_target(text: &str) -> String {
    mysql(Library::Mysql, text).unwrap().0
}

fn postgres_target(text: &str) -> Result<String, String> {
    super::postgres::target(Parts::parse(text.split_once("://").unwrap().1)?)
}

#[test]
fn sqlite_takes_sqlalchemys_slashes_and_bare_paths() {
    for (text, path) in [
        ("sqlite:///freezer.sqlite", "freezer.sqlite"),
        ("sqlite+pysqlite:////var/lib/freezer.sqlite", "/var/lib/freezer.sqlite"),
        ("sqlite:////srv/my%20files/f.db?timeout=30", "/srv/my files/f.db"),
        ("/srv/f.db", "/srv/f.db"),
        ("f.db", "f.db"),
        ("file:f.db", "f.db"),
        ("file:/srv/my%20files/f.db?cache=shared", "/srv/my files/f.db"),
        ("file:///srv/f.db", "/srv/f.db"),
        ("sqlite:///file:/srv/f.db?uri=true", "/srv/f.db"),
    ] {
        assert_eq!(target(text), path, "{text}");
    }
}

#[test]
fn an_in_memory_database_is_refused() {
    for text in ["sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:", "sqlite:///x?mode=memory", ""] {
        assert!(DatabaseUrl::parse(text).unwrap_err().contains("in-memory"), "{text}");
    }
}

#[test]
fn an_unknown_scheme_is_named_without_the_password() {
    let message = DatabaseUrl::parse("oracle://scott:tiger@db/x").unwrap_err();
    assert!(message.contains("oracle://") && !message.contains("tiger"), "{message}");
    assert!(!DatabaseUrl::parse("scott:tiger@://db/x").unwrap_err().contains("tiger"));
}

#[test]
fn credentials_are_parsed_as_by_sqlalchemy() {
    for (rest, user, password, hosts) in [
        ("db/f", None, None, "db"),
        ("db:3306/f", None, None, "db:3306"),
        ("u@db/f", Some("u"), None, "db"),
        ("u:@db/f", Some("u"), Some(""), "db"),
        (":p@db/f", None, Some("p"), "db"),
        ("u:p@db:1/f?x=y@z", Some("u"), Some("p"), "db:1"),
        // What would end the authority of a web address does not end a password.
        ("u:p/a?s#s:w@db/f", Some("u"), Some("p/a?s#s:w"), "db"),
        ("u%40r:%40%3A%2F%23%25%3F+%20é@db/f", Some("u@r"), Some("@:/#%?+ é"), "db"),
        ("u@r@db/f", Some("u@r"), None, "db"),
        ("u:p@[fe80::1]:3306/f", Some("u"), Some("p"), "[fe80::1]:3306"),
        ("u@[::1]/f", Some("u"), None, "[::1]"),
        ("[::1]/f", None, None, "[::1]"),
        ("u:p@/f", Some("u"), Some("p"), ""),
        ("h1:5432,h2:5433/f", None, None, "h1:5432,h2:5433"),
    ] {
        let parts = Parts::parse(rest).unwrap_or_else(|why| panic!("{rest}: {why}"));
        assert_eq!(parts.user.as_deref(), user, "{rest}");
        assert_eq!(parts.password.as_deref(), password, "{rest}");
        assert_eq!((parts.hosts.as_str(), parts.database.as_deref()), (hosts, Some("f")), "{rest}");
    }
}

#[test]
fn errors_do_not_repeat_the_password() {
    for rest in
        ["u:se@cret@db/f", "u:secret%ff@db/f", "u:secret%00@db/f", "u:secret@d b/f", "u:secret@db/%ff"]
    {
        let why = Parts::parse(rest).err().unwrap_or_else(|| panic!("{rest} was taken"));
        assert!(!why.contains("cret") && why.ends_with('.'), "{why}");
    }
}

#[test]
fn parameters_are_appended_to_the_options() {
    for (url, parameters, whole) in [
        ("mysql://db/f", "", "mysql://db/f"),
        ("mysql://db/f", "a=1&b=2", "mysql://db/f?a=1&b=2"),
        ("mysql://db/f?c=3", "a=1", "mysql://db/f?c=3&a=1"),
        ("mysql://u:p?w@db/f", "&a=1", "mysql://u:p?w@db/f?a=1"),
    ] {
        assert_eq!(with_parameters(url, parameters), whole);
    }
}

#[test]
fn mysql_drops_what_only_python_drivers_know() {
    for (text, expected) in [
        ("mysql+pymysql://f:p%40w@db:3307/freezer?charset=utf8", "mysql://f:p%40w@db:3307/freezer"),
        (
            "mysql+pymysql://f:a/b#c?d@db/freezer?charset=utf8mb4&plugin=dbcounter",
            "mysql://f:a%2Fb%23c%3Fd@db/freezer",
        ),
        (
            "mysql://f:p@db/freezer?sql_mode=TRADITIONAL&use_unicode=1&read_timeout=30",
            "mysql://f:p@db/freezer",
        ),
        (
            "mysql+mysqldb://f@db/freezer?unix_socket=/run/m.sock",
            "mysql://f@localhost/freezer?unix_socket=/run/m.sock",
        ),
        (
            "mysql+pymysql://f@/freezer?unix_socket=/run/m.sock",
            "mysql://f@localhost/freezer?unix_socket=/run/m.sock",
        ),
        // Python's drivers reach localhost over TCP, and so does a port.
        ("mysql+pymysql://f@localhost/freezer", "mysql://f@127.0.0.1/freezer"),
        ("mysql+pymysql://f@/freezer", "mysql://f@127.0.0.1/freezer"),
        ("mysql://f@localhost:3307/freezer", "mysql://f@127.0.0.1:3307/freezer"),
        ("mysql://f@localhost/freezer", "mysql://f@localhost/freezer"),
        ("mysql+mysqldb:///freezer", "mysql://localhost/freezer"),
        ("mariadb+pymysql://f@[::1]:3306/freezer", "mysql://f@[::1]:3306/freezer"),
    ] {
        assert_eq!(mysql_target(text), expected, "{text}");
    }
}

#[test]
fn mysql_gets_the_tls_of_the_url() {
    use Tls::{Any, Never, Required, VerifyCa, VerifyIdentity};
    for (options, tls) in [
        ("charset=utf8", Any),
        ("ssl_ca=/ca.pem", VerifyIdentity),
        ("ssl_ca=/ca.pem&ssl_check_hostname=false", VerifyCa),
        ("ssl_ca=/ca.pem&ssl_verify_cert=true", VerifyCa),
        ("ssl_verify_cert=true", VerifyCa),
        ("ssl_ca=/ca.pem&ssl_verify_identity=true", VerifyIdentity),
        ("ssl_ca=/ca.pem&ssl_verify_cert=false", Required),
        ("ssl_cert=/c.pem&ssl_key=/k.pem", Required),
        ("ssl_mode=REQUIRED", Required),
        ("ssl_mode=VERIFY_CA&ssl_ca=/ca.pem", VerifyCa),
        ("ssl_mode=DISABLED&ssl_ca=/ca.pem", Never),
        ("ssl_disabled=true", Never),
    ] {
        let text = format!("mysql+pymysql://f:p@db:3307/freezer?{options}");
        for library in [Library::Mysql, Library::Mariadb] {
            assert_eq!(mysql(library, &text).unwrap().1, tls, "{text}");
        }
        let mariadb = mysql(Library::Mariadb, &text).unwrap().0;
        let checks = (mariadb.contains("ssl-verify-server-cert=1"), mariadb.contains("ssl_ca="));
        match tls {
            Any | Never | Required => assert_eq!(checks, (false, false), "{mariadb}"),
            // The library checks signatures if either is set.
            VerifyCa => assert_ne!(checks.0, checks.1, "{mariadb}"),
            VerifyIdentity => assert!(checks.0, "{mariadb}"),
        }
        assert_eq!(mariadb.contains("ssl-enforce=1"), tls >= Required, "{mariadb}");
        // MariaDB's library would read it as another option.
        assert!(!mariadb.contains("ssl_mode") && mariadb.contains(":3307/"), "{mariadb}");
    }
    let socket = "mysql+pymysql://f@/freezer?unix_socket=/run/m.sock&ssl_verify_identity=true";
    assert_eq!(mysql(Library::Mariadb, socket).unwrap().1, Any);
    assert_eq!(
        mysql_target("mysql://f:p@db/freezer?ssl_ca=/ca.pem&ssl_verify_cert=true&plugin=dbcounter"),
        "mysql://f:p@db/freezer?ssl_ca=/ca.pem&ssl_mode=verify_ca"
    );
    assert_eq!(
        mysql(Library::Mariadb, "mysql://f:p@db:1/x?ssl_ca=/ca.pem&connect_timeout=7").unwrap().0,
        "mysql://f:p@host=db;ssl-enforce=1;ssl-verify-server-cert=1;connect-timeout=7:1/x?ssl_ca=/ca.pem"
    );
}

#[test]
fn mysql_refuses_what_it_could_only_ignore() {
    for (text, part) in [
        ("mysql://u:secret@db/f?ssl_capath=/etc/ssl", "ssl_capath"),
        ("mysql://u:secret@db/f?read_default_file=/etc/my.cnf", "read_default_file"),
        ("mysql://u:secret@db/f?ssl_verify_cert=perhaps", "true or false"),
        ("mysql://u:secret@db/f?ssl_mode=strong", "ssl_mode"),
        ("mysql://u:secret@a,b/f", "one host"),
        ("mysql://u:secret@db/f%2Fg", "letters"),
        ("mysql://u:secret@[::1]/f?ssl_ca=/ca.pem", "IPv4"),
    ] {
        let why = mysql(Library::Mariadb, text).unwrap_err();
        assert!(why.contains(part) && !why.contains("secret"), "{text}: {why}");
    }
}

#[test]
fn postgresql_gets_only_options_of_libpq() {
    let rest = "?connect_timeout=10";
    for (text, expected) in [
        ("postgresql+psycopg2://f:p%40@db/freezer", format!("postgresql://f:p%40@db/freezer{rest}")),
        (
            "postgresql://db:5433/freezer?connect_timeout=3",
            "postgresql://db:5433/freezer?connect_timeout=3".to_owned(),
        ),
        (
            "postgresql+psycopg://f:p@db/freezer?sslmode=verify-full&sslrootcert=/ca.pem&client_encoding=utf8",
            "postgresql://f:p@db/freezer?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=10"
                .to_owned(),
        ),
        (
            "postgresql+asyncpg://f@db/freezer?ssl=require&prepared_statement_cache_size=0",
            "postgresql://f@db/freezer?sslmode=require&connect_timeout=10".to_owned(),
        ),
        (
            "postgresql://f@h1:5432,h2:5433/freezer?target_session_attrs=read-write",
            "postgresql://f@h1:5432,h2:5433/freezer?target_session_attrs=read-write&connect_timeout=10"
                .to_owned(),
        ),
        (
            "postgresql://f@/freezer?host=h1,h2&port=5432,5433&application_name=a+b",
            "postgresql://f@/freezer?application_name=a%20b&host=h1%2Ch2&port=5432%2C5433&connect_timeout=10"
                .to_owned(),
        ),
        (
            "postgresql://f@/freezer?host=h1:1&host=h2",
            "postgresql://f@/freezer?host=h1%2Ch2&port=1%2C&connect_timeout=10".to_owned(),
        ),
        (
            "postgresql://f@/freezer?host=/var/run/postgresql",
            "postgresql://f@/freezer?host=/var/run/postgresql&connect_timeout=10".to_owned(),
        ),
        (
            "postgresql://f@%2Fvar%2Frun%2Fpostgresql/freezer",
            format!("postgresql://f@%2Fvar%2Frun%2Fpostgresql/freezer{rest}"),
        ),
        ("postgresql://[::1]:5433/freezer", format!("postgresql://[::1]:5433/freezer{rest}")),
        ("postgresql:///freezer", format!("postgresql:///freezer{rest}")),
        ("postgresql://db/?dbname=x&user=u&password=p+w", format!("postgresql://u:p%20w@db/x{rest}")),
    ] {
        assert_eq!(postgres_target(text).unwrap(), expected, "{text}");
    }
    for wrong in ["postgresql:///f?host=a,b&port=1,2,3", "postgresql:///f?host=a&port=x"] {
        assert!(postgres_target(wrong).unwrap_err().contains("ports"), "{wrong}");
    }
}

#[cfg(not(feature = "mysql"))]
#[test]
fn a_backend_that_was_not_built_in_says_how_to_build_it() {
    assert!(DatabaseUrl::parse("mysql://db/x").unwrap_err().contains("--features mysql"));
}

#[cfg(all(feature = "mysql", feature = "postgres"))]
#[test]
fn a_redacted_url_has_only_hosts_and_database() {
    for (text, shown) in [
        ("mysql+pymysql://f:secret@db:3307/freezer?ssl_ca=/ca", "mysql://db:3307/freezer"),
        ("postgres://f:secret@a,b/freezer?password=secret", "postgresql://a,b/freezer"),
        ("postgresql://f:secret@/freezer?host=/run/pg", "postgresql:///run/pg/freezer"),
        ("sqlite:////srv/f.db?x=y", "sqlite:////srv/f.db"),
    ] {
        assert_eq!(format!("{:?}", DatabaseUrl::parse(text).unwrap()), shown);
    }
    for text in ["mysql://u:secret@db", "mysql://u:secret@db/?charset=utf8", "postgresql://u:secret@db/"] {
        let why = DatabaseUrl::parse(text).unwrap_err();
        assert!(why.contains("no database") && !why.contains("secret"), "{why}");
    }
}
