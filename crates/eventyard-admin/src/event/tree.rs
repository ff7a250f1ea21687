//! What followed from an event: its jobs, the events that they published, and so on.

use std::collections::{HashMap, HashSet};

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{
        Event, EventId, JobId, JobKey, JobState, PageAsk, QueueName, Timestamp,
        inspect::{EventFilter, JobStatus},
    },
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{list::find, view::CloudEvent};
use crate::{
    Masks, PathParams, Problem, ViewerOnly,
    job::{Reason, State as JobStateName},
    request::{EventPath, JobText, QueueText},
};

/// The most events of one correlation that are looked at, the newest first.
const MAX_STORY: usize = 1000;
/// The most events that a tree shows.
const MAX_EVENTS: usize = 200;
/// The most generations that a tree shows.
const MAX_DEPTH: usize = 32;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(show))
}

/// An event with what followed from it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventTree {
    /// Whether there is more than is shown: the tree ends at 200 events and 32 generations.
    truncated: bool,
    #[serde(flatten)]
    root: Node,
}

/// An event, the jobs made of it, and the events that those published.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventNode)]
struct Node {
    #[schema(value_type = CloudEvent)]
    event: Event,
    /// The jobs made of it that are still kept.
    jobs: Vec<TreeJob>,
    /// The events that it caused, oldest first.
    #[schema(no_recursion)]
    caused: Vec<Node>,
}

/// A job in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventJob)]
struct TreeJob {
    /// The queue.
    #[schema(value_type = QueueText)]
    queue: QueueName,
    /// Its id.
    #[schema(value_type = JobText)]
    job_id: JobId,
    /// What it is.
    #[schema(example = "booking.created")]
    name: String,
    #[schema(value_type = JobStateName)]
    state: JobState,
    /// How many attempts have ended, in an error or in a crash.
    attempts_made: u32,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was completed or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// Why it failed for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_reason: Option<Reason>,
}

/// Show what followed from an event
///
/// Its jobs, the events that they published, the jobs of those, and so on, as far as they share its correlation.
#[utoipa::path(get, path = "/api/v1/events/{id}/tree", tag = "events", operation_id = "getEventTree",
    params(EventPath),
    responses(
        (status = 200, description = "The event with what followed.", body = EventTree),
        (status = 404, description = "It is not in the log."),
    ))]
async fn show(
    _: ViewerOnly,
    State(yard): State<Yard>,
    masks: Masks,
    PathParams(id): PathParams<EventId>,
) -> Result<Json<EventTree>, Problem> {
    let root = find(&yard, &id).await?;
    let correlation_id = Some(root.correlation().to_owned());
    let filter = EventFilter { kind: None, correlation_id };
    let story = yard.inspect().events(filter, PageAsk::first(MAX_STORY)).await?;
    let more = story.next.is_some();
    let (picked, truncated) = pick(root, story.items);
    let mut jobs = Vec::with_capacity(picked.len());
    for Picked { event, .. } in &picked {
        jobs.push(jobs_of(&yard, &event.id).await?);
    }
    let mut parts = picked.into_iter().zip(jobs).map(Some).collect();
    let root = grow(&mut parts, 0, &masks);
    root.map(|root| Json(EventTree { truncated: truncated || more, root })).ok_or_else(|| {
        Problem::of(crate::Code::INTERNAL, format!("the tree of event {id} has no root"))
    })
}

async fn jobs_of(yard: &Yard, event: &EventId) -> Result<Vec<TreeJob>, Problem> {
    let id = JobId::from(event.clone());
    let mut jobs = Vec::new();
    for queue in yard.inspect().queues_of(&id).await? {
        let status = yard.inspect().job(&JobKey { queue, id: id.clone() }).await?;
        // A job that somebody added under the id of an event is not made of it.
        let made_of_it = |status: &JobStatus| {
            status.job.payload.event().is_some_and(|made_of| made_of.id == *event)
        };
        jobs.extend(status.filter(made_of_it).map(TreeJob::of));
    }
    Ok(jobs)
}

impl TreeJob {
    fn of(status: JobStatus) -> Self {
        Self {
            queue: status.job.queue,
            job_id: status.job.id,
            name: status.job.name.to_string(),
            state: status.state,
            attempts_made: status.job.attempts_made,
            created_at: status.job.created_at,
            finished_at: status.finished_at,
            failed_reason: status.failure.map(Reason::of),
        }
    }
}

