//! The DevStack plugin against stubs of DevStack's functions; start reading in `cases.sh`. `scripts/devstack` runs it in
//! DevStack itself.

use std::{error::Error, process::Command};

#[test]
fn the_plugin_does_what_devstack_expects() -> Result<(), Box<dyn Error>> {
    // The service that reads the plugin's configuration may be built without MySQL.
    let database = if cfg!(feature = "mysql") {
        "mysql+pymysql://root:secret@127.0.0.1/freezer?charset=utf8&plugin=dbcounter"
    } else {
        "sqlite:///freezer.sqlite"
    };
    let run = Command::new("bash")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/devstack/cases.sh"))
        .env("FREEZER_TEST_BINARY", env!("CARGO_BIN_EXE_freezer-api"))
        .env("FREEZER_TEST_DATABASE_URL", database)
        .output()?;
    // Printed here and not by the child, so that the test runner shows it only when the test fails.
    print!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.success() { Ok(()) } else { Err(format!("cases.sh: {}", run.status).into()) }
}
