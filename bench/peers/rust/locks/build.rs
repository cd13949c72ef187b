//! Versions as the lines tell them: the compiler's, whose standard library is measured, and parking_lot's.

#[path = "../lock_version.rs"]
mod lock_version;

use std::{env, process::Command};

fn main() {
    let rustc = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().expect("rustc --version");
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    println!("cargo::rustc-env=RUSTC_VERSION={}", text.split_whitespace().nth(1).unwrap_or("unknown"));
    println!("cargo::rustc-env=PARKING_LOT_VERSION={}", lock_version::lock_version("parking_lot"));
}
