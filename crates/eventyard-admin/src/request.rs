//! What the handlers take from a request. Every rejection is a [`Problem`](crate::Problem) that names the field.

mod batch;
mod body;
mod field;
mod identifier;
mod object;
mod page;
mod path;
mod query;
mod whole;

pub use batch::{OneOrMany, OneOrManyJson};
pub(crate) use batch::{check_length, is_list};
pub(crate) use body::check_text;
pub use body::{JsonBody, OptionalJson, RawBody};
pub(crate) use identifier::{
    EventPath, EventText, FailedPath, JobPath, JobText, KeyPath, KeyText, LeasePath, QueuePath,
    QueueText, SchedulePath, ScheduleText, StepText, Text, WorkerText,
};
pub(crate) use object::{Object, object};
pub use page::{DEFAULT_LIMIT, List, Paging, listing};
pub use path::{PathParam, PathParams, PathValues};
pub use query::QueryParams;
pub(crate) use whole::{MAX_SAFE, check};

use axum::http::Extensions;
use eventyard::model::limits::Limits;

/// The API's limits as they travel with a request; the usual ones outside of the API.
pub(crate) fn limits(extensions: &Extensions) -> Limits {
    extensions.get::<Limits>().copied().unwrap_or_default()
}
