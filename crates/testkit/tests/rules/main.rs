//! The rules of the house that no compiler holds: who may depend on whom, which words stay where, where SQL lives, how
//! long a file may be, and that nothing names the machine it was written on. Each rule is a table with its reasons;
//! each test lists all offences at once.

mod tree;

use tree::{House, Member, Source, files_under};

/// What a crate may depend on, by its folder, and why no more. Dependencies of tests are free.
const EDGES: &[(&str, &[&str], &str)] = &[
    ("net", &[], "net is below everything"),
    ("meta-wire", &[], "pure types: parse and print"),
    ("web-wire", &[], "pure types that a dialect and a provider share"),
    ("sms-text", &[], "how texts become SMS; whoever counts or carries them asks here"),
    ("store", &["net"], "records and SQL; knows no rule"),
    ("media", &["net"], "blobs and conversions; knows no rule"),
    ("engine", &["store", "net"], "the rules; one store, and nothing with a vendor's name"),
    ("api", &["engine", "net"], "HTTP machinery that all dialects share"),
    (
        "dialects/digigo",
        &["api", "engine", "media", "net", "web-wire"],
        "a dialect names no provider and no transport; callers' files are fetched and made fit here",
    ),
    (
        "dialects/ycloud",
        &["api", "engine", "media", "meta-wire", "sms-text"],
        "a dialect names no provider and no transport; texts are counted as they are cut",
    ),
    ("dialects/*", &["api", "engine", "media", "meta-wire"], "a dialect names no provider and no transport"),
    (
        "providers/whatsapp-web",
        &["engine", "media", "net", "store", "web-wire"],
        "a provider names no dialect; what its protocol must remember is session state in the store",
    ),
    (
        "providers/telecom",
        &["engine", "net", "sms-text"],
        "a provider names no dialect; texts are cut as they are counted",
    ),
    ("providers/*", &["engine", "media", "meta-wire", "net"], "a provider names no dialect"),
    ("transports", &["engine", "net"], "a transport carries bytes that are rendered already"),
    (
        "sandbox",
        &["net", "meta-wire", "sandbox-carriers", "sandbox-web"],
        "the outside world cannot see inside the platform",
    ),
    ("sandbox-carriers", &["sms-text"], "servers that stand by themselves"),
    ("sandbox-web", &["net"], "a server that stands by itself"),
    ("server", &["*"], "the one place where everything meets"),
    ("testkit", &["*"], "starts the whole platform for a test"),
    ("bench", &["*"], "drives and compares the whole platform"),
];

/// Crates that no product crate may depend on, whatever its line above says.
const NEVER_SHIPPED: &[&str] = &["testkit", "bench"];

/// The only crates that may speak WhatsApp Web's protocol: no dialect and no rule depends on the library's types.
const WEB_HOMES: &[&str] = &["providers/whatsapp-web", "sandbox-web"];

/// The crates of the library that speaks it.
const WEB_CRATES: &[&str] =
    &["whatsapp-rust", "wacore", "wacore-binary", "wacore-noise", "wacore-libsignal", "wacore-appstate", "waproto"];

/// Our feature for the sandbox, and what it turns on in that library: a certificate chain that nobody signed is
/// accepted. No build has it by accident.
const SANDBOX_FEATURE: &str = "web-sandbox";
const BLIND_FEATURE: &str = "danger-skip-cert-chain-verify";

/// Words that the engine and the store must not know, and whose they are.
const VENDOR_WORDS: &[(&str, &str)] = &[
    ("kirim", "a dialect"),
    ("ycloud", "a dialect"),
    ("digigo", "a dialect"),
    ("getlate", "a dialect; the rest of its name is an English word"),
    ("zernio", "a dialect under another name"),
    ("meta", "a provider; the channel is called whatsapp"),
    ("facebook", "a provider under another name"),
    ("graph", "a provider's API"),
    ("waba", "a provider's word for an account"),
    ("wamid", "a provider's word for a message's id"),
    ("twilio", "a carrier"),
];

/// Crates that talk to a database.
const DATABASE_CRATES: &[&str] =
    &["rusqlite", "libsqlite3-sys", "tokio-postgres", "tokio-postgres-rustls", "deadpool-postgres", "sqlx", "sea-orm"];

