//! The mailbox: mail that is kept in the store instead of sent, for development.

use async_trait::async_trait;
use eventyard::{
    Context, Yard,
    model::{Inspect, JobId, Page, PageAsk, QueueName, Timestamp},
};
use serde::{Deserialize, Serialize};

use super::{Mail, MailError, Mailer, address::recipient};
use crate::{
    Error,
    document::{self, Collection},
    key,
};

/// How many mails one commit of emptying takes.
const BATCH: usize = 100;

pub(crate) const MAILBOX: Collection<Kept> = Collection::new("mailbox");

/// A mail in the mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeptMail))]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Its id in the mailbox.
    pub id: String,
    /// The address that it went to.
    pub to: String,
    /// How the addressee is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_name: Option<String>,
    /// Who sent it.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Its `Message-ID`.
    pub message_id: String,
    /// The job that sent it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub job_id: JobId,
    /// The queue of that job.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub queue: QueueName,
    /// When it was sent.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
}

/// Keeps mail in the store, with the commit of the job that sends it: each mail is there exactly once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mailbox;

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, mail: &Mail, cx: &Context) -> Result<String, MailError> {
        // A mail that no server would be asked to take is not kept either.
        recipient(&mail.to, mail.to_name.as_deref())?;
        let id = id(cx.job().created_at, mail);
        let kept = Kept {
            id: id.clone(),
            to: mail.to.clone(),
            to_name: mail.to_name.clone(),
            from: mail.from.to_string(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            message_id: mail.message_id.clone(),
            job_id: mail.job.id.clone(),
            queue: mail.job.queue.clone(),
            at: cx.clock().now(),
        };
        cx.put_document(MAILBOX.name, &id, &kept, None);
        Ok("the mailbox".to_owned())
    }
}

/// The same however often the job runs.
fn id(added: Timestamp, mail: &Mail) -> String {
    format!("{}.{}", key::in_time(added, &mail.job.id), key::part(mail.job.queue.as_str()))
}

/// The mails in the mailbox, newest first.
///
/// # Errors
/// When the store cannot answer, or the cursor is not one of this listing.
pub async fn list(inspect: &dyn Inspect, page: PageAsk) -> Result<Page<Kept>, Error> {
    MAILBOX.newest(inspect, String::new(), page).await.map(document::values)
}

/// Removes all mails; returns how many.
///
/// # Errors
/// When the store cannot do it; what was removed until then stays removed.
pub async fn empty(yard: &Yard) -> Result<u64, Error> {
    let mut removed = 0;
    loop {
        let page = MAILBOX.newest(&**yard.inspect(), String::new(), PageAsk::first(BATCH)).await?;
        if page.items.is_empty() {
            return Ok(removed);
        }
        removed += page.items.len() as u64;
        let deletes = page.items.iter().map(|mail| MAILBOX.delete(&mail.key)).collect();
        document::apply(yard, deletes).await?;
    }
}
