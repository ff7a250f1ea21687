//! The mailbox: mail that was kept instead of sent.

use axum::{Json, extract::State};
use eventyard::Yard;
use eventyard_admin::{
    Actor, AdminOnly, Deed, List, OpenApiRouter, Paging, Problem, QueryParams, ViewerOnly, routes,
    utoipa::{self, ToSchema},
};
use eventyard_notify::mail::{self, Kept};
use serde::Serialize;

use super::refusal::{page, refusal};

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(list, empty))
}

/// List the mails in the mailbox
///
/// The newest first. Mail that was sent to a mail server is not here.
#[utoipa::path(get, path = "/api/v1/mailbox", tag = "mailbox", operation_id = "listMails",
    params(Paging),
    responses((status = 200, description = "A page of mails.", body = List<Kept>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<List<Kept>>, Problem> {
    let ask = paging.ask()?;
    let has_cursor = ask.cursor.is_some();
    let answer = mail::list(&**yard.inspect(), ask).await;
    Ok(Json(List::of(page(answer, has_cursor)?, |mail| mail)))
}

/// How many mails were removed.
#[derive(Debug, Serialize, ToSchema)]
struct Emptied {
    /// The mails.
    removed: u64,
}

/// Empty the mailbox
#[utoipa::path(delete, path = "/api/v1/mailbox", tag = "mailbox", operation_id = "emptyMailbox",
    responses((status = 200, description = "It is empty.", body = Emptied)))]
async fn empty(
    _: AdminOnly,
    State(yard): State<Yard>,
    actor: Actor,
) -> Result<Json<Emptied>, Problem> {
    let begun = actor.begin(&yard, Deed::new("mailbox.empty")).await?;
    let removed = mail::empty(&yard).await.map_err(refusal)?;
    begun.end(&yard, removed).await;
    Ok(Json(Emptied { removed }))
}
