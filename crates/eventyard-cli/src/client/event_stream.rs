//! Server-sent events, as they come.

use miette::{IntoDiagnostic, WrapErr};
use reqwest::Response;

/// The most bytes of one event; a server that sends more is none of ours.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// The events of an answer.
pub(crate) struct EventStream {
    response: Response,
    text: Unread,
}

impl EventStream {
    pub(super) fn of(response: Response) -> Self {
        Self { response, text: Unread::default() }
    }

    /// The data of the next event; nothing when the server has ended the stream.
    ///
    /// # Errors
    /// When the stream breaks off.
    pub(crate) async fn next(&mut self) -> miette::Result<Option<String>> {
        loop {
            while let Some(block) = self.text.block() {
                let data: Vec<&str> = block.lines().filter_map(data).collect();
                if !data.is_empty() {
                    return Ok(Some(data.join("\n")));
                }
            }
            let chunk = self.response.chunk().await.into_diagnostic();
            match chunk.wrap_err("the stream of events broke off")? {
                Some(chunk) => self.text.0.extend_from_slice(&chunk),
                None => return Ok(None),
            }
            miette::ensure!(
                self.text.0.len() <= MAX_EVENT_BYTES,
                "the server sends an event without an end"
            );
        }
    }
}

/// What a line says about an event's data.
fn data(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("data:")?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// What has come and was not looked at yet.
#[derive(Default)]
struct Unread(Vec<u8>);

impl Unread {
    /// Takes what is before the next empty line, once that has come.
    fn block(&mut self) -> Option<String> {
        let end = self.0.windows(2).position(|pair| pair == b"\n\n")?;
        let block: Vec<u8> = self.0.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&block).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_any_pieces() {
        let mut unread = Unread::default();
        let mut heard = Vec::new();
        for piece in [": hello\nretry: 1\n", "\nid: 1\nevent: a\nda", "ta: {\"n\":1}\n\ndata:x\n\n"]
        {
            unread.0.extend_from_slice(piece.as_bytes());
            while let Some(block) = unread.block() {
                heard.extend(block.lines().filter_map(data).map(str::to_owned));
            }
        }
        assert_eq!(heard, ["{\"n\":1}", "x"]);
    }
}
