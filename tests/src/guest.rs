//! An emulated machine with Debian and systemd on it, reached by ssh as a board would be.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::{project, skip};

/// Exit code of the script when something that it needs is not there.
const NOT_HERE: i32 = 3;
/// A boot under emulation takes a minute on a busy machine.
const BOOT: Duration = Duration::from_secs(400);
/// Time between two looks at something that takes its time.
const LOOK: Duration = Duration::from_millis(500);

/// A machine that runs until it is dropped.
pub struct Guest {
    machine: Child,
    port: u16,
    folder: PathBuf,
    place: Place,
}

impl Guest {
    /// Boots it. Where its parts are missing the test is skipped.
    pub fn boot() -> Option<Self> {
        let cache = std::env::var_os("MIEN_CACHE").map(PathBuf::from);
        let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mien")))?;
        let folder = cache.join("systemd-guest");
        let is_there = |program: &str| Command::new(program).arg("-V").stdout(Stdio::null()).status().is_ok();
        if !["qemu-system-x86_64", "ssh"].into_iter().all(is_there) {
            skip("no guest with systemd: apt-get install qemu-system-x86 openssh-client mmdebstrap e2fsprogs");
            return None;
        }
        let made = Command::new(project("deploy/systemd-guest/make")).arg(&folder).output().unwrap();
        if made.status.code() == Some(NOT_HERE) {
            skip(String::from_utf8_lossy(&made.stderr).trim());
            return None;
        }
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Free now; nobody else here asks for one in this moment.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = Place::default();
        let mut boot = Command::new(project("deploy/systemd-guest/boot"));
        boot.arg(&folder).arg(port.to_string()).arg(place.path("console.txt"));
        let machine = boot.stdout(Stdio::null()).spawn().unwrap();
        let guest = Self { machine, port, folder, place };
        guest.wait("the machine to boot", BOOT, |guest| guest.run("true").status.success());
        Some(guest)
    }

    /// What `ssh` and `scp` need to get in.
    pub fn ssh_options(&self) -> Vec<String> {
        let mut options = vec!["-p".into(), self.port.to_string(), "-i".into()];
        options.push(self.folder.join("key").display().to_string());
        for option in
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=20"]
        {
            options.extend(["-o".into(), option.into()]);
        }
        options
    }

    /// Runs a command as root.
    pub fn run(&self, command: &str) -> Output {
        let mut ssh = Command::new("ssh");
        ssh.args(self.ssh_options()).args(["-o", "BatchMode=yes", "root@127.0.0.1", command]);
        ssh.output().unwrap()
    }

    /// Runs a command that has to succeed; gives what it wrote.
    pub fn says(&self, command: &str) -> String {
        let output = self.run(command);
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(output.status.success(), "{command}: {text} {}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Waits until that holds, and panics with the end of the journal when it never does.
    pub fn wait(&self, what: &str, patience: Duration, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            if began.elapsed() > patience {
                let journal = self.run("systemctl status mien; journalctl -b -u mien -n 40 --no-pager");
                let console = std::fs::read_to_string(self.place.path("console.txt")).unwrap_or_default();
                panic!("waited in vain for {what}\n{}\n{console}", String::from_utf8_lossy(&journal.stdout));
            }
            thread::sleep(LOOK);
        }
    }

    /// Pushes a package with `deploy/push.sh`; gives its exit code and what it said.
    pub fn push(&self, package: &OsStr, patience_secs: u32) -> (Option<i32>, String) {
        let mut push = Command::new(project("deploy/push.sh"));
        push.arg(package).arg("root@127.0.0.1").args(self.ssh_options());
        let output = push.env("MIEN_PUSH_PATIENCE", patience_secs.to_string()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.code(), said)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}
