//! A user's devices: where push notifications go.

use axum::{Json, extract::State, http::StatusCode};
use eventyard::Yard;
use eventyard_admin::{
    JsonBody, List, OpenApiRouter, OperatorOnly, PathParams, Problem, ViewerOnly, routes, utoipa,
};
use eventyard_notify::push::device::{self, DeviceInfo, Registration};

use super::refusal::refusal;

pub(super) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::new().routes(routes!(list, register)).routes(routes!(get, remove))
}

/// List a user's devices
///
/// Their tokens are not told.
#[utoipa::path(get, path = "/api/v1/users/{userId}/devices", tag = "users", operation_id = "listDevices",
    params(("userId" = String, Path, max_length = 256)),
    responses((status = 200, description = "All devices.", body = List<DeviceInfo>)))]
async fn list(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
) -> Result<Json<List<DeviceInfo>>, Problem> {
    let devices = device::list(&**yard.inspect(), &user).await.map_err(refusal)?;
    Ok(Json(List::whole(devices)))
}

/// Register a device
///
/// A token that was registered before is the same device. It leaves another user who had it.
#[utoipa::path(put, path = "/api/v1/users/{userId}/devices", tag = "users", operation_id = "registerDevice",
    params(("userId" = String, Path, max_length = 256)),
    request_body = Registration,
    responses(
        (status = 200, description = "It is registered.", body = DeviceInfo),
        (status = 409, description = "It is being registered by others as well; try again."),
    ))]
async fn register(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams(user): PathParams<String>,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<Json<DeviceInfo>, Problem> {
    device::register(&yard, &user, &registration).await.map(Json).map_err(refusal)
}

/// Get a device
#[utoipa::path(get, path = "/api/v1/users/{userId}/devices/{deviceId}", tag = "users", operation_id = "getDevice",
    params(("userId" = String, Path, max_length = 256), ("deviceId" = String, Path)),
    responses(
        (status = 200, description = "The device, without its token.", body = DeviceInfo),
        (status = 404, description = "The user has no such device."),
    ))]
async fn get(
    _: ViewerOnly,
    State(yard): State<Yard>,
    PathParams((user, id)): PathParams<(String, String)>,
) -> Result<Json<DeviceInfo>, Problem> {
    device::get(&**yard.inspect(), &user, &id).await.map(Json).map_err(refusal)
}

/// Remove a device
#[utoipa::path(delete, path = "/api/v1/users/{userId}/devices/{deviceId}", tag = "users", operation_id = "removeDevice",
    params(("userId" = String, Path, max_length = 256), ("deviceId" = String, Path)),
    responses(
        (status = 204, description = "It gets no push any more."),
        (status = 404, description = "The user has no such device."),
    ))]
async fn remove(
    _: OperatorOnly,
    State(yard): State<Yard>,
    PathParams((user, id)): PathParams<(String, String)>,
) -> Result<StatusCode, Problem> {
    device::remove(&yard, &user, &id).await.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}
