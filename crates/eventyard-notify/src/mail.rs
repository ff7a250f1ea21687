//! Mail: what it is, and the port that it leaves through.

mod address;
mod compose;
mod mailbox;
mod smtp;

use async_trait::async_trait;
use eventyard::{Context, JobError, model::JobKey};

pub use address::{InvalidAddress, Sender, message_id};
pub use compose::compose;
pub(crate) use mailbox::MAILBOX;
pub use mailbox::{Kept, Mailbox, empty, list};
pub use smtp::{Credentials, Smtp, SmtpOptions, SmtpSetupError, Tls};

/// One mail to one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who sends it.
    pub from: Sender,
    /// The address that it goes to.
    pub to: String,
    /// How the addressee is called.
    pub to_name: Option<String>,
    /// The subject: one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The same for every attempt of the job, so that a redelivery can be recognised.
    pub message_id: String,
    /// What it is about: the event's type.
    pub kind: String,
    /// The job that sends it.
    pub job: JobKey,
}

/// A mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The address can never be one.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// The server did not take it.
    #[error("{server} did not take the mail at {step}: {problem}")]
    Server {
        /// The server, as `smtp host:port`.
        server: String,
        /// How far it came: `connect`, `STARTTLS`, `AUTH`, `MAIL FROM`, `RCPT TO`, `DATA`, `message`.
        step: &'static str,
        /// What the server answered (with its code), or why it did not answer.
        problem: String,
    },
    /// It cannot be written as a message.
    #[error("the mail cannot be written: {0}")]
    Compose(String),
}

impl MailError {
    /// What becomes of the job: an address that can never be one is not tried again; all else is, because
    /// servers refuse for good what they take an hour later.
    #[must_use]
    pub fn into_job_error(self) -> JobError {
        match self {
            Self::Address(error) => JobError::dead_letter(error),
            Self::Server { .. } | Self::Compose(_) => JobError::retry(self),
        }
    }
}

/// Takes mail away.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail in the name of the job that `cx` is for; returns where it went, in words.
    ///
    /// # Guarantees
    /// When this returns, whoever it went to has taken it, or takes it with the job's commit. A job that
    /// loses its lease after this and before its commit sends again, under the same `Message-ID`.
    ///
    /// # Errors
    /// When it did not leave.
    async fn send(&self, mail: &Mail, cx: &Context) -> Result<String, MailError>;
}
