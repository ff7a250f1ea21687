//! An event as a ticket.

use eventyard::{Context, Dep, Event, JobError, Outcome};
use serde_json::json;

use super::data;
use crate::{
    event::{BookingEvent, PaymentFailed},
    key,
    template::{Facts, Templates},
    ticket::{Priority, Status, TICKETS, Ticket},
};

pub(crate) async fn ticket<E: BookingEvent>(
    event: E,
    templates: Dep<Templates>,
    cx: Context,
) -> Result<Outcome, JobError> {
    let (job, booking) = (cx.job(), event.booking());
    let id = key::in_time(job.created_at, &job.id);
    // A job that is run once more must not open again what a person has closed.
    if TICKETS.get(&**cx.inspect(), &id).await?.is_some() {
        return Outcome::done(&json!({"ticketId": id, "duplicate": true}));
    }
    let data = data(job)?;
    let text = templates.ticket(&Facts::of(job, &data))?;
    let priority = if E::TYPE == PaymentFailed::TYPE { Priority::High } else { Priority::Normal };
    let ticket = Ticket {
        id: id.clone(),
        subject: text.subject,
        description: text.description,
        user_id: booking.user_id.clone(),
        user_email: booking.user_email.clone(),
        booking_id: booking.booking_id.clone(),
        priority,
        status: Status::Open,
        created_at: cx.clock().now(),
        closed_at: None,
        event_id: Facts::id_of(job).to_owned(),
    };
    cx.put_document(TICKETS.name, &id, &ticket, Some(0));
    let user = &booking.user_id;
    tracing::info!(job = %job.key(), user, channel = "ticket", id, "ticket opened");
    Outcome::done(&json!({"ticketId": id}))
}