/// How statements begin, in upper case as the store writes them.
const SQL: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE",
    "CREATE INDEX",
    "ALTER TABLE",
    "DROP TABLE",
    "PRAGMA ",
];

/// Where SQL may stand: the store, the floor it is measured against, and what makes databases for tests.
const SQL_HOMES: &[&str] = &["store", "bench", "testkit"];

/// A file is one thought. Tests are not counted.
const MAX_LINES: usize = 600;

#[test]
fn every_crate_is_in_the_workspace() {
    let known: Vec<String> = House::read().members.iter().map(|member| member.manifest().path).collect();
    let manifests =
        files_under(&["crates/"]).into_iter().map(|file| file.path).filter(|path| path.ends_with("/Cargo.toml"));
    let offences: Vec<String> = manifests.filter(|path| !known.contains(path)).collect();
    none(&offences);
}

#[test]
fn crates_depend_only_downwards() {
    let mut offences = Vec::new();
    for member in House::read().members {
        let Some((allowed, reason)) = edges_of(&member.folder) else {
            offences.push(format!("{} has no line in EDGES", member.folder));
            continue;
        };
        let ships = !NEVER_SHIPPED.contains(&member.folder.as_str());
        let refused = |other: &str| {
            let listed = allowed.contains(&"*") || allowed.contains(&other);
            !listed || (ships && NEVER_SHIPPED.contains(&other))
        };
        let wrong = member.ours.iter().filter(|other| refused(other.as_str()));
        offences.extend(wrong.map(|other| format!("{} -> {other} ({}: {reason})", member.folder, member.folder)));
    }
    none(&offences);
}

#[test]
fn engine_and_store_know_no_vendor() {
    let mut offences = Vec::new();
    for file in files_under(&["crates/engine/", "crates/store/"]).iter().filter(|file| !file.is_test()) {
        for (number, line) in file.numbered() {
            let known = words(line).into_iter().filter_map(|word| vendor(&word));
            offences.extend(known.map(|(word, whose)| format!("{}:{number}: {word}, {whose}", file.path)));
        }
    }
    none(&offences);
}

