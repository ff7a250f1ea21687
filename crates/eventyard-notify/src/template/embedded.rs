//! The templates that come with the crate.

macro_rules! embed {
    ($($name:literal,)*) => {
        /// Every template with its name.
        pub(super) const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

embed![
    "mail/booking.cancelled.html",
    "mail/booking.cancelled.subject.txt",
    "mail/booking.cancelled.txt",
    "mail/booking.confirmed.html",
    "mail/booking.confirmed.subject.txt",
    "mail/booking.confirmed.txt",
    "mail/booking.created.html",
    "mail/booking.created.subject.txt",
    "mail/booking.created.txt",
    "mail/booking.reminder.html",
    "mail/booking.reminder.subject.txt",
    "mail/booking.reminder.txt",
    "mail/details.html",
    "mail/details.txt",
    "mail/layout.html",
    "mail/payment.failed.html",
    "mail/payment.failed.subject.txt",
    "mail/payment.failed.txt",
    "mail/payment.received.html",
    "mail/payment.received.subject.txt",
    "mail/payment.received.txt",
    "notification/booking.cancelled.body.txt",
    "notification/booking.cancelled.title.txt",
    "notification/booking.confirmed.body.txt",
    "notification/booking.confirmed.title.txt",
    "notification/booking.created.body.txt",
    "notification/booking.created.title.txt",
    "notification/booking.reminder.body.txt",
    "notification/booking.reminder.title.txt",
    "notification/payment.failed.body.txt",
    "notification/payment.failed.title.txt",
    "notification/payment.received.body.txt",
    "notification/payment.received.title.txt",
    "ticket/other.description.txt",
    "ticket/other.subject.txt",
    "ticket/payment.failed.description.txt",
    "ticket/payment.failed.subject.txt",
];
