//! Eventyard's REST API, described by the OpenAPI document that it is generated with, and the dashboard that shows it.
//!
//! [`api`] puts the endpoints of this crate and those of the caller together, behind one authentication, one set
//! of limits and one way to say what is wrong ([`Problem`]); [`serve`] answers requests until it is told to stop.
//!
//! ```no_run
//! use eventyard::{Eventyard, Queue};
//! use eventyard_admin::{ApiOptions, OpenApiRouter, api, serve};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let yard = Eventyard::in_memory().queue(Queue::new("emails")).start().await?;
//! let router = api(yard, OpenApiRouter::new(), ApiOptions::default());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! serve(listener, router, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! An endpoint of the caller takes its body, query and path with the extractors of this crate, names its role
//! with a guard, and returns `Result<_, Problem>`:
//!
//! ```
//! use eventyard_admin::{JsonBody, OpenApiRouter, OperatorOnly, Problem, routes, utoipa};
//!
//! #[derive(serde::Deserialize, utoipa::ToSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Note { text: String }
//!
//! /// Leave a note
//! #[utoipa::path(post, path = "/api/v1/notes", tag = "notes", responses((status = 204, description = "left")))]
//! async fn leave(_: OperatorOnly, JsonBody(note): JsonBody<Note>) -> Result<(), Problem> {
//!     println!("{}", note.text);
//!     Ok(())
//! }
//!
//! let extra: OpenApiRouter = OpenApiRouter::new().routes(routes!(leave));
//! ```

#![allow(unused_qualifications, reason = "what utoipa derives from `params(…)` is qualified")]

mod access;
mod api;
mod audit;
mod auth;
mod dashboard;
mod document;
mod event;
mod failed;
mod flow;
mod health;
mod job;
mod live;
mod mask;
mod problem;
mod queue;
mod replay;
mod request;
mod scan;
mod schedule;
mod serve;
mod stream;
mod whereabouts;
mod worker;

pub use api::{ApiOptions, api};
pub use audit::{Actor, Begun, Deed, forget_audit};
pub use auth::{AdminOnly, Auth, Caller, Credential, OperatorOnly, Role, ViewerOnly};
pub use mask::{InvalidMask, MASK, Masks};
pub use problem::{CODES, Code, FieldProblem, MEDIA_TYPE, Problem, TYPE_PREFIX};
pub use request::{
    DEFAULT_LIMIT, JsonBody, List, OneOrMany, OneOrManyJson, OptionalJson, Paging, PathParam,
    PathParams, PathValues, QueryParams, RawBody, listing,
};
pub use serve::{Stopping, serve};
pub use utoipa;
pub use utoipa_axum::{router::OpenApiRouter, routes};
