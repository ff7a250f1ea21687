//! Notifications in the application: what a user finds in the inbox there.

use eventyard::{
    Yard,
    model::{Inspect, Page, PageAsk, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error,
    document::{self, Collection, Stored, TRIES},
    key,
};

/// The most notifications that one request looks at to find unread ones.
const MAX_SCAN: usize = 2000;
/// How many notifications one commit of marking takes.
const BATCH: usize = 100;

pub(crate) const NOTIFICATIONS: Collection<Notification> = Collection::new("notifications");

/// One notification to one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id; later ones have larger ids.
    pub id: String,
    /// The user.
    pub user_id: String,
    /// What it is about: the event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub title: String,
    /// A few more.
    pub body: String,
    /// The event's data.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Map<String, Value>,
    /// When it was written.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When the user read it; null until then.
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = Option<String>, format = DateTime, required = true)
    )]
    pub read_at: Option<Timestamp>,
}

/// A page of a user's notifications, newest first; only those not read yet, if `unread`.
///
/// A page of unread notifications may hold fewer than asked for although more follow: `next` tells.
///
/// # Errors
/// When the user id cannot be one, the store cannot answer, or the cursor is not one of this listing.
pub async fn list(
    inspect: &dyn Inspect,
    user: &str,
    unread: bool,
    page: PageAsk,
) -> Result<Page<Notification>, Error> {
    key::check_user(user)?;
    let prefix = key::all_of_user(user);
    if !unread {
        return NOTIFICATIONS.newest(inspect, prefix, page).await.map(document::values);
    }
    let (limit, mut cursor) = (page.limit(), page.cursor);
    let (mut found, mut seen) = (Vec::new(), 0);
    loop {
        // Never more than are still wanted, so that the next page begins right after the last one found.
        let ask = PageAsk { limit: limit - found.len(), cursor };
        let part = NOTIFICATIONS.newest(inspect, prefix.clone(), ask).await?;
        seen += part.items.len();
        let values = part.items.into_iter().map(|stored| stored.value);
        found.extend(values.filter(|notification| notification.read_at.is_none()));
        cursor = part.next;
        if cursor.is_none() || found.len() >= limit || seen >= MAX_SCAN {
            return Ok(Page { items: found, next: cursor });
        }
    }
}

/// One notification of a user's.
///
/// # Errors
/// When there is none, or the store cannot answer.
pub async fn get(inspect: &dyn Inspect, user: &str, id: &str) -> Result<Notification, Error> {
    find(inspect, user, id).await.map(|stored| stored.value)
}

/// Marks a notification as read, unless it is already; returns it.
///
/// # Errors
/// When there is none, or the store cannot take it.
pub async fn mark_read(yard: &Yard, user: &str, id: &str) -> Result<Notification, Error> {
    for _ in 0..TRIES {
        let Stored { key, mut value, version } = find(&**yard.inspect(), user, id).await?;
        if value.read_at.is_some() {
            return Ok(value);
        }
        value.read_at = Some(yard.clock().now());
        let write = NOTIFICATIONS.put(&key, &value, Some(version))?;
        if document::apply(yard, vec![write]).await? {
            return Ok(value);
        }
    }
    Err(Error::Busy { what: "notification", id: id.to_owned() })
}

/// Marks all of a user's notifications as read that exist now; returns how many were not.
///
/// # Errors
/// When the user id cannot be one or the store cannot take it; what was marked until then stays marked.
pub async fn mark_all_read(yard: &Yard, user: &str) -> Result<u64, Error> {
    key::check_user(user)?;
    let (mut marked, mut cursor) = (0, None);
    let now = yard.clock().now();
    loop {
        let ask = PageAsk { limit: BATCH, cursor: cursor.clone() };
        let prefix = key::all_of_user(user);
        let (batch, next) = mark_page(yard, prefix, ask, now).await?;
        marked += batch;
        match next {
            Some(next) => cursor = Some(next),
            None => return Ok(marked),
        }
    }
}

/// Marks one page as read; reads it again when another changed a part of it meanwhile.
async fn mark_page(
    yard: &Yard,
    prefix: String,
    ask: PageAsk,
    now: Timestamp,
) -> Result<(u64, Option<String>), Error> {
    for _ in 0..TRIES {
        let page = NOTIFICATIONS.newest(&**yard.inspect(), prefix.clone(), ask.clone()).await?;
        let unread = page.items.into_iter().filter(|stored| stored.value.read_at.is_none());
        let writes = unread
            .map(|Stored { key, mut value, version }| {
                value.read_at = Some(now);
                NOTIFICATIONS.put(&key, &value, Some(version))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let marked = writes.len() as u64;
        if marked == 0 || document::apply(yard, writes).await? {
            return Ok((marked, page.next));
        }
    }
    Err(Error::Busy { what: "notifications", id: prefix })
}

async fn find(inspect: &dyn Inspect, user: &str, id: &str) -> Result<Stored<Notification>, Error> {
    key::check_user(user)?;
    let found = NOTIFICATIONS.get(inspect, &key::of_user(user, id)).await?;
    found.ok_or_else(|| Error::NotFound { what: "notification", id: id.to_owned() })
}
