//! Jobs over HTTP.

mod add;
mod cancel;
mod change;
mod children;
mod list;
mod one;
mod options;
mod search;
mod view;

pub(crate) use add::{Added, bytes, check};
pub(crate) use one::JobRef;
pub(crate) use options::{OnFail, Options, check as check_options};
pub(crate) use search::{Filter, Instant};
pub(crate) use view::{JobView, Reason, State, Step, json_or_text};

use eventyard::Yard;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    list::routes()
        .merge(add::routes())
        .merge(one::routes())
        .merge(change::routes())
        .merge(cancel::routes())
        .merge(children::routes())
}
