//! What was taken from others is as it was taken.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use super::Files;

/// The licences under which others may be taken along.
const LICENCES: [&str; 2] = ["MIT", "Apache-2.0"];
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/vendor");

#[derive(Deserialize)]
struct Vendored {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    licence: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    file: String,
    sha256: String,
}

#[test]
fn every_vendored_file_has_its_checksum_and_every_package_its_licence() {
    let list = fs::read_to_string(Path::new(FOLDER).join("VENDOR.toml")).unwrap();
    let list: Vendored = toml::from_str(&list).unwrap();
    let mut known = BTreeSet::from(["VENDOR.toml".to_owned()]);
    for Package { name, version, licence, files } in list.package {
        assert!(
            !version.is_empty() && LICENCES.contains(&&*licence),
            "{name} {version}: {licence}"
        );
        assert!(files.iter().any(|file| file.file.contains("LICENCE")), "{name}: no licence");
        for File { file, sha256 } in files {
            let embedded = Files::get(&format!("vendor/{file}")).expect(&file);
            let hash: String =
                embedded.metadata.sha256_hash().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, sha256, "{name}: vendor/{file} is not as it was taken");
            known.insert(file);
        }
    }
    for entry in fs::read_dir(FOLDER).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "VENDOR.toml does not list {name}");
    }
}
