//! Imports from end to end: the real program imports what the old service wrote (`tests/fixtures`) into a database of each
//! backend, and the tests compare the result with the old service's rows and answers.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod accounts;
mod answers;
#[allow(dead_code, reason = "other programs use the rest")]
#[path = "../faults/daemon.rs"]
mod daemon;
#[path = "../faults/databases.rs"]
mod databases;
#[allow(dead_code, reason = "other programs use the rest")]
#[path = "../faults/http.rs"]
mod http;
mod interrupted;
mod mended;
#[allow(dead_code, reason = "other programs use the rest")]
#[path = "../faults/process.rs"]
mod process;
mod program;
mod refusals;
mod served;
mod updates;

/// A test for each backend that is built in, which is given what makes a new database.
macro_rules! on_every_backend {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                super::$name($crate::databases::Database::sqlite);
            })*
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $(#[test]
            fn $name() {
                super::$name($crate::databases::Database::mysql);
            })*
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test]
            fn $name() {
                super::$name($crate::databases::Database::postgres);
            })*
        }
    };
}
pub(crate) use on_every_backend;
