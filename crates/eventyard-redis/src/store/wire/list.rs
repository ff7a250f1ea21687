//! Commits in lists. Most of them add a job that has nothing but a name, data and options, or end the attempt of such a
//! job that is done. Those that follow each other are one list of what differs between them, and are applied together.

use std::collections::HashSet;

use eventyard_core::{Commit, Lease, LeaseToken, Settlement, Write};
use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    Blob, Caller, Shared, WireLease,
    job::WireJob,
    write::{WireWrite, wire_result, wire_write},
};
use crate::store::tokens;

/// The commits of some requests, in order.
#[derive(Default)]
pub(crate) struct Lists<'a>(Vec<List<'a>>);

/// A word for how its commits are applied, how many they are, and what is in them.
enum List<'a> {
    Each(Vec<WireCommit<'a>>),
    Add(Added<'a>),
    /// By one commit.
    Bulk(Added<'a>),
    Complete(Completed<'a>),
}

/// A list: the queue, the id and the token of the lease, or `false` three times; then the writes.
struct WireCommit<'a> {
    lease: Option<WireLease<'a>>,
    writes: Vec<WireWrite<'a>>,
}

/// Plain jobs that are added to one queue with the same options.
struct Added<'a> {
    queue: &'a str,
    options: usize,
    /// Of what kind their data is.
    kind: String,
    /// The id, the name and the data of each.
    jobs: Vec<Blob<'a>>,
    ids: HashSet<&'a str>,
}

/// Plain jobs of one queue that are done and are kept equally long.
struct Completed<'a> {
    queue: &'a str,
    keep: usize,
    /// The id, the token, the number of the attempt and the result of each.
    jobs: Vec<Blob<'a>>,
    tokens: HashSet<LeaseToken>,
}

impl<'a> Lists<'a> {
    /// Adds the commits of one request.
    pub(crate) fn add(
        &mut self,
        commits: impl Iterator<Item = &'a Commit>,
        caller: Caller<'_>,
        shared: &mut Shared,
    ) {
        // What goes wrong with one request is not to be told of another.
        let mut is_first = true;
        for commit in commits {
            match (&commit.lease, &*commit.writes) {
                (Some(lease), [Write::Settle(Settlement::Complete { result, keep })])
                    if tokens::is_plain(lease.token) =>
                {
                    self.complete(lease, shared.keep(*keep), wire_result(result.as_deref()));
                }
                (lease, writes) => {
                    let write = |write| wire_write(write, caller, shared);
                    let writes: Vec<_> = writes.iter().map(write).collect();
                    let lease = lease.as_ref().map(WireLease::from);
                    match Added::of(WireCommit { lease, writes }) {
                        Ok(added) => self.enqueue(added),
                        Err(commit) => self.apply(commit, is_first),
                    }
                }
            }
            is_first = false;
        }
    }

    fn apply(&mut self, commit: WireCommit<'a>, is_first: bool) {
        match self.0.last_mut() {
            Some(List::Each(commits)) if !is_first => commits.push(commit),
            _ => self.0.push(List::Each(vec![commit])),
        }
    }

    fn enqueue(&mut self, added: Added<'a>) {
        match self.0.last_mut() {
            _ if added.ids.len() > 1 => self.0.push(List::Bulk(added)),
            Some(List::Add(list)) if list.takes(&added) => {
                list.ids.extend(added.ids);
                list.jobs.extend(added.jobs);
            }
            _ => self.0.push(List::Add(added)),
        }
    }

    fn complete(&mut self, lease: &'a Lease, keep: usize, result: Blob<'a>) {
        let queue = lease.job.queue.as_str();
        let (id, token) = (lease.job.id.as_str(), lease.token.to_string());
        let job = [id.into(), token.into(), lease.attempt.to_string().into(), result];
        match self.0.last_mut() {
            Some(List::Complete(list))
                if (list.queue, list.keep) == (queue, keep)
                    && !list.tokens.contains(&lease.token) =>
            {
                list.tokens.insert(lease.token);
                list.jobs.extend(job);
            }
            _ => self.0.push(List::Complete(Completed {
                queue,
                keep,
                jobs: job.into(),
                tokens: HashSet::from([lease.token]),
            })),
        }
    }
}

impl<'a> Added<'a> {
    /// What a commit adds, if it does nothing but add plain jobs that differ in their ids, names and data alone.
    fn of(commit: WireCommit<'a>) -> Result<Self, WireCommit<'a>> {
        let (None, Some(WireWrite::Enqueue(first))) = (&commit.lease, commit.writes.first()) else {
            return Err(commit);
        };
        let (queue, options, kind) = first.has_in_common();
        let ids = commit.writes.iter().filter_map(|write| match write {
            WireWrite::Enqueue(job) if job.has_in_common() == (queue, options, kind) => {
                job.plain_id()
            }
            _ => None,
        });
        let ids: HashSet<_> = ids.collect();
        if ids.len() < commit.writes.len() {
            return Err(commit);
        }
        let kind = kind.to_owned();
        let jobs = commit.writes.into_iter().filter_map(|write| match write {
            WireWrite::Enqueue(WireJob(_, _, id, name, _, Some(data), ..)) => {
                Some([id.into(), name.into(), data])
            }
            _ => None,
        });
        Ok(Self { queue, options, kind, jobs: jobs.flatten().collect(), ids })
    }

    /// Whether jobs of another list go with those of this one.
    fn takes(&self, other: &Self) -> bool {
        (self.queue, self.options, &self.kind) == (other.queue, other.options, &other.kind)
            && self.ids.is_disjoint(&other.ids)
    }
}

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(&self.0)
    }
}

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Each(commits) => ("each", commits.len(), commits).serialize(to),
            Self::Add(Added { queue, options, kind, jobs, ids }) => {
                ("add", ids.len(), queue, options, kind, jobs).serialize(to)
            }
            Self::Bulk(Added { queue, options, kind, jobs, .. }) => {
                ("bulk", 1, queue, options, kind, jobs).serialize(to)
            }
            Self::Complete(Completed { queue, keep, jobs, tokens }) => {
                ("complete", tokens.len(), queue, keep, jobs).serialize(to)
            }
        }
    }
}

