//! Hands out answers from inside of the runtime.
//!
//! To wake a task from a thread of its own costs a hundred times what it costs from a task: so the
//! threads of the store wake this one, and this one wakes all others.

use std::sync::OnceLock;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Something to be done on the runtime, that waits for nothing.
type Round = Box<dyn FnOnce() + Send>;

/// Where rounds are handed in. Each is as bounded as the requests that it answers.
#[derive(Default)]
pub(crate) struct Postman {
    rounds: OnceLock<UnboundedSender<Round>>,
}

impl Postman {
    /// What the task runs.
    pub(crate) fn work(&self) -> impl Future<Output = ()> + use<> {
        let (sender, rounds) = unbounded_channel();
        // A second task would find the channel taken, and end at once.
        let _ = self.rounds.set(sender);
        walk(rounds)
    }

    /// Has a round done: by the task, or here when the runtime has gone.
    pub(crate) fn send(&self, round: impl FnOnce() + Send + 'static) {
        let round: Round = Box::new(round);
        match self.rounds.get() {
            Some(rounds) => {
                if let Err(unsent) = rounds.send(round) {
                    (unsent.0)();
                }
            }
            None => round(),
        }
    }
}

impl std::fmt::Debug for Postman {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postman")
    }
}

async fn walk(mut rounds: UnboundedReceiver<Round>) {
    while let Some(round) = rounds.recv().await {
        round();
    }
}
