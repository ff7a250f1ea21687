//! An event as a mail.

use eventyard::{Context, Dep, JobError, Outcome};
use serde_json::json;

use super::data;
use crate::{
    event::BookingEvent,
    mail::{Mail, MailError, Mailer, Sender, message_id},
    preferences::{self, Channel},
    template::{Facts, Templates},
};

pub(crate) async fn email<E: BookingEvent>(
    event: E,
    mailer: Dep<dyn Mailer>,
    templates: Dep<Templates>,
    from: Dep<Sender>,
    cx: Context,
) -> Result<Outcome, JobError> {
    let (job, booking) = (cx.job(), event.booking());
    let user = booking.user_id.as_str();
    let wishes = preferences::get(&**cx.inspect(), user).await?;
    if let Some(skipped) = preferences::refusal(&wishes, user, E::TYPE, Channel::Email) {
        tracing::info!(job = %job.key(), user, channel = "email", reason = skipped, "skipped");
        return Outcome::done(&json!({"skipped": skipped}));
    }
    let data = data(job)?;
    let text = templates.mail(&Facts::of(job, &data))?;
    let mail = Mail {
        from: Sender::clone(&from),
        to: booking.user_email.clone(),
        to_name: booking.user_name.clone(),
        subject: text.subject,
        text: text.text,
        html: text.html,
        message_id: message_id(&job.key(), from.domain()),
        kind: E::TYPE.to_owned(),
        job: job.key(),
    };
    let via = mailer.send(&mail, &cx).await.map_err(MailError::into_job_error)?;
    let (to, id) = (&mail.to, &mail.message_id);
    tracing::info!(job = %job.key(), user, channel = "email", message_id = id, via, "mail delivered");
    Outcome::done(&json!({"sent": to, "messageId": id, "via": via}))
}
