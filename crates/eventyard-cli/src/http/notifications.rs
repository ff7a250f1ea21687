//! A user's notifications in the application.

use axum::{Json, extract::State};
use eventyard::Yard;
use eventyard_admin::{
    List, OpenApiRouter, OperatorOnly, Paging, PathParams, Problem, QueryParams, ViewerOnly,
    routes,
    utoipa::{self, ToSchema},
};
use eventyard_notify::notification::{self, Notification};
use serde::{Deserialize, Serialize};

use super::refusal::{page, refusal};

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read)).routes(routes!(read_all))
}

/// Which notifications are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that the user has not read: `unread=true`, or `unread` alone.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = bool, required = false)]
    unread: bool,
    /// The most items, 50 unless said otherwise.
    #[param(minimum = 1, maximum = 1000, example = 50)]
    limit: Option<usize>,
    /// The `next` of the page before; without it, the first page.
    cursor: Option<String>,
}

fn flag<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match String::deserialize(from)?.as_str() {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        other => Err(serde::de::Error::custom(format!(
            "`{}` is not true or false",
            other.escape_debug()
        ))),
    }
}

/// List a user's notifications
///
/// The newest first. A page of unread ones may hold fewer than asked for although more follow.
#[utoipa::path(get, path = "/api/v1/users/{userId}/notifications", tag = "users", operation_id = "listNotifications",
    params(("userId" = String, Path, max_length = 256), Which),
    responses((status = 200, description = "A page of notifications.", body = List<Notification>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
    QueryParams(Which { unread, limit, cursor }): QueryParams<Which>,
) -> Result<Json<List<Notification>>, Problem> {
    let ask = Paging { limit, cursor }.ask()?;
    let has_cursor = ask.cursor.is_some();
    let answer = notification::list(&**yard.inspect(), &user, unread, ask).await;
    Ok(Json(List::of(page(answer, has_cursor)?, |notification| notification)))
}

/// Mark a notification as read
#[utoipa::path(post, path = "/api/v1/users/{userId}/notifications/{id}/read", tag = "users", operation_id = "readNotification",
    params(("userId" = String, Path, max_length = 256), ("id" = String, Path)),
    responses(
        (status = 200, description = "The user has read it, now or before.", body = Notification),
        (status = 404, description = "The user has no such notification."),
    ))]
async fn read(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams((user, id)): PathParams<(String, String)>,
) -> Result<Json<Notification>, Problem> {
    notification::mark_read(&yard, &user, &id).await.map(Json).map_err(refusal)
}

/// How many notifications were marked.
#[derive(Debug, Serialize, ToSchema)]
struct Marked {
    /// Those that the user had not read before.
    marked: u64,
}

/// Mark all of a user's notifications as read
#[utoipa::path(post, path = "/api/v1/users/{userId}/notifications/read-all", tag = "users", operation_id = "readAllNotifications",
    params(("userId" = String, Path, max_length = 256)),
    responses((status = 200, description = "The user has read them all.", body = Marked)))]
async fn read_all(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
) -> Result<Json<Marked>, Problem> {
    let marked = notification::mark_all_read(&yard, &user).await.map_err(refusal)?;
    Ok(Json(Marked { marked }))
}
