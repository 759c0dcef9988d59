//! URLs that reach a server: passwords of every kind, sockets, several hosts, TLS, and the character set.

use diesel::prelude::*;
use diesel::sql_types::Text;
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::servers;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    value: String,
}

#[cfg(feature = "mysql")]
#[derive(QueryableByName)]
struct Status {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

fn connect(url: &str) -> Result<AnyConnection, String> {
    establish(&DatabaseUrl::parse(url)?).map_err(|error| error.to_string())
}

fn ask(connection: &mut AnyConnection, sql: &str) -> String {
    diesel::sql_query(sql)
        .get_result::<Answer>(connection)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
        .value
}

fn run(connection: &mut AnyConnection, sql: &str) {
    diesel::sql_query(sql).execute(connection).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// `scheme://user:password@place/database` of a server's URL, with another driver and other credentials.
fn like(server: &str, driver: &str, credentials: &str, options: &str) -> String {
    let url = url::Url::parse(server).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    format!("{}+{driver}://{credentials}@{host}:{port}{}?{options}", url.scheme(), url.path())
}

#[test]
fn every_password_reaches_the_server() {
    for server in servers() {
        let is_mysql = server.starts_with("mysql");
        let driver = if is_mysql { "pymysql" } else { "psycopg2" };
        let mut admin = connect(&server).unwrap();
        for password in ["p@ss:w/o#r?d", "100% + sure &=;", "päß\"wörd🔑", "`$(x)'\\"] {
            let user = format!("f%{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
            let quoted = password.replace('\'', "''");
            if is_mysql {
                let quoted = quoted.replace('\\', "\\\\");
                run(&mut admin, &format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{quoted}'"));
            } else {
                run(&mut admin, &format!("CREATE ROLE \"{user}\" LOGIN PASSWORD '{quoted}'"));
            }
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let mut url = like(&server, driver, &format!("{}:{}", encoded(&user), encoded(password)), "");
            if is_mysql {
                // The one database that needs no privilege.
                url = url.replace(url::Url::parse(&server).unwrap().path(), "/information_schema");
            }
            let who = if is_mysql {
                "SELECT CURRENT_USER() AS value"
            } else {
                "SELECT CURRENT_USER::text AS value"
            };
            let found = connect(&url).map(|mut connection| ask(&mut connection, who));
            let wrong = connect(&url.replace(&encoded(password), "not-this")).err();
            run(
                &mut admin,
                &if is_mysql { format!("DROP USER '{user}'@'%'") } else { format!("DROP ROLE \"{user}\"") },
            );
            assert!(found.as_ref().is_ok_and(|found| found.starts_with(&user)), "{password}: {found:?}");
            // Some servers accept any password from the same machine.
            if is_mysql {
                assert!(wrong.is_some_and(|why| why.contains("Access denied") && !why.contains("not-this")));
            }
        }
    }
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_connections_use_utf8mb4_whatever_the_url_says() {
    let server = std::env::var("FREEZER_TEST_MYSQL_URL").unwrap();
    for options in ["", "charset=utf8", "charset=utf8mb4", "charset=latin1&plugin=dbcounter&read_timeout=30"]
    {
        let mut connection = connect(&like(&server, "pymysql", "freezer:freezer", options)).unwrap();
        assert_eq!(ask(&mut connection, "SELECT '🧊é' AS value"), "🧊é", "{options}");
        assert_eq!(ask(&mut connection, "SELECT HEX('🧊') AS value"), "F09FA78A", "{options}");
    }
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_connects_through_its_socket() {
    let server = std::env::var("FREEZER_TEST_MYSQL_URL").unwrap();
    let mut admin = connect(&server).unwrap();
    let socket = ask(&mut admin, "SELECT @@socket AS value");
    let database = url::Url::parse(&server).unwrap().path().to_owned();
    for place in ["localhost", ""] {
        let url =
            format!("mysql+pymysql://freezer:freezer@{place}{database}?unix_socket={socket}&charset=utf8");
        assert_eq!(ask(&mut connect(&url).unwrap(), "SELECT DATABASE() AS value"), database[1..], "{url}");
    }
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_without_the_required_tls_is_refused() {
    let server = std::env::var("FREEZER_TEST_MYSQL_URL").unwrap();
    // A server with a certificate says until when it is good.
    let until = "SHOW SESSION STATUS LIKE 'Ssl_server_not_after'";
    let until: Status = diesel::sql_query(until).get_result(&mut connect(&server).unwrap()).unwrap();
    let has_tls = !until.value.is_empty();
    for options in ["ssl_verify_cert=true", "ssl_verify_identity=true", "ssl_mode=REQUIRED"] {
        let outcome = connect(&like(&server, "pymysql", "freezer:freezer", options));
        assert!(has_tls || outcome.is_err(), "{options}");
    }
    let url = like(&server, "pymysql", "freezer:freezer", "connect_timeout=5&ssl_disabled=true");
    assert!(connect(&url).is_ok());
}

#[cfg(feature = "postgres")]
#[test]
fn postgresql_connects_through_its_socket_and_to_one_of_several_hosts() {
    let server = std::env::var("FREEZER_TEST_POSTGRES_URL").unwrap();
    let url = url::Url::parse(&server).unwrap();
    let (port, database) = (url.port().unwrap(), url.path().to_owned());
    let socket =
        ask(&mut connect(&server).unwrap(), "SELECT current_setting('unix_socket_directories') AS value");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for place in [
        format!("/postgres?host={socket}&port={port}"),
        format!("{}:{port}{database}", socket.replace('/', "%2F")),
        format!("127.0.0.1:{closed},127.0.0.1:{port}{database}?target_session_attrs=read-write"),
        format!("{database}?host=127.0.0.1,127.0.0.1&port={closed},{port}"),
        format!("{database}?host=127.0.0.1:{closed}&host=127.0.0.1:{port}"),
        format!(
            "127.0.0.1:{port}{database}?prepared_statement_cache_size=0&client_encoding=latin1&executemany_mode=x"
        ),
    ] {
        let url = format!("postgresql+psycopg2://freezer:freezer@{place}");
        let mut connection = connect(&url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(ask(&mut connection, "SELECT '🧊é'::text AS value"), "🧊é", "{url}");
    }
}
