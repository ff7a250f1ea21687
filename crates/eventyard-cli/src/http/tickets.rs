//! Support tickets.

use axum::{Json, extract::State};
use eventyard::Yard;
use eventyard_admin::{
    List, OpenApiRouter, OperatorOnly, Paging, PathParams, Problem, QueryParams, ViewerOnly,
    routes, utoipa,
};
use eventyard_notify::ticket::{self, Ticket};

use super::refusal::{page, refusal};

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(close))
}

/// List tickets
///
/// The newest first.
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", operation_id = "listTickets",
    params(Paging),
    responses((status = 200, description = "A page of tickets.", body = List<Ticket>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<List<Ticket>>, Problem> {
    let ask = paging.ask()?;
    let has_cursor = ask.cursor.is_some();
    let answer = ticket::list(&**yard.inspect(), ask).await;
    Ok(Json(List::of(page(answer, has_cursor)?, |ticket| ticket)))
}

/// Get a ticket
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets", operation_id = "getTicket",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The ticket.", body = Ticket),
        (status = 404, description = "There is no such ticket."),
    ))]
async fn get(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(id): PathParams<String>,
) -> Result<Json<Ticket>, Problem> {
    ticket::get(&**yard.inspect(), &id).await.map(Json).map_err(refusal)
}

/// Close a ticket
#[utoipa::path(post, path = "/api/v1/tickets/{id}/close", tag = "tickets", operation_id = "closeTicket",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "It is closed, now or before.", body = Ticket),
        (status = 404, description = "There is no such ticket."),
        (status = 409, description = "It is being changed by others as well; try again."),
    ))]
async fn close(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams(id): PathParams<String>,
) -> Result<Json<Ticket>, Problem> {
    ticket::close(&yard, &id).await.map(Json).map_err(refusal)
}
