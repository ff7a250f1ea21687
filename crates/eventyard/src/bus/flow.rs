//! Flows as commits: each job before those that it waits for.

use eventyard_core::{Commit, Effect, Enqueued, JobKey, NewJob, Parent, Write};

use super::Bus;
use crate::{Error, FieldError, Flow, flow::EnqueuedFlow};

/// The writes of a flow, and how many children each of their jobs has, in the same order.
#[derive(Debug, Default)]
struct Plan {
    writes: Vec<Write>,
    children: Vec<usize>,
}

impl Bus {
    pub(crate) async fn enqueue_flow(&self, flow: Flow) -> Result<EnqueuedFlow, Error> {
        let Plan { writes, children } = self.plan(flow, None)?;
        let receipt = self.commit_and_wait(Commit::of(writes)).await?;
        let mut enqueued = receipt.into_iter().filter_map(|effect| match effect {
            Effect::Enqueued(enqueued) => Some(enqueued),
            _ => None,
        });
        tree(&mut children.into_iter().zip(&mut enqueued)).ok_or_else(Error::no_answer)
    }

    /// The writes that add a flow, as a child of `parent` if there is one.
    pub(crate) fn write_flow(
        &self,
        flow: Flow,
        parent: Option<JobKey>,
    ) -> Result<Vec<Write>, Error> {
        self.plan(flow, parent).map(|plan| plan.writes)
    }

    fn plan(&self, flow: Flow, parent: Option<JobKey>) -> Result<Plan, Error> {
        if let Some(problem) = flow.problem() {
            return Err(invalid("children", &problem));
        }
        let mut plan = Plan::default();
        self.add_to(&mut plan, flow, parent)?;
        Ok(plan)
    }

    fn add_to(&self, plan: &mut Plan, flow: Flow, parent: Option<JobKey>) -> Result<(), Error> {
        let Flow { mut job, on_fail, children, .. } = flow;
        if let Some(JobKey { queue, id }) = parent {
            if job.options.parent.is_some() {
                return Err(invalid("opts.parent", "is what the flow says; leave it out"));
            }
            job.options.parent = Some(Parent { queue, id, on_fail });
        }
        let new = NewJob { awaits_children: !children.is_empty(), ..self.new_job(job)? };
        if new.awaits_children && new.options.deduplication.is_some() {
            let problem = "goes not with children, which would lose their parent when it is dropped; \
                           give the job an id instead";
            return Err(invalid("opts.deduplication", problem));
        }
        let key = new.key();
        plan.writes.push(Write::Enqueue(new));
        plan.children.push(children.len());
        children.into_iter().try_for_each(|child| self.add_to(plan, child, Some(key.clone())))
    }
}

fn invalid(field: &str, problem: &str) -> Error {
    Error::InvalidJob(FieldError { field: field.to_owned(), problem: problem.to_owned() })
}

/// Makes a tree of jobs that are in the order of their writes, each with the number of its children.
fn tree(jobs: &mut impl Iterator<Item = (usize, Enqueued)>) -> Option<EnqueuedFlow> {
    let (children, job) = jobs.next()?;
    let children = (0..children).map(|_| tree(jobs)).collect::<Option<_>>()?;
    Some(EnqueuedFlow { job, children })
}
