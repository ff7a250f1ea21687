//! Support tickets: what a person has to look into.

use eventyard::{
    Yard,
    model::{Inspect, Page, PageAsk, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    document::{self, Collection, Stored, TRIES},
};

pub(crate) const TICKETS: Collection<Ticket> = Collection::new("tickets");

/// How urgent a ticket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TicketPriority))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Money is at stake.
    High,
    /// Everything else.
    Normal,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TicketStatus))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Somebody is to look into it.
    Open,
    /// Somebody has.
    Closed,
}

/// One ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its id, which is the event's if that is a UUID of version 7; later tickets have larger ids.
    pub id: String,
    /// One line.
    pub subject: String,
    /// All that is known.
    pub description: String,
    /// The user it concerns.
    pub user_id: String,
    /// Where the user can be written to.
    pub user_email: String,
    /// The booking it concerns.
    pub booking_id: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub status: Status,
    /// When it was opened.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub closed_at: Option<Timestamp>,
    /// The event that it was opened for.
    pub event_id: String,
}

/// A page of the tickets, newest first.
///
/// # Errors
/// When the store cannot answer, or the cursor is not one of this listing.
pub async fn list(inspect: &dyn Inspect, page: PageAsk) -> Result<Page<Ticket>, Error> {
    TICKETS.newest(inspect, String::new(), page).await.map(document::values)
}

/// One ticket.
///
/// # Errors
/// When there is none, or the store cannot answer.
pub async fn get(inspect: &dyn Inspect, id: &str) -> Result<Ticket, Error> {
    find(inspect, id).await.map(|stored| stored.value)
}

/// Closes a ticket, unless it is closed already; returns it.
///
/// # Errors
/// When there is none, or the store cannot take it.
pub async fn close(yard: &Yard, id: &str) -> Result<Ticket, Error> {
    for _ in 0..TRIES {
        let Stored { key, mut value, version } = find(&**yard.inspect(), id).await?;
        if value.status == Status::Closed {
            return Ok(value);
        }
        value.status = Status::Closed;
        value.closed_at = Some(yard.clock().now());
        let write = TICKETS.put(&key, &value, Some(version))?;
        if document::apply(yard, vec![write]).await? {
            return Ok(value);
        }
    }
    Err(Error::Busy { what: "ticket", id: id.to_owned() })
}

async fn find(inspect: &dyn Inspect, id: &str) -> Result<Stored<Ticket>, Error> {
    let found = TICKETS.get(inspect, id).await?;
    found.ok_or_else(|| Error::NotFound { what: "ticket", id: id.to_owned() })
}
