//! The Debian package of the program under test, and other versions of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::place::Place;
use crate::program::path_of;
use crate::{project, skip};

/// The package of the program as it was built, which also lies unpacked as `tree` in the place; without the tools for it
/// the test is skipped.
pub fn package(place: &Place) -> Option<PathBuf> {
    // Tests that run beside each other share one.
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let Some(file) = FILE.get_or_init(make) else {
        skip("no dpkg: packages are made on Debian or Ubuntu");
        return None;
    };
    assert!(Command::new("dpkg-deb").arg("-R").arg(file).arg(place.path("tree")).status().unwrap().success());
    Some(file.clone())
}

fn make() -> Option<PathBuf> {
    Command::new("dpkg").arg("--version").output().ok()?;
    // Of the very program that the tests run, wherever cargo was told to put it.
    let program = path_of("mien");
    let target = program.parent().and_then(Path::parent).unwrap();
    // Tests of other processes would put the tool for it in place at the same time.
    let one_at_a_time = fs::File::create(target.join("package.lock")).unwrap();
    one_at_a_time.lock().unwrap();
    let mut package = Command::new(project("deploy/package"));
    let output = package.args(["--no-build", "--quick"]).env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let file = said.lines().rfind(|line| line.ends_with(".deb")).unwrap_or_else(|| panic!("{said}"));
    Some(file.into())
}

/// Another version of the unpacked package.
pub fn repack(place: &Place, version: &str, change: impl FnOnce(&Path)) -> PathBuf {
    let tree = place.path("tree");
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let lines =
        text.lines().map(|line| if line.starts_with("Version:") { format!("Version: {version}") } else { line.into() });
    fs::write(&control, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    change(&tree);
    let file = place.path(&format!("mien_{version}.deb"));
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Zgzip", "-z1", "-b"]).arg(&tree).arg(&file);
    assert!(build.output().unwrap().status.success());
    file
}