impl Serialize for WireCommit<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(3 + self.writes.len()))?;
        if let Some(WireLease { queue, id, token }) = &self.lease {
            for part in [queue, id, token.as_str()] {
                list.serialize_element(part)?;
            }
        } else {
            for _ in 0..3 {
                list.serialize_element(&false)?;
            }
        }
        for write in &self.writes {
            list.serialize_element(write)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use eventyard_core::{
        GroupKey, JobId, JobKey, JobOptions, Keep, NewJob, Payload, QueueName, Timestamp,
    };

    use super::*;

    fn queue(name: &str) -> QueueName {
        QueueName::new(name).unwrap()
    }

    fn enqueue(id: &str, options: JobOptions) -> Write {
        Write::Enqueue(NewJob {
            queue: queue("q"),
            id: JobId::new(id).unwrap(),
            name: "work".into(),
            payload: Payload::Data("{}".into()),
            options: Arc::new(options),
            awaits_children: false,
        })
    }

    fn add(id: &str) -> Commit {
        Commit::of([enqueue(id, JobOptions::default())])
    }

    fn complete(name: &str, token: u128, keep: Keep) -> Commit {
        let job = JobKey { queue: queue(name), id: JobId::new("a").unwrap() };
        let lease = Lease { job, attempt: 1, token: LeaseToken::from_u128(token) };
        Commit::under(lease, [Write::Settle(Settlement::Complete { result: None, keep })])
    }

    /// How the commits of some requests are listed: the word, and how many are in the list.
    fn check(requests: &[&[Commit]], expected: &[(&str, usize)]) {
        let caller = Caller { prefix: "bull", now: Timestamp::default() };
        let (mut lists, mut shared) = (Lists::default(), Shared::default());
        for commits in requests {
            lists.add(commits.iter(), caller, &mut shared);
        }
        let found: Vec<_> = lists
            .0
            .iter()
            .map(|list| match list {
                List::Each(commits) => ("each", commits.len()),
                List::Add(added) => ("add", added.jobs.len() / 3),
                List::Bulk(added) => ("bulk", added.jobs.len() / 3),
                List::Complete(completed) => ("complete", completed.jobs.len() / 4),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_follows_each_other_is_one_list() {
        check(&[&[add("a")], &[add("b"), add("c")]], &[("add", 3)]);
        let keep = Keep::FOREVER;
        let done = [complete("q", 1, keep), complete("q", 3, keep)];
        check(&[&done, &[complete("q", 5, keep)], &[add("a")]], &[("complete", 3), ("add", 1)]);
        check(&[&[add("a")], &done, &[add("b")]], &[("add", 1), ("complete", 2), ("add", 1)]);
    }

    #[test]
    fn what_differs_is_another_list() {
        let later = JobOptions { attempts: Some(3), ..JobOptions::default() };
        let other = Commit::of([enqueue("b", later)]);
        check(&[&[add("a"), other]], &[("add", 1), ("add", 1)]);
        check(&[&[add("a"), add("a")]], &[("add", 1), ("add", 1)]);
        let done = [(1, "q", Keep::FOREVER), (1, "q", Keep::FOREVER), (3, "r", Keep::FOREVER)];
        let done = done.map(|(token, queue, keep)| complete(queue, token, keep));
        check(&[&done], &[("complete", 1), ("complete", 1), ("complete", 1)]);
        check(
            &[&[complete("q", 1, Keep::FOREVER), complete("q", 3, Keep::count(9))]],
            &[("complete", 1), ("complete", 1)],
        );
    }

    #[test]
    fn a_commit_of_many_jobs_is_a_list_of_its_own() {
        let bulk = Commit::of(["a", "b"].map(|id| enqueue(id, JobOptions::default())));
        check(&[&[add("x"), bulk.clone(), bulk]], &[("add", 1), ("bulk", 2), ("bulk", 2)]);
        let twice = Commit::of(["a", "a"].map(|id| enqueue(id, JobOptions::default())));
        check(&[&[twice]], &[("each", 1)]);
    }

    #[test]
    fn what_is_not_plain_goes_one_by_one() {
        let key = GroupKey::new("k").ok();
        let keyed = Commit::of([enqueue("a", JobOptions { key, ..JobOptions::default() })]);
        check(&[&[keyed.clone(), keyed.clone()], &[keyed]], &[("each", 2), ("each", 1)]);
        check(&[&[add("17")]], &[("each", 1)]);
        check(&[&[complete("q", 2, Keep::FOREVER)]], &[("each", 1)]);
        check(&[&[Commit::of([])]], &[("each", 1)]);
    }
}
