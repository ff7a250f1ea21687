//! Looking at schedules and steering them.

use std::collections::BTreeSet;

use eventyard_core::{
    Commit, CommitError, Enqueued, JobId, Page, Timestamp, Write,
    inspect::{DocumentFilter, PageAsk},
};

use super::{
    COLLECTION, Schedule, Status,
    check::{check, fault},
    entry::{Entry, Plan},
    task::{job_id, read},
};
use crate::{Error, FieldError, Yard, bus::Bus};

/// How often a change is tried again when another one was faster.
const TRIES: usize = 10;

impl Yard {
    /// Adds a schedule, or replaces the one of its name. One that is due at the same times keeps its next run, and
    /// one that changes nothing is left as it is.
    ///
    /// # Errors
    /// [`Error::InvalidSchedule`] names the field that is wrong; otherwise when the store cannot take it.
    pub async fn upsert_schedule(&self, schedule: Schedule) -> Result<Status, Error> {
        let mut all = self.upsert_schedules(vec![schedule]).await?;
        all.pop().ok_or_else(Error::closed)
    }

    /// Adds or replaces several schedules together: all of them or none. Their names must differ.
    ///
    /// # Errors
    /// As for [`upsert_schedule`](Yard::upsert_schedule).
    pub async fn upsert_schedules(&self, schedules: Vec<Schedule>) -> Result<Vec<Status>, Error> {
        let wanted = self.plans(schedules).map_err(Error::InvalidSchedule)?;
        let names: Vec<String> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let edit = |n: usize, found: Result<Option<Entry>, Error>, now| {
            let Wanted { plan, paused, .. } = &wanted[n];
            let edited = match found {
                Ok(Some(entry)) => entry.amended(plan.clone(), *paused, now),
                // What cannot be read is replaced.
                Ok(None) | Err(_) => Entry::new(plan.clone(), paused.unwrap_or(false), now)
                    .map(|entry| (entry, true)),
            };
            edited.map_err(Error::InvalidSchedule)
        };
        change(self.bus(), &names, edit).await
    }

    /// A schedule with where it stands; none when there is none of this name.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn schedule(&self, name: &str) -> Result<Option<Status>, Error> {
        let found = read(self.bus(), name).await?;
        Ok(found.map(|(entry, _)| entry.into_status(name)))
    }

    /// The schedules in the order of their names.
    ///
    /// # Errors
    /// When the store cannot answer, or the cursor is not one of this listing.
    pub async fn schedules(&self, page: PageAsk) -> Result<Page<Status>, Error> {
        let page = self.inspect().documents(every_one(), page).await?;
        let status = |document| Ok(Entry::read(&document)?.into_status(&document.key));
        let items = page.items.into_iter().map(status).collect::<Result<_, Error>>()?;
        Ok(Page { items, next: page.next })
    }

    /// Stops a schedule from adding jobs. The times that pass until it goes on are not missed: they are none.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`]; otherwise when the store cannot take it.
    pub async fn pause_schedule(&self, name: &str) -> Result<Status, Error> {
        self.set_paused(name, true).await
    }

    /// Lets a schedule go on with the next time that it is due.
    ///
    /// # Errors
    /// As for [`pause_schedule`](Yard::pause_schedule).
    pub async fn resume_schedule(&self, name: &str) -> Result<Status, Error> {
        self.set_paused(name, false).await
    }

    /// Adds the job of a schedule at once, paused or not, with an id of its own. What is next stays next.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`]; otherwise as for [`enqueue`](Yard::enqueue).
    pub async fn run_schedule(&self, name: &str) -> Result<Enqueued, Error> {
        let found = read(self.bus(), name).await?;
        let (entry, _) = found.ok_or_else(|| Error::NoSuchSchedule(name.to_owned()))?;
        let id = job_id(format!("schedule:{name}:run:{}", JobId::generate()))?;
        self.enqueue(entry.plan.job(id)).await
    }

    /// Removes a schedule. The jobs that it has added stay.
    ///
    /// # Errors
    /// [`Error::NoSuchSchedule`]; otherwise when the store cannot take it.
    pub async fn remove_schedule(&self, name: &str) -> Result<(), Error> {
        if self.inspect().document(COLLECTION, name).await?.is_none() {
            return Err(Error::NoSuchSchedule(name.to_owned()));
        }
        let (collection, key) = (COLLECTION.to_owned(), name.to_owned());
        self.commit(Commit::of([Write::Delete { collection, key }])).await?;
        self.bus().schedules.ring([name.to_owned()]);
        Ok(())
    }

    async fn set_paused(&self, name: &str, paused: bool) -> Result<Status, Error> {
        let edit = |_, found: Result<Option<Entry>, Error>, now| {
            let entry = found?.ok_or_else(|| Error::NoSuchSchedule(name.to_owned()))?;
            let plan = entry.plan.clone();
            entry.amended(plan, Some(paused), now).map_err(Error::InvalidSchedule)
        };
        let mut all = change(self.bus(), &[name.to_owned()], edit).await?;
        all.pop().ok_or_else(Error::closed)
    }

    fn plans(&self, schedules: Vec<Schedule>) -> Result<Vec<Wanted>, FieldError> {
        let mut names = BTreeSet::new();
        let plan = |schedule: Schedule| {
            let queues = &self.bus().queues;
            check(&schedule, |queue| queues.get(queue).map(|declared| &*declared.defaults))?;
            let (name, paused) = (schedule.name.clone(), schedule.paused);
            if !names.insert(name.clone()) {
                return Err(fault("name", format!("`{name}` is used twice; names must differ")));
            }
            Ok(Wanted { name, paused, plan: Plan::of(schedule)? })
        };
        schedules.into_iter().map(plan).collect()
    }
}

/// A schedule that is to be.
struct Wanted {
    name: String,
    paused: Option<bool>,
    plan: Plan,
}

/// All schedules, by name.
pub(super) fn every_one() -> DocumentFilter {
    let collection = COLLECTION.to_owned();
    DocumentFilter { collection, prefix: String::new(), newest_first: false }
}

/// Changes schedules together. `edit` says, for the n-th of `names`, what it is then and whether that is a change.
async fn change(
    bus: &Bus,
    names: &[String],
    edit: impl Fn(usize, Result<Option<Entry>, Error>, Timestamp) -> Result<(Entry, bool), Error>,
) -> Result<Vec<Status>, Error> {
    let mut tries = 0;
    loop {
        let now = bus.clock.now();
        let (mut writes, mut changed, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for (n, name) in names.iter().enumerate() {
            let document = bus.inspect.document(COLLECTION, name).await?;
            let found = document.as_ref().map(Entry::read).transpose();
            let (entry, is_changed) = edit(n, found, now)?;
            if is_changed {
                writes.push(entry.write(name, document.map_or(0, |document| document.version))?);
                changed.push(name.clone());
            }
            all.push(entry.into_status(name));
        }
        if writes.is_empty() {
            return Ok(all);
        }
        tries += 1;
        match bus.commit(Commit::of(writes)).await {
            Ok(_) => {
                bus.schedules.ring(changed);
                return Ok(all);
            }
            Err(Error::Commit(CommitError::VersionConflict { .. })) if tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}
