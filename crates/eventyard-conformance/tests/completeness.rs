//! Every case is on the suite's list.

use std::{fs, path::Path};

#[test]
fn every_case_is_listed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let suite = fs::read_to_string(src.join("suite.rs")).unwrap();
    let mut cases = 0;
    for file in fs::read_dir(&src).unwrap() {
        let path = file.unwrap().path();
        let theme = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let names = text.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("pub async fn ")?.split_once('(')?;
            rest.contains("&Fixture").then_some(name)
        });
        let block = suite.split_once(&format!(" {theme} {{\n")).map_or("", |(_, rest)| rest);
        let listed: Vec<_> =
            block.split('}').next().unwrap_or_default().split_whitespace().collect();
        for name in names {
            assert!(listed.contains(&name), "suite.rs does not list {theme}::{name}");
            cases += 1;
        }
    }
    assert!(cases > 100, "{cases} cases");
}

#[test]
fn every_case_of_a_transport_is_listed() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/transport");
    let suite = fs::read_to_string(src.join("suite.rs")).unwrap();
    let mut cases = 0;
    for theme in ["broadcast", "closing", "group", "redelivery", "wholeness"] {
        let text = fs::read_to_string(src.join(format!("{theme}.rs"))).unwrap();
        let block = suite.split_once(&format!(" {theme} {{\n")).map_or("", |(_, rest)| rest);
        let listed: Vec<_> =
            block.split('}').next().unwrap_or_default().split_whitespace().collect();
        for line in text.lines().filter_map(|line| line.strip_prefix("pub async fn ")) {
            let (name, _) = line.split_once('(').unwrap();
            assert!(listed.contains(&name), "suite.rs does not list {theme}::{name}");
            cases += 1;
        }
    }
    assert!(cases > 25, "{cases} cases");
}
