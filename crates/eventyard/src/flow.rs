//! Flows: jobs that wait for other jobs, added together.

use eventyard_core::{Enqueued, OnChildFailure};

use crate::JobRequest;

/// The most jobs of one flow.
pub const MAX_JOBS: usize = 10_000;
/// The most levels of one flow: a job without children has one.
pub const MAX_DEPTH: usize = 100;

/// A job with the jobs that it waits for, each of which may wait for others; on any queues.
///
/// All are added in one commit or none. A job runs when all its children have ended, and can read
/// [what they returned](crate::Context::child_results).
///
/// ```
/// # use eventyard::{Flow, JobRequest, model::OnChildFailure};
/// let album = Flow::new(JobRequest::new("albums", "publish"))
///     .child(JobRequest::new("images", "resize"))
///     .child(
///         Flow::new(JobRequest::new("mails", "announce"))
///             .child(JobRequest::new("texts", "write"))
///             .on_fail(OnChildFailure::Ignore),
///     );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub(crate) job: JobRequest,
    pub(crate) on_fail: OnChildFailure,
    /// Empty when the flow is too large: then it is refused anyway, and must not fill memory or the stack.
    pub(crate) children: Vec<Flow>,
    jobs: usize,
    depth: usize,
}

impl Flow {
    /// A job that waits for no other yet.
    #[must_use]
    pub fn new(job: JobRequest) -> Self {
        let on_fail = OnChildFailure::default();
        Self { job, on_fail, children: Vec::new(), jobs: 1, depth: 1 }
    }

    /// Makes the job wait for another one.
    #[must_use]
    pub fn child(mut self, child: impl Into<Self>) -> Self {
        let child = child.into();
        self.jobs = self.jobs.saturating_add(child.jobs);
        self.depth = self.depth.max(child.depth.saturating_add(1));
        if self.problem().is_some() {
            self.children.clear();
        } else {
            self.children.push(child);
        }
        self
    }

    /// Makes the job wait for several others.
    #[must_use]
    pub fn children(self, children: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        children.into_iter().fold(self, Self::child)
    }

    /// What becomes of the job that waits for this one, if this one fails for good; it goes on waiting by default.
    #[must_use]
    pub fn on_fail(mut self, on_fail: OnChildFailure) -> Self {
        self.on_fail = on_fail;
        self
    }

    /// What is wrong with the size of the flow, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let (jobs, depth) = (self.jobs, self.depth);
        if jobs > MAX_JOBS {
            return Some(format!("make {jobs} jobs; at most {MAX_JOBS} are added at once"));
        }
        (depth > MAX_DEPTH).then(|| format!("are {depth} levels; at most {MAX_DEPTH} are allowed"))
    }
}

impl From<JobRequest> for Flow {
    fn from(job: JobRequest) -> Self {
        Self::new(job)
    }
}

/// The jobs of a flow that were added, or that existed already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnqueuedFlow {
    /// The job that waits.
    pub job: Enqueued,
    /// The jobs that it waits for.
    pub children: Vec<EnqueuedFlow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Flow {
        Flow::new(JobRequest::new("q", "j"))
    }

    #[test]
    fn a_flow_that_is_too_large_is_noticed_and_not_kept() {
        let wide = |jobs| job().children((1..jobs).map(|_| job()));
        assert_eq!(wide(MAX_JOBS).problem(), None);
        let too_wide = wide(MAX_JOBS + 1);
        assert!(too_wide.problem().is_some_and(|problem| problem.contains("10001 jobs")));
        assert!(too_wide.children.is_empty());

        let deep = |levels| (1..levels).fold(job(), |flow, _| job().child(flow));
        assert_eq!(deep(MAX_DEPTH).problem(), None);
        assert!(deep(100_000).problem().is_some());
    }
}
