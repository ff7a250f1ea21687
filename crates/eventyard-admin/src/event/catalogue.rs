//! The catalogue of event types.

use axum::{Json, extract::State};
use eventyard::Yard;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{List, Problem, ViewerOnly};

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(list))
}

/// An event type that is known.
#[derive(Debug, Serialize, ToSchema)]
struct EventType {
    /// The type.
    #[schema(example = "booking.created")]
    r#type: String,
    /// The version of the shape of its data.
    #[schema(example = 1)]
    version: u32,
    /// The JSON Schema that its data must meet; null when it may be anything.
    #[schema(value_type = Option<Object>, required = true)]
    schema: Option<Value>,
}

/// List the known event types
///
/// An event of one of these types must meet its schema. Events of other types pass unchecked.
#[utoipa::path(get, path = "/api/v1/event-types", tag = "events", operation_id = "listEventTypes",
    responses((status = 200, description = "Every type, by name.", body = List<EventType>)))]
async fn list(_: ViewerOnly, State(yard): State<Yard>) -> Result<Json<List<EventType>>, Problem> {
    let items = yard.catalogue().iter().map(|info| EventType {
        r#type: info.kind.clone(),
        version: info.version,
        schema: info.schema.clone(),
    });
    Ok(Json(List::whole(items.collect())))
}
