//! Handling signals.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Sets `stop` at the first SIGTERM or SIGINT, and exits at the second. Calls `on_hangup` after a SIGHUP, and once
/// more for all that arrive during the call.
pub fn watch(stop: Arc<AtomicBool>, on_hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    // `on_hangup` has its own thread, because it reads files, which may hang, and SIGTERM must be handled meanwhile.
    let (hangup, hangups) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("hangup".to_owned())
        .spawn(move || hangups.iter().for_each(|()| on_hangup()))?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGHUP {
                // If the channel is full, the waiting call serves this signal too.
                let _ = hangup.try_send(());
            } else if stop.swap(true, Ordering::SeqCst) {
                log::warn!("second signal: exiting at once");
                // The exit status with which a shell reports this signal.
                std::process::exit(128 + signal);
            } else {
                log::info!("signal {signal}: finishing what was begun; a second signal exits at once");
            }
        }
    })?;
    Ok(())
}
