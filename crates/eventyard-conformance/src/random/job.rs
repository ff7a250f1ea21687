//! Random jobs.

use std::time::Duration;

use eventyard_core::{Keep, OnChildFailure};
use proptest::{
    bool::weighted,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
};

use super::name::{from_now, group, id, keep, queue, saying, span, throng};

/// A job; it carries plain data or an event.
#[derive(Debug, Clone)]
pub(super) struct JobOp {
    pub(super) queue: &'static str,
    pub(super) id: &'static str,
    pub(super) event: Option<&'static str>,
    pub(super) priority: Option<u32>,
    pub(super) lifo: bool,
    pub(super) time: JobTime,
    pub(super) remove_on_fail: Option<Keep>,
    pub(super) key: Option<&'static str>,
    pub(super) ttl: Option<Duration>,
    pub(super) says: Option<Says>,
    pub(super) parent: Option<ParentOp>,
    pub(super) awaits_children: bool,
}

/// When a job runs.
#[derive(Debug, Clone)]
pub(super) enum JobTime {
    Now,
    Delay(Duration),
    RunAt(i64),
}

/// What a job says, and how others that say the same are dropped.
#[derive(Debug, Clone)]
pub(super) struct Says {
    pub(super) id: &'static str,
    pub(super) mode: SaysMode,
}

/// The modes that go together.
#[derive(Debug, Clone)]
pub(super) enum SaysMode {
    Simple { replace: bool },
    Window { ttl: Duration, extend: bool, replace: bool },
    KeepLast,
}

/// The job that waits for a job.
#[derive(Debug, Clone)]
pub(super) struct ParentOp {
    pub(super) of: ParentJob,
    pub(super) on_fail: OnChildFailure,
}

/// Which job waits for a job.
#[derive(Debug, Clone)]
pub(super) enum ParentJob {
    /// The one that the commit's lease is on; none when it has no lease.
    Own,
    Named(&'static str, &'static str),
}

/// A job of any kind. (Boxed: strategies made of strategies grow too large for a stack.)
pub(super) fn job() -> BoxedStrategy<JobOp> {
    let time = prop_oneof![
        4 => Just(JobTime::Now),
        2 => span().prop_map(JobTime::Delay),
        1 => from_now().prop_map(JobTime::RunAt),
    ];
    let order = (option::weighted(0.5, 0..3_u32), weighted(0.2), time);
    let ends = (option::weighted(0.4, keep()), option::weighted(0.15, span()));
    let company = (
        option::weighted(0.7, group()),
        option::weighted(0.5, says()),
        option::weighted(0.1, parent()),
        weighted(0.05),
    );
    (queue(), id(), option::weighted(0.2, id()), order, ends, company)
        .prop_map(
            |(
                queue,
                id,
                event,
                (priority, lifo, time),
                (remove_on_fail, ttl),
                (key, says, parent, awaits_children),
            )| JobOp {
                queue,
                id,
                event,
                priority,
                lifo,
                time,
                remove_on_fail,
                key,
                ttl,
                // A job with a parent must not be dropped.
                says: says.filter(|_| parent.is_none()),
                parent,
                awaits_children,
            },
        )
        .boxed()
}

fn says() -> impl Strategy<Value = Says> {
    let mode = prop_oneof![
        any::<bool>().prop_map(|replace| SaysMode::Simple { replace }),
        (span(), any::<bool>(), any::<bool>())
            .prop_map(|(ttl, extend, replace)| SaysMode::Window { ttl, extend, replace }),
        Just(SaysMode::KeepLast),
    ];
    (saying(), mode).prop_map(|(id, mode)| Says { id, mode })
}

fn parent() -> impl Strategy<Value = ParentOp> {
    let of = prop_oneof![
        2 => Just(ParentJob::Own),
        1 => (queue(), id()).prop_map(|(queue, id)| ParentJob::Named(queue, id)),
    ];
    (of, on_fail()).prop_map(|(of, on_fail)| ParentOp { of, on_fail })
}

fn on_fail() -> impl Strategy<Value = OnChildFailure> {
    select(
        &[
            OnChildFailure::Wait,
            OnChildFailure::Fail,
            OnChildFailure::Continue,
            OnChildFailure::Ignore,
        ][..],
    )
}

/// A child of the job that the commit's lease is on.
pub(super) fn own_child() -> impl Strategy<Value = JobOp> {
    (job(), on_fail()).prop_map(|(job, on_fail)| child(job, ParentJob::Own, on_fail))
}

/// Jobs that come together to one queue, most of them plain.
pub(super) fn batch() -> impl Strategy<Value = Vec<JobOp>> {
    let each = (job(), weighted(0.8), option::weighted(0.9, group()));
    (queue(), throng(), proptest::collection::vec(each, 6)).prop_map(|(queue, ids, each)| {
        let jobs = ids.into_iter().zip(each).map(|(id, (job, is_plain, key))| {
            let job = JobOp { queue, id, key, parent: None, awaits_children: false, ..job };
            match is_plain {
                true => JobOp { priority: None, time: JobTime::Now, ttl: None, says: None, ..job },
                false => job,
            }
        });
        jobs.collect()
    })
}

/// A job that waits for children, and the children.
pub(super) fn flow() -> impl Strategy<Value = Vec<JobOp>> {
    let children = proptest::collection::vec((job(), on_fail()), 0..4);
    (job(), children).prop_map(|(root, children)| {
        let parent = || ParentJob::Named(root.queue, root.id);
        let children = children.into_iter().map(|(job, on_fail)| child(job, parent(), on_fail));
        let children: Vec<_> = children.collect();
        let root = JobOp { awaits_children: true, ..root };
        std::iter::once(root).chain(children).collect()
    })
}

fn child(job: JobOp, of: ParentJob, on_fail: OnChildFailure) -> JobOp {
    JobOp { says: None, parent: Some(ParentOp { of, on_fail }), ..job }
}
