//! Events and addresses that are not taken.

use eventyard::{
    Envelope, Error, JobRequest,
    model::{FailureKind, JobState},
};
use eventyard_notify::event::{BookingCreated, mock};
use serde_json::{Value, json};

use super::{app, mails};

#[tokio::test]
async fn an_event_that_breaks_its_schema_is_refused_with_the_field() {
    let t = app();
    let check = async |name: &str, overrides: Value, expected: &str| {
        let Value::Object(overrides) = overrides else { panic!("not an object") };
        let mock = mock(name, overrides, t.clock().now()).unwrap();
        let data = serde_json::to_vec(&mock.data).unwrap();
        let event = Envelope::new(mock.kind, "test", t.clock().now(), data);
        let yard: &eventyard::Yard = &t;
        match yard.publish(event).await {
            Err(Error::InvalidEvent { fields, .. }) => {
                let fields: Vec<_> = fields.into_iter().map(|fault| fault.field).collect();
                assert_eq!(fields, [expected], "{name}: {}", mock.data);
            }
            other => panic!("{name} {}: {other:?}", mock.data),
        }
    };
    check("booking-created", json!({"bookingId": null}), "data.bookingId").await;
    check("booking-created", json!({"userId": ""}), "data.userId").await;
    check("booking-created", json!({"userEmail": "nobody"}), "data.userEmail").await;
    check("booking-created", json!({"startsAt": "tomorrow"}), "data.startsAt").await;
    check("booking-created", json!({"amount": -1}), "data.amount").await;
    check("booking-confirmed", json!({"currency": "euro"}), "data.currency").await;
    check("booking-cancelled", json!({"reason": null}), "data.reason").await;
    check("booking-reminder", json!({"startsAt": null}), "data.startsAt").await;
    check("payment-received", json!({"paymentId": null}), "data.paymentId").await;
    check("payment-failed", json!({"amount": "a lot"}), "data.amount").await;
    assert!(mails(&t).await.is_empty());
}

#[tokio::test]
async fn an_address_that_is_none_is_not_tried_again() {
    let t = app();
    let data = json!({"bookingId": "b", "userId": "u", "userEmail": "nobody"});
    t.enqueue(JobRequest::new("emails", "booking.created").data(&data).unwrap()).await.unwrap();
    t.run_until_idle().await;
    let failed = t.jobs::<BookingCreated>(JobState::Failed);
    let failure = failed[0].failure.as_ref().unwrap();
    assert_eq!((failed[0].job.attempts_made, failure.kind), (1, FailureKind::Rejected));
    assert!(failure.message.contains("`nobody` is not a mail address"), "{}", failure.message);
}
