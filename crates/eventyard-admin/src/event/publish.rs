//! Publishing.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use eventyard::{
    Published, Yard,
    model::{
        Enqueued, Event, EventId, JobId, QueueName,
        event::{
            BATCH_MEDIA_TYPE, DecodeError, Defaults, MEDIA_TYPE, batch_from_json, from_headers,
            from_json, is_json_media_type,
        },
        limits::Limits,
    },
};
use serde::{Serialize, de::IgnoredAny};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{plain::Events, view::CloudEvent};
use crate::{
    Code, OperatorOnly, Problem, RawBody,
    audit::{Actor, Deed},
    request::{
        EventText, JobText, OneOrMany, QueueText, check_length, check_text, is_list, limits,
    },
};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(publish))
}

/// What publishing did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublishedEvent)]
struct PublishedView {
    /// The event's id.
    #[schema(value_type = EventText)]
    event_id: EventId,
    /// True when the log had the event already, and nothing was changed.
    duplicate: bool,
    /// True when no route takes the event: it is in the log only.
    unrouted: bool,
    /// The jobs made of it.
    jobs: Vec<MadeJob>,
}

/// A job made of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublishedJob)]
struct MadeJob {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// The job's id: the event's.
    #[schema(value_type = JobText)]
    job_id: JobId,
    /// True when a job with this id existed and nothing was changed.
    duplicate: bool,
}

impl PublishedView {
    fn of(published: Published) -> Self {
        let made = |Enqueued { queue, id, duplicate }| MadeJob { queue, job_id: id, duplicate };
        Self {
            unrouted: published.is_unrouted(),
            event_id: published.event,
            duplicate: published.duplicate,
            jobs: published.jobs.into_iter().map(made).collect(),
        }
    }
}

/// Publish an event, or several together
///
/// When the answer comes, the event is in the log and on its queues, durably. Several are published all or none.
///
/// It takes the plain form, a CloudEvent in JSON (structured mode) or a batch of them; and in binary mode any body, with
/// the attributes in headers: `ce-specversion: 1.0`, `ce-id`, `ce-source`, `ce-type`.
#[utoipa::path(post, path = "/api/v1/events", tag = "events", operation_id = "publishEvents",
    request_body(content(
        (Events = "application/json"),
        (CloudEvent = "application/cloudevents+json"),
        (Vec<CloudEvent> = "application/cloudevents-batch+json"),
    )),
    responses(
        (status = 202, description = "Published: one answer for an event, a list of them for a list.",
            body = OneOrMany<PublishedView>),
    ))]
