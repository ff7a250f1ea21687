//! The endpoints of the booking notifications: what users want to be told, and what they were.

mod devices;
mod mailbox;
mod mock_events;
mod notifications;
mod preferences;
mod refusal;
#[cfg(test)]
mod tests;
mod tickets;

use eventyard::Yard;
use eventyard_admin::{
    OpenApiRouter,
    utoipa::openapi::{OpenApi, OpenApiBuilder, Tag},
};

/// The groups of endpoints.
const TAGS: [(&str, &str); 4] = [
    ("users", "What users want to be told, what they were, and on which devices."),
    ("tickets", "Support tickets: what a person has to look into."),
    ("mailbox", "Mail that was kept instead of sent."),
    (MOCK_EVENTS, "Publish booking events with sample data. For development only."),
];
const MOCK_EVENTS: &str = "mock events";

/// The endpoints on a running application; mock events for development only.
pub(crate) fn router(yard: Yard, mock_events: bool) -> OpenApiRouter {
    let router = OpenApiRouter::with_openapi(document(mock_events))
        .merge(preferences::routes())
        .merge(notifications::routes())
        .merge(devices::routes())
        .merge(tickets::routes())
        .merge(mailbox::routes());
    let router = if mock_events { router.merge(mock_events::routes()) } else { router };
    router.with_state(yard)
}

/// The document without any endpoint.
fn document(mock_events: bool) -> OpenApi {
    let tags = TAGS.into_iter().filter(|(name, _)| mock_events || *name != MOCK_EVENTS);
    let tags = tags.map(|(name, text)| {
        let mut tag = Tag::new(name);
        tag.description = Some(text.to_owned());
        tag
    });
    OpenApiBuilder::new().tags(Some(tags)).build()
}
