//! Disks that are full or read-only, for one program at a time and without any rights on the machine.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::Place;
use crate::program::path_of;
use crate::skip;

/// What is wrong with the disk: mount options of a file system in memory.
#[derive(Copy, Clone, Debug)]
pub enum Disk {
    /// It has room for 16 KiB.
    Full,
    /// Nothing can be written.
    ReadOnly,
}

/// What became of a program.
pub struct Ended {
    /// Its exit code and what it wrote.
    pub output: Output,
    /// The files that it left on the disk; empty folders do not count.
    pub left: Vec<String>,
}

/// Mounts, runs the program, lists what is left. Where the mount does not work there is no list.
const SCRIPT: &str = r#"
disk=$1 options=$2 list=$3
shift 3
mount -t tmpfs -o "$options" tmpfs "$disk" || exit
"$@"
code=$?
(cd "$disk" && find . -type f | sort) > "$list"
exit $code
"#;

/// Runs a program of this workspace while such a disk lies at `disk` in `place`, which no other program sees. Where
/// the system does not allow that, the test is skipped.
pub fn run_on<S: AsRef<OsStr>>(place: &Place, disk: (Disk, &str), program: &str, args: &[S]) -> Option<Ended> {
    let options = match disk.0 {
        Disk::Full => "size=16k",
        Disk::ReadOnly => "ro",
    };
    let (mount_point, list) = (place.path(disk.1), place.path("left.txt"));
    fs::create_dir_all(&mount_point).unwrap();
    let started = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"])
        .args([mount_point.as_os_str(), OsStr::new(options), list.as_os_str()])
        .arg(path_of(program))
        .args(args)
        .current_dir(place.path(""))
        .output();
    let (Ok(output), Ok(left)) = (started, read_list(&list)) else {
        skip("no disk of its own for a test (unshare and mount)");
        return None;
    };
    Some(Ended { output, left })
}

fn read_list(path: &Path) -> std::io::Result<Vec<String>> {
    let text = fs::read_to_string(path)?;
    fs::remove_file(path)?;
    Ok(text.lines().map(str::to_owned).collect())
}
