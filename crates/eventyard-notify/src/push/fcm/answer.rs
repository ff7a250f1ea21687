//! What an answer of the service means.

use std::time::Duration;

use eventyard::{model::Timestamp, secs};
use serde_json::Value;

/// The longest wait that the service is granted.
const MAX_WAIT: Duration = secs(24 * 60 * 60);
/// The longest excerpt of an answer that is told.
const MAX_EXCERPT_CHARS: usize = 500;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The message was taken, under this name.
    Sent(String),
    /// The token stands for no device.
    Gone(String),
    /// The access token is not taken.
    Unauthorised(String),
    /// The service asks for a pause.
    Wait { wait: Duration, problem: String },
    /// Anything else.
    Failed(String),
}

/// Reads an answer that came `now`.
pub(super) fn read(status: u16, retry_after: Option<&str>, body: &[u8], now: Timestamp) -> Answer {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) {
        return Answer::Sent(json["name"].as_str().unwrap_or_default().to_owned());
    }
    let error = &json["error"];
    let code = error["details"]
        .as_array()
        .and_then(|details| details.iter().find_map(|detail| detail["errorCode"].as_str()))
        .or(error["status"].as_str())
        .unwrap_or_default();
    let message = error["message"].as_str().map_or_else(|| excerpt(body), ToOwned::to_owned);
    let problem = format!("fcm answered {status} {code}: {message}");
    match (status, code) {
        (_, "UNREGISTERED") => Answer::Gone(problem),
        (400, "INVALID_ARGUMENT") if blames_the_token(error) => Answer::Gone(problem),
        (401, _) => Answer::Unauthorised(problem),
        (429 | 503, _) => match retry_after.and_then(|text| wait(text, now)) {
            Some(wait) => Answer::Wait { wait, problem },
            None => Answer::Failed(problem),
        },
        _ => Answer::Failed(problem),
    }
}

/// Whether a refused argument is the device's token.
fn blames_the_token(error: &Value) -> bool {
    let mut violations = error["details"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|detail| detail["fieldViolations"].as_array().into_iter().flatten());
    let in_message = error["message"]
        .as_str()
        .is_some_and(|text| text.contains("not a valid FCM registration token"));
    in_message || violations.any(|violation| violation["field"] == "message.token")
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(MAX_EXCERPT_CHARS).collect()
}

/// The pause that `Retry-After` asks for: seconds, or a date of HTTP.
pub(super) fn wait(retry_after: &str, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Timestamp::from_millis(date.as_millisecond()).since(now)
        }
    };
    Some(wait.min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT.
    const NOW: Timestamp = Timestamp::from_millis(784_111_777_000);

    fn kind(answer: &Answer) -> &'static str {
        match answer {
            Answer::Sent(_) => "sent",
            Answer::Gone(_) => "gone",
            Answer::Unauthorised(_) => "unauthorised",
            Answer::Wait { .. } => "wait",
            Answer::Failed(_) => "failed",
        }
    }

    #[test]
    fn answers_mean_something() {
        let check = |status, retry_after, body: Value, expected| {
            let answer = read(status, retry_after, body.to_string().as_bytes(), NOW);
            assert_eq!(kind(&answer), expected, "{status} {body}: {answer:?}");
        };
        let error = |status: &str, details: Value| json!({"error": {"status": status, "message": "m", "details": details}});
        check(200, None, json!({"name": "projects/p/messages/1"}), "sent");
        check(404, None, error("NOT_FOUND", json!([{"errorCode": "UNREGISTERED"}])), "gone");
        check(404, None, error("NOT_FOUND", json!([])), "failed");
        let violation = json!([{"fieldViolations": [{"field": "message.token"}]}]);
        check(400, None, error("INVALID_ARGUMENT", violation), "gone");
        let other = json!([{"fieldViolations": [{"field": "message.data"}]}]);
        check(400, None, error("INVALID_ARGUMENT", other), "failed");
        check(401, None, error("UNAUTHENTICATED", json!([])), "unauthorised");
        check(429, Some("30"), error("RESOURCE_EXHAUSTED", json!([])), "wait");
        check(429, None, error("RESOURCE_EXHAUSTED", json!([])), "failed");
        check(503, Some("Sun, 06 Nov 1994 08:49:47 GMT"), json!("x"), "wait");
        check(500, Some("30"), json!(null), "failed");
        check(302, None, json!(null), "failed");
    }

    #[test]
    fn pauses_are_seconds_or_dates() {
        for (text, expected) in [
            ("120", Some(secs(120))),
            (" 0 ", Some(Duration::ZERO)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(secs(60))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(Duration::ZERO)),
            ("9999999999", Some(MAX_WAIT)),
            ("soon", None),
            ("-5", None),
        ] {
            assert_eq!(wait(text, NOW), expected, "{text}");
        }
    }
}
