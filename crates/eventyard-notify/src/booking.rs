//! Booking notifications as a part of an application: queues, routes, catalogue, handlers.

use std::sync::Arc;

use eventyard::{Backoff, Event, Eventyard, Queue, secs};

use crate::{
    event::{
        BookingCancelled, BookingConfirmed, BookingCreated, BookingEvent, BookingReminder,
        PaymentFailed, PaymentReceived,
    },
    handler,
    mail::{Mailbox, Mailer, Sender},
    push::{PushChannel, Pusher},
    template::{TemplateError, Templates},
};

/// The queue whose jobs are sent as mail.
pub const EMAILS: &str = "emails";
/// The queue whose jobs become notifications in the application and pushes.
pub const NOTIFICATIONS: &str = "notifications";
/// The queue whose jobs become tickets.
pub const TICKETS: &str = "tickets";

/// How long one attempt may take.
const TIMEOUT: std::time::Duration = secs(30);
/// How many jobs of each queue one process works on at once.
const CONCURRENCY: usize = 5;

/// What the handlers need.
#[derive(Clone)]
pub struct Deps {
    /// What mail, notifications and tickets say.
    pub templates: Arc<Templates>,
    /// Who sends mail.
    pub from: Sender,
    /// How mail leaves.
    pub mailer: Arc<dyn Mailer>,
    /// How pushes leave; without it they are skipped.
    pub pusher: Option<Arc<dyn Pusher>>,
}

impl Deps {
    /// For development: mail from `from` is kept in the mailbox, pushes are skipped.
    ///
    /// # Errors
    /// When the templates of the crate cannot be used.
    pub fn mailbox(from: Sender) -> Result<Self, TemplateError> {
        Ok(Self {
            templates: Arc::new(Templates::embedded()?),
            from,
            mailer: Arc::new(Mailbox),
            pusher: None,
        })
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps")
            .field("from", &self.from)
            .field("pusher", &self.pusher.is_some())
            .finish_non_exhaustive()
    }
}

/// Adds booking notifications to an application, with the default queues and routes.
pub fn booking(app: Eventyard, deps: Deps) -> Eventyard {
    let app = default_queues().into_iter().fold(app, Eventyard::queue);
    let app = default_routes().into_iter().fold(app, |app, (kind, queue)| app.route(kind, queue));
    handlers(app, deps)
}

/// The three queues: mail is worth the most attempts, tickets want none of the long waits.
#[must_use]
pub fn default_queues() -> Vec<Queue> {
    let queue = |name, attempts, backoff| {
        Queue::new(name)
            .attempts(attempts)
            .backoff(backoff)
            .timeout(TIMEOUT)
            .concurrency(CONCURRENCY)
    };
    vec![
        queue(EMAILS, 5, Backoff::exponential(secs(2))),
        queue(NOTIFICATIONS, 3, Backoff::exponential(secs(1))),
        queue(TICKETS, 3, Backoff::fixed(secs(5))),
    ]
}

/// The six routes: event type and queue.
#[must_use]
pub fn default_routes() -> Vec<(&'static str, &'static str)> {
    vec![
        (BookingCreated::TYPE, EMAILS),
        (BookingConfirmed::TYPE, EMAILS),
        (BookingCancelled::TYPE, EMAILS),
        (BookingReminder::TYPE, NOTIFICATIONS),
        (PaymentReceived::TYPE, NOTIFICATIONS),
        (PaymentFailed::TYPE, TICKETS),
    ]
}

/// Adds the catalogue, the handlers and what they need; the application declares the three queues itself,
/// and may route each of the six events to any of them, or to several.
pub fn handlers(app: Eventyard, deps: Deps) -> Eventyard {
    let Deps { templates, from, mailer, pusher } = deps;
    let app = app
        .provide_arc(templates)
        .provide(from)
        .provide_arc(mailer)
        .provide(PushChannel(pusher))
        .handle_named(NOTIFICATIONS, handler::SEND, handler::send);
    let app = on_all_queues::<BookingCreated>(app);
    let app = on_all_queues::<BookingConfirmed>(app);
    let app = on_all_queues::<BookingCancelled>(app);
    let app = on_all_queues::<BookingReminder>(app);
    let app = on_all_queues::<PaymentReceived>(app);
    on_all_queues::<PaymentFailed>(app)
}

/// By name rather than by type: a configuration is free to leave a route out.
fn on_all_queues<E: BookingEvent + Sync>(app: Eventyard) -> Eventyard {
    app.event::<E>()
        .handle_named(EMAILS, E::TYPE, handler::email::<E>)
        .handle_named(NOTIFICATIONS, E::TYPE, handler::notify::<E>)
        .handle_named(TICKETS, E::TYPE, handler::ticket::<E>)
}