#[test]
fn a_vendor_is_found_in_every_spelling() {
    let cases: &[(&str, &[&str])] = &[
        ("meta_cloud", &["meta"]),
        ("metaCloud", &["meta"]),
        ("provider: MetaCloud::WABA_ID", &["meta", "waba"]),
        ("\"wamid.HBgN\" in HTTPGraph2", &["wamid", "graph"]),
        ("a list of wabas", &["waba"]),
        ("metadata(), METADATA, metrics, paragraph, too late", &[]),
    ];
    for (text, expected) in cases {
        let found: Vec<&str> = words(text).iter().filter_map(|word| vendor(word)).map(|(word, _)| word).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn sql_stands_in_the_store_only() {
    let mut offences = Vec::new();
    let strangers = |member: &Member| !SQL_HOMES.contains(&member.folder.as_str());
    for member in House::read().members.into_iter().filter(strangers) {
        let linked = member.external.iter().filter(|name| DATABASE_CRATES.contains(&name.as_str()));
        offences.extend(linked.map(|name| format!("{} depends on {name}", member.folder)));
        for file in member.sources() {
            let statements = file.product_lines().filter(|(_, line)| is_sql(line));
            offences.extend(statements.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
        }
    }
    none(&offences);
}

#[test]
fn the_protocol_of_whatsapp_web_has_two_homes() {
    let mut offences = Vec::new();
    for member in House::read().members.iter().filter(|member| !WEB_HOMES.contains(&member.folder.as_str())) {
        let named = member.external.iter().filter(|name| WEB_CRATES.contains(&name.as_str()));
        offences.extend(named.map(|name| format!("{} depends on {name}", member.folder)));
    }
    none(&offences);
}

#[test]
fn only_the_sandboxs_feature_trusts_a_chain_that_nobody_signed() {
    let house = House::read();
    let mut offences = Vec::new();
    for member in &house.members {
        for (feature, items) in member.features.iter().filter(|(feature, _)| *feature != SANDBOX_FEATURE) {
            let wrong = items.iter().filter(|item| blinds(&house, member, item));
            offences.extend(wrong.map(|item| format!("{}: feature {feature} has {item}", member.folder)));
        }
        let wrong = member.asked.iter().filter(|asked| blinds(&house, member, asked));
        offences.extend(wrong.map(|asked| format!("{} asks for {asked}", member.folder)));
    }
    none(&offences);
    let server = house.members.iter().find(|member| member.folder == "server").expect("a server");
    assert!(blinds(&house, server, SANDBOX_FEATURE), "the library's feature has another name");
    assert!(!blinds(&house, server, "default"));
}

/// Does this, as it stands in a manifest's list of features, end with the library's certificates unchecked?
fn blinds(house: &House, member: &Member, item: &str) -> bool {
    let (of, feature) = match item.split_once('/') {
        Some((other, feature)) => (house.named(other.trim_end_matches('?')), feature),
        None => (Some(member), item),
    };
    let items = of.and_then(|of| Some((of, of.features.get(feature)?)));
    feature == BLIND_FEATURE || items.is_some_and(|(of, items)| items.iter().any(|item| blinds(house, of, item)))
}

#[test]
fn files_are_short() {
    let sources: Vec<Source> = House::read().members.iter().flat_map(Member::sources).collect();
    let long = sources.iter().map(|file| (file, file.product_lines().count())).filter(|(_, lines)| *lines > MAX_LINES);
    let offences: Vec<String> = long.map(|(file, lines)| format!("{}: {lines} lines", file.path)).collect();
    none(&offences);
}

#[test]
fn every_crate_takes_the_lints_and_unsafe_is_forbidden() {
    let workspace = files_under(&["Cargo.toml"]);
    assert!(workspace[0].section("[workspace.lints.rust]").contains(&"unsafe_code = \"forbid\""));
    let manifests = House::read().members.into_iter().map(|member| member.manifest());
    let without = manifests.filter(|manifest| !manifest.section("[lints]").contains(&"workspace = true"));
    let offences: Vec<String> =
        without.map(|manifest| format!("{} lacks [lints] workspace = true", manifest.path)).collect();
    none(&offences);
}

#[test]
fn no_file_names_this_machine() {
    let cargo_home = std::env::home_dir().expect("a home directory").join(".cargo");
    // a checkout right below the root, such as /src in a container, is too common a name to look for
    let checkout = Some(tree::root()).filter(|path| path.components().count() > 2);
    let places: Vec<String> = checkout.into_iter().chain([cargo_home]).map(|path| path.display().to_string()).collect();
    let mut offences = Vec::new();
    for file in files_under(&[""]) {
        let lines = file.numbered().filter(|(_, line)| places.iter().any(|place| line.contains(place)));
        offences.extend(lines.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    none(&offences);
}

fn none(offences: &[String]) {
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

fn edges_of(folder: &str) -> Option<(&'static [&'static str], &'static str)> {
    let covers = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => folder.starts_with(prefix),
        None => folder == pattern,
    };
    EDGES.iter().find(|(pattern, ..)| covers(pattern)).map(|(_, allowed, reason)| (*allowed, *reason))
}

/// The vendor's word that this is, also in the plural, and whose it is.
fn vendor(word: &str) -> Option<(&'static str, &'static str)> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    VENDOR_WORDS.iter().copied().find(|(vendor, _)| *vendor == word || *vendor == singular)
}

/// The words of a text in lower case, with identifiers split: `metaCloud`, `meta_cloud` and `META-CLOUD` are two words.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphabetic()).flat_map(words_of_identifier).collect()
}

fn words_of_identifier(name: &str) -> Vec<String> {
    let letters = name.as_bytes();
    let begins = |at: &usize| {
        let (before, after) = (letters[at - 1], letters.get(at + 1));
        letters[*at].is_ascii_uppercase() && (before.is_ascii_lowercase() || after.is_some_and(u8::is_ascii_lowercase))
    };
    let bounds: Vec<usize> = [0].into_iter().chain((1..name.len()).filter(begins)).chain([name.len()]).collect();
    bounds.windows(2).map(|bound| name[bound[0]..bound[1]].to_ascii_lowercase()).collect()
}

fn is_sql(line: &str) -> bool {
    !line.trim_start().starts_with("//") && SQL.iter().any(|statement| line.contains(statement))
}
