//! As much of Markdown as the links between pages need, anchors as GitHub gives them.

mod anchor;
mod blank;
mod link;

use std::collections::BTreeSet;

pub(super) use link::Link;

/// A page: where its links lead, and where links can lead on it.
pub(super) struct Page {
    /// Its links and images, and those of its HTML, in no certain order.
    pub(super) links: Vec<Link>,
    /// What a link may put behind `#`.
    pub(super) anchors: BTreeSet<String>,
}

impl Page {
    /// Reads the text of a page.
    pub(super) fn read(text: &str) -> Self {
        let unfenced = blank::fences(text);
        let prose = blank::comments(&blank::code_spans(&unfenced));
        Self { links: link::all(&prose), anchors: anchor::all(&unfenced, &prose) }
    }
}

/// The values of one of these attributes in the HTML of a page, each with the offset it starts at.
fn attributes<'a>(prose: &'a str, names: &[&str]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for name in names {
        for quote in ['"', '\''] {
            let start = format!(" {name}={quote}");
            for (at, _) in prose.match_indices(&start) {
                let value = at + start.len();
                if let Some(length) = prose[value..].find(quote) {
                    found.push((value, &prose[value..value + length]));
                }
            }
        }
    }
    found
}
