//! Tells the program which compiler made it, and how it is linked.

use std::process::Command;

const ORDER: &str = "startup.order";

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

/// With the linker that the toolchain brings on this platform: functions that came out the same are kept once; addresses
/// to be adjusted at each start are noted in bits instead of 24 bytes each, which glibc reads since 2.36; and in a release
/// what runs at a start stands together, so that little else is mapped with it (`scripts/startup-order`).
fn link() {
    println!("cargo:rerun-if-changed={ORDER}");
    let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|it| it == value);
    if !is("TARGET", "x86_64-unknown-linux-gnu") {
        return;
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    if is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}/{ORDER}", env!("CARGO_MANIFEST_DIR"));
        println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}