async fn publish(
    _: OperatorOnly,
    State(yard): State<Yard>,
    actor: Actor,
    request: Request,
) -> Result<(StatusCode, Json<OneOrMany<PublishedView>>), Problem> {
    let form = Form::of(request.headers())?;
    let headers = match form {
        Form::Binary { .. } => request.headers().clone(),
        Form::Json { .. } | Form::Batch => HeaderMap::new(),
    };
    let limits = limits(request.extensions());
    let RawBody(body) = RawBody::from_request(request, &()).await?;
    let answer = match form.read(&yard, &headers, body, limits)? {
        OneOrMany::One(event) => {
            let published = yard.publish(event).await?;
            let deed = Deed::new("event.publish").event(&published.event);
            actor.record_if_asked(&yard, deed).await?;
            OneOrMany::One(PublishedView::of(published))
        }
        OneOrMany::Many(events) => {
            check_each(&yard, &events)?;
            let published = yard.publish_all(events).await?;
            let many = json!({"events": published.len()});
            actor.record_if_asked(&yard, Deed::new("event.publish").details(many)).await?;
            OneOrMany::Many(published.into_iter().map(PublishedView::of).collect())
        }
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// Checks what the engine checks too, in order to name the event of a batch.
fn check_each(yard: &Yard, events: &[Event]) -> Result<(), Problem> {
    for (index, event) in events.iter().enumerate() {
        if let Err(error) = yard.catalogue().check(event) {
            return Err(Problem::from(error).within(&format!("[{index}].")));
        }
    }
    Ok(())
}

/// The form in which events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Attributes in headers, data in the body.
    Binary { json: bool },
    /// One event or a list, with everything in the body.
    Json { cloud_event: bool },
    /// A CloudEvents batch.
    Batch,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.map(|value| value.to_str().unwrap_or_default());
        let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
        let is = |media_type: &str| essence.trim().eq_ignore_ascii_case(media_type);
        if is(BATCH_MEDIA_TYPE) {
            return Ok(Self::Batch);
        }
        if is(MEDIA_TYPE) {
            return Ok(Self::Json { cloud_event: true });
        }
        if headers.keys().any(|name| name.as_str().starts_with("ce-")) {
            return Ok(Self::Binary { json: content_type.is_none_or(is_json_media_type) });
        }
        if is("application/json") {
            return Ok(Self::Json { cloud_event: false });
        }
        let given = content_type.unwrap_or("missing");
        let detail = format!(
            "the content type is {given}; send application/json, {MEDIA_TYPE} or {BATCH_MEDIA_TYPE}, \
             or any other with the event's attributes in ce- headers"
        );
        Err(Problem::of(Code::UNSUPPORTED_MEDIA_TYPE, detail))
    }

    fn read(
        self,
        yard: &Yard,
        headers: &HeaderMap,
        body: Bytes,
        limits: Limits,
    ) -> Result<OneOrMany<Event>, Problem> {
        let now = yard.clock().now();
        let defaults = Defaults { source: yard.source(), now };
        if !matches!(self, Self::Binary { json: false }) {
            check_text(&body, limits)?;
        }
        let many = |body: &[u8]| {
            // Counted before the events are made, which is the dearer part.
            let items = serde_json::from_slice::<Vec<IgnoredAny>>(body).map_or(0, |all| all.len());
            check_length(items, limits)?;
            Ok(OneOrMany::Many(batch_from_json(body, defaults)?))
        };
        match self {
            Self::Binary { .. } => {
                let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                Ok(OneOrMany::One(from_headers(headers, body, now)?))
            }
            Self::Batch => many(&body),
            Self::Json { cloud_event: false } if is_list(&body) => many(&body),
            Self::Json { cloud_event } => match from_json(&body, defaults) {
                Ok(event) => Ok(OneOrMany::One(event)),
                // What has neither a name nor a version is taken for the plain form, which nobody meant here.
                Err(DecodeError::Missing("name")) if cloud_event => {
                    Err(DecodeError::Missing("specversion").into())
                }
                Err(error) => Err(error.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_follow_from_the_headers() {
        let form = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap())
            });
            Form::of(&headers.collect()).map_err(|problem| problem.code())
        };
        let plain = Form::Json { cloud_event: false };
        let check = |headers: &[(&str, &str)], expected| assert_eq!(form(headers), expected);
        check(&[("content-type", "application/json")], Ok(plain));
        check(&[("content-type", "Application/JSON; charset=utf-8")], Ok(plain));
        check(&[("content-type", MEDIA_TYPE)], Ok(Form::Json { cloud_event: true }));
        check(&[("content-type", BATCH_MEDIA_TYPE), ("ce-id", "1")], Ok(Form::Batch));
        let binary = [("content-type", "application/json"), ("ce-specversion", "1.0")];
        check(&binary, Ok(Form::Binary { json: true }));
        check(&[("ce-id", "1")], Ok(Form::Binary { json: true }));
        let bytes = [("content-type", "image/png"), ("ce-id", "1")];
        check(&bytes, Ok(Form::Binary { json: false }));
        check(&[("content-type", "text/plain")], Err("unsupported-media-type"));
        check(&[], Err("unsupported-media-type"));
    }
}
