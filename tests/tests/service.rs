//! `mien` as a service: what it tells systemd and `mien status`, and what systemd says of its unit.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use tests::place::Place;
use tests::program::{BAD_INPUT, FAILURE, mien, path_of, refused, succeeds};
use tests::{project, skip};

/// Longer than any answer takes, on a slow machine too.
const PATIENCE: Duration = Duration::from_secs(120);
/// What `systemd-analyze security` may say, in tenths: 0 is shut off from everything, 100 from nothing.
const MOST_EXPOSURE: u32 = 10;
/// Keys of the unit that came with systemd 254; older ones pass over them.
const NEW_KEYS: [&str; 2] = ["RestartSteps", "RestartMaxDelaySec"];

/// A systemd of one socket and one service.
struct Supervisor {
    socket: UnixDatagram,
    service: Child,
    place: Place,
}

impl Supervisor {
    /// Starts `mien run` with these arguments as systemd would.
    fn start(args: &[&str]) -> Self {
        let place = Place::default();
        let path = place.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let service = Command::new(path_of("mien"))
            .arg("run")
            .args(args)
            .current_dir(place.path(""))
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "2000000")
            .env("RUNTIME_DIRECTORY", place.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { socket, service, place }
    }

    /// The next message.
    fn hear(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim_end().to_owned()
    }

    /// Hears messages up to one that begins like this, and gives all.
    fn hear_until(&self, start: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.hear());
            if heard.last().unwrap().starts_with(start) {
                return heard;
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.service.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to end; gives its exit code, what it said to the end, and what it told on standard error.
    fn stop(mut self) -> (Option<i32>, Vec<String>, String) {
        self.signal("TERM");
        let heard = self.hear_until("STOPPING=1");
        let mut told = String::new();
        self.service.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (self.service.wait().unwrap().code(), heard, told)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.service.kill();
    }
}

#[test]
fn a_run_is_ready_with_its_first_frame_fed_by_frames_and_stops_when_asked() {
    let supervisor = Supervisor::start(&["--source", "demo"]);
    assert_eq!(supervisor.hear(), "READY=1");
    assert_eq!(supervisor.hear(), "WATCHDOG=1");
    let line = supervisor.hear();
    assert!(line.starts_with("STATUS=reading ") && line.contains("face"), "{line}");
    supervisor.hear_until("WATCHDOG=1");
    let status = supervisor.place.path("status.json");
    let (text, _) = succeeds(mien().arg("status").arg("--status-file").arg(&status));
    for part in ["source    demo", "detector ", "frames a second", "dropped"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    // It hangs: nothing speaks for it, and its status grows old.
    supervisor.signal("STOP");
    let long_ago = SystemTime::now() - Duration::from_secs(60);
    File::options().write(true).open(&status).unwrap().set_modified(long_ago).unwrap();
    let mut old = mien();
    old.args(["status", "--json", "--status-file"]).arg(&status);
    refused(&mut old, FAILURE, &["has not said anything for 1 min", "journalctl -u mien"]);
    supervisor.socket.set_nonblocking(true).unwrap();
    while supervisor.socket.recv(&mut [0; 4096]).is_ok() {}
    supervisor.socket.set_nonblocking(false).unwrap();
    supervisor.socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    assert!(supervisor.socket.recv(&mut [0; 4096]).is_err(), "somebody fed the watchdog of a stopped run");
    supervisor.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    supervisor.signal("CONT");
    let (code, _, told) = supervisor.stop();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(" frames in "), "{told}");
    refused(mien().args(["status", "--status-file"]).arg(&status), FAILURE, &["no mien runs", "systemctl start mien"]);
}

#[test]
fn a_camera_that_is_not_there_is_waited_for_honestly() {
    let supervisor = Supervisor::start(&["--source", "/dev/video93", "--wait"]);
    assert_eq!(supervisor.hear(), "READY=1");
    let line = supervisor.hear_until("STATUS=").pop().unwrap();
    assert_eq!(line, "STATUS=waiting: camera: there is no such device");
    // The waiting itself feeds the watchdog.
    for _ in 0..3 {
        supervisor.hear_until("WATCHDOG=1");
    }
    let status = supervisor.place.path("status.json");
    let (json, _) = succeeds(mien().args(["status", "--json", "--status-file"]).arg(&status));
    let status: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status["waiting"], "camera: there is no such device");
    assert_eq!((&status["frames"], &status["read_secs_ago"]), (&0.into(), &serde_json::Value::Null));
    let (code, _, told) = supervisor.stop();
    assert_eq!((code, told.matches("waiting for it").count()), (Some(0), 1), "{told}");
    // Without --wait it ends with what cures it.
    refused(mien().args(["run", "--source", "/dev/video93"]), BAD_INPUT, &["no such device", "list-cameras"]);
}

