//! The counts of the queues as they change: server-sent events, once a second at most.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Sse, sse::Event},
};
use eventyard::{Yard, model::QueueName};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Live, PERIOD, standing::Standing};
use crate::{Problem, QueryParams, Stopping, ViewerOnly, request::QueueText};

/// After how much silence a client hears that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// When a client that lost the stream comes back.
const RETRY: Duration = Duration::from_secs(2);

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(watch))
}

/// The queues that stand otherwise than was told before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueChanges)]
struct Changes<'a> {
    /// Whether these are all queues: what a client knows of others is out of date.
    whole: bool,
    /// The queues, by name.
    items: Vec<&'a Standing>,
    /// Queues that are there no more.
    #[schema(value_type = Vec<QueueText>)]
    removed: Vec<&'a QueueName>,
}

/// There is nothing to ask for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Watch the counts
///
/// Server-sent events `queues`: first how all queues stand, then, at most once a second, those that stand otherwise than
/// before. However many jobs run, a client gets no more than that; one that comes back begins with all queues anew, so
/// that nothing has to be caught up with.
#[utoipa::path(get, path = "/api/v1/stream/queues", tag = "stream", operation_id = "streamQueues",
    responses(
        (status = 200, description = "The events, without an end; a comment after 10 s of silence.",
            body = Changes, content_type = "text/event-stream"),
    ))]
async fn watch(
    _: ViewerOnly,
    State(yard): State<Yard>,
    live: Live,
    stopping: Stopping,
    QueryParams(Nothing {}): QueryParams<Nothing>,
) -> Result<impl IntoResponse, Problem> {
    // What is wrong with the store is better told as an answer than by a stream that ends.
    live.standing(&yard).await?;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watcher = Watcher { yard, live, stopping, ticks, told: None, spoken: Instant::now() };
    // Buffering proxies would hold the events back.
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-store")], Sse::new(watcher.stream())))
}

/// One client, and what it was told.
struct Watcher {
    yard: Yard,
    live: Live,
    stopping: Stopping,
    ticks: Interval,
    told: Option<BTreeMap<QueueName, Standing>>,
    spoken: Instant,
}

impl Watcher {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        let hello = stream::once(async { Event::default().comment("watching").retry(RETRY) });
        let events = stream::unfold(self, async |mut this| Some((this.next().await?, this)));
        stream::StreamExt::map(stream::StreamExt::chain(hello, events), Ok)
    }

    /// What the client hears next; nothing once the server is to stop, or the store cannot be read.
    async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                biased;
                () = self.stopping.wait() => return None,
                _ = self.ticks.tick() => {}
            }
            let now = match self.live.standing(&self.yard).await {
                Ok(standing) => standing,
                Err(problem) => {
                    tracing::warn!(problem = problem.detail(), "the queues cannot be watched");
                    return None;
                }
            };
            let event = self.changes(&now);
            if event.is_some() {
                self.told = Some(BTreeMap::clone(&now));
            }
            let silent = self.spoken.elapsed() >= HEARTBEAT;
            let event = event.or_else(|| silent.then(|| Event::default().comment("still here")));
            if event.is_some() {
                self.spoken = Instant::now();
                return event;
            }
        }
    }

    /// What is otherwise than was told; nothing when all is the same.
    fn changes(&self, now: &BTreeMap<QueueName, Standing>) -> Option<Event> {
        let known = |name: &QueueName| self.told.as_ref().and_then(|told| told.get(name));
        let changed = now.iter().filter(|(name, standing)| known(name) != Some(standing));
        let items: Vec<_> = changed.map(|(_, standing)| standing).collect();
        let told = self.told.iter().flatten().map(|(name, _)| name);
        let removed: Vec<_> = told.filter(|name| !now.contains_key(*name)).collect();
        let whole = self.told.is_none();
        if !whole && items.is_empty() && removed.is_empty() {
            return None;
        }
        let changes = Changes { whole, items, removed };
        let json = serde_json::to_string(&changes).unwrap_or_else(|error| {
            tracing::error!(%error, "the counts of the queues cannot be written as JSON");
            "null".to_owned()
        });
        Some(Event::default().event("queues").data(json))
    }
}
