//! Where the links of a page lead.

use super::attributes;

/// A link, an image, or the definition of a link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The line it is on, from 1.
    pub(crate) line: usize,
    /// Where it leads.
    pub(crate) target: String,
}

/// All links of a page without code and comments, kind by kind.
pub(super) fn all(prose: &str) -> Vec<Link> {
    let inline = prose
        .match_indices("](")
        .filter(|(at, _)| !prose[..*at].ends_with('\\'))
        .filter_map(|(at, start)| Some((at, destination(&prose[at + start.len()..])?)));
    let html =
        attributes(prose, &["href", "src"]).into_iter().map(|(at, value)| (at, value.to_owned()));
    inline
        .chain(definitions(prose))
        .chain(html)
        .map(|(at, target)| Link { line: 1 + prose[..at].matches('\n').count(), target })
        .collect()
}

/// `[label]: target` at the start of a line, with the offset of that line.
fn definitions(prose: &str) -> impl Iterator<Item = (usize, String)> {
    let mut offset = 0;
    prose.split_inclusive('\n').filter_map(move |line| {
        let at = offset;
        offset += line.len();
        let (label, rest) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
        let is_label = !label.is_empty() && !label.starts_with('^') && !label.contains(']');
        Some((at, destination(rest).filter(|_| is_label)?))
    })
}

/// The target that the text starts with, up to its title or to the bracket that ends the link.
fn destination(text: &str) -> Option<String> {
    let text = text.trim_start();
    if let Some(bracketed) = text.strip_prefix('<') {
        return Some(bracketed[..bracketed.find(['>', '\n'])?].to_owned());
    }
    let mut target = String::new();
    let mut depth = 0;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            c if c.is_whitespace() => break,
            _ => {}
        }
        target.push(c);
    }
    (!target.is_empty()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(prose: &str, expected: &[(usize, &str)]) {
        let links = all(prose);
        let found: Vec<_> = links.iter().map(|link| (link.line, link.target.as_str())).collect();
        assert_eq!(found, expected, "{prose}");
    }

    #[test]
    fn inline_links_and_images() {
        check("[a](b.md) and\n![c](d.svg \"title\")", &[(1, "b.md"), (2, "d.svg")]);
        check("[over\nlines](b.md)", &[(2, "b.md")]);
        check("[![badge](a.svg)](b.md)", &[(1, "a.svg"), (1, "b.md")]);
        check("[a](<b c.md>)", &[(1, "b c.md")]);
        check("[a](b_(c).md) (d)", &[(1, "b_(c).md")]);
        check(r"[a](b\).md)", &[(1, "b).md")]);
        check(r"[a\](b.md)", &[]);
        check("[a]()", &[]);
        check("[a] (b.md)", &[]);
    }

    #[test]
    fn definitions_of_links() {
        check("see [a]\n\n[a]: b.md \"title\"\n", &[(3, "b.md")]);
        check("  [a]: <b c.md>", &[(1, "b c.md")]);
        check("[^1]: a footnote", &[]);
        check("[x] done: yes", &[]);
    }

    #[test]
    fn links_in_html() {
        check(
            "<p>\n<a href=\"b.md\"><img width='1' src='c.png'></a>",
            &[(2, "b.md"), (2, "c.png")],
        );
    }
}
