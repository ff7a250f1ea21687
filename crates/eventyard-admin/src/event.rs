//! Events over HTTP.

mod catalogue;
mod list;
mod plain;
mod publish;
mod search;
mod tree;
mod view;

pub(crate) use view::Attributes;

use eventyard::Yard;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    publish::routes().merge(list::routes()).merge(tree::routes()).merge(catalogue::routes())
}
