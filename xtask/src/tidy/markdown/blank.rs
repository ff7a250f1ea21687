//! Blanks out what looks like Markdown and is none. Lines stay where they are.

/// The text without its fenced code blocks.
pub(super) fn fences(text: &str) -> String {
    let mut open: Option<Fence> = None;
    let mut prose = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let fence = Fence::read(line);
        match (&open, fence) {
            (None, None) => prose.push_str(line),
            (None, Some(opening)) => {
                open = Some(opening);
                prose.push_str(&blank(line));
            }
            (Some(opening), fence) => {
                if fence.is_some_and(|closing| closing.closes(opening)) {
                    open = None;
                }
                prose.push_str(&blank(line));
            }
        }
    }
    prose
}

/// The line that opens or closes a fenced code block.
struct Fence {
    mark: char,
    length: usize,
    bare: bool,
}

impl Fence {
    /// A fence may stand in a quotation and behind the mark of a list's item.
    fn read(line: &str) -> Option<Self> {
        let mut line = line.trim_start_matches([' ', '\t', '>']).trim_end();
        let item = line.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(content) = item.strip_prefix(['-', '*', '+', '.', ')'])
            && content.starts_with(' ')
        {
            line = content.trim_start();
        }
        let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
        let info = line.trim_start_matches(mark);
        let length = line.len() - info.len();
        let inline = mark == '`' && info.contains('`');
        (length >= 3 && !inline).then_some(Self { mark, length, bare: info.is_empty() })
    }

    fn closes(&self, opening: &Self) -> bool {
        self.bare && self.mark == opening.mark && self.length >= opening.length
    }
}

/// The text without its code spans; a span does not reach over an empty line.
pub(super) fn code_spans(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let length = run(&rest[at..]);
        let content = at + length;
        let escaped = rest[..at].ends_with('\\');
        match closing(&rest[content..], length).filter(|_| !escaped) {
            Some(end) => {
                let after = content + end + length;
                prose.push_str(&rest[..at]);
                prose.push_str(&blank(&rest[at..after]));
                rest = &rest[after..];
            }
            None => {
                prose.push_str(&rest[..content]);
                rest = &rest[content..];
            }
        }
    }
    prose + rest
}

/// How many backticks the text starts with.
fn run(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

/// Where the run of exactly so many backticks starts that ends a span.
fn closing(text: &str, length: usize) -> Option<usize> {
    let paragraph = &text[..text.find("\n\n").unwrap_or(text.len())];
    let mut at = 0;
    while let Some(next) = paragraph[at..].find('`') {
        at += next;
        let found = run(&paragraph[at..]);
        if found == length {
            return Some(at);
        }
        at += found;
    }
    None
}

/// The text without its HTML comments.
pub(super) fn comments(text: &str) -> String {
    let mut prose = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("<!--") {
        let end = rest[at..].find("-->").map_or(rest.len(), |end| at + end + "-->".len());
        prose.push_str(&rest[..at]);
        prose.push_str(&blank(&rest[at..end]));
        rest = &rest[end..];
    }
    prose + rest
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left, where blanked characters are shown as nothing.
    fn check(blanked: &str, expected: &str) {
        let left: Vec<_> = blanked.lines().map(str::trim).collect();
        assert_eq!(left.join("|"), expected);
    }

    #[test]
    fn fenced_blocks() {
        check(&fences("a\n```rust\nb\n```\nc"), "a||||c");
        check(&fences("~~~\n```\n~~~\nc"), "|||c");
        check(&fences("````\n```\n````\nc"), "|||c");
        check(&fences("```\n```sh\n```\nc"), "|||c");
        check(&fences("> ```\n> b\n> ```\n> c"), "|||> c");
        check(&fences("1. ```sh\n   b\n   ```\n2. c"), "|||2. c");
        check(&fences("```in one line``` c"), "```in one line``` c");
        check(&fences("never closed\n```\nc"), "never closed||");
    }

    #[test]
    fn spans() {
        check(&code_spans("a `b` c"), "a     c");
        check(&code_spans("a ``b ` b`` c"), "a           c");
        check(&code_spans("`b\nb` c"), "|c");
        check(&code_spans("a ` b\n\nc ` d"), "a ` b||c ` d");
        check(&code_spans(r"a \` b ` c"), r"a \` b ` c");
    }

    #[test]
    fn commented_out() {
        check(&comments("a <!-- b\nb --> c <!-- d"), "a|c");
    }
}
