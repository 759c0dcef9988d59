//! What the operator says by signals.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Raises `stop` at the first SIGTERM or SIGINT and ends the process at the second; each SIGHUP calls `on_hangup`.
pub fn watch(stop: Arc<AtomicBool>, on_hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                on_hangup();
            } else if stop.swap(true, Ordering::SeqCst) {
                log::warn!("second signal: exiting at once");
                // As the shell reports a death by this signal.
                std::process::exit(128 + signal);
            } else {
                log::info!("signal {signal}: finishing what was begun; a second signal exits at once");
            }
        }
    })?;
    Ok(())
}
