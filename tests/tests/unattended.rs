//! A board's life without anybody at it, on an emulated machine with Debian: installed over ssh, running from power-on,
//! restarted when it hangs, upgraded, rolled back, removed. It takes many minutes, for the emulation makes every network
//! some hundred times as slow, so it runs only where MIEN_SYSTEMD_GUEST=1 asks for it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use tests::debian::{package, repack};
use tests::guest::Guest;
use tests::place::Place;
use tests::skip;

/// Longer than anything here takes on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(900);
/// Of a roll-out, in seconds: until it counts as failed.
const PATIENT: u32 = 600;
const IMPATIENT: u32 = 25;

/// A number that `systemctl show` gives.
fn shown(guest: &Guest, key: &str) -> String {
    guest.says(&format!("systemctl show mien --property={key} --value"))
}

/// The status that the service keeps; `None` while there is none.
fn status(guest: &Guest) -> Option<serde_json::Value> {
    serde_json::from_slice(&guest.run("mien status --json").stdout).ok()
}

fn has_read_frames(guest: &Guest) -> bool {
    status(guest).is_some_and(|status| status["frames"].as_u64() > Some(2) && status["waiting"].is_null())
}

#[test]
fn from_power_on_to_purge() {
    if std::env::var_os("MIEN_SYSTEMD_GUEST").is_none() {
        skip("no MIEN_SYSTEMD_GUEST=1, which runs a board's life in an emulated machine, for many minutes");
        return;
    }
    let place = Place::default();
    let Some(first) = package(&place) else { return };
    let Some(guest) = Guest::boot() else { return };

    println!("installed over ssh");
    let (code, said) = guest.push(first.as_os_str(), PATIENT);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("has no mien") && said.contains(" runs on root@127.0.0.1"), "{said}");
    guest.wait("the first frames", PATIENCE, has_read_frames);

    println!("there from power-on");
    let boot = guest.says("cat /proc/sys/kernel/random/boot_id");
    guest.run("systemctl reboot");
    let is_anew = |guest: &Guest| {
        let now = guest.run("cat /proc/sys/kernel/random/boot_id");
        now.status.success() && String::from_utf8_lossy(&now.stdout).trim() != boot
    };
    guest.wait("the machine to come back", PATIENCE, is_anew);
    guest.wait("frames after power-on", PATIENCE, has_read_frames);
    assert_eq!((shown(&guest, "ActiveState"), shown(&guest, "NRestarts")), ("active".into(), "0".into()));
    let line = shown(&guest, "StatusText");
    assert!(line.starts_with("reading "), "{line}");
    let pid = shown(&guest, "MainPID");
    let of = guest.says(&format!("stat -c %U /proc/{pid} && grep NoNewPrivs /proc/{pid}/status"));
    assert!(of.starts_with("mien\n") && of.ends_with('1'), "{of}");
    let settings = guest.says("journalctl -b -u mien -o cat --no-pager");
    assert!(settings.contains("settings of /etc/mien/mien.toml") && settings.contains("vivid"), "{settings}");
    // What is read in faces stays out of the journal.
    assert!(!settings.contains(" model: "), "{settings}");

    println!("a camera that goes and comes");
    guest.says("v4l2-ctl -d /dev/video0 --set-ctrl disconnect=1");
    let journal = |guest: &Guest| guest.says("journalctl -b -u mien -o cat --no-pager");
    guest.wait("the camera to be missed", PATIENCE, |guest| journal(guest).contains("waiting for it"));
    guest.wait("the camera to be back", PATIENCE, |guest| journal(guest).contains("is back"));
    assert_eq!((shown(&guest, "MainPID"), shown(&guest, "NRestarts")), (pid.clone(), "0".into()));

    println!("restarted when it hangs");
    guest.says(&format!("kill -STOP {pid}"));
    guest.wait("the watchdog", PATIENCE, |guest| shown(guest, "NRestarts") == "1");
    guest.wait("frames after the watchdog", PATIENCE, has_read_frames);
    assert!(guest.says("journalctl -b -u mien --no-pager").contains("Watchdog timeout"));

    println!("upgraded, with its settings kept");
    guest.says("echo '# of this board' >> /etc/mien/mien.toml");
    let second = repack(&place, "99.0-1", |tree| {
        let shipped = tree.join("etc/mien/mien.toml");
        let text = fs::read_to_string(&shipped).unwrap();
        fs::write(&shipped, text + "# of the new version\n").unwrap();
    });
    let (code, said) = guest.push(second.as_os_str(), PATIENT);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("99.0-1 runs on"), "{said}");
    let settings = guest.says("cat /etc/mien/mien.toml");
    assert!(settings.contains("# of this board") && !settings.contains("# of the new version"), "{settings}");

    println!("rolled back when the new one does not come up");
    let broken = repack(&place, "100.0-1", |tree| {
        fs::write(tree.join("usr/bin/mien"), "#!/bin/sh\necho 'no such library' >&2\nexit 1\n").unwrap();
    });
    let (code, said) = guest.push(broken.as_os_str(), IMPATIENT);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("100.0-1 does not come up") && said.contains("no such library"), "{said}");
    assert_eq!(guest.says("dpkg-query -W -f '${Version}' mien"), "99.0-1");
    guest.wait("frames after the roll-back", PATIENCE, has_read_frames);
    assert!(guest.says("cat /etc/mien/mien.toml").contains("# of this board"));

    println!("removed, and purged");
    guest.says("dpkg -r mien");
    assert!(!guest.run("systemctl is-active mien").status.success());
    assert_eq!(guest.says("test -e /etc/mien/mien.toml && ls /usr/bin | grep -c ^mien || true"), "0");
    guest.says("dpkg -P mien");
    assert_eq!(guest.says("ls -d /etc/mien /var/lib/mien /var/backups/mien 2>/dev/null | wc -l"), "0");
}
