//! Mail as a message of RFC 5322.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eventyard::model::Timestamp;
use lettre::{
    Message,
    message::{
        MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{Mail, MailError, address::recipient};

/// The message of a mail that is sent `now`.
///
/// Nothing in it comes to stand as a header of its own: addresses are parsed, and all other values are encoded.
///
/// # Errors
/// When the address is none, or the message cannot be put together.
pub fn compose(mail: &Mail, now: Timestamp) -> Result<Message, MailError> {
    let to = recipient(&mail.to, mail.to_name.as_deref())?;
    let list = format!("{} <{}.{}>", mail.kind, mail.kind, mail.from.domain());
    Message::builder()
        .from(mail.from.mailbox().clone())
        .to(to)
        .subject(mail.subject.clone())
        .date(system_time(now))
        .message_id(Some(mail.message_id.clone()))
        // Keeps out-of-office replies from answering (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        // Lets people sort by what happened (RFC 2919).
        .raw_header(header("List-Id", list))
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(|error| MailError::Compose(error.to_string()))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.as_millis().try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use eventyard::model::{JobId, JobKey, QueueName};

    use super::*;

    fn mail() -> Mail {
        Mail {
            from: "Parking <no-reply@example.com>".parse().unwrap(),
            to: "ada@example.com".to_owned(),
            to_name: Some("Ada".to_owned()),
            subject: "Your booking b-1".to_owned(),
            text: "Hello".to_owned(),
            html: "<p>Hello</p>".to_owned(),
            message_id: "<e-1.emails@example.com>".to_owned(),
            kind: "booking.created".to_owned(),
            job: JobKey {
                queue: QueueName::new("emails").unwrap(),
                id: JobId::new("e-1").unwrap(),
            },
        }
    }

    /// The names of the headers, in order.
    fn headers(mail: &Mail) -> Vec<String> {
        let message = compose(mail, Timestamp::from_millis(0)).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        let head = text.split_once("\r\n\r\n").unwrap().0;
        assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "{head:?}");
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').unwrap().0.to_owned())
            .collect()
    }

    #[test]
    fn no_value_becomes_a_header() {
        let expected = headers(&mail());
        for expected_name in ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"] {
            assert!(expected.iter().any(|name| name == expected_name), "{expected:?}");
        }
        let evil = "x\r\nBcc: eve@example.com\r\n\r\nhi\nX-Evil: 1\rX-Evil: 2\0";
        for spoil in [
            (|mail, evil| mail.to_name = Some(evil)) as fn(&mut Mail, String),
            |mail, evil| mail.subject = evil,
            |mail, evil| mail.kind = evil,
            |mail, evil| mail.text = evil,
            |mail, evil| mail.html = evil,
        ] {
            let mut spoilt = mail();
            spoil(&mut spoilt, evil.to_owned());
            assert_eq!(headers(&spoilt), expected, "{spoilt:?}");
        }
    }

    #[test]
    fn a_bad_address_is_told_by_name() {
        let bad = Mail { to: "nobody".to_owned(), ..mail() };
        let error = compose(&bad, Timestamp::from_millis(0)).unwrap_err();
        assert!(error.to_string().contains("`nobody`"), "{error}");
    }

    #[test]
    fn other_scripts_leave_as_ascii() {
        let mail = Mail {
            subject: "Grüße aus Köln".to_owned(),
            to_name: Some("Zoë".to_owned()),
            text: "Schöne Grüße\n".repeat(100),
            ..mail()
        };
        let message = compose(&mail, Timestamp::from_millis(0)).unwrap().formatted();
        assert!(message.is_ascii());
        assert!(message.split(|b| *b == b'\n').all(|line| line.len() <= 999));
    }
}
