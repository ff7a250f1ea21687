//! Listings of jobs by state.

use std::cmp::Ordering;

use eventyard_core::{JobState, Page, PageAsk, QueueName, StoreError, inspect::JobStatus};

use super::{
    Reader, ask,
    cursor::{self, Place},
};

/// A job in a listing: its id, its score or number, and its key.
type Row = (String, String, String);

/// The part of a listing that one queue has.
struct Part {
    places: Vec<Place>,
    /// Where to go on if not all lanes were looked at.
    resume: Option<Place>,
}

impl Reader {
    /// The jobs of a queue, or of all, in a state.
    pub(super) async fn jobs_page(
        &self,
        queue: Option<&QueueName>,
        state: JobState,
        page: &PageAsk,
    ) -> Result<Page<JobStatus>, StoreError> {
        let after = cursor::of_jobs(page, state)?;
        let (places, next) = match queue {
            Some(queue) => {
                let part = self.part(queue, state, after.as_ref(), page.limit() + 1).await?;
                cut(part.places, page.limit(), part.resume)
            }
            None if is_newest_first(state) => self.merged(state, after.as_ref(), page).await?,
            None => self.one_by_one(state, after.as_ref(), page).await?,
        };
        let items = self.statuses(&places, state).await?;
        Ok(Page { items, next: next.map(|place| cursor::to_job(state, &place)) })
    }

    /// The finished jobs of all queues, the newest first.
    async fn merged(
        &self,
        state: JobState,
        after: Option<&Place>,
        page: &PageAsk,
    ) -> Result<(Vec<Place>, Option<Place>), StoreError> {
        let queues = self.queue_names().await?;
        let parts = queues.iter().map(|queue| self.part(queue, state, after, page.limit() + 1));
        let parts = futures_util::future::try_join_all(parts).await?;
        let mut places: Vec<_> = parts.into_iter().flat_map(|part| part.places).collect();
        places.sort_by(|a, b| compare(b, a));
        Ok(cut(places, page.limit(), None))
    }

    /// The jobs of all queues, queue by queue.
    async fn one_by_one(
        &self,
        state: JobState,
        after: Option<&Place>,
        page: &PageAsk,
    ) -> Result<(Vec<Place>, Option<Place>), StoreError> {
        let mut places = Vec::new();
        for queue in self.queue_names().await? {
            let begins = after.map_or("", |place| &*place.queue);
            if queue.as_str() < begins {
                continue;
            }
            let after = after.filter(|place| place.queue == queue.as_str());
            let most = page.limit() + 1 - places.len();
            let part = self.part(&queue, state, after, most).await?;
            places.extend(part.places);
            if places.len() > page.limit() || part.resume.is_some() {
                return Ok(cut(places, page.limit(), part.resume));
            }
        }
        Ok((places, None))
    }

    /// Up to `most` jobs of a queue after a place.
    async fn part(
        &self,
        queue: &QueueName,
        state: JobState,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Part, StoreError> {
        let key = self.queue_key(queue);
        let mut arguments =
            vec![key.clone(), self.own_queue_key(queue), state.to_string(), most.to_string()];
        if let Some(Place { queue: of, key, number, id, index }) = after {
            // Jobs of one score follow each other by queue, then by id.
            let others = match (**of).cmp(queue.as_str()) {
                Ordering::Equal if number == LANE_IS_OVER => "none",
                Ordering::Equal => "after",
                Ordering::Less => "none",
                Ordering::Greater => "all",
            };
            let rest = [key.clone(), number.clone(), id.clone(), index.to_string()];
            arguments.extend(rest);
            arguments.push(others.to_owned());
        }
        let meta = format!("{key}meta");
        let (rows, first, last): (Vec<Row>, usize, Option<String>) =
            self.ask(&ask::PAGE, &meta, &arguments).await?;
        let place = |(index, (id, number, key)): (usize, Row)| Place {
            queue: queue.to_string(),
            key,
            number,
            id,
            index: first + index,
        };
        let places = rows.into_iter().enumerate().map(place).collect();
        let resume = last.map(|key| Place {
            queue: queue.to_string(),
            key,
            number: LANE_IS_OVER.to_owned(),
            id: String::new(),
            index: 0,
        });
        Ok(Part { places, resume })
    }

    /// The jobs at these places that are still there and in the state.
    async fn statuses(
        &self,
        places: &[Place],
        state: JobState,
    ) -> Result<Vec<JobStatus>, StoreError> {
        let mut statuses = Vec::with_capacity(places.len());
        for same in places.chunk_by(|a, b| a.queue == b.queue) {
            // An id that is none can only be a foreign hand's.
            let Ok(queue) = QueueName::new(&same[0].queue) else { continue };
            let ids: Vec<_> = same.iter().map(|place| &*place.id).collect();
            let found = self.read_jobs(&queue, &ids).await?;
            statuses.extend(found.into_iter().flatten().map(|found| found.status));
        }
        statuses.retain(|status| status.state == state);
        Ok(statuses)
    }
}

/// The number of a place behind all jobs of a lane.
const LANE_IS_OVER: &str = "+inf";

/// Whether the listing of a state begins with what came last.
const fn is_newest_first(state: JobState) -> bool {
    matches!(state, JobState::Completed | JobState::Failed)
}

fn compare(a: &Place, b: &Place) -> Ordering {
    let score = |place: &Place| place.number.parse::<f64>().unwrap_or(0.0);
    let rest = |place: &Place| (place.queue.clone(), place.id.clone());
    score(a).total_cmp(&score(b)).then_with(|| rest(a).cmp(&rest(b)))
}

/// The places of one page, and where the next one begins.
fn cut(mut places: Vec<Place>, limit: usize, resume: Option<Place>) -> (Vec<Place>, Option<Place>) {
    let more = places.len() > limit;
    places.truncate(limit);
    let next = if more { places.last().cloned() } else { resume };
    (places, next)
}
