//! `eventyard publish`.

use std::{
    fs,
    io::{Read, stdin},
};

use clap::Args;
use miette::{IntoDiagnostic, WrapErr, miette};
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{
    client::{Call, ServerFlags},
    output,
};

/// Publish an event to a running server
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The event's type, such as booking.created
    #[arg(value_name = "TYPE")]
    kind: String,
    /// Its data: JSON, @FILE to read it from a file, or - to read it from standard input
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    data: Option<String>,
    /// Its id: publishing the same id again changes nothing
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Who says so; the server's own name without it
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// What it happened to
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The story that it belongs to
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
    /// Print the server's answer as JSON
    #[arg(long)]
    json: bool,
}

/// An event in the API's plain form.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
}

pub(crate) async fn run(args: PublishArgs) -> miette::Result<()> {
    let client = args.server.client()?;
    let event = Event {
        name: args.kind,
        data: args.data.as_deref().map(|data| read("--data", data)).transpose()?,
        id: args.id,
        source: args.source,
        subject: args.subject,
        correlation_id: args.correlation_id,
    };
    let answer = client.call(Call::post(["events"]).body(&event)?).await?;
    if args.json {
        return output::json(&answer);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    output::line(text(&answer["eventId"]))?;
    let jobs = answer["jobs"].as_array().map(Vec::as_slice).unwrap_or_default();
    for job in jobs {
        let known = if job["duplicate"] == true { " (was there already)" } else { "" };
        output::tell(format_args!("job on queue {}{known}", text(&job["queue"])));
    }
    if jobs.is_empty() {
        output::tell("no route takes this event; it is in the log only");
    }
    Ok(())
}

/// The JSON that a flag names. It is sent as it is read: numbers keep their digits.
///
/// # Errors
/// When it cannot be read, or is not JSON.
pub(super) fn read(flag: &str, data: &str) -> miette::Result<Box<RawValue>> {
    let (text, place) = if data == "-" {
        let mut text = String::new();
        stdin()
            .read_to_string(&mut text)
            .into_diagnostic()
            .wrap_err("cannot read standard input")?;
        (text, "what standard input says".to_owned())
    } else if let Some(file) = data.strip_prefix('@') {
        let text = fs::read_to_string(file)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read the file {file}"))?;
        (text, format!("what the file {file} says"))
    } else {
        (data.to_owned(), flag.to_owned())
    };
    serde_json::from_str(&text).map_err(|error| {
        miette!(
            help = format!(
                "write it as in {flag} '{{\"bookingId\": \"b-1\"}}', or {flag} @file.json, or {flag} - for standard input"
            ),
            "{place} is not JSON: {error}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_from_the_flag_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.json");
        fs::write(&file, "{\"a\": 1}").unwrap();
        let at_file = format!("@{}", file.display());
        for (data, expected) in [
            ("{\"a\":1}", Ok("{\"a\":1}")),
            (&*at_file, Ok("{\"a\": 1}")),
            ("-1.10", Ok("-1.10")),
            ("{a}", Err("--data is not JSON")),
            ("@absent.json", Err("cannot read the file absent.json")),
        ] {
            match (read("--data", data), expected) {
                (Ok(value), Ok(expected)) => assert_eq!(value.to_string(), expected),
                (Err(error), Err(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                }
                (read, _) => panic!("{data}: {read:?}"),
            }
        }
    }
}
