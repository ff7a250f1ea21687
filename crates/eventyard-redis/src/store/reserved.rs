//! Ids that a job can not have here: the keys of jobs are among the keys of their queue.

use eventyard_core::{Commit, CommitError, Write};

/// What BullMQ keeps of a queue, beside its jobs.
const OF_QUEUES: [&str; 21] = [
    "wait",
    "paused",
    "active",
    "prioritized",
    "delayed",
    "waiting-children",
    "completed",
    "failed",
    "stalled",
    "stalled-check",
    "meta",
    "id",
    "pc",
    "marker",
    "events",
    "limiter",
    "repeat",
    "priority",
    "delay",
    "metrics:completed",
    "metrics:failed",
];
/// How the keys begin that it has one of for each thing.
const BEGINNINGS: [&str; 3] = ["de:", "dn:", "metrics:"];
/// How the keys end that belong to a job.
const ENDS: [&str; 6] =
    [":lock", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful"];

/// Refuses a commit that adds a job whose key means something else.
///
/// # Errors
/// [`CommitError::ReservedId`], with the first of them.
pub(crate) fn check(commit: &Commit) -> Result<(), CommitError> {
    let added = commit.writes.iter().flat_map(|write| match write {
        Write::Enqueue(job) => std::slice::from_ref(job),
        Write::Publish { jobs, .. } => jobs,
        _ => &[],
    });
    match added.into_iter().find(|job| is_reserved(job.id.as_str())) {
        Some(job) => Err(CommitError::ReservedId(job.key())),
        None => Ok(()),
    }
}

fn is_reserved(id: &str) -> bool {
    OF_QUEUES.contains(&id)
        || BEGINNINGS.iter().any(|beginning| id.starts_with(beginning))
        || ENDS.iter().any(|end| id.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::is_reserved;

    #[test]
    fn keys_of_the_layout_are_reserved() {
        for id in ["meta", "wait", "7:lock", "de:x", "metrics:completed:data"] {
            assert!(is_reserved(id), "{id}");
        }
        for id in ["7", "metal", "a:b:c", "repeat:nightly:1700000000000", "schedule:x:1"] {
            assert!(!is_reserved(id), "{id}");
        }
    }
}
