//! What the log says at the start.

use crate::program::Program;

#[test]
fn the_log_names_the_address_and_the_backends_of_the_service() {
    let mut program = Program::new();
    let address = program.serve();
    let start = format!(
        "freezer-api {} listens on http://{address}, with auth_strategy standalone and the database ",
        env!("CARGO_PKG_VERSION")
    );
    let output = program.output();
    assert!(output.lines().any(|line| line.contains(" INFO ") && line.contains(&start)), "{output}");
}
