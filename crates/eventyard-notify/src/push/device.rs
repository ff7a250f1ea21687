//! Devices: where a user's push notifications go.

use std::fmt;

use eventyard::{
    Yard,
    model::{Inspect, PageAsk, Timestamp, Write, inspect::MAX_PAGE},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    document::{self, Collection, Stored, TRIES},
    key,
};

/// The most devices of one user.
pub const MAX_DEVICES: usize = 50;
/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

const DEVICES: Collection<Device> = Collection::new("devices");
/// Whose device a token stands for, so that a device that changes hands leaves its former user.
const OWNERS: Collection<Owner> = Collection::new("device-owners");

/// A device as its user registers it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DeviceRegistration))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registration {
    /// The token that the push service gave the application on the device.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 4096, pattern = "^[!-~]+$", example = "fGx1-token")
    )]
    pub token: String,
    /// What the device is: `android`, `ios`, `web`; for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 64, example = "android"))]
    pub platform: Option<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// A registered device, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Device))]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// Its id.
    pub id: String,
    /// Its user.
    pub user_id: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// When it was registered, or last again.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub registered_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Device {
    #[serde(flatten)]
    info: DeviceInfo,
    token: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    user_id: String,
}

/// Registers a device for a user; a token registered before is the same device, and leaves another user
/// who had it.
///
/// # Errors
/// When the user id or the token cannot be one, the user has too many devices, or the store cannot take it.
pub async fn register(
    yard: &Yard,
    user: &str,
    registration: &Registration,
) -> Result<DeviceInfo, Error> {
    key::check_user(user)?;
    check(registration)?;
    let inspect = &**yard.inspect();
    let id = key::fingerprint(&registration.token);
    let devices = list(inspect, user).await?;
    if devices.len() >= MAX_DEVICES && devices.iter().all(|device| device.id != id) {
        let problem = format!("has {MAX_DEVICES} devices already; remove one first");
        return Err(Error::invalid("devices", problem));
    }
    let info = DeviceInfo {
        id: id.clone(),
        user_id: user.to_owned(),
        platform: registration.platform.clone(),
        registered_at: yard.clock().now(),
    };
    for _ in 0..TRIES {
        let former = OWNERS.get(inspect, &id).await?;
        let device = Device { info: info.clone(), token: registration.token.clone() };
        let owner = Owner { user_id: user.to_owned() };
        let version = former.as_ref().map_or(0, |stored| stored.version);
        let mut writes = vec![
            OWNERS.put(&id, &owner, Some(version))?,
            DEVICES.put(&key::of_user(user, &id), &device, None)?,
        ];
        if let Some(Stored { value: Owner { user_id }, .. }) = former
            && user_id != user
        {
            writes.push(DEVICES.delete(&key::of_user(&user_id, &id)));
        }
        if document::apply(yard, writes).await? {
            return Ok(info);
        }
    }
    Err(Error::Busy { what: "device", id })
}

/// The devices of a user.
///
/// # Errors
/// When the user id cannot be one, or the store cannot answer.
pub async fn list(inspect: &dyn Inspect, user: &str) -> Result<Vec<DeviceInfo>, Error> {
    key::check_user(user)?;
    let page = PageAsk::first(MAX_PAGE);
    let devices = DEVICES.newest(inspect, key::all_of_user(user), page).await?;
    Ok(devices.items.into_iter().map(|stored| stored.value.info).collect())
}

/// One device of a user's.
///
/// # Errors
/// When there is none, or the store cannot answer.
pub async fn get(inspect: &dyn Inspect, user: &str, id: &str) -> Result<DeviceInfo, Error> {
    key::check_user(user)?;
    let found = DEVICES.get(inspect, &key::of_user(user, id)).await?;
    found
        .map(|stored| stored.value.info)
        .ok_or_else(|| Error::NotFound { what: "device", id: id.to_owned() })
}

/// Removes a device of a user's.
///
/// # Errors
/// When there is none, or the store cannot take it.
pub async fn remove(yard: &Yard, user: &str, id: &str) -> Result<(), Error> {
    get(&**yard.inspect(), user, id).await?;
    document::apply(yard, forget(user, id).into()).await?;
    Ok(())
}

/// The writes that remove a device.
fn forget(user: &str, id: &str) -> [Write; 2] {
    [DEVICES.delete(&key::of_user(user, id)), OWNERS.delete(id)]
}

/// Removes a device with a job's commit.
pub(crate) fn forget_with(cx: &eventyard::Context, user: &str, id: &str) {
    cx.delete_document(DEVICES.name, &key::of_user(user, id));
    cx.delete_document(OWNERS.name, id);
}

/// The token of a device, if it is still registered.
pub(crate) async fn token(
    inspect: &dyn Inspect,
    user: &str,
    id: &str,
) -> Result<Option<String>, Error> {
    let found = DEVICES.get(inspect, &key::of_user(user, id)).await?;
    Ok(found.map(|stored| stored.value.token))
}

fn check(registration: &Registration) -> Result<(), Error> {
    let token = &registration.token;
    if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
        let n = token.len();
        let problem = format!("has {n} bytes; use 1 to {MAX_TOKEN_BYTES}");
        return Err(Error::invalid("token", problem));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::invalid("token", "holds more than printable ASCII without spaces"));
    }
    if registration.platform.as_ref().is_some_and(|platform| platform.chars().count() > 64) {
        return Err(Error::invalid("platform", "is longer than 64 characters"));
    }
    Ok(())
}
