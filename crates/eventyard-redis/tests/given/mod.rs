//! Jobs and claims for tests.
#![allow(unreachable_pub, reason = "a module of tests")]

use std::{sync::Arc, time::Duration};

use eventyard_core::{
    Claim, Commit, JobId, JobOptions, Keep, Lease, NewJob, Payload, QueueName, Settlement,
    WorkerId, Write,
};

/// A plain job.
pub fn job(queue: &str, id: &str) -> NewJob {
    NewJob {
        queue: QueueName::new(queue).unwrap(),
        id: JobId::new(id).unwrap(),
        name: "work".into(),
        payload: Payload::Data("{}".into()),
        options: Arc::new(JobOptions::default()),
        awaits_children: false,
    }
}

/// A claim for up to ten jobs that waits so long.
pub fn claim(queue: &str, wait: Duration) -> Claim {
    Claim {
        queue: QueueName::new(queue).unwrap(),
        max: 10,
        lease_for: Duration::from_secs(30),
        worker: WorkerId::new("w").unwrap(),
        wait,
    }
}

/// What completes a job, which is kept, after some writes.
pub fn complete(lease: Lease, writes: impl IntoIterator<Item = Write>) -> Commit {
    let settle = Settlement::Complete { result: Some("1".into()), keep: Keep::FOREVER };
    Commit::under(lease, writes.into_iter().chain([Write::Settle(settle)]))
}
