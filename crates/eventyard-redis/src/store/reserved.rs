//! Ids that a job can not have here: the keys of jobs are among the keys of their queue.

use eventyard_core::{Commit, CommitError, NewJob, Write};

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
/// [`CommitError::Malformed`], with what to do.
pub(crate) fn check(commit: &Commit) -> Result<(), CommitError> {
    let is_free = |job: &NewJob| !is_reserved(job.id.as_str());
    let all_free = commit.writes.iter().all(|write| match write {
        Write::Enqueue(job) => is_free(job),
        Write::Publish { jobs, .. } => jobs.iter().all(is_free),
        _ => true,
    });
    if all_free {
        return Ok(());
    }
    Err(CommitError::Malformed(
        "a job's id is a name that BullMQ's layout has for something else, such as `meta` or `7:lock`; \
         choose another id",
    ))
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
