//! What is shipped to boards: which of them a program runs on, and what scripts say when something is missing.

#![allow(clippy::unwrap_used)]

use std::process::Command;

use tests::program::path_of;
use tests::{project, skip};

#[test]
fn a_program_is_held_against_the_glibc_of_every_board() {
    let Ok(output) = Command::new(project("deploy/glibc-table")).arg(path_of("mien")).output() else {
        skip("no bash");
        return;
    };
    let told = String::from_utf8_lossy(&output.stdout);
    let needs = told.lines().next().and_then(|line| line.strip_prefix("mien needs glibc 2.")).unwrap();
    let needs: u32 = needs.parse().unwrap();
    for board in ["pi4", "pi5", "zero2w", "jetson-orin-nano", "jetson-nano"] {
        let row = told.lines().find(|line| line.starts_with(&format!("{board} "))).unwrap_or_else(|| panic!("{told}"));
        let has: u32 = row.split_whitespace().find_map(|word| word.strip_prefix("2.")).unwrap().parse().unwrap();
        assert_eq!(row.ends_with("runs"), needs <= has, "{row}");
    }
}

#[test]
fn a_push_that_cannot_begin_changes_nothing_and_says_why() {
    let push = |args: &[&str]| {
        let output = Command::new(project("deploy/push.sh")).args(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = push(&[]);
    assert!(code == Some(1) && told.contains("PACKAGE.deb"), "{told}");
    let (code, told) = push(&["/no/such.deb", "host"]);
    assert!(code == Some(1) && told.contains("deploy/package makes one"), "{told}");
    let (code, told) = push(&["--board", "pi9", "a.deb", "host"]);
    assert!(code == Some(1) && told.contains("pi4") && told.contains("zero2w"), "{told}");
}
