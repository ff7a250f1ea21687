//! Mail over SMTP.

mod connection;
mod options;
mod pool;

use std::fmt;

use async_trait::async_trait;
use eventyard::Context;

pub use options::{Credentials, SmtpOptions, SmtpSetupError, Tls};

use self::{connection::Dial, pool::Pool};
use super::{Mail, MailError, Mailer, compose};

/// Sends mail to an SMTP server, over a few connections that it keeps.
///
/// One slow or broken connection holds up its own mail alone.
pub struct Smtp {
    server: String,
    pool: Pool,
}

impl Smtp {
    /// A mailer for the server that `options` name. Nothing is connected yet.
    ///
    /// # Errors
    /// When the options contradict each other, or the file of authorities cannot be used.
    pub fn new(options: SmtpOptions) -> Result<Self, SmtpSetupError> {
        options.check()?;
        let connections = options.connections;
        let dial = Dial::new(options)?;
        Ok(Self { server: dial.server(), pool: Pool::new(dial, connections) })
    }

    /// Closes the connections that wait for mail.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: &Mail, cx: &Context) -> Result<String, MailError> {
        let message = compose(mail, cx.clock().now())?;
        let answer =
            self.pool.send(message.envelope(), &message.formatted()).await.map_err(|fault| {
                MailError::Server {
                    server: self.server.clone(),
                    step: fault.step,
                    problem: fault.problem,
                }
            })?;
        Ok(format!("{}: {answer}", self.server))
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}
