//! The anchors of a page: its headings, as GitHub turns them into links, and its HTML's names.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes;

/// All anchors of a page. Headings keep the code in them, so they are read with code spans.
pub(super) fn all(unfenced: &str, prose: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for heading in headings(unfenced) {
        let slug = slug(heading);
        let times = seen.entry(slug.clone()).or_default();
        anchors.insert(if *times == 0 { slug } else { format!("{slug}-{times}") });
        *times += 1;
    }
    anchors.extend(attributes(prose, &["id", "name"]).into_iter().map(|(_, name)| name.to_owned()));
    anchors
}

/// The text of each heading, whether marked with `#` or underlined.
fn headings(text: &str) -> Vec<&str> {
    let mut headings = Vec::new();
    let mut previous = "";
    for line in text.lines() {
        if let Some(heading) = marked(line) {
            headings.push(heading);
        } else if is_underline(line) && !previous.trim().is_empty() && marked(previous).is_none() {
            headings.push(previous.trim());
        }
        previous = line;
    }
    headings
}

fn marked(line: &str) -> Option<&str> {
    let line = line.trim_end();
    let text = line.trim_start_matches(' ').trim_start_matches('#');
    let marks = line.trim_start_matches(' ').len() - text.len();
    if !(1..=6).contains(&marks) || !(text.is_empty() || text.starts_with([' ', '\t'])) {
        return None;
    }
    let text = text.trim();
    let open = text.trim_end_matches('#');
    Some(if open.is_empty() || open.ends_with(' ') { open.trim_end() } else { text })
}

fn is_underline(line: &str) -> bool {
    let line = line.trim_end();
    !line.is_empty() && (line.chars().all(|c| c == '=') || line.chars().all(|c| c == '-'))
}

/// Letters, digits, `-` and `_` of the heading's text in lower case, spaces as `-`.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    let lowered = without_targets(heading).to_lowercase();
    lowered.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The heading with `[text](target)` as its text.
fn without_targets(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some(at) = rest.find("](") {
        text.push_str(&rest[..at]);
        let end = rest[at..].find(')').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(all(text, text), expected, "{text}");
    }

    #[test]
    fn headings_become_anchors() {
        check("# Eventyard", &["eventyard"]);
        check("## What it is, and what not", &["what-it-is-and-what-not"]);
        check("### `eventyard dev --json`", &["eventyard-dev---json"]);
        check("## One *commit* per step ##", &["one-commit-per-step"]);
        check("## See [the guide](GUIDE.md#a) now", &["see-the-guide-now"]);
        check("## Größe: µs & MiB", &["größe-µs--mib"]);
        check("## snake_case", &["snake_case"]);
        check("Title\n=====\n\nPart\n---\n", &["title", "part"]);
    }

    #[test]
    fn repeated_headings_are_numbered() {
        check("# Errors\n# Errors\n# Errors", &["errors", "errors-1", "errors-2"]);
    }

    #[test]
    fn what_is_no_heading() {
        check("#hashtag\n\n####### seven\n\n---\n\n| a |\n|---|\n", &[]);
    }

    #[test]
    fn html_names() {
        check("<a id=\"start\"></a> <a name='end'></a>", &["start", "end"]);
    }
}
