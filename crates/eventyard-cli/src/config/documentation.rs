//! Checks that docs/configuration.md tells all that can be configured.

use serde_json::Value;

use super::{
    Environment, Layers,
    key::{Key, Keys},
};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/schedules.md");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");

fn page() -> String {
    read(PAGE)
}

fn read(page: &str) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// A key as its line in the page.
fn line(key: &Key) -> String {
    let default = match &key.default {
        Some(default) if !key.is_table => format!("`{}`", toml(default)),
        _ => String::new(),
    };
    let variable = key.variable().map(|name| format!("`{name}`")).unwrap_or_default();
    format!("| `{key}` | {default} | {variable} | {} |", key.description)
}

fn toml(value: &Value) -> String {
    match toml::Value::try_from(value) {
        Ok(value) => value.to_string(),
        Err(error) => panic!("{value}: {error}"),
    }
}

#[test]
fn the_page_has_a_line_for_every_key() {
    let page = page();
    let keys = Keys::known();
    let lines = keys.iter().filter(|key| key.parts.len() > 1).map(line);
    let missing: Vec<_> = lines.filter(|line| !page.contains(line)).collect();
    assert!(missing.is_empty(), "docs/configuration.md lacks these lines:\n{}", missing.join("\n"));
}

#[test]
fn the_page_has_a_line_for_no_other_key() {
    let keys = Keys::known();
    for line in page().lines().filter(|line| line.starts_with("| `") && line.contains("EVENTYARD_"))
    {
        let name = line.split('`').nth(1).unwrap_or_default();
        assert!(keys.iter().any(|key| key.to_string() == name), "there is no key {name}");
    }
}

#[test]
fn the_examples_of_the_pages_can_be_used() {
    let page = page() + &read(GUIDE);
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(example, _)| example))
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("eventyard.toml");
        std::fs::write(&file, example).unwrap();
        let layers =
            Layers { file: Some(file), environment: Environment::default(), ..Layers::default() };
        layers.load().unwrap_or_else(|error| panic!("{example}\n{error:?}"));
    }
}
