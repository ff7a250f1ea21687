//! Standard output is for data and nothing else; standard error is for people.

use std::io::{self, IsTerminal, Write, stderr, stdout};

use comfy_table::{ContentArrangement, Table, presets};
use miette::IntoDiagnostic;
use serde::Serialize;

/// Writes a line. A reader that has gone away is no failure.
///
/// # Errors
/// When standard output cannot be written to.
pub(crate) fn line(text: impl std::fmt::Display) -> miette::Result<()> {
    match writeln!(stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.into_diagnostic(),
    }
}

/// Tells people something. That nobody is there to read it stops nothing.
pub(crate) fn tell(text: impl std::fmt::Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// Writes a value as JSON: indented for a person, on one line for a program.
///
/// # Errors
/// As for [`line()`].
pub(crate) fn json(value: &impl Serialize) -> miette::Result<()> {
    let text = if stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    line(text.into_diagnostic()?)
}

/// Writes rows under a header.
///
/// # Errors
/// As for [`line()`].
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: Vec<[String; N]>,
) -> miette::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    line(lines.join("\n"))
}