/// An event that the tree shows, with the places of those that it caused.
#[derive(Debug)]
struct Picked {
    event: Event,
    caused: Vec<usize>,
}

/// Picks the events of a story, newest first, that follow from `root`, generation by generation. The root is
/// the first. The second answer is whether some were left out.
fn pick(root: Event, story: Vec<Event>) -> (Vec<Picked>, bool) {
    let mut seen = HashSet::from([root.id.clone()]);
    let mut by_cause: HashMap<String, Vec<Event>> = HashMap::new();
    for event in story.into_iter().rev() {
        if let Some(cause) = &event.causation_id {
            by_cause.entry(cause.clone()).or_default().push(event);
        }
    }
    let mut picked = vec![Picked { event: root, caused: Vec::new() }];
    let mut generation = vec![0];
    for _ in 1..MAX_DEPTH {
        let mut next = Vec::new();
        for parent in generation {
            let caused = by_cause.remove(picked[parent].event.id.as_str()).unwrap_or_default();
            for event in caused {
                if picked.len() == MAX_EVENTS {
                    return (picked, true);
                }
                // An event that is caused by what it caused ends there.
                if seen.insert(event.id.clone()) {
                    let place = picked.len();
                    picked[parent].caused.push(place);
                    picked.push(Picked { event, caused: Vec::new() });
                    next.push(place);
                }
            }
        }
        generation = next;
    }
    let more = |place: &usize| by_cause.contains_key(picked[*place].event.id.as_str());
    let truncated = generation.iter().any(more);
    (picked, truncated)
}

/// Nests what was picked; every place is taken once.
fn grow(
    parts: &mut Vec<Option<(Picked, Vec<TreeJob>)>>,
    place: usize,
    masks: &Masks,
) -> Option<Node> {
    let (Picked { event, caused }, jobs) = parts.get_mut(place)?.take()?;
    let caused = caused.into_iter().filter_map(|place| grow(parts, place, masks)).collect();
    Some(Node { event: masks.event(event), jobs, caused })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, cause: Option<&str>) -> Event {
        let mut event = Event::new("k", "s", Timestamp::default(), "");
        event.id = EventId::new(id).unwrap();
        event.causation_id = cause.map(str::to_owned);
        event
    }

    /// The tree as text, `a(b(c)d)`.
    fn tree(root: &str, story: &[(&str, Option<&str>)]) -> (String, bool) {
        let story = story.iter().rev().map(|(id, cause)| event(id, *cause)).collect();
        let (picked, truncated) = pick(event(root, None), story);
        let mut parts = picked.into_iter().map(|picked| Some((picked, Vec::new()))).collect();
        (write(&grow(&mut parts, 0, &Masks::default()).unwrap()), truncated)
    }

    fn write(node: &Node) -> String {
        let caused: String = node.caused.iter().map(write).collect();
        let id = &node.event.id;
        if caused.is_empty() { id.to_string() } else { format!("{id}({caused})") }
    }

    #[test]
    fn trees_follow_causation() {
        let check = |root, story: &[_], expected: &str| {
            assert_eq!(tree(root, story), (expected.to_owned(), false));
        };
        check("a", &[("a", None)], "a");
        let story =
            [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a")), ("x", None)];
        check("a", &story, "a(b(c)d)");
        check("b", &story, "b(c)");
        check("a", &[("a", Some("b")), ("b", Some("a"))], "a(b)");
        check("a", &[("a", Some("a"))], "a");
    }

    #[test]
    fn trees_are_bounded() {
        let ids: Vec<_> = (0..MAX_EVENTS + 1).map(|n| format!("e{n}")).collect();
        let wide: Vec<_> = ids[1..].iter().map(|id| (id.as_str(), Some("e0"))).collect();
        assert!(tree("e0", &wide).1);
        assert!(!tree("e0", &wide[1..]).1);
        let deep: Vec<_> = (1..=MAX_DEPTH).map(|n| (&*ids[n], Some(&*ids[n - 1]))).collect();
        assert!(tree("e0", &deep).1);
        assert!(!tree("e0", &deep[..MAX_DEPTH - 1]).1);
    }
}
