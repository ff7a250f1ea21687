//! Bridges: what is published here goes out over a transport, and what comes in is published here.
//!
//! ```
//! use std::sync::Arc;
//!
//! use eventyard::{Eventyard, transport::Bridge};
//! use eventyard::model::{SystemClock, transport::{MemoryBroker, MemoryOptions}};
//!
//! let broker = MemoryBroker::new(Arc::new(SystemClock::default()), MemoryOptions::default());
//! let bridge = Bridge::new("shop", Arc::new(broker.transport("node-1")))
//!     .sends("order.*")
//!     .receives("payment.#");
//! let app = Eventyard::in_memory().transport(bridge);
//! ```
//!
//! Going out, an event is a job on the queue `outbox-NAME`, added by the very commit that publishes it: it leaves
//! when the broker is there, after a crash as well. Coming in, an event is committed, which is idempotent by its id, and
//! acknowledged then. What came over a transport does not go back out over the same one.

mod inbox;
mod outbox;
mod report;

use std::{fmt, sync::Arc};

use eventyard_core::{
    Event as Envelope, Pattern, QueueName, Transport,
    transport::{Group, Subscription, takes},
};

pub(crate) use self::inbox::receive;
pub use self::report::TransportReport;
use self::{outbox::Outbox, report::Counts};
use crate::{BatchOptions, Eventyard, Keep, Queue};

/// How many events one call sends.
const BATCH: usize = 100;
/// How many events that came in are committed together, and fetched ahead.
const INTAKE: usize = 200;

/// Joins an application to a transport.
#[must_use = "a bridge does nothing until an application has it"]
#[derive(Clone)]
pub struct Bridge {
    name: String,
    transport: Arc<dyn Transport>,
    sends: Vec<Pattern>,
    receives: Vec<Pattern>,
    group: Option<String>,
    consumer: String,
    mistakes: Vec<String>,
}

impl Bridge {
    /// A bridge of this name, over which nothing goes yet.
    pub fn new(name: impl Into<String>, transport: Arc<dyn Transport>) -> Self {
        Self {
            name: name.into(),
            transport,
            sends: Vec::new(),
            receives: Vec::new(),
            group: None,
            consumer: format!("eventyard-{}", std::process::id()),
            mistakes: Vec::new(),
        }
    }

    /// Sends out events whose type matches `pattern`; `*` stands for one word, `#` for any number.
    pub fn sends(mut self, pattern: &str) -> Self {
        match Pattern::new(pattern) {
            Ok(pattern) => self.sends.push(pattern),
            Err(error) => self.mistake(&format!("what it sends: {error}")),
        }
        self
    }

    /// Takes in events whose type matches `pattern`.
    pub fn receives(mut self, pattern: &str) -> Self {
        match Pattern::new(pattern) {
            Ok(pattern) => self.receives.push(pattern),
            Err(error) => self.mistake(&format!("what it receives: {error}")),
        }
        self
    }

    /// The consumer group that it belongs to, on a transport that has groups; the application's source when it is not
    /// said.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The name of this process within its group; unique among those that run.
    pub fn consumer(mut self, consumer: impl Into<String>) -> Self {
        self.consumer = consumer.into();
        self
    }

    fn mistake(&mut self, mistake: &str) {
        self.mistakes.push(format!("transport `{}`: {mistake}", self.name));
    }

    /// The name of the queue of what goes out.
    fn queue_name(&self) -> String {
        format!("outbox-{}", self.name)
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("name", &self.name)
            .field("sends", &self.sends)
            .field("receives", &self.receives)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl Eventyard {
    /// Joins the application to a transport.
    pub fn transport(mut self, mut bridge: Bridge) -> Self {
        self.check_bridge(&mut bridge);
        self.mistakes.append(&mut bridge.mistakes);
        let mut app = self;
        if !bridge.sends.is_empty() {
            let queue = bridge.queue_name();
            let options = BatchOptions { max: BATCH, wait: std::time::Duration::ZERO };
            let declared = Queue::new(&queue).concurrency(BATCH).keep_completed(Keep::count(100));
            app = app.queue(declared).handle_batch(&queue, options, Outbox::handler(&bridge));
        }
        app.bridges.push(bridge);
        app
    }

    fn check_bridge(&self, bridge: &mut Bridge) {
        if let Err(error) = QueueName::new(bridge.queue_name()) {
            bridge.mistake(&error.to_string());
        }
        if self.bridges.iter().any(|other| other.name == bridge.name) {
            bridge.mistake("it is declared twice");
        }
        if bridge.sends.is_empty() && bridge.receives.is_empty() {
            bridge.mistake("it neither sends nor receives anything; give it patterns");
        }
        let capabilities = bridge.transport.capabilities();
        if bridge.group.is_some() && !capabilities.groups {
            let problem = format!("{} has no groups; leave the group out", capabilities.name);
            bridge.mistake(&problem);
        }
    }
}

/// A bridge of a running application.
pub(crate) struct Running {
    bridge: Bridge,
    /// The queue of what goes out.
    outbox: Option<QueueName>,
    group: Option<String>,
    counts: Counts,
}

impl Running {
    /// The bridge in an application of this source.
    pub(crate) fn new(bridge: Bridge, source: &str) -> Self {
        let outbox = match bridge.sends.is_empty() {
            true => None,
            false => QueueName::new(bridge.queue_name()).ok(),
        };
        let groups = bridge.transport.capabilities().groups;
        let group = groups.then(|| bridge.group.clone().unwrap_or_else(|| source.to_owned()));
        Self { bridge, outbox, group, counts: Counts::default() }
    }

    /// The queue for an event that goes out.
    pub(crate) fn outbox_for(&self, event: &Envelope) -> Option<&QueueName> {
        self.outbox.as_ref().filter(|_| takes(&self.bridge.sends, &event.kind))
    }

    /// The name of the bridge.
    pub(crate) fn name(&self) -> &str {
        &self.bridge.name
    }

    pub(crate) fn receives(&self) -> bool {
        !self.bridge.receives.is_empty()
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.bridge.transport
    }

    fn subscription(&self) -> Subscription {
        let patterns = self.bridge.receives.clone();
        let subscription = match &self.group {
            Some(name) => {
                let group = Group { name: name.clone(), patterns };
                Subscription::in_group(group, &self.bridge.consumer)
            }
            None => Subscription::broadcast(patterns),
        };
        subscription.prefetch(INTAKE)
    }
}
