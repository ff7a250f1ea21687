//! The application: what it is made of, checked as a whole before it starts.

mod batch;
pub(crate) mod check;
pub(crate) mod limits;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use eventyard_core::{Clock, Inspect, Keep, MemoryStore, QueueName, Store, SystemClock};

use crate::{
    Catalogue, Error, Event, Handler, Queue, Route, Routes, Schedule, Yard,
    bus::DEFAULT_QUEUE,
    dep::{Deps, Need},
    handler::{BatchOptions, Handlers, Run, erase},
    route::{Match, Pattern},
    secs,
    transport::Bridge,
};

/// How long events stay in the log by default.
pub const KEEP_EVENTS: Keep = Keep::age(secs(7 * 24 * 60 * 60));
/// How long a shutdown waits for active jobs by default.
pub const SHUTDOWN_GRACE: Duration = secs(30);

/// A description of an application: queues, routes, handlers and what they need.
///
/// Mistakes are collected and told together by [`start`](Eventyard::start).
#[must_use = "an application does nothing until it is started"]
pub struct Eventyard {
    pub(crate) store: Option<(Arc<dyn Store>, Arc<dyn Inspect>)>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) source: String,
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) routes: Routes,
    pub(crate) strict_routes: bool,
    pub(crate) handlers: BTreeMap<String, Handlers>,
    /// Which handlers are for an event type: their queue and the type.
    pub(crate) typed: Vec<(String, &'static str)>,
    /// How the jobs of which queues are gathered.
    pub(crate) batches: Vec<(String, BatchOptions)>,
    pub(crate) needs: Vec<(String, Need)>,
    pub(crate) deps: Deps,
    pub(crate) catalogue: Catalogue,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) bridges: Vec<Bridge>,
    pub(crate) keep_events: Keep,
    pub(crate) synchronous: bool,
    pub(crate) workers: bool,
    pub(crate) grace: Duration,
    pub(crate) mistakes: Vec<String>,
}

impl Eventyard {
    /// An application on `store`, which reads the same `clock`.
    pub fn on<S: Store + Inspect>(store: Arc<S>, clock: Arc<dyn Clock>) -> Self {
        let inspect: Arc<dyn Inspect> = Arc::clone(&store) as _;
        Self::on_parts(store, inspect, clock)
    }

