//! Connections that are kept for the next mail.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lettre::address::Envelope;
use tokio::{sync::Semaphore, time::Instant};

use super::connection::{Connection, Dial, Fault};

/// How long a connection is kept without mail; servers hang up after five minutes or more.
const IDLE: Duration = Duration::from_secs(60);

/// A few connections to one server: never more than allowed, and kept while they are of use.
pub(super) struct Pool {
    dial: Dial,
    idle: Mutex<Vec<Idle>>,
    free: Semaphore,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(dial: Dial, connections: usize) -> Self {
        Self { dial, idle: Mutex::default(), free: Semaphore::new(connections) }
    }

    /// Sends one message over a connection of its own.
    ///
    /// # Cancel safety
    /// A connection whose mail is dropped half-way is dropped with it.
    pub(super) async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Fault> {
        let closed =
            |_| Fault { step: "connect", problem: "the mailer has been closed".to_owned() };
        let _free = self.free.acquire().await.map_err(closed)?;
        let mut connection = match self.take().await {
            Some(connection) => connection,
            None => self.dial.connect().await?,
        };
        match connection.send(envelope, message).await {
            Ok(answer) => {
                self.keep(connection);
                Ok(answer)
            }
            Err(fault) => {
                connection.close().await;
                Err(fault)
            }
        }
    }

    /// A connection that still lives. The last one kept comes first, so that those not needed grow old.
    async fn take(&self) -> Option<Connection> {
        loop {
            let Idle { mut connection, since } = self.idle().pop()?;
            if since.elapsed() < IDLE && connection.is_alive().await {
                return Some(connection);
            }
            connection.close().await;
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        if !self.free.is_closed() {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// Hangs up all connections that wait for mail, and takes no more mail.
    pub(super) async fn close(&self) {
        self.free.close();
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            connection.close().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
