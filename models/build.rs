//! Fetches the face model that the `rustface` crate ships in its package but does not expose, so
//! that `detect/rustface.rs` can embed it. Cargo alone knows where the package was unpacked.
//!
//! It is asked about a tiny package of its own that depends on `rustface` only: asking about this
//! workspace would make cargo download everything the trainer needs, too.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The same version as in the workspace's `Cargo.toml`, pinned because the file name is its.
const VERSION: &str = "0.1.7";
const MODEL: &str = "model/seeta_fd_frontal_v1.0.bin";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let package = rustface_folder(&out).map_err(|reason| {
        format!(
            "cannot find the sources of rustface {VERSION}, whose face model is embedded here: \
             {reason}; run `cargo fetch` and build again"
        )
    })?;
    let model = package.join(MODEL);
    // A copy, not a path into cargo's registry: that one may be cleaned between two builds.
    fs::copy(&model, out.join("rustface.bin")).map_err(|e| {
        format!(
            "the package of rustface {VERSION} has no readable {}: {e}; if the version was raised, \
             adapt MODEL in models/build.rs",
            model.display()
        )
    })?;
    Ok(())
}

/// Where cargo unpacked (or vendored) the `rustface` package.
fn rustface_folder(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let probe = out.join("probe");
    fs::create_dir_all(&probe)?;
    let manifest = probe.join("Cargo.toml");
    fs::write(
        &manifest,
        format!(
            "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [lib]\npath = \"lib.rs\"\n[workspace]\n[dependencies]\n\
             rustface = {{ version = \"={VERSION}\", default-features = false }}\n"
        ),
    )?;
    fs::write(probe.join("lib.rs"), "")?;
    // The locked versions are the ones that were just downloaded; without the lock file cargo
    // might prefer newer ones that are not there.
    if let Some(lock) = here.ancestors().map(|a| a.join("Cargo.lock")).find(|l| l.is_file()) {
        fs::copy(lock, probe.join("Cargo.lock"))?;
    }

    // The build has downloaded the package, so no network is needed; only a cargo whose index was
    // cleaned in between has to go out again.
    let mut failure = String::new();
    for network in [&["--offline"][..], &[]] {
        let answer = Command::new(env::var("CARGO")?)
            .args(["metadata", "--format-version", "1", "--manifest-path"])
            .arg(&manifest)
            .args(network)
            // Settings such as a vendored registry are looked up from the working folder.
            .current_dir(&here)
            .output()?;
        if answer.status.success() {
            return folder_in(&answer.stdout);
        }
        failure = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    }
    Err(format!("`cargo metadata` failed: {failure}").into())
}

/// The folder of the `rustface` package in the answer of `cargo metadata`.
fn folder_in(metadata: &[u8]) -> Result<PathBuf, Box<dyn Error>> {
    let metadata: serde_json::Value = serde_json::from_slice(metadata)?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|p| p["name"] == "rustface" && p["version"] == VERSION)
        .and_then(|p| p["manifest_path"].as_str())
        .and_then(|manifest| Path::new(manifest).parent())
        .map(Path::to_path_buf)
        .ok_or_else(|| "`cargo metadata` does not list it".into())
}
