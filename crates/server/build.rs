//! Tells the program which compiler made it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed = Command::new(compiler).arg("--version").output().ok();
    let printed = printed.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    // "rustc 1.95.0 (hash date)"
    let version = printed.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    println!("cargo:rustc-env=HERMOD_COMPILER={version}");
}
