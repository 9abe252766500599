//! The tree under test: cargo tells the crates and what they depend on, git tells the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The workspace as cargo sees it.
pub(crate) struct House {
    pub(crate) members: Vec<Member>,
}

/// One of our crates.
pub(crate) struct Member {
    /// Such as `dialect-kirim`.
    pub(crate) name: String,
    /// Below `crates/`, such as `engine` or `dialects/kirim`.
    pub(crate) folder: String,
    /// Folders of those of our crates that it depends on, tests aside.
    pub(crate) ours: Vec<String>,
    /// Names of all other crates that it depends on, tests aside.
    pub(crate) external: Vec<String>,
    /// Its own features, and what each turns on.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// Features of others that its manifest asks for, tests included, as in `crate/feature`.
    pub(crate) asked: Vec<String>,
}

/// One text file.
pub(crate) struct Source {
    /// From the root, with slashes.
    pub(crate) path: String,
    text: String,
}

impl House {
    pub(crate) fn read() -> Self {
        let mut cargo = Command::new(env!("CARGO"));
        let printed = output(cargo.args(["metadata", "--no-deps", "--offline", "--format-version=1"]));
        let metadata: Value = serde_json::from_slice(&printed).expect("cargo metadata prints JSON");
        let packages = metadata["packages"].as_array().expect("a list of packages");
        let folders = packages.iter().map(|package| (text(package, "name"), folder(package))).collect();
        Self { members: packages.iter().map(|package| Member::read(package, &folders)).collect() }
    }

    /// One of our crates as manifests name it, with the prefix of its package or without.
    pub(crate) fn named(&self, name: &str) -> Option<&Member> {
        let bare = name.strip_prefix("hermod-").unwrap_or(name);
        self.members.iter().find(|member| member.name == bare)
    }
}

impl Member {
    fn read(package: &Value, folders: &BTreeMap<&str, String>) -> Self {
        let features = serde_json::from_value(package["features"].clone()).expect("features are lists of names");
        let name = text(package, "name").trim_start_matches("hermod-").to_owned();
        let (ours, external, asked) = Default::default();
        let mut member = Self { name, folder: folder(package), ours, external, features, asked };
        let dependencies = package["dependencies"].as_array().expect("a list of dependencies");
        for dependency in dependencies {
            let features = dependency["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
            member.asked.extend(features.map(|feature| format!("{}/{feature}", text(dependency, "name"))));
        }
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"] != "dev") {
            let name = text(dependency, "name");
            match folders.get(name) {
                Some(folder) => member.ours.push(folder.clone()),
                None => member.external.push(name.to_owned()),
            }
        }
        member
    }

    pub(crate) fn manifest(&self) -> Source {
        let path = format!("crates/{}/Cargo.toml", self.folder);
        Source::read(&path).unwrap_or_else(|| panic!("{path} is not readable"))
    }

    /// Its Rust files, tests aside.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let mut files = files_under(&[&format!("crates/{}/src/", self.folder)]);
        files.retain(|file| file.path.ends_with(".rs") && !file.is_test());
        files
    }
}

impl Source {
    /// None for a binary file, and for one that git still lists though it is gone.
    fn read(path: &str) -> Option<Self> {
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(Self { path: path.to_owned(), text })
    }

    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The lines before the test module, which stands last in its file.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && opens_module(pair[1]));
        self.numbered().take(tests.unwrap_or(lines.len()))
    }

    /// The lines of one table of a manifest.
    pub(crate) fn section(&self, title: &str) -> Vec<&str> {
        let body = self.text.lines().skip_while(|line| *line != title).skip(1);
        body.take_while(|line| !line.starts_with('[')).collect()
    }
}

/// The text files whose paths begin so, of all that git tracks or would track.
pub(crate) fn files_under(prefixes: &[&str]) -> Vec<Source> {
    let mut git = Command::new("git");
    let printed = output(git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]));
    let printed = String::from_utf8(printed).expect("file names in UTF-8");
    let wanted = |path: &&str| prefixes.iter().any(|prefix| path.starts_with(prefix));
    let files: Vec<Source> = printed.split_terminator('\0').filter(wanted).filter_map(Source::read).collect();
    assert!(!files.is_empty(), "no file begins with any of {prefixes:?}");
    files
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders above this crate").to_owned()
}

fn opens_module(line: &str) -> bool {
    line.starts_with("mod ") && line.ends_with('{')
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_else(|| panic!("cargo metadata gives a {key}"))
}

fn folder(package: &Value) -> String {
    let crates = root().join("crates");
    let manifest = Path::new(text(package, "manifest_path"));
    let below = manifest.parent().and_then(|folder| folder.strip_prefix(crates).ok());
    below.and_then(Path::to_str).expect("our crates live in crates/").to_owned()
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
