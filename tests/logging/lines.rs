//! Text that a client sends cannot steer the terminal on which the log is read.

use crate::program::{Program, send};

#[test]
fn control_characters_of_a_path_are_escaped() {
    let mut program = Program::new();
    let address = program.serve();
    for hidden in ["\u{202e}", "\u{200b}", "\u{2028}", "\u{feff}", "\u{ad}", "\u{e0041}"] {
        let request = format!("GET /a{hidden}b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(send(&address, request.as_bytes()).starts_with("HTTP/1.1 404 "));
        let output = program.output();
        assert!(!output.contains(hidden), "{output}");
        let escaped: String = hidden.chars().flat_map(char::escape_unicode).collect();
        assert!(output.contains(&format!("\"GET /a{escaped}b\" status: 404")), "{escaped}: {output}");
    }
}
