//! The checks before the start: everything that is wrong is told at once.

use std::{collections::BTreeMap, sync::Arc};

use eventyard_core::{Inspect, QueueName, Store};

use super::{Eventyard, batch};
use crate::{
    Error, Queue, Schedule,
    bus::{Bus, DEFAULT_QUEUE, Declared, Settled},
    dep::Deps,
    handler::Handlers,
    meter::Meter,
    schedule, transport,
};

/// An application that makes sense.
pub(crate) struct Checked {
    pub(crate) bus: Bus,
    pub(crate) deps: Deps,
    pub(crate) handlers: BTreeMap<QueueName, Handlers>,
    pub(crate) keep_events: eventyard_core::Keep,
    pub(crate) grace: std::time::Duration,
    pub(crate) schedules: Vec<Schedule>,
    /// Whether this process works, and takes in what comes over the transports.
    pub(crate) workers: bool,
}

impl Eventyard {
    pub(crate) fn check(mut self) -> Result<Checked, Error> {
        if self.handlers.contains_key(DEFAULT_QUEUE) && !self.queues.contains_key(DEFAULT_QUEUE) {
            self.queues.insert(DEFAULT_QUEUE.to_owned(), Queue::new(DEFAULT_QUEUE));
        }
        let mut mistakes = std::mem::take(&mut self.mistakes);
        mistakes.extend(self.queues.values().filter_map(Queue::problem));
        let queues = self.declare(&mut mistakes);
        self.check_routes(&queues, &mut mistakes);
        for (handler, need) in &self.needs {
            if !self.deps.has(need) {
                mistakes.push(format!("{handler} needs a {}; provide one", need.type_name));
            }
        }
        mistakes.extend(schedule::problems(&self.schedules, &queues));
        let batches = self.batches.iter();
        mistakes.extend(
            batches.filter_map(|(queue, options)| batch::problem(&self.queues, queue, *options)),
        );
        let handlers = self.take_handlers(&queues, &mut mistakes);
        let Some((store, inspect)) = self.store.take() else {
            mistakes.push("it has no store".to_owned());
            return Err(Error::Setup(mistakes));
        };
        if !mistakes.is_empty() {
            return Err(Error::Setup(mistakes));
        }
        Ok(self.assemble(store, inspect, queues, handlers))
    }

    fn declare(&self, mistakes: &mut Vec<String>) -> BTreeMap<QueueName, Arc<Declared>> {
        let mut queues = BTreeMap::new();
        for queue in self.queues.values() {
            let defaults = Arc::new(queue.defaults.clone());
            match QueueName::new(&queue.name) {
                Ok(name) => {
                    queues.insert(name, Arc::new(Declared { queue: queue.clone(), defaults }));
                }
                Err(error) => mistakes.push(error.to_string()),
            }
        }
        queues
    }

    fn check_routes(
        &self,
        queues: &BTreeMap<QueueName, Arc<Declared>>,
        mistakes: &mut Vec<String>,
    ) {
        for queue in self.routes.queues() {
            if !queues.contains_key(queue) {
                mistakes.push(format!("a route leads to queue `{queue}`, which is not declared"));
            }
        }
        for (queue, kind) in &self.typed {
            let reached =
                QueueName::new(queue).is_ok_and(|queue| self.routes.can_reach(kind, &queue));
            if !reached && queue != DEFAULT_QUEUE {
                mistakes.push(format!(
                    "queue `{queue}` has a handler for `{kind}`, but no route leads this event there"
                ));
            }
        }
    }

    fn take_handlers(
        &mut self,
        queues: &BTreeMap<QueueName, Arc<Declared>>,
        mistakes: &mut Vec<String>,
    ) -> BTreeMap<QueueName, Handlers> {
        let mut handlers = BTreeMap::new();
        for (queue, of_queue) in std::mem::take(&mut self.handlers) {
            match queues.get_key_value(queue.as_str()) {
                Some((name, _)) => {
                    handlers.insert(name.clone(), of_queue);
                }
                None => mistakes.push(format!("queue `{queue}` has a handler but is not declared")),
            }
        }
        if self.workers { handlers } else { BTreeMap::new() }
    }

    fn assemble(
        self,
        store: Arc<dyn Store>,
        inspect: Arc<dyn Inspect>,
        queues: BTreeMap<QueueName, Arc<Declared>>,
        handlers: BTreeMap<QueueName, Handlers>,
    ) -> Checked {
        let on_default = |(queue, kind): (String, &'static str)| {
            (queue == DEFAULT_QUEUE).then(|| kind.to_owned())
        };
        let source = self.source.clone();
        let bridges = self.bridges.into_iter();
        let bridges =
            bridges.map(|bridge| Arc::new(transport::Running::new(bridge, &source))).collect();
        let bus = Bus {
            meter: Meter::of(queues.keys()),
            store,
            inspect,
            clock: self.clock,
            source: self.source,
            queues,
            routes: self.routes,
            strict: self.strict_routes,
            catalogue: self.catalogue,
            default_types: self.typed.into_iter().filter_map(on_default).collect(),
            settled: self.synchronous.then(|| Settled::new(handlers.keys().cloned().collect())),
            schedules: schedule::bell::Bell::default(),
            bridges,
        };
        let (deps, keep_events, grace) = (self.deps, self.keep_events, self.grace);
        let workers = self.workers;
        Checked { bus, deps, handlers, keep_events, grace, schedules: self.schedules, workers }
    }
}
