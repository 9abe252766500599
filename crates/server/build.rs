//! Tells the program which compiler made it, and how it is linked.

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
    link();
}

/// With the linker that the toolchain brings on this platform: functions that came out the same are kept once, and addresses
/// to be adjusted at each start are noted in bits instead of 24 bytes each, which glibc reads since 2.36.
fn link() {
    if std::env::var_os("TARGET").is_some_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
