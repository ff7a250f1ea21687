//! Whether the server is alive, and whether it can do its work. Neither needs a credential.

use std::time::Duration;

use axum::{Json, extract::State};
use eventyard::{
    Yard,
    model::{StoreError, StoreErrorKind},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Problem;

/// How long the store may take to answer.
const READY_TIME: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(alive)).routes(routes!(ready))
}

/// The server is alive.
#[derive(Serialize, ToSchema)]
#[schema(as = ServerAlive)]
struct Alive {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Is the server alive?
///
/// It says nothing about the store: a server whose store is gone for a moment is not to be restarted.
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It is.", body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// The server can do its work.
#[derive(Serialize, ToSchema)]
#[schema(as = ServerReady)]
struct Ready {
    /// Always `ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The store.
    #[schema(example = "sqlite")]
    store: &'static str,
    /// What an acknowledged write survives.
    #[schema(
        example = "an acknowledged event survives a crash of the process, of the system, and a power cut"
    )]
    durability: &'static str,
}

/// Can the server do its work?
///
/// It can when the store answers.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "It can.", body = Ready),
        (status = 503, description = "The store does not answer."),
    ))]
async fn ready(State(yard): State<Yard>) -> Result<Json<Ready>, Problem> {
    store_answers(&yard).await?;
    let capabilities = yard.capabilities();
    Ok(Json(Ready {
        status: "ready",
        store: capabilities.name,
        durability: capabilities.durability.describe(),
    }))
}

/// Checks that the store answers, in time.
pub(crate) async fn store_answers(yard: &Yard) -> Result<(), Problem> {
    // A read of one key, whatever is stored under it.
    let read = yard.inspect().document("eventyard", "readyz");
    tokio::time::timeout(READY_TIME, read).await.map_err(|_| {
        let message = format!("the store did not answer within {} s", READY_TIME.as_secs());
        StoreError::new(StoreErrorKind::Unavailable, message)
    })??;
    Ok(())
}
