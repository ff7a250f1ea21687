//! Which events a client wants to hear, and from where.

use std::collections::BTreeSet;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use eventyard::model::{JobId, QueueEvent, QueueEventKind, QueueName, feed::FeedPosition};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Array, Ref, RefOr, Required, Schema,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::{
    Code, Problem,
    request::{JobText, QueueText},
};

/// The header that a browser sends when it comes back.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) filter: Filter,
    /// The last event that it heard.
    pub(super) after: Option<FeedPosition>,
}

/// Which events a client wants to hear. A set that is empty keeps none out.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Filter {
    pub(super) queues: BTreeSet<QueueName>,
    kinds: BTreeSet<&'static str>,
    jobs: BTreeSet<JobId>,
}

impl Filter {
    /// Whether the client wants to hear of this.
    pub(super) fn wants(&self, event: &QueueEvent) -> bool {
        (self.queues.is_empty() || self.queues.contains(&event.queue))
            && (self.kinds.is_empty() || self.kinds.contains(event.kind.name()))
            && (self.jobs.is_empty() || event.kind.job().is_some_and(|job| self.jobs.contains(job)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut ask = read(parts.uri.query().unwrap_or_default())?;
        // A browser keeps the address and tells the newer place in the header.
        if let Some(after) = header(&parts.headers)? {
            ask.after = Some(after);
        }
        Ok(ask)
    }
}

fn header(headers: &HeaderMap) -> Result<Option<FeedPosition>, Problem> {
    let text = headers.get(LAST_EVENT_ID).map(|text| text.to_str().unwrap_or("?"));
    text.filter(|text| !text.is_empty()).map(|text| position("Last-Event-ID", text)).transpose()
}

fn read(query: &str) -> Result<Ask, Problem> {
    let mut ask = Ask { filter: Filter::default(), after: None };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "queue" => {
                for name in value.split(',') {
                    let queue = QueueName::new(name);
                    ask.filter
                        .queues
                        .insert(queue.map_err(|error| invalid("queue", &error.problem))?);
                }
            }
            "event" => {
                for name in value.split(',') {
                    ask.filter.kinds.insert(kind(name)?);
                }
            }
            "job" => {
                let job = JobId::new(&*value);
                ask.filter.jobs.insert(job.map_err(|error| invalid("job", &error.problem))?);
            }
            "lastEventId" if value.is_empty() => {}
            "lastEventId" => ask.after = Some(position("lastEventId", &value)?),
            other => {
                return Err(invalid(other, "is not known; use queue, event, job, lastEventId"));
            }
        }
    }
    Ok(ask)
}

fn kind(name: &str) -> Result<&'static str, Problem> {
    let known = QueueEventKind::NAMES.into_iter().find(|known| *known == name);
    known.ok_or_else(|| {
        let names = QueueEventKind::NAMES.join(", ");
        invalid("event", &format!("is `{name}`, which no event is called; use {names}"))
    })
}

fn position(name: &str, text: &str) -> Result<FeedPosition, Problem> {
    text.parse().map_err(|_| invalid(name, "is not the id of an event of this stream"))
}

fn invalid(name: &str, what: &str) -> Problem {
    Problem::of(Code::INVALID_PARAMETER, format!("`{name}` {what}")).field(name, what)
}

/// What can happen on a queue.
#[derive(ToSchema)]
#[schema(as = QueueEventKind, rename_all = "kebab-case")]
#[expect(dead_code, reason = "only describes the engine's own")]
pub(super) enum Kind {
    Added,
    Waiting,
    Delayed,
    WaitingChildren,
    Active,
    Progress,
    Completed,
    Failed,
    Stalled,
    Removed,
    Paused,
    Resumed,
    Drained,
}

impl IntoParams for Ask {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, place, description: &str, schema: RefOr<Schema>| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(place)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(schema))
                .build()
        };
        let list = |of: RefOr<Schema>| RefOr::T(Schema::Array(Array::new(of)));
        let kinds = RefOr::Ref(Ref::from_schema_name(Kind::name()));
        let id = || <String as PartialSchema>::schema();
        vec![
            parameter(
                "queue",
                ParameterIn::Query,
                "Only these queues: repeated, or with commas.",
                list(QueueText::schema()),
            ),
            parameter(
                "event",
                ParameterIn::Query,
                "Only these kinds: repeated, or with commas.",
                list(kinds),
            ),
            parameter(
                "job",
                ParameterIn::Query,
                "Only these jobs: repeated.",
                list(JobText::schema()),
            ),
            parameter(
                "lastEventId",
                ParameterIn::Query,
                "Goes on after this event; for clients that cannot send the header, which wins.",
                id(),
            ),
            parameter("Last-Event-ID", ParameterIn::Header, "Goes on after this event.", id()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read() {
        let filter = |query: &str| read(query).unwrap().filter;
        assert_eq!(filter(""), Filter::default());
        assert_eq!(filter("queue=a&queue=b"), filter("queue=a,b"));
        assert_eq!(filter("event=failed,completed"), filter("event=completed&event=failed"));
        assert_eq!(filter("job=a,b").jobs.len(), 1, "an id may hold a comma");
        let id = "0123456789abcdef-7";
        let after = read(&format!("lastEventId={id}")).unwrap().after;
        assert_eq!(after.map(|after| after.to_string()).as_deref(), Some(id));
        for (query, field) in [
            ("queue=a,", "queue"),
            ("event=done", "event"),
            ("job=", "job"),
            ("lastEventId=7", "lastEventId"),
            ("queues=a", "queues"),
        ] {
            let problem = read(query).unwrap_err();
            assert_eq!((problem.code(), &*problem.errors()[0].field), ("invalid-parameter", field));
        }
    }

    #[test]
    fn the_described_kinds_are_the_engines() {
        let schema = serde_json::to_value(Kind::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::json!(QueueEventKind::NAMES));
    }
}
