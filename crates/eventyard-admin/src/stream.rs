//! What happens on the queues, as it happens: server-sent events.

mod filter;
mod view;

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Sse, sse::Event},
};
use eventyard::{
    Yard,
    model::feed::{FeedPosition, Heard},
    yard::QueueEvents,
};
use futures_util::{Stream, stream};
use tokio::time::{Instant, Sleep, sleep};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Masks, Problem, Stopping, ViewerOnly, queue};
use filter::{Ask, Filter};
use view::EventView;

/// After how much silence a client hears that the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a client that lost the stream comes back.
const RETRY: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(listen))
}

/// Hear what happens on the queues
///
/// Server-sent events, each with its kind as `event` and a JSON object as `data`: the same kind, the queue, the job and
/// when. It begins now, or after the event whose `id` a client that comes back sends as `Last-Event-ID`. An event
/// `missed` says that some were forgotten before the client heard them: a client that is slow, comes back late, or to a
/// server that was started anew. Those after it are complete again. The stream ends when the server stops.
#[utoipa::path(get, path = "/api/v1/stream", tag = "stream", operation_id = "streamQueueEvents",
    params(Ask),
    responses(
        (status = 200, description = "The events, without an end; a comment after 15 s of silence.",
            body = EventView, content_type = "text/event-stream"),
        (status = 404, description = "There is no such queue."),
    ))]
async fn listen(
    _: ViewerOnly,
    State(yard): State<Yard>,
    stopping: Stopping,
    masks: Masks,
    Ask { filter, after }: Ask,
) -> Result<impl IntoResponse, Problem> {
    for queue in &filter.queues {
        queue::find(&yard, queue).await?;
    }
    let listener = Listener {
        events: yard.queue_events(after),
        filter,
        masks,
        heard: after,
        silence: Box::pin(sleep(HEARTBEAT)),
        stopping,
    };
    // Buffering proxies would hold the events back.
    Ok(([("x-accel-buffering", "no"), ("cache-control", "no-store")], Sse::new(listener.stream())))
}

/// One client. It holds no events: they stay in the feed's memory until the client has taken them or is too slow.
struct Listener {
    events: QueueEvents,
    filter: Filter,
    masks: Masks,
    /// The last event that was heard, whether the client wanted it or not.
    heard: Option<FeedPosition>,
    silence: Pin<Box<Sleep>>,
    stopping: Stopping,
}

impl Listener {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        let hello = stream::once(async { Event::default().comment("listening").retry(RETRY) });
        let events = stream::unfold(self, async |mut this| Some((this.next().await?, this)));
        let all = stream::StreamExt::chain(hello, events);
        stream::StreamExt::map(all, Ok)
    }

    /// What the client hears next; nothing once the server is to stop.
    async fn next(&mut self) -> Option<Event> {
        let event = loop {
            tokio::select! {
                biased;
                () = self.stopping.wait() => return None,
                () = &mut self.silence => break self.heartbeat(),
                heard = self.events.next() => match heard {
                    Heard::Missed => {
                        self.heard = None;
                        break Event::default().event("missed").data(r#"{"event":"missed"}"#);
                    }
                    Heard::Event(position, event) => {
                        self.heard = Some(position);
                        if self.filter.wants(&event) {
                            break view::event(position, &event, &self.masks);
                        }
                    }
                },
            }
        };
        self.silence.as_mut().reset(Instant::now() + HEARTBEAT);
        Some(event)
    }

    /// A comment, with the place of the last event: whoever comes back need not hear again what it did not want.
    fn heartbeat(&self) -> Event {
        let comment = Event::default().comment("still here");
        match self.heard {
            Some(position) => comment.id(position.to_string()),
            None => comment,
        }
    }
}
