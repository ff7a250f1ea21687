//! Jobs over HTTP.

mod add;
mod list;
mod one;
mod options;
mod view;

pub(crate) use one::JobRef;
pub(crate) use options::Options;
pub(crate) use view::{JobView, Reason, State};

use eventyard::Yard;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    list::routes().merge(add::routes()).merge(one::routes())
}
