//! Which features a sequence knows.
//!
//! What a sequence does not know is taken out of its operations, so that a failure is shown with as few
//! features as it needs, and that sequences without any stay frequent.

use proptest::prelude::{Strategy, any};

use super::{
    job::JobOp,
    op::{CommitOp, Op},
    write::{SettleOp, WriteOp},
};

/// The features that a sequence knows besides the plain ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flavour {
    /// Keys and limits.
    keys: bool,
    /// Parents and children.
    flows: bool,
    /// Times to live and deduplication.
    terms: bool,
}

/// Each feature in half of the sequences, keys in none if not `with_keys`.
pub(super) fn flavour(with_keys: bool) -> impl Strategy<Value = Flavour> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(move |(keys, flows, terms)| Flavour {
        keys: keys && with_keys,
        flows,
        terms,
    })
}

impl Flavour {
    /// The operation without what the sequence does not know.
    pub(super) fn plain(self, op: Op) -> Op {
        let Op::Commit(commits) = op else { return op };
        let commits = commits.into_iter().map(|CommitOp { lease, writes }| {
            let writes = writes.into_iter().filter_map(|write| self.write(write));
            CommitOp { lease, writes: writes.collect() }
        });
        Op::Commit(commits.collect())
    }

    fn write(self, write: WriteOp) -> Option<WriteOp> {
        match write {
            WriteOp::Limit(..) | WriteOp::PauseKey(..) if !self.keys => None,
            WriteOp::Settle(SettleOp::AwaitChildren) if !self.flows => {
                Some(WriteOp::Settle(SettleOp::Release))
            }
            WriteOp::Enqueue(job) => Some(WriteOp::Enqueue(self.job(job))),
            WriteOp::Publish { event, jobs } => {
                let jobs = jobs.into_iter().map(|job| self.job(job)).collect();
                Some(WriteOp::Publish { event, jobs })
            }
            other => Some(other),
        }
    }

    fn job(self, job: JobOp) -> JobOp {
        JobOp {
            key: job.key.filter(|_| self.keys),
            parent: job.parent.filter(|_| self.flows),
            awaits_children: job.awaits_children && self.flows,
            ttl: job.ttl.filter(|_| self.terms),
            says: job.says.filter(|_| self.terms),
            ..job
        }
    }
}
