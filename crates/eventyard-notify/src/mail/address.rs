//! Addresses and ids of mail.

use std::{fmt, str::FromStr};

use eventyard::model::JobKey;
use lettre::{Address, message::Mailbox};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::key;

/// What stays as it is in a `Message-ID`: nothing that needs quoting there.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
/// The longest part of a `Message-ID`, so that the header stays one line.
const MAX_PART_BYTES: usize = 200;

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is not a mail address: {problem}; correct it where the event comes from")]
pub struct InvalidAddress {
    /// The text.
    pub address: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Who sends mail: an address, with a name or without, such as `Parking <no-reply@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.0
    }

    /// The domain of the address.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl FromStr for Sender {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        text.parse().map(Self).map_err(|error| invalid(text, &error))
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a mail goes.
pub(super) fn recipient(address: &str, name: Option<&str>) -> Result<Mailbox, InvalidAddress> {
    let parsed = address.parse::<Address>().map_err(|error| invalid(address, &error))?;
    let name = name.map(plain).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, parsed))
}

/// A name as one line of printable characters.
fn plain(name: &str) -> String {
    let is_gap = |c: char| c.is_control() || c.is_whitespace();
    name.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn invalid(address: &str, error: &lettre::address::AddressError) -> InvalidAddress {
    let address = address.chars().take(320).collect::<String>().escape_debug().to_string();
    InvalidAddress { address, problem: error.to_string().to_lowercase() }
}

/// The `Message-ID` of a job's mail: the same whenever and wherever the job runs.
#[must_use]
pub fn message_id(job: &JobKey, domain: &str) -> String {
    let part = |text: &str| {
        let escaped = utf8_percent_encode(text, ESCAPED).to_string();
        if escaped.len() <= MAX_PART_BYTES { escaped } else { key::fingerprint(text) }
    };
    let domain: String =
        domain.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect();
    let domain = if domain.is_empty() { "localhost" } else { &domain };
    format!("<{}.{}@{domain}>", part(job.id.as_str()), part(job.queue.as_str()))
}

#[cfg(test)]
mod tests {
    use eventyard::model::{JobId, QueueName};

    use super::*;

    #[test]
    fn message_ids_are_the_jobs() {
        let check = |id: &str, domain: &str, expected: &str| {
            let job =
                JobKey { queue: QueueName::new("emails").unwrap(), id: JobId::new(id).unwrap() };
            assert_eq!(message_id(&job, domain), expected);
        };
        check("e-1", "example.com", "<e-1.emails@example.com>");
        check("a b>@x.y", "example.com", "<a%20b%3E%40x%2Ey.emails@example.com>");
        check("e-1", "[127.0.0.1]", "<e-1.emails@127.0.0.1>");
        check("e-1", "ü", "<e-1.emails@localhost>");
        let long = "ü".repeat(128);
        check(&long, "x.y", &format!("<{}.emails@x.y>", key::fingerprint(&long)));
    }

    #[test]
    fn addresses_are_addresses() {
        for (address, ok) in [
            ("ada@example.com", true),
            ("a+b@xn--grn-hoa.example", true),
            ("nobody", false),
            ("", false),
            ("a@b.c\r\nBcc: d@e.f", false),
            ("a b@c.d", false),
            ("a@b.c, d@e.f", false),
        ] {
            assert_eq!(recipient(address, None).is_ok(), ok, "{address:?}");
        }
    }

    #[test]
    fn names_are_one_line() {
        let named = |name| recipient("a@b.c", Some(name)).unwrap().name;
        assert_eq!(named("Ada\r\nBcc: d@e.f").as_deref(), Some("Ada Bcc: d@e.f"));
        assert_eq!(named(" \t"), None);
    }

    #[test]
    fn senders_have_a_domain() {
        let sender: Sender = "Parking <no-reply@example.com>".parse().unwrap();
        assert_eq!(sender.domain(), "example.com");
        assert!("Parking".parse::<Sender>().is_err());
    }
}
