//! Versions as the lines tell them: the compiler's, whose standard library is measured, and parking_lot's from Cargo.lock.

use std::{env, fs, process::Command};

fn main() {
    let rustc = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().expect("rustc --version");
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    println!("cargo::rustc-env=RUSTC_VERSION={}", text.split_whitespace().nth(1).unwrap_or("unknown"));
    let lock = fs::read_to_string("../Cargo.lock").expect("Cargo.lock");
    let version = lock.split("[[package]]").find(|p| p.contains("\nname = \"parking_lot\"\n")).and_then(|p| {
        p.lines().find_map(|l| l.strip_prefix("version = \"")).map(|v| v.trim_end_matches('"').to_string())
    });
    println!("cargo::rustc-env=PARKING_LOT_VERSION={}", version.expect("parking_lot in Cargo.lock"));
    println!("cargo::rerun-if-changed=../Cargo.lock");
}
