//! Records the commit that the trainer is built from, for the provenance of its bundles.

use std::path::Path;
use std::process::Command;

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| !commit.is_empty());
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "../host-trainer/src", "../models/src"])
        .is_some_and(|changes| !changes.is_empty());
    let commit = match commit {
        Some(commit) if changed => format!("{commit}+changes"),
        Some(commit) => commit,
        // Built from a source archive.
        None => "unknown".into(),
    };
    println!("cargo:rustc-env=MIEN_COMMIT={commit}");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=../models/src");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists()) {
        println!("cargo:rerun-if-changed={log}");
    }
}
