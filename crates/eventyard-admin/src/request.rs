//! What the handlers take from a request. Every rejection is a [`Problem`](crate::Problem) that names the field.

mod body;
mod field;
mod page;
mod path;
mod query;

pub use body::{JsonBody, OptionalJson, RawBody};
pub use page::{DEFAULT_LIMIT, List, Paging, listing};
pub use path::PathParams;
pub use query::QueryParams;

use axum::http::Extensions;
use eventyard::model::limits::Limits;

/// The API's limits as they travel with a request; the usual ones outside of the API.
fn limits(extensions: &Extensions) -> Limits {
    extensions.get::<Limits>().copied().unwrap_or_default()
}
