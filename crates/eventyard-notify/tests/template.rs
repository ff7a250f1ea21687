//! Templates from a directory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

use eventyard::model::Timestamp;
use eventyard_notify::template::{Facts, Templates};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

fn dir(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn load(files: &[(&str, &str)]) -> Result<Templates, String> {
    Templates::load(dir(files).path()).map_err(|error| error.to_string())
}

fn data(json: Value) -> Map<String, Value> {
    let Value::Object(data) = json else { panic!("{json} is no object") };
    data
}

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

#[test]
fn a_directory_overrides_single_files() {
    let templates = load(&[
        (
            "mail/booking.created.subject.txt",
            "Spot {{ parkingSpot or 'n/a' }}, event {{ event.id }}\n",
        ),
        ("mail/booking.created.txt", "{% include 'mail/_greeting.txt' %} at {{ event.time }}"),
        ("mail/_greeting.txt", "Moin {{ userName }}"),
        ("ticket/booking.created.subject.txt", "Look at {{ bookingId }}"),
        ("mail/.hidden", "left behind by an editor"),
    ])
    .unwrap();
    let data =
        data(json!({"bookingId": "b", "userId": "u", "userEmail": "e", "userName": "<Ada>"}));
    let facts = Facts { kind: "booking.created", id: "e-1", time: NOW, data: &data };
    let mail = templates.mail(&facts).unwrap();
    assert_eq!(mail.subject, "Spot n/a, event e-1");
    assert_eq!(mail.text, "Moin <Ada> at 2026-01-01T00:00:00.000Z");
    assert!(mail.html.contains("Hello &lt;Ada&gt;"), "the crate's own: {}", mail.html);
    let ticket = templates.ticket(&facts).unwrap();
    assert_eq!(ticket.subject, "Look at b");
    assert!(ticket.description.starts_with("booking.created was reported"), "{ticket:?}");
}

#[test]
fn mistakes_are_found_at_the_start() {
    let check = |name: &str, text: &str, expected: &[&str]| {
        let error = load(&[(name, text)]).unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{part:?} in {error}");
        }
    };
    let subject = "mail/booking.created.subject.txt";
    check(subject, "{{ bookingID }}", &[subject, "undefined"]);
    check(subject, "a\n{{ bookingId", &[subject, ":2"]);
    check(
        "mail/booking.created.html",
        "{% if bokingId %}{% endif %}",
        &["mail/booking.created.html"],
    );
    check("mail/payment.failed.txt", "{{ startsAt | whenn }}", &["payment.failed.txt", "whenn"]);
    check("mail/booking.craeted.html", "x", &["did you mean mail/booking.created.html?"]);
    check("mail/readme.md", "x", &["is used by nothing"]);
    check("mails/booking.created.html", "x", &["there are mail, notification, ticket"]);
    check("booking.created.html", "x", &["lies in no folder"]);
    let missing = Templates::load(std::path::Path::new("/nowhere")).unwrap_err().to_string();
    assert!(missing.contains("/nowhere cannot be read"), "{missing}");
}

#[test]
fn every_event_is_told_in_full_and_in_short() {
    let templates = Templates::embedded().unwrap();
    let least = json!({
        "bookingId": "b-1", "userId": "u-1", "userEmail": "e", "reason": "no funds", "amount": 2500,
        "startsAt": "2026-01-02T09:00:00+01:00", "paymentId": "p-1", "currency": "JPY"
    });
    for kind in [
        "booking.created",
        "booking.confirmed",
        "booking.cancelled",
        "booking.reminder",
        "payment.received",
        "payment.failed",
    ] {
        let full = data(least.clone());
        let mut short = full.clone();
        if kind.starts_with("booking.") && kind != "booking.reminder" {
            short.retain(|name, _| {
                !["amount", "startsAt", "paymentId", "currency"].contains(&&**name)
            });
        }
        for data in [full, short] {
            let facts = Facts { kind, id: "e-1", time: NOW, data: &data };
            let mail = templates.mail(&facts).unwrap();
            let notification = templates.notification(&facts).unwrap();
            let ticket = templates.ticket(&facts).unwrap();
            for text in [
                &mail.subject,
                &mail.text,
                &mail.html,
                &notification.title,
                &notification.body,
                &ticket.subject,
                &ticket.description,
            ] {
                assert!(!text.trim().is_empty() && !text.contains("none"), "{kind}: {text:?}");
                assert!(!text.contains("\n\n\n"), "{kind}: {text:?}");
            }
            for text in [&mail.subject, &mail.text, &mail.html] {
                assert!(text.contains("b-1"), "{kind}: {text:?}");
            }
            assert_eq!(
                mail.text.contains("2500 JPY"),
                data.contains_key("amount"),
                "{}",
                mail.text
            );
            assert_eq!(mail.html.contains("09:00 (UTC+01:00)"), data.contains_key("startsAt"));
        }
    }
}
