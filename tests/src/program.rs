//! The programs under test, and how they have to refuse.

use std::path::PathBuf;
use std::time::Duration;

use assert_cmd::Command;

/// Exit code for what the user gave.
pub const BAD_INPUT: i32 = 2;
/// Exit code for what the machine did.
pub const FAILURE: i32 = 1;

/// Longer than anything here takes, on a slow machine too: a hanging program must not hang the tests.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The path of a program of this workspace, built in the same profile as the test that asks.
pub fn path_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not there: run tests/run, which builds it first", path.display());
    path
}

/// `mien`
pub fn mien() -> Command {
    limited("mien")
}

/// `mien-trainer`
pub fn trainer() -> Command {
    limited("mien-trainer")
}

fn limited(name: &str) -> Command {
    let mut command = Command::new(path_of(name));
    command.timeout(TIMEOUT);
    command
}

/// Runs a program that has to succeed; gives what it wrote to standard output and standard error.
pub fn succeeds(run: &mut Command) -> (String, String) {
    let output = run.output().unwrap();
    let [written, told] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{}: {told}", output.status);
    (written, told)
}

/// Runs a program that has to refuse its input: with this exit code, one error with these parts in it, and no panic.
pub fn refused(run: &mut Command, code: i32, parts: &[&str]) {
    let output = run.output().unwrap();
    refused_with(&String::from_utf8_lossy(&output.stderr), output.status.code(), code, parts);
}

/// The same for a program that has run: what it told, its exit code, and the one it should have had.
pub fn refused_with(told: &str, found: Option<i32>, code: i32, parts: &[&str]) {
    assert_eq!(found, Some(code), "{told}");
    assert!(!told.contains("panicked"), "{told}");
    assert_eq!(told.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{told}");
    for part in parts {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }
}
