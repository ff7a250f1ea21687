//! The OpenAPI document: what the endpoints say of themselves, completed with what holds for all of them.

mod refine;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::IntoResponse,
    routing::get,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, Info, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
        Response, Tag,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    audit,
    problem::{FieldProblem, MEDIA_TYPE, ProblemDocument},
};

/// Where the document is.
const PATH: &str = "/openapi.json";
/// The name of the security scheme.
const BEARER: &str = "bearer";

/// The groups of endpoints, in the order in which they are shown.
const TAGS: &[(&str, &str)] = &[
    ("events", "Publish events; read the event log."),
    ("queues", "Queues: how they stand, pausing, limiting, emptying."),
    ("jobs", "Single jobs and flows: add, look at, change, retry, promote, cancel, remove."),
    ("failed", "Dead letters of all queues: list, retry, remove."),
    ("schedules", "Jobs that are added again and again, by the calendar or at an interval."),
    ("workers", "Work on jobs from any language: claim, then settle by lease."),
    ("stream", "Hear what happens on the queues, as it happens."),
    (
        "dashboard",
        "What the dashboard needs besides: who looks, what runs here, and the audit trail.",
    ),
    ("health", "Whether the server is alive and ready. No credential is needed."),
];

/// The document without any endpoint.
pub(crate) fn base() -> OpenApi {
    let info = Info::builder()
        .title("Eventyard")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("document.md")))
        .license(Some(License::builder().name("MIT OR Apache-2.0").build()))
        .build();
    let tags = TAGS.iter().map(|(name, text)| {
        let mut tag = Tag::new(*name);
        tag.description = Some((*text).to_owned());
        tag
    });
    OpenApiBuilder::new().info(info).tags(Some(tags)).build()
}

/// Completes what the endpoints say: the answers that all of them can give, the shape of every problem, and who
/// needs a credential.
pub(crate) fn finish(mut guarded: OpenApi, mut open: OpenApi) -> OpenApi {
    for operation in operations(&mut guarded) {
        add(operation, 401, "No credential, or an unknown one.");
        add(operation, 403, "The credential's role does not allow this, or a foreign page asks.");
        let operation_id = operation.operation_id.as_deref().unwrap_or_default();
        let reason = audit::parameter(operation_id);
        operation.parameters.get_or_insert_default().extend(reason.map(RefOr::T));
        add(operation, 503, "The store cannot answer now; try again later.");
        complete(operation);
    }
    for operation in operations(&mut open) {
        operation.security = Some(Vec::new());
        complete(operation);
    }
    guarded.merge(open);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = guarded.components.get_or_insert_with(Components::new);
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for (name, schema) in [
        (ProblemDocument::name(), ProblemDocument::schema()),
        (FieldProblem::name(), FieldProblem::schema()),
    ] {
        components.schemas.insert(name.into_owned(), schema);
    }
    // The empty alternative: without credentials in the configuration, none is needed.
    guarded.security = Some(vec![
        SecurityRequirement::new(BEARER, Vec::<String>::new()),
        SecurityRequirement::default(),
    ]);
    guarded
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        [get, put, post, delete, patch].into_iter().filter_map(Option::as_mut)
    })
}

/// Adds the answers that follow from the operation's form, and gives every answer that tells of a problem its shape.
fn complete(operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    if has_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty()) {
        add(operation, 400, "The request cannot be read; the problem names the field.");
    }
    if has_body {
        add(operation, 413, "The body or the batch is too large.");
        add(operation, 415, "The body is not of a media type that is taken here.");
        add(
            operation,
            422,
            "The body can be read, but says something that cannot be; the problem names the field.",
        );
    }
    let responses = &mut operation.responses.responses;
    responses
        .entry("default".to_owned())
        .or_insert_with(|| Response::new("Any other problem.").into());
    for (status, response) in responses {
        let tells_of_problem = status == "default" || status.starts_with(['4', '5']);
        if let RefOr::T(response) = response
            && tells_of_problem
            && response.content.is_empty()
        {
            let schema = Ref::from_schema_name(ProblemDocument::name());
            let content = Content::builder().schema(Some(schema)).build();
            response.content.insert(MEDIA_TYPE.to_owned(), content.into());
        }
    }
}

fn add(operation: &mut Operation, status: u16, description: &str) {
    operation
        .responses
        .responses
        .entry(status.to_string())
        .or_insert_with(|| Response::new(description).into());
}

/// The document, and pages to read it with that need no network.
pub(crate) fn routes(document: &OpenApi) -> Router {
    let mut json = match serde_json::to_value(document) {
        Ok(json) => json,
        Err(error) => unreachable!("a document of text and numbers can be written: {error}"),
    };
    refine::schemas(&mut json);
    let json: Arc<str> = json.to_string().into();
    let answer = move || async move {
        let media_type = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, media_type)], json.to_string()).into_response()
    };
    let pages = SwaggerUi::new("/docs").config(Config::from(PATH).validator_url("none"));
    Router::new().route(PATH, get(answer)).merge(pages)
}

/// Checks that two documents do not describe different things under one name, of which one would be lost.
///
/// # Panics
/// When they do: the name has to be changed in the code.
pub(crate) fn assert_compatible(ours: &OpenApi, theirs: &OpenApi) {
    let schemas = |document: &OpenApi| document.components.clone().unwrap_or_default().schemas;
    let ours = schemas(ours);
    for (name, schema) in schemas(theirs) {
        assert!(
            ours.get(&name).is_none_or(|own| *own == schema),
            "two different schemas are called `{name}`; rename one with `#[schema(as = …)]`"
        );
    }
}
