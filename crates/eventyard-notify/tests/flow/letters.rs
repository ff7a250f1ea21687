//! Mail: what it says, and that it comes once.

use eventyard::event::WithAttributes;
use eventyard::{Envelope, model::EventId};
use eventyard_notify::{event::BookingCreated, mail};
use serde_json::json;

use super::{app, mails, result_of, sample};

#[tokio::test]
async fn an_event_becomes_a_mail() {
    let t = app();
    let published = t.publish(sample::<BookingCreated>(&t)).await;
    let mails = mails(&t).await;
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.to, "ada@example.com");
    assert_eq!(mail.to_name.as_deref(), Some("Ada"));
    assert_eq!(mail.from, "Parking <no-reply@example.com>");
    assert_eq!(mail.subject, "We have your booking b-1");
    assert!(mail.text.starts_with("Hello Ada,") && mail.text.contains("A-12"), "{}", mail.text);
    assert!(mail.html.contains("<td>12.50 EUR</td>"), "{}", mail.html);
    assert_eq!(mail.job_id.as_str(), published.event.as_str());
    assert_eq!(mail.message_id, format!("<{}.emails@example.com>", published.event));
    assert_eq!(result_of::<BookingCreated>(&t)["messageId"], json!(mail.message_id));
}

#[tokio::test]
async fn the_same_event_twice_is_one_mail() {
    let t = app();
    for duplicate in [false, true] {
        let event = WithAttributes::new(sample::<BookingCreated>(&t));
        let published = t.publish(event.id(EventId::new("order/7 ü").unwrap())).await;
        assert_eq!(published.duplicate, duplicate);
    }
    let mails = mails(&t).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].message_id, "<order%2F7%20%C3%BC.emails@example.com>");
}

#[tokio::test]
async fn required_fields_are_enough() {
    let t = app();
    let data = br#"{"bookingId":"b","userId":"u","userEmail":"u@example.com","extra":{"a":1}}"#;
    t.publish(Envelope::new("booking.created", "test", t.clock().now(), &data[..])).await;
    let mails = mails(&t).await;
    assert!(mails[0].text.starts_with("Hello,"), "{}", mails[0].text);
    assert!(!mails[0].text.contains("none") && !mails[0].html.contains("none"));
}

#[tokio::test]
async fn names_reach_neither_the_headers_nor_the_html() {
    let t = app();
    let mut event = sample::<BookingCreated>(&t);
    event.booking.user_name = Some("<b>Ada</b>\r\nBcc: eve@example.com".to_owned());
    event.booking.booking_id = "b\r\nBcc: eve@example.com".to_owned();
    t.publish(event).await;
    let mail = &mails(&t).await[0];
    assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
    assert!(mail.html.contains("&lt;b&gt;Ada&lt;&#x2f;b&gt;"), "{}", mail.html);
    assert!(mail.text.contains("<b>Ada</b>"), "text is not escaped: {}", mail.text);
}

#[tokio::test]
async fn the_mailbox_is_emptied() {
    let t = app();
    for _ in 0..120 {
        t.publish(sample::<BookingCreated>(&t)).await;
    }
    assert_eq!(mail::empty(&t).await.unwrap(), 120);
    assert!(mails(&t).await.is_empty());
}
