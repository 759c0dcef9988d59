//! A new database for this run on each backend.

use std::path::Path;
use std::time::{Duration, SystemTime};

use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;

const PREFIX: &str = "freezer_suite_";
/// A run cannot drop its database at its end, so the next run drops those that are older than any run lasts.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// A migrated database in a file.
pub fn sqlite() -> DatabaseUrl {
    // In memory where possible: these tests do not need durability.
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    for entry in std::fs::read_dir(&directory).unwrap().flatten() {
        if entry.file_name().to_str().is_some_and(is_left_behind) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    migrated(directory.join(fresh_name()).to_str().unwrap())
}

/// A migrated database on the server that a variable names.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub fn on_server(variable: &str, databases: &str) -> DatabaseUrl {
    use diesel::connection::SimpleConnection;
    use diesel::sql_types::Text;
    use diesel::{QueryableByName, RunQueryDsl};

    #[derive(QueryableByName)]
    struct Database {
        #[diesel(sql_type = Text)]
        name: String,
    }

    let ask = || -> ! { panic!("run scripts/test, or set {variable}") };
    let server = std::env::var(variable).unwrap_or_else(|_| ask());
    let url = DatabaseUrl::parse(&server).unwrap();
    let mut admin = establish(&url).unwrap_or_else(|error| {
        eprintln!("{error}");
        ask()
    });
    let there: Vec<Database> = diesel::sql_query(databases).load(&mut admin).unwrap();
    for old in there.iter().filter(|database| is_left_behind(&database.name)) {
        let _ = admin.batch_execute(&format!("DROP DATABASE {}", old.name));
    }
    let name = fresh_name();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let mut own = url::Url::parse(&server).unwrap();
    own.set_path(&name);
    migrated(own.as_str())
}

/// A connection of the test's own.
pub fn connect(url: &DatabaseUrl) -> AnyConnection {
    establish(url).unwrap()
}

fn migrated(url: &str) -> DatabaseUrl {
    let url = DatabaseUrl::parse(url).unwrap();
    migrations::sync(&url).unwrap();
    url
}

fn fresh_name() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{PREFIX}{}_{}", now().as_secs(), &random[..8])
}

fn is_left_behind(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let made = rest.split('_').next().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    made.is_some_and(|made| now() > made + LEFT_BEHIND)
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}
