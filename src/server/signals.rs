//! What the operator says by signals.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Raises `stop` at the first SIGTERM or SIGINT and ends the process at the second; after each SIGHUP `on_hangup` is
/// called, once for those that come while it is called already.
pub fn watch(stop: Arc<AtomicBool>, on_hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    // On a thread of its own: it reads files, which may lie where reading hangs, and we must hear that we are to stop.
    let (ask, asked) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || asked.iter().for_each(|()| on_hangup()))?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                // Whoever waits already will see what this one is about.
                let _ = ask.try_send(());
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
