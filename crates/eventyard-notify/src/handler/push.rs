//! A push to one device.

use std::collections::BTreeMap;

use eventyard::{Context, Dep, JobError, Json, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    key,
    push::{Push, PushChannel, PushError, device},
};

/// The name of the jobs that push to one device.
pub(crate) const SEND: &str = "push.send";

/// What such a job carries. The device's token is not in it: jobs are there to be looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SendPush {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) event_id: String,
    pub(crate) notification_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) booking_id: Option<String>,
}

pub(crate) async fn send(
    Json(send): Json<SendPush>,
    channel: Dep<PushChannel>,
    cx: Context,
) -> Result<Outcome, JobError> {
    let (job, user, device) = (cx.job().key(), &send.user_id, &send.device_id);
    let skip = |reason: String| {
        tracing::info!(%job, user, channel = "push", device, reason, "skipped");
        Outcome::done(&json!({"skipped": reason}))
    };
    let Some(pusher) = &channel.0 else {
        return skip("push is not configured".to_owned());
    };
    let Some(token) = device::token(&**cx.inspect(), user, device).await? else {
        return skip(format!("device {device} of user {user} is no longer registered"));
    };
    match pusher.push(&token, &push(&send, &job.to_string())).await {
        Ok(message) => {
            tracing::info!(%job, user, channel = "push", device, message, "push delivered");
            Outcome::done(&json!({"sent": message}))
        }
        Err(PushError::Unregistered(why)) => {
            device::forget_with(&cx, user, device);
            skip(format!("device {device} of user {user} was removed: {why}"))
        }
        Err(PushError::Wait { wait, problem }) => Err(JobError::retry_after(wait, problem)),
        Err(error @ PushError::Failed(_)) => Err(JobError::retry(error)),
    }
}

fn push(send: &SendPush, job: &str) -> Push {
    let data = [
        ("type", Some(&send.kind)),
        ("eventId", Some(&send.event_id)),
        ("notificationId", Some(&send.notification_id)),
        ("bookingId", send.booking_id.as_ref()),
    ];
    let data: BTreeMap<_, _> = data
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.clone())))
        .collect();
    Push {
        title: send.title.clone(),
        body: send.body.clone(),
        data,
        collapse: key::fingerprint(job),
    }
}
