//! Running until a signal: SIGINT and SIGTERM end the program in good order, the second one at once.

use std::io;

use tokio::sync::mpsc;

/// How the program ends when a second signal cuts the first one's work short; 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: i32 = 130;

/// The signals that ask the program to end.
pub(crate) struct Signals(mpsc::Receiver<&'static str>);

impl Signals {
    /// Begins to listen for them; from now on they no longer end the program by themselves.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub(crate) fn listen() -> io::Result<Self> {
        let (tell, told) = mpsc::channel(2);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            for (name, kind) in
                [("SIGINT", SignalKind::interrupt()), ("SIGTERM", SignalKind::terminate())]
            {
                let mut signal = signal(kind)?;
                let tell = tell.clone();
                tokio::spawn(async move {
                    while signal.recv().await.is_some() && tell.send(name).await.is_ok() {}
                });
            }
        }
        #[cfg(not(unix))]
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() && tell.send("Ctrl-C").await.is_ok() {}
        });
        Ok(Self(told))
    }

    /// Waits for the next one; returns its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        match self.0.recv().await {
            Some(name) => name,
            None => std::future::pending().await,
        }
    }
}
