//! Claims that found nothing and stand. A commit of this process that adds jobs to their queue takes them along to
//! Redis, so a job is with its worker in the round trip that adds it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use eventyard_core::{Claim, QueueName, StoreError};
use tokio::sync::oneshot;

use super::{claimed::Claimed, desk::Answer};

/// A claim, and who waits for it.
type Asked = (Claim, Answer<Claimed>);

/// The claims that stand, by queue.
#[derive(Default)]
pub(crate) struct Standing {
    claims: Mutex<HashMap<QueueName, VecDeque<Asked>>>,
}

impl Standing {
    /// Lets a claim stand until the answer is dropped or comes.
    pub(crate) fn put(&self, ask: Claim) -> oneshot::Receiver<Result<Claimed, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = claims.entry(ask.queue.clone()).or_default();
        queue.retain(|(_, answer)| !answer.is_closed());
        queue.push_back((ask, answer));
        answered
    }

    /// Takes the claims on a queue that stand longest, as many as there are jobs for.
    pub(crate) fn take(&self, queue: &QueueName, mut jobs: usize) -> Vec<Asked> {
        let mut taken = Vec::new();
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(standing) = claims.get_mut(queue) else { return taken };
        while jobs > 0
            && let Some((ask, answer)) = standing.pop_front()
        {
            if !answer.is_closed() {
                jobs = jobs.saturating_sub(ask.max);
                taken.push((ask, answer));
            }
        }
        if standing.is_empty() {
            claims.remove(queue);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eventyard_core::WorkerId;

    use super::*;

    fn ask(worker: &str, max: usize) -> Claim {
        Claim {
            queue: QueueName::new("q").unwrap(),
            max,
            lease_for: Duration::from_secs(30),
            worker: WorkerId::new(worker).unwrap(),
            wait: Duration::ZERO,
        }
    }

    #[test]
    fn as_many_as_there_are_jobs_for() {
        let standing = Standing::default();
        let _answers = [("a", 2), ("b", 2), ("c", 2)].map(|(w, max)| standing.put(ask(w, max)));
        let queue = QueueName::new("q").unwrap();
        let names = |jobs| {
            let taken = standing.take(&queue, jobs);
            taken.iter().map(|(ask, _)| ask.worker.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(3), ["a", "b"]);
        assert_eq!(names(1), ["c"]);
        assert_eq!(names(9), [""; 0]);
    }

    #[test]
    fn those_who_left_are_passed_over() {
        let standing = Standing::default();
        drop(standing.put(ask("gone", 1)));
        let _answer = standing.put(ask("here", 1));
        let taken = standing.take(&QueueName::new("q").unwrap(), 1);
        assert_eq!(taken[0].0.worker.as_str(), "here");
        assert!(standing.claims.lock().unwrap().is_empty());
    }
}
