//! The links between the repository's Markdown pages: to files that exist, at headings that exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::markdown::Page;
use super::tracked::Files;

/// A sentence for each relative link that leads nowhere.
pub(super) fn check(files: &Files, root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let mut pages = BTreeMap::new();
    for path in files.with_extension("md") {
        match fs::read_to_string(root.join(path)) {
            Ok(text) => {
                pages.insert(path.to_owned(), Page::read(&text));
            }
            Err(error) => problems.push(format!("{}: cannot read it: {error}", path.display())),
        }
    }
    problems.extend(check_pages(files, &pages));
    problems
}

fn check_pages(files: &Files, pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            if let Some(problem) = broken(&link.target, path, files, pages) {
                problems.push(format!(
                    "{}:{}: `{}`: {problem}",
                    path.display(),
                    link.line,
                    link.target
                ));
            }
        }
    }
    problems
}

/// What is wrong with the target of a link on the page, if anything.
fn broken(
    target: &str,
    page: &Path,
    files: &Files,
    pages: &BTreeMap<PathBuf, Page>,
) -> Option<String> {
    if leads_elsewhere(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    let Some(path) = resolve(&percent_decoded(path), page) else {
        return Some("leads out of the repository".to_owned());
    };
    if !files.contain(&path) {
        return Some(format!("there is no {}", path.display()));
    }
    // Only pages have anchors that can be checked: a source file has its lines.
    let anchors = &pages.get(&path)?.anchors;
    let anchor = percent_decoded(anchor);
    (!anchor.is_empty() && !anchors.contains(&anchor))
        .then(|| format!("{} has no heading for #{anchor}", path.display()))
}

/// Whether the target is on another host or has a scheme: `https:`, `mailto:`, `//host`.
fn leads_elsewhere(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    target.starts_with("//")
        || scheme.is_some_and(|scheme| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        })
}

/// The path in the repository that a page means by a relative path; `/` is the repository's root.
fn resolve(relative: &str, page: &Path) -> Option<PathBuf> {
    let from = match relative.strip_prefix('/') {
        Some(_) => Path::new(""),
        None if relative.is_empty() => page,
        None => page.parent().unwrap_or(Path::new("")),
    };
    let mut path = from.to_owned();
    for part in Path::new(relative.trim_start_matches('/')).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

/// `%20` and its like as the characters they stand for; what is none stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match rest {
            [b'%', high, low, ..] => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match code {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problem of one link on the page `docs/GUIDE.md`.
    fn check(target: &str) -> Option<String> {
        let guide = "# Guide\n## First steps\n## `eventyard dev`\n## First steps\n";
        let readme = "# Eventyard\n<a id=\"start\"></a>\n";
        let files = Files::of(["README.md", "docs/GUIDE.md", "docs/a b.md", "src/lib.rs"]);
        let pages = BTreeMap::from([
            ("docs/GUIDE.md".into(), Page::read(&format!("{guide}[it](<{target}>)\n"))),
            ("README.md".into(), Page::read(readme)),
        ]);
        let problems = check_pages(&files, &pages);
        assert!(problems.len() <= 1, "{problems:?}");
        let prefix = format!("docs/GUIDE.md:5: `{target}`: ");
        problems.first().map(|problem| problem.strip_prefix(&prefix).unwrap().to_owned())
    }

    #[test]
    fn links_that_lead_somewhere() {
        for target in [
            "https://example.com/nowhere#at-all",
            "mailto:someone@example.com",
            "//example.com",
            "GUIDE.md",
            "./GUIDE.md#guide",
            "#first-steps",
            "#first-steps-1",
            "#eventyard-dev",
            "../README.md#start",
            "/README.md",
            "../src/lib.rs#L10-L20",
            "../src/lib.rs?plain=1",
            "../src",
            "../src/",
            "..",
            "a%20b.md",
        ] {
            assert_eq!(check(target), None, "{target}");
        }
    }

    #[test]
    fn links_that_do_not() {
        for (target, problem) in [
            ("README.md", "there is no docs/README.md"),
            ("guide.md", "there is no docs/guide.md"),
            ("../docs/adr/", "there is no docs/adr"),
            ("/docs/none.md", "there is no docs/none.md"),
            ("eventyard_core::Store", "there is no docs/eventyard_core::Store"),
            ("../../other", "leads out of the repository"),
            ("#first-steps-2", "docs/GUIDE.md has no heading for #first-steps-2"),
            ("#First-Steps", "docs/GUIDE.md has no heading for #First-Steps"),
            ("../README.md#end", "README.md has no heading for #end"),
        ] {
            assert_eq!(check(target).as_deref(), Some(problem), "{target}");
        }
    }
}