#[test]
fn lines_for_the_journal_bear_their_priority_and_others_do_not() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let theirs = OwnedFd::from(theirs);
    let found = File::from(theirs.try_clone().unwrap()).metadata().unwrap();
    let tell = |stream: String, stderr: OwnedFd| {
        let mut run = Command::new(path_of("mien"));
        run.args(["run", "--source", "/no/such/thing"]).env("JOURNAL_STREAM", stream).stderr(stderr);
        assert_eq!(run.status().unwrap().code(), Some(BAD_INPUT));
    };
    tell(format!("{}:{}", found.dev(), found.ino()), theirs.try_clone().unwrap());
    tell("1:1".into(), theirs);
    let mut told = String::new();
    (&ours).read_to_string(&mut told).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.len() >= 4 && lines[0].starts_with("<3>error: ") && lines[1].starts_with("<3>  "), "{told}");
    assert!(lines[lines.len() / 2].starts_with("error: "), "{told}");
}

/// The order of settings, with `/etc` replaced for one program.
#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file_of_the_system() {
    const SCRIPT: &str =
        r#"mount -t tmpfs tmpfs /etc && mkdir /etc/mien && cp "$1" /etc/mien/mien.toml && shift && exec "$@""#;
    let place = Place::default();
    let file = place.write("mien.toml", "source = \"/of/the/file\"\n");
    let run = |environment: &[(&str, &str)], args: &[&str]| {
        let mut run = Command::new("unshare");
        run.args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]);
        run.arg(&file).arg(path_of("mien")).args(args).envs(environment.iter().copied());
        let output = run.output().ok()?;
        Some(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let Some(told) = run(&[], &["run"]).filter(|told| told.contains("mien")) else {
        skip("no /etc of its own for a test (unshare and mount)");
        return;
    };
    assert!(told.contains("mien: settings of /etc/mien/mien.toml") && told.contains("/of/the/file"), "{told}");
    // Without a command too: a configured machine runs what it is configured for.
    assert!(run(&[], &[]).unwrap().contains("/of/the/file"));
    let environment = [("MIEN_SOURCE", "/of/the/environment")];
    assert!(run(&environment, &["run"]).unwrap().contains("source /of/the/environment"));
    let told = run(&environment, &["run", "--source", "/of/the/command/line"]).unwrap();
    assert!(told.contains("source /of/the/command/line"), "{told}");
    let other = place.write("other.toml", "source = \"/of/another/file\"\n");
    let told = run(&[("MIEN_CONFIG", other.to_str().unwrap())], &["run"]).unwrap();
    assert!(told.contains("other.toml") && told.contains("/of/another/file"), "{told}");
}

/// The unit with a program that is there; without systemd the test is skipped.
fn unit(place: &Place) -> Option<std::path::PathBuf> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        skip("no systemd-analyze; on Debian: apt-get install systemd");
        return None;
    }
    let unit = fs::read_to_string(project("deploy/debian/mien.service")).unwrap();
    let program = path_of("mien");
    assert!(unit.contains("ExecStart=/usr/bin/mien run "));
    Some(place.write("mien.service", unit.replace("/usr/bin/mien", program.to_str().unwrap())))
}

fn analyze(args: &[&str], unit: &Path) -> String {
    let output = Command::new("systemd-analyze").args(args).arg(unit).output().unwrap();
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let place = Place::default();
    let Some(unit) = unit(&place) else { return };
    let told = analyze(&["verify", "--man=no"], &unit);
    let is_known = |line: &&str| NEW_KEYS.iter().any(|key| line.contains(&format!("Unknown key '{key}'")));
    let complaints: Vec<&str> = told.lines().filter(|line| line.contains("mien.service") && !is_known(line)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_service_is_shut_off_from_all_but_its_devices() {
    let place = Place::default();
    let Some(unit) = unit(&place) else { return };
    let told = analyze(&["security", "--offline=true", "--no-pager"], &unit);
    let Some(level) = told.lines().find_map(|line| line.split_once("exposure level for mien.service: ")) else {
        assert!(told.contains("offline"), "{told}");
        skip("systemd before 250 rates no unit that is not loaded");
        return;
    };
    let number: f64 = level.1.split_whitespace().next().unwrap().parse().unwrap();
    println!("exposure {number}");
    assert!(number * 10.0 <= f64::from(MOST_EXPOSURE), "{told}");
}
