//! Booking notifications on Eventyard: mail, push, notifications in the application, and tickets.
//!
//! Six [events](event) are routed to three queues; what a job decides is written with its own commit, so that a
//! user is told once:
//!
//! ```text
//! booking.created | confirmed | cancelled ─▶ emails ────────▶ a mail (SMTP, or the mailbox)
//! booking.reminder, payment.received ──────▶ notifications ─▶ in the application, and a push per device (FCM)
//! payment.failed ──────────────────────────▶ tickets ───────▶ a ticket
//! ```
//!
//! ```
//! use eventyard::Eventyard;
//! use eventyard_notify::{Deps, booking, mail};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let deps = Deps::mailbox("Parking <no-reply@example.com>".parse()?)?;
//! let yard = booking(Eventyard::in_memory(), deps).start().await?;
//! let mails = mail::list(&**yard.inspect(), eventyard::model::PageAsk::first(10)).await?;
//! assert!(mails.items.is_empty());
//! # yard.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! [Preferences](preferences) say what a user wants to be told, [templates](template) how it is said.

mod booking;
mod document;
pub mod error;
pub mod event;
mod forget;
mod handler;
mod key;
pub mod mail;
pub mod notification;
pub mod preferences;
pub mod push;
pub mod template;
pub mod ticket;

pub use booking::{
    Deps, EMAILS, NOTIFICATIONS, TICKETS, booking, default_queues, default_routes, handlers,
};
pub use error::Error;
pub use event::mock;
pub use forget::forget;
pub use key::MAX_USER_ID_CHARS;
