//! What a user wants to be told.

use axum::{Json, extract::State};
use eventyard::Yard;
use eventyard_admin::{
    JsonBody, OpenApiRouter, OperatorOnly, PathParams, Problem, ViewerOnly, routes, utoipa,
};
use eventyard_notify::preferences::{self, Preferences};

use super::refusal::refusal;

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(get, put))
}

/// Get a user's preferences
///
/// What was never set is on.
#[utoipa::path(get, path = "/api/v1/users/{userId}/preferences", tag = "users", operation_id = "getPreferences",
    params(("userId" = String, Path, max_length = 256)),
    responses((status = 200, description = "The user's preferences.", body = Preferences)))]
async fn get(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
) -> Result<Json<Preferences>, Problem> {
    preferences::get(&**yard.inspect(), &user).await.map(Json).map_err(refusal)
}

/// Set a user's preferences
///
/// What is left out is on.
#[utoipa::path(put, path = "/api/v1/users/{userId}/preferences", tag = "users", operation_id = "putPreferences",
    params(("userId" = String, Path, max_length = 256)),
    request_body = Preferences,
    responses((status = 200, description = "They hold from the next event on.", body = Preferences)))]
async fn put(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
    JsonBody(wishes): JsonBody<Preferences>,
) -> Result<Json<Preferences>, Problem> {
    preferences::put(&yard, &user, &wishes).await.map_err(refusal)?;
    Ok(Json(wishes))
}