    /// An application on the two sides of a store.
    pub fn on_parts(
        store: Arc<dyn Store>,
        inspect: Arc<dyn Inspect>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store: Some((store, inspect)),
            clock,
            source: "eventyard".to_owned(),
            queues: BTreeMap::new(),
            routes: Routes::default(),
            strict_routes: false,
            handlers: BTreeMap::new(),
            typed: Vec::new(),
            batches: Vec::new(),
            needs: Vec::new(),
            deps: Deps::default(),
            catalogue: Catalogue::default(),
            schedules: Vec::new(),
            bridges: Vec::new(),
            keep_events: KEEP_EVENTS,
            synchronous: false,
            workers: true,
            grace: SHUTDOWN_GRACE,
            mistakes: Vec::new(),
        }
    }

    /// An application whose store is this process's memory: for tests and trials.
    pub fn in_memory() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        Self::on(Arc::new(MemoryStore::new(Arc::clone(&clock))), clock)
    }

    /// An application on the store at `url`: `sqlite://PATH`, `redis://HOST:PORT` (feature `redis`) or `memory://`.
    ///
    /// # Errors
    /// When the address is not understood or the store cannot be opened.
    #[cfg(any(feature = "sqlite", feature = "redis"))]
    pub async fn open(url: &str) -> Result<Self, Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        match url.split_once("://") {
            Some(("memory", "")) => Ok(Self::in_memory()),
            #[cfg(feature = "redis")]
            Some(("redis" | "rediss" | "redis+sentinel" | "redis+cluster", _)) => {
                let address = url
                    .parse::<eventyard_redis::connect::Address>()
                    .map_err(|error| Error::StoreUrl(error.to_string()))?;
                let options = eventyard_redis::Options::new(address).clock(Arc::clone(&clock));
                let store = eventyard_redis::RedisStore::open(options).await?;
                Ok(Self::on(Arc::new(store), clock))
            }
            #[cfg(feature = "sqlite")]
            Some(("sqlite", path)) if !path.is_empty() => {
                let options = eventyard_sqlite::Options::new(path).clock(Arc::clone(&clock));
                let store = eventyard_sqlite::SqliteStore::open(options).await?;
                Ok(Self::on(Arc::new(store), clock))
            }
            _ => Err(Error::StoreUrl(format!(
                "the store `{url}` is not understood; use sqlite://PATH, redis://HOST:PORT (feature `redis`) or \
                 memory://"
            ))),
        }
    }

    /// The source of the events that this application publishes; usually the service's name.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Declares a queue.
    pub fn queue(mut self, queue: Queue) -> Self {
        if self.queues.contains_key(&queue.name) {
            self.mistakes.push(format!("queue `{}` is declared twice", queue.name));
        }
        self.queues.insert(queue.name.clone(), queue);
        self
    }

    /// Sends events whose type matches `pattern` to `queue`; `*` stands for one word, `#` for any number.
    pub fn route(mut self, pattern: &str, queue: &str) -> Self {
        match Pattern::new(pattern) {
            Ok(pattern) => self.add_route(Match::Type(pattern), queue),
            Err(error) => self.mistakes.push(format!("the route to `{queue}`: {error}")),
        }
        self
    }

    /// Sends events with these extension attributes to `queue`: with all of them, or with any.
    pub fn route_headers<V: Into<serde_json::Value>>(
        mut self,
        headers: impl IntoIterator<Item = (impl Into<String>, V)>,
        all: bool,
        queue: &str,
    ) -> Self {
        let headers: BTreeMap<_, _> =
            headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        if headers.is_empty() {
            self.mistakes.push(format!("the route to `{queue}` by headers names no header"));
        }
        self.add_route(Match::Headers { headers, all }, queue);
        self
    }

    fn add_route(&mut self, matches: Match, queue: &str) {
        match QueueName::new(queue) {
            Ok(queue) => self.routes.add(Route { matches, queue }),
            Err(error) => self.mistakes.push(format!("the route to `{queue}`: {error}")),
        }
    }

    /// Refuses events that no route takes, instead of keeping them in the log only.
    pub fn strict_routes(mut self, strict: bool) -> Self {
        self.strict_routes = strict;
        self
    }

    /// Works on jobs of `queue` with `handler`: those of its event type, or all that have no handler of their
    /// own if it takes [`Json`](crate::Json) or a job.
    pub fn handle<Args, H: Handler<Args>>(self, queue: &str, handler: H) -> Self {
        let kind = H::event_type();
        let mut app = self.add_handler(queue, kind, handler);
        if let Some(kind) = kind {
            app.typed.push((queue.to_owned(), kind));
        }
        app
    }

    /// Works on jobs of `queue` that are named `name` with `handler`.
    pub fn handle_named<Args, H: Handler<Args>>(self, queue: &str, name: &str, handler: H) -> Self {
        self.add_handler(queue, Some(name), handler)
    }

    /// Works on events that no route takes with `handler`, on the queue `domain-events`.
    pub fn on_event<Args, H: Handler<Args>>(self, handler: H) -> Self {
        self.handle(DEFAULT_QUEUE, handler)
    }

    /// Subscribes `handler` to the events whose type matches `pattern`, on a queue of its own, so that
    /// its failures touch no other subscriber.
    pub fn subscribe<Args, H: Handler<Args>>(
        self,
        subscriber: &str,
        pattern: &str,
        handler: H,
    ) -> Self {
        let app = if self.queues.contains_key(subscriber) {
            self
        } else {
            self.queue(Queue::new(subscriber))
        };
        app.route(pattern, subscriber).handle(subscriber, handler)
    }

    fn add_handler<Args, H: Handler<Args>>(
        self,
        queue: &str,
        name: Option<&str>,
        handler: H,
    ) -> Self {
        self.add_run(queue, name, H::needs(), erase(handler))
    }

    fn add_run(mut self, queue: &str, name: Option<&str>, needs: Vec<Need>, run: Run) -> Self {
        let what = name.map_or("every job".to_owned(), |name| format!("`{name}`"));
        let handler = format!("the handler of {what} on `{queue}`");
        self.needs.extend(needs.into_iter().map(|need| (handler.clone(), need)));
        let handlers = self.handlers.entry(queue.to_owned()).or_default();
        if !handlers.add(name, run) {
            self.mistakes.push(format!("queue `{queue}` has two handlers for {what}"));
        }
        self
    }

    /// Gives the handlers a dependency; they take it as [`Dep<T>`](crate::Dep).
    pub fn provide<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.provide_arc(Arc::new(value))
    }

    /// Gives the handlers a dependency that is shared already, or a trait object.
    pub fn provide_arc<T: ?Sized + Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.deps.insert(value);
        self
    }

    /// Adds a typed event to the catalogue: published events of its type must meet its schema.
    pub fn event<E: Event>(mut self) -> Self {
        if let Err(mistake) = self.catalogue.add::<E>() {
            self.mistakes.push(mistake);
        }
        self
    }

    /// Declares a schedule: it is upserted when the application starts. One that has not changed keeps its last and
    /// its next run; one that is no longer declared stays until it is [removed](Yard::remove_schedule).
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedules.push(schedule);
        self
    }

    /// How long events stay in the log.
    pub fn keep_events(mut self, keep: Keep) -> Self {
        self.keep_events = keep;
        self
    }

    /// Makes publishing wait until every job it added was tried once: a synchronous bus behind the same
    /// interface.
    pub fn synchronous(mut self, synchronous: bool) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Whether this process works on jobs; without workers it only publishes and inspects.
    pub fn workers(mut self, workers: bool) -> Self {
        self.workers = workers;
        self
    }

    /// How long a shutdown waits for active jobs before it gives them back.
    pub fn shutdown_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Checks the application and starts it.
    ///
    /// # Errors
    /// [`Error::Setup`] tells everything that is wrong: a dependency that nobody provides, a route to a
    /// queue that is not declared, a handler that no route leads to. When the store cannot take the limits of the
    /// queues or the schedules, its error.
    pub async fn start(self) -> Result<Yard, Error> {
        let mut checked = self.check()?;
        limits::declare(&checked.bus).await?;
        let schedules = std::mem::take(&mut checked.schedules);
        let yard = Yard::start(checked);
        yard.upsert_schedules(schedules).await?;
        Ok(yard)
    }
}
