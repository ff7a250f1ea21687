//! What a user wants to be told, and how: by channel, and by event type within a channel.

use std::collections::BTreeMap;

use eventyard::{
    Yard,
    model::{Commit, Inspect},
};
use serde::{Deserialize, Serialize};

use crate::{Error, document::Collection, key};

/// The most event types that one user's preferences name.
pub const MAX_EVENTS: usize = 100;

const PREFERENCES: Collection<Preferences> = Collection::new("preferences");

/// A way to reach a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Channel {
    /// A mail.
    Email,
    /// A push notification on the user's devices.
    Push,
    /// A notification in the application's own inbox.
    InApp,
}

impl Channel {
    /// The channel's name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Push => "push",
            Self::InApp => "inApp",
        }
    }
}

/// What a user wants. Everything is on unless it was turned off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Preferences {
    /// Whether the user wants mail at all.
    pub email: bool,
    /// Whether the user wants push notifications at all.
    pub push: bool,
    /// Whether the user wants notifications in the application at all.
    pub in_app: bool,
    /// What is turned off (or on again) for one event type; by type.
    #[cfg_attr(
        feature = "openapi",
        schema(
            example = json!({"booking.created": {"email": false}})
        )
    )]
    pub events: BTreeMap<String, Choice>,
}

/// What a user wants of one event type. What is left out is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = EventPreferences))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Choice {
    /// Mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<bool>,
    /// Push notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    /// Notifications in the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { email: true, push: true, in_app: true, events: BTreeMap::new() }
    }
}

/// What a user turned off, when an event is not to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedOff {
    /// The whole channel.
    Channel,
    /// The channel for this event type.
    Event,
}

/// Whether the user wants to be told of events of type `kind` through `channel`: a channel that is off is off
/// for every type.
#[must_use]
pub fn allows(preferences: &Preferences, kind: &str, channel: Channel) -> bool {
    turned_off(preferences, kind, channel).is_none()
}

/// What keeps an event of type `kind` from the user on `channel`, if anything.
#[must_use]
pub fn turned_off(preferences: &Preferences, kind: &str, channel: Channel) -> Option<TurnedOff> {
    let choice = preferences.events.get(kind).copied().unwrap_or_default();
    let (whole, event) = match channel {
        Channel::Email => (preferences.email, choice.email),
        Channel::Push => (preferences.push, choice.push),
        Channel::InApp => (preferences.in_app, choice.in_app),
    };
    if !whole {
        Some(TurnedOff::Channel)
    } else if event == Some(false) {
        Some(TurnedOff::Event)
    } else {
        None
    }
}

/// Why the user is not told, as a sentence; absent when the user is.
#[must_use]
pub fn refusal(
    preferences: &Preferences,
    user: &str,
    kind: &str,
    channel: Channel,
) -> Option<String> {
    let channel_name = channel.as_str();
    turned_off(preferences, kind, channel).map(|off| match off {
        TurnedOff::Channel => format!("user {user} turned off {channel_name}"),
        TurnedOff::Event => format!("user {user} turned off {channel_name} for {kind}"),
    })
}

/// The preferences of a user; the defaults when none were set.
///
/// # Errors
/// When the user id cannot be one, or the store cannot answer.
pub async fn get(inspect: &dyn Inspect, user: &str) -> Result<Preferences, Error> {
    key::check_user(user)?;
    let stored = PREFERENCES.get(inspect, &key::part(user)).await?;
    Ok(stored.map(|stored| stored.value).unwrap_or_default())
}

/// Replaces the preferences of a user.
///
/// # Errors
/// When the user id cannot be one, an event type is not in the catalogue, or the store cannot take it.
pub async fn put(yard: &Yard, user: &str, preferences: &Preferences) -> Result<(), Error> {
    key::check_user(user)?;
    check_events(yard, preferences)?;
    let write = PREFERENCES.put(&key::part(user), preferences, None)?;
    yard.commit(Commit::of([write])).await?;
    Ok(())
}

/// A type that nobody publishes would turn off nothing: most likely it is a slip of the pen.
fn check_events(yard: &Yard, preferences: &Preferences) -> Result<(), Error> {
    if preferences.events.len() > MAX_EVENTS {
        let n = preferences.events.len();
        let problem = format!("names {n} event types; at most {MAX_EVENTS} are allowed");
        return Err(Error::invalid("events", problem));
    }
    let catalogue = yard.catalogue();
    match preferences.events.keys().find(|kind| catalogue.get(kind).is_none()) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<_> = catalogue.iter().map(|info| info.kind.as_str()).collect();
            let problem = format!("is not a known event type; there are {}", known.join(", "));
            Err(Error::invalid(format!("events.{unknown}"), problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_turned_off_is_on() {
        let check = |json: &str, kind: &str, channel, expected: Option<&str>| {
            let preferences: Preferences = serde_json::from_str(json).unwrap();
            let refusal = refusal(&preferences, "u-1", kind, channel);
            assert_eq!(refusal.as_deref(), expected, "{json} {kind} {channel:?}");
            assert_eq!(allows(&preferences, kind, channel), expected.is_none());
        };
        let (created, reminder) = ("booking.created", "booking.reminder");
        let no_created_mail = r#"{"events":{"booking.created":{"email":false}}}"#;
        check("{}", created, Channel::Email, None);
        check(
            no_created_mail,
            created,
            Channel::Email,
            Some("user u-1 turned off email for booking.created"),
        );
        check(no_created_mail, created, Channel::Push, None);
        check(no_created_mail, reminder, Channel::Email, None);
        check(r#"{"inApp":false}"#, created, Channel::InApp, Some("user u-1 turned off inApp"));
        check(r#"{"push":false}"#, created, Channel::InApp, None);
        check(
            r#"{"email":false,"events":{"booking.created":{"email":true}}}"#,
            created,
            Channel::Email,
            Some("user u-1 turned off email"),
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        for json in [r#"{"emial":false}"#, r#"{"events":{"booking.created":{"sms":false}}}"#] {
            assert!(serde_json::from_str::<Preferences>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_defaults_are_written_out() {
        let text = serde_json::to_string(&Preferences::default()).unwrap();
        assert_eq!(text, r#"{"email":true,"push":true,"inApp":true,"events":{}}"#);
    }
}
