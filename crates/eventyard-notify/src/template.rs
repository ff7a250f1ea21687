//! Templates: what mail, notifications and tickets say.
//!
//! Each text is a file of its own, such as `mail/booking.created.subject.txt`, in the syntax of
//! [minijinja]. HTML is escaped, text is not. A directory given at start overrides single files. A name that
//! no data has is an error: optional fields that an event leaves out are `none`.

mod context;
mod embedded;
mod filter;
mod load;

use minijinja::Environment;
use serde_json::{Map, Value};

pub use context::Facts;
pub use load::TemplateError;

/// The longest subject or title, in characters.
const MAX_LINE_CHARS: usize = 250;

/// A mail's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailText {
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// A notification's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationText {
    /// One line.
    pub title: String,
    /// A few more.
    pub body: String,
}

/// A ticket's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketText {
    /// One line.
    pub subject: String,
    /// All that is known.
    pub description: String,
}

/// All templates, compiled and tried.
#[derive(Debug)]
pub struct Templates {
    env: Environment<'static>,
    /// Every field that some event has: `none` where an event leaves it out.
    fields: Vec<String>,
}

impl Templates {
    /// The mail about an event.
    ///
    /// # Errors
    /// When a template names a field that the event does not have, or cannot be rendered.
    pub fn mail(&self, facts: &Facts<'_>) -> Result<MailText, TemplateError> {
        let kind = facts.kind;
        Ok(MailText {
            subject: one_line(&self.render(&format!("mail/{kind}.subject.txt"), facts)?),
            text: self.render(&format!("mail/{kind}.txt"), facts)?,
            html: self.render(&format!("mail/{kind}.html"), facts)?,
        })
    }

    /// The notification about an event.
    ///
    /// # Errors
    /// As for [`mail`](Templates::mail).
    pub fn notification(&self, facts: &Facts<'_>) -> Result<NotificationText, TemplateError> {
        let kind = facts.kind;
        Ok(NotificationText {
            title: one_line(&self.render(&format!("notification/{kind}.title.txt"), facts)?),
            body: self.render(&format!("notification/{kind}.body.txt"), facts)?,
        })
    }

    /// The ticket about an event.
    ///
    /// # Errors
    /// As for [`mail`](Templates::mail).
    pub fn ticket(&self, facts: &Facts<'_>) -> Result<TicketText, TemplateError> {
        Ok(TicketText {
            subject: one_line(&self.render(&self.own_or_other(facts.kind, "subject"), facts)?),
            description: self.render(&self.own_or_other(facts.kind, "description"), facts)?,
        })
    }

    /// The template of a ticket's part: the event type's own, if it has one.
    fn own_or_other(&self, kind: &str, part: &str) -> String {
        let own = format!("ticket/{kind}.{part}.txt");
        if self.env.get_template(&own).is_ok() { own } else { format!("ticket/other.{part}.txt") }
    }

    fn render(&self, name: &str, facts: &Facts<'_>) -> Result<String, TemplateError> {
        let data: Map<String, Value> = facts.context(&self.fields);
        let rendered = self
            .env
            .get_template(name)
            .and_then(|template| template.render(minijinja::value::Serde(data)))
            .map_err(|error| TemplateError::of(name, &error))?;
        Ok(rendered.trim_end().to_owned())
    }
}

/// A text as one line without control characters, so that it cannot become two headers.
fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = text.split(is_gap).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(MAX_LINE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        for (text, expected) in
            [(" a\r\nBcc: b@c\r\n", "a Bcc: b@c"), ("a\u{2028}b\u{85}c\0d", "a b c d"), ("\n", "")]
        {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
        assert_eq!(one_line(&"x".repeat(1000)).len(), MAX_LINE_CHARS);
    }
}
