//! For build scripts: the version of a crate, from Cargo.lock.

pub fn lock_version(name: &str) -> String {
    println!("cargo::rerun-if-changed=../Cargo.lock");
    let lock = std::fs::read_to_string("../Cargo.lock").expect("Cargo.lock");
    let wanted = format!("\nname = \"{name}\"\n");
    let package = lock.split("[[package]]").find(|p| p.contains(&wanted)).expect("a crate in Cargo.lock");
    let version = package.lines().find_map(|l| l.strip_prefix("version = \"")).expect("its version");
    version.trim_end_matches('"').to_string()
}
