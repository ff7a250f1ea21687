//! The channels that notifications leave through, as configured.

use std::sync::Arc;

use eventyard_core::Clock;
use eventyard_notify::{
    Deps,
    mail::{Mailbox, Mailer, Smtp},
    push::{Fcm, Pusher},
    template::Templates,
};
use miette::IntoDiagnostic;

use crate::config::{self, Channels};

/// Who sends the mails of the mailbox unless said otherwise.
const MAILBOX_FROM: &str = "Eventyard <no-reply@example.com>";

/// What the handlers of the booking notifications need.
///
/// # Errors
/// When a file that the configuration names cannot be used.
pub(crate) fn open(channels: &Channels, clock: &Arc<dyn Clock>) -> miette::Result<Deps> {
    let templates = match &channels.templates_dir {
        Some(dir) => Templates::load(dir),
        None => Templates::embedded(),
    };
    let mailer: Arc<dyn Mailer> = match &channels.smtp {
        Some(smtp) => Arc::new(Smtp::new(smtp.options()).into_diagnostic()?),
        None => Arc::new(Mailbox),
    };
    let fcm = channels.fcm.as_ref().map(|fcm| open_fcm(fcm, clock)).transpose()?;
    Ok(Deps {
        templates: Arc::new(templates.into_diagnostic()?),
        from: channels.from.as_deref().unwrap_or(MAILBOX_FROM).parse().into_diagnostic()?,
        mailer,
        pusher: fcm.map(|fcm| Arc::new(fcm) as Arc<dyn Pusher>),
    })
}

/// The client for Firebase Cloud Messaging; nothing is sent yet.
///
/// # Errors
/// When the file of the service account cannot be used.
pub(crate) fn open_fcm(fcm: &config::Fcm, clock: &Arc<dyn Clock>) -> miette::Result<Fcm> {
    let client = Fcm::from_file(&fcm.credentials, Arc::clone(clock)).into_diagnostic()?;
    match &fcm.base_url {
        Some(base) => client.base_url(base).into_diagnostic(),
        None => Ok(client),
    }
}
