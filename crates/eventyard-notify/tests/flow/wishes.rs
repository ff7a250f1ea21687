//! What users do not want to be told.

use eventyard_notify::{
    event::{BookingConfirmed, BookingCreated, BookingReminder},
    notification,
    preferences::{self, Choice, Preferences},
};
use serde_json::json;

use super::{all, app, mails, result_of, sample};

#[tokio::test]
async fn who_opted_out_gets_nothing_and_the_job_says_why() {
    let t = app();
    let no_mail = Choice { email: Some(false), ..Choice::default() };
    let wishes = Preferences {
        in_app: false,
        push: false,
        events: [("booking.created".to_owned(), no_mail)].into(),
        ..Preferences::default()
    };
    preferences::put(&t, "u-1", &wishes).await.unwrap();
    assert_eq!(preferences::get(&**t.inspect(), "u-1").await.unwrap(), wishes);

    t.publish(sample::<BookingCreated>(&t)).await;
    assert!(mails(&t).await.is_empty());
    let expected = json!({"skipped": "user u-1 turned off email for booking.created"});
    assert_eq!(result_of::<BookingCreated>(&t), expected);

    t.publish(sample::<BookingReminder>(&t)).await;
    let inbox = notification::list(&**t.inspect(), "u-1", false, all()).await.unwrap();
    assert!(inbox.items.is_empty());
    let expected = json!({"skipped": "user u-1 turned off inApp; user u-1 turned off push"});
    assert_eq!(result_of::<BookingReminder>(&t), expected);

    t.publish(sample::<BookingConfirmed>(&t)).await;
    assert_eq!(mails(&t).await.len(), 1, "what was not turned off still comes");
}

#[tokio::test]
async fn preferences_name_events_that_exist() {
    let t = app();
    let wishes = Preferences {
        events: [("booking.craeted".to_owned(), Choice::default())].into(),
        ..Preferences::default()
    };
    let error = preferences::put(&t, "u-1", &wishes).await.unwrap_err().to_string();
    assert!(
        error.contains("events.booking.craeted") && error.contains("booking.created"),
        "{error}"
    );
    assert!(preferences::put(&t, "", &Preferences::default()).await.is_err());
}
