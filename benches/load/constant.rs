//! The front's ceiling: rouille, which answers everything with the same.

use std::io::{Read, Write};

use rouille::{Response, Server};

use crate::Result;

/// As many threads as the service has workers.
const THREADS: usize = 16;

/// Answers everything with what standard input holds, until it is killed.
pub fn serve(status: u16) -> Result<()> {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let server = Server::new("127.0.0.1:0", move |request| {
        if let Some(mut sent) = request.data() {
            let _ = sent.read_to_end(&mut Vec::new());
        }
        Response::from_data("application/json", body.clone()).with_status_code(status)
    })
    .map_err(|error| error.to_string())?
    .pool_size(THREADS);
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{}", server.server_addr())?;
    out.flush()?;
    server.run();
    Ok(())
}
