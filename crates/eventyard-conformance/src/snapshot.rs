//! Everything that can be seen of a store, to compare it with what was there before or is elsewhere.

use std::{collections::BTreeMap, fmt, fmt::Write as _};

use eventyard_core::{
    Event, JobState, PageAsk, QueueName, StoreError,
    inspect::{DocumentFilter, EventFilter, JobStatus},
};

use crate::{
    Fixture,
    plain::{plain_child, plain_failure},
};

/// The collections whose documents a snapshot holds.
pub(crate) const COLLECTIONS: [&str; 2] = ["things", "others"];

/// What can be seen: each fact as text under a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Snapshot {
    facts: BTreeMap<String, String>,
}

impl Snapshot {
    /// Looks at everything, and makes sure that counts, listings and single jobs agree.
    pub(crate) async fn take(f: &Fixture) -> Self {
        Self::try_take(f).await.expect("the store agrees with itself")
    }

    /// The same; says what does not agree.
    pub(crate) async fn try_take(f: &Fixture) -> Result<Self, String> {
        let mut snapshot = Self::default();
        snapshot.add_queues(f).await?;
        snapshot.add_events(f).await.map_err(text)?;
        snapshot.add_documents(f).await.map_err(text)?;
        Ok(snapshot)
    }

    /// The facts that differ, as text; nothing when there are none.
    pub(crate) fn difference(&self, other: &Self, names: [&str; 2]) -> Option<String> {
        let mut text = String::new();
        let all =
            self.facts.keys().chain(other.facts.keys().filter(|k| !self.facts.contains_key(*k)));
        for fact in all {
            let (mine, others) = (self.facts.get(fact), other.facts.get(fact));
            if mine != others {
                let show = |fact: Option<&String>| fact.map_or("nothing".to_owned(), String::clone);
                let [name, other_name] = names;
                let _ = write!(
                    text,
                    "\n{fact}:\n    {name}: {}\n    {other_name}: {}",
                    show(mine),
                    show(others)
                );
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// Makes sure that nothing changed.
    pub(crate) fn assert_same(&self, after: &Self, why: &str) {
        if let Some(difference) = self.difference(after, ["before", "after"]) {
            panic!("{why} changed something:{difference}");
        }
    }

    fn add(&mut self, name: impl Into<String>, fact: impl fmt::Debug) {
        self.facts.insert(name.into(), format!("{fact:?}"));
    }

    async fn add_queues(&mut self, f: &Fixture) -> Result<(), String> {
        let queues = f.inspect.queues().await.map_err(text)?;
        let mut finished = [Vec::new(), Vec::new()];
        for (name, status) in &queues {
            let counts: Vec<_> = status.counts.iter().filter(|(_, n)| *n > 0).collect();
            self.add(format!("queue {name}"), (&status.name, status.paused, counts));
            self.add(format!("queue {name}, limits"), &status.limits);
            let keys = f.keys(name).await;
            if !keys.is_empty() {
                self.add(format!("queue {name}, keys"), keys);
            }
            for state in JobState::ALL {
                let listed = f.walk(Some(name), state).await;
                let count = status.counts.get(state);
                if count != listed.len() as u64 {
                    let listed = listed.len();
                    return Err(format!("queue {name} counts {count} {state} and lists {listed}"));
                }
                if let JobState::Completed | JobState::Failed = state {
                    finished[usize::from(state == JobState::Failed)].extend(listed.clone());
                }
                let ids: Vec<_> = listed.iter().map(|job| job.job.id.as_str()).collect();
                if !ids.is_empty() {
                    self.add(format!("queue {name}, {state}"), ids);
                }
                for job in listed {
                    self.add_job(f, name, state, job).await?;
                }
            }
        }
        for (state, each) in [JobState::Completed, JobState::Failed].into_iter().zip(finished) {
            self.add_finished(f, state, each).await?;
        }
        Ok(())
    }

    async fn add_job(
        &mut self,
        f: &Fixture,
        queue: &QueueName,
        state: JobState,
        mut status: JobStatus,
    ) -> Result<(), String> {
        let key = status.job.key();
        let alone = f.inspect.job(&key).await.map_err(text)?;
        if alone.as_ref() != Some(&status) {
            return Err(format!("job {key} is listed as {status:?} and alone is {alone:?}"));
        }
        if (status.state, &key.queue) != (state, queue) {
            return Err(format!("job {status:?} is listed on queue {queue} among the {state}"));
        }
        let queues = f.inspect.queues_of(&key.id).await.map_err(text)?;
        if !queues.contains(queue) {
            return Err(format!("job {key} is on the queues {queues:?}"));
        }
        status.failure = status.failure.map(plain_failure);
        self.add(format!("job {key}"), status);
        self.add(format!("job {key}, attempts"), f.inspect.attempts(&key).await.map_err(text)?);
        self.add(format!("job {key}, log"), f.inspect.logs(&key).await.map_err(text)?);
        self.add(format!("job {key}, steps"), f.inspect.steps(&key).await.map_err(text)?);
        let children = f.children(&key).await;
        if !children.is_empty() {
            let children: Vec<_> = children.into_iter().map(plain_child).collect();
            self.add(format!("job {key}, children"), children);
        }
        Ok(())
    }

    async fn add_finished(
        &mut self,
        f: &Fixture,
        state: JobState,
        mut each: Vec<JobStatus>,
    ) -> Result<(), String> {
        let mut together = f.walk(None, state).await;
        self.add(format!("all {state}"), together.iter().map(|s| s.job.key()).collect::<Vec<_>>());
        each.sort_by_key(|status| status.job.key());
        together.sort_by_key(|status| status.job.key());
        if each != together {
            return Err(format!("the {state} jobs of all queues are not those of each"));
        }
        Ok(())
    }

    async fn add_events(&mut self, f: &Fixture) -> Result<(), StoreError> {
        for event in events(f, &EventFilter::default()).await? {
            let alone = f.inspect.event(&event.id).await?;
            self.add(format!("event {}", event.id), (alone.as_ref() == Some(&event), event));
        }
        for (kind, correlation) in [(None, None), (Some("order.paid"), None), (None, Some("a"))] {
            let (kind, correlation_id) = (kind.map(str::to_owned), correlation.map(str::to_owned));
            let filter = EventFilter { kind, correlation_id };
            let ids: Vec<_> = events(f, &filter).await?.into_iter().map(|e| e.id).collect();
            self.add(format!("the event log, {filter:?}"), ids);
        }
        Ok(())
    }

    async fn add_documents(&mut self, f: &Fixture) -> Result<(), StoreError> {
        for (collection, newest_first) in
            COLLECTIONS.into_iter().flat_map(|c| [(c, false), (c, true)])
        {
            let mut documents = Vec::new();
            let mut ask = PageAsk::first(3);
            loop {
                let (collection, prefix) = (collection.to_owned(), String::new());
                let filter = DocumentFilter { collection, prefix, newest_first };
                let page = f.inspect.documents(filter, ask.clone()).await?;
                documents.extend(page.items);
                if page.next.is_none() {
                    break;
                }
                ask.cursor = page.next;
            }
            self.add(format!("documents {collection}, reversed: {newest_first}"), documents);
        }
        Ok(())
    }
}

/// The log's events, as listed in small pages.
async fn events(f: &Fixture, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
    let (mut all, mut ask) = (Vec::new(), PageAsk::first(3));
    loop {
        let page = f.inspect.events(filter.clone(), ask.clone()).await?;
        all.extend(page.items);
        if page.next.is_none() {
            return Ok(all);
        }
        ask.cursor = page.next;
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn text(error: StoreError) -> String {
    format!("the store failed: {error}")
}
