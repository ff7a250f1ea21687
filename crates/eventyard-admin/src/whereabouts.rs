//! What a page has to know before it shows anything: who looks, and at what.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use eventyard::Yard;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Auth, Code, Problem, Role, ViewerOnly, health};

/// What this API has besides its own endpoints, as a page has to know it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) mailbox: bool,
    pub(crate) masks: usize,
}

pub(crate) fn routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(status))
}

pub(crate) fn open_routes() -> OpenApiRouter<Yard> {
    OpenApiRouter::default().routes(routes!(me))
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Me {
    /// Whether a credential is asked for at all.
    credential_needed: bool,
    /// The caller; null when the credential is missing or not known.
    #[schema(required = true)]
    caller: Option<CallerView>,
}

/// A caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Caller)]
struct CallerView {
    /// The name of the credential.
    #[schema(example = "ada")]
    name: String,
    role: RoleName,
}

/// What a credential allows.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Role)]
enum RoleName {
    Viewer,
    Operator,
    Admin,
}

/// Who am I?
///
/// Answers without a credential too: that none is known here is an answer as well.
#[utoipa::path(get, path = "/api/v1/me", tag = "dashboard", operation_id = "getMe",
    responses((status = 200, description = "Who asks, and whether a credential is needed.", body = Me)))]
async fn me(
    headers: HeaderMap,
    auth: Option<axum::Extension<Arc<Auth>>>,
) -> Result<Json<Me>, Problem> {
    let axum::Extension(auth) = auth
        .ok_or_else(|| Problem::of(Code::INTERNAL, "this address is mounted outside of the API"))?;
    let caller = auth.identify(&headers).ok().map(|caller| CallerView {
        name: caller.name.to_string(),
        role: match caller.role {
            Role::Viewer => RoleName::Viewer,
            Role::Operator => RoleName::Operator,
            Role::Admin => RoleName::Admin,
        },
    });
    Ok(Json(Me { credential_needed: !auth.is_open(), caller }))
}

/// What runs here.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ServerStatus {
    /// The version of the server.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The source of the events that it publishes.
    #[schema(example = "eventyard")]
    source: String,
    /// The store.
    #[schema(example = "sqlite")]
    store: &'static str,
    /// Whether the store answers.
    store_answers: bool,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// The level of durability, as `system-crash`.
    #[schema(value_type = String, example = "system-crash")]
    durability: eventyard::model::Durability,
    /// The same as a sentence.
    #[schema(
        example = "an acknowledged event survives a crash of the process, of the system, and a power cut"
    )]
    durability_text: &'static str,
    /// The transports, and whether each reaches its broker.
    transports: Vec<TransportView>,
    /// Whether mails are kept in a mailbox here.
    mailbox: bool,
    /// How many paths of payloads are masked.
    #[schema(example = 2)]
    masks: usize,
}

/// A transport as it does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransportState)]
struct TransportView {
    /// Its name in the configuration.
    #[schema(example = "redis")]
    name: String,
    /// What it is.
    #[schema(example = "redis-streams")]
    kind: &'static str,
    /// Whether the broker is reached.
    connected: bool,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What runs here?
///
/// The store with its level of durability, and whether it answers now; the transports, and whether they reach their brokers.
#[utoipa::path(get, path = "/api/v1/status", tag = "dashboard", operation_id = "getStatus",
    responses((status = 200, description = "What runs here, and how it does.", body = ServerStatus)))]
async fn status(
    _: ViewerOnly,
    State(yard): State<Yard>,
    parts: Option<axum::Extension<Parts>>,
) -> Json<ServerStatus> {
    let axum::Extension(Parts { mailbox, masks }) = parts.unwrap_or_default();
    let problem = health::store_answers(&yard).await.err();
    let capabilities = yard.capabilities();
    let transports = yard.transports().await.into_iter().map(|report| TransportView {
        name: report.name,
        kind: report.kind,
        connected: report.status.connected,
        problem: report.status.problem,
    });
    Json(ServerStatus {
        version: env!("CARGO_PKG_VERSION"),
        source: yard.source().to_owned(),
        store: capabilities.name,
        store_answers: problem.is_none(),
        problem: problem.map(|problem| problem.detail().to_owned()),
        durability: capabilities.durability,
        durability_text: capabilities.durability.describe(),
        transports: transports.collect(),
        mailbox,
        masks,
    })
}
