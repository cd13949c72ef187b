//! Tokio's version as the lines tell it.

#[path = "../lock_version.rs"]
mod lock_version;

fn main() {
    println!("cargo::rustc-env=TOKIO_VERSION={}", lock_version::lock_version("tokio"));
}
