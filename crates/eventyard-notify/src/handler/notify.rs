//! An event as a notification in the application, and as a push to each of the user's devices.

use eventyard::{
    Context, Dep, JobError, JobRequest, Outcome,
    model::{Job, JobId, id::MAX_ID_BYTES},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    data,
    push::{SEND, SendPush},
};
use crate::{
    event::BookingEvent,
    key,
    notification::{NOTIFICATIONS, Notification},
    preferences::{self, Channel},
    push::{PushChannel, device},
    template::{Facts, NotificationText, Templates},
};

/// What became of the event.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// The notification in the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_id: Option<String>,
    /// The jobs that push it to the user's devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pushes: Vec<JobId>,
    /// Why a channel was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

pub(crate) async fn notify<E: BookingEvent>(
    event: E,
    templates: Dep<Templates>,
    channel: Dep<PushChannel>,
    cx: Context,
) -> Result<Outcome, JobError> {
    let job = cx.job();
    let user = event.booking().user_id.as_str();
    let wishes = preferences::get(&**cx.inspect(), user).await?;
    let data = data(job)?;
    let text = templates.notification(&Facts::of(job, &data))?;
    let id = key::in_time(job.created_at, &job.id);
    let (mut told, mut skipped) = (Told::default(), Vec::new());

    match preferences::refusal(&wishes, user, E::TYPE, Channel::InApp) {
        Some(why) => skipped.push(("inApp", why)),
        None => {
            write(&cx, user, &id, &text, data.clone()).await?;
            tracing::info!(job = %job.key(), user, channel = "inApp", id, "notification written");
            told.notification_id = Some(id.clone());
        }
    }
    match preferences::refusal(&wishes, user, E::TYPE, Channel::Push) {
        Some(why) => skipped.push(("push", why)),
        None if channel.0.is_none() => {
            skipped.push(("push", "push is not configured".to_owned()));
        }
        None => {
            told.pushes = enqueue_pushes(&cx, user, &id, &text, &data).await?;
            if told.pushes.is_empty() {
                skipped.push(("push", format!("user {user} has no devices")));
            }
        }
    }
    for (channel, reason) in &skipped {
        tracing::info!(job = %job.key(), user, channel, reason, "skipped");
    }
    let reasons: Vec<_> = skipped.into_iter().map(|(_, reason)| reason).collect();
    told.skipped = (!reasons.is_empty()).then(|| reasons.join("; "));
    Outcome::done(&told)
}

/// Writes the notification, unless an earlier run of the job has: the user may have read it since.
async fn write(
    cx: &Context,
    user: &str,
    id: &str,
    text: &NotificationText,
    data: Map<String, Value>,
) -> Result<(), JobError> {
    let key = key::of_user(user, id);
    if NOTIFICATIONS.get(&**cx.inspect(), &key).await?.is_some() {
        return Ok(());
    }
    let notification = Notification {
        id: id.to_owned(),
        user_id: user.to_owned(),
        kind: Facts::kind_of(cx.job()).to_owned(),
        title: text.title.clone(),
        body: text.body.clone(),
        data,
        created_at: cx.clock().now(),
        read_at: None,
    };
    cx.put_document(NOTIFICATIONS.name, &key, &notification, Some(0));
    Ok(())
}

/// Adds one job for each device, so that the failure of one never repeats the push to another.
async fn enqueue_pushes(
    cx: &Context,
    user: &str,
    notification: &str,
    text: &NotificationText,
    data: &Map<String, Value>,
) -> Result<Vec<JobId>, JobError> {
    let job = cx.job();
    let mut jobs = Vec::new();
    for device in device::list(&**cx.inspect(), user).await? {
        let id = push_job(job, &device.id)?;
        let send = SendPush {
            user_id: user.to_owned(),
            device_id: device.id,
            kind: Facts::kind_of(job).to_owned(),
            title: text.title.clone(),
            body: text.body.clone(),
            event_id: Facts::id_of(job).to_owned(),
            notification_id: notification.to_owned(),
            booking_id: data.get("bookingId").and_then(Value::as_str).map(ToOwned::to_owned),
        };
        let request = JobRequest::new(job.queue.as_str(), SEND).id(id.clone()).data(&send)?;
        cx.enqueue(request);
        jobs.push(id);
    }
    Ok(jobs)
}

/// The id of the job that pushes an event to a device: the same whenever the event's job runs.
fn push_job(job: &Job, device: &str) -> Result<JobId, JobError> {
    let id = format!("{}.push.{device}", job.id);
    if id.len() <= MAX_ID_BYTES {
        return Ok(JobId::new(id)?);
    }
    let short = key::fingerprint(job.id.as_str());
    Ok(JobId::new(format!("{short}.push.{device}"))?)
}
