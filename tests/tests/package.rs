//! The Debian package, as `deploy/package` makes it of the program that was built: what is in it, and that it comes, is
//! upgraded and goes without harm to the settings.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::debian::{package, repack};
use tests::place::Place;
use tests::skip;

/// A root without anything in it but dpkg's own database, and the groups and programs that the package's scripts ask for.
struct Root(Place);

impl Root {
    fn new() -> Self {
        let place = Place::default();
        for file in ["var/lib/dpkg/status", "var/lib/dpkg/available", "var/lib/dpkg/info/format", "etc/passwd"] {
            place.write(&format!("root/{file}"), if file.ends_with("format") { "1\n" } else { "" });
        }
        fs::create_dir_all(place.path("root/var/lib/dpkg/updates")).unwrap();
        Self(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path("root").join(name)
    }

    /// dpkg without the scripts, which want a whole system.
    fn dpkg(&self, args: &[&str]) -> Output {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg(format!("--root={}", self.path("").display()));
        dpkg.args([
            "--force-depends",
            "--force-script-chrootless",
            "--force-confold",
            "--no-triggers",
            "--force-not-root",
        ]);
        dpkg.args(args).env("DPKG_MAINTSCRIPT_DEBUG", "0").output().unwrap()
    }

    fn install(&self, package: &Path) {
        let output = self.dpkg(&["-i", package.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A copy of the package whose scripts do nothing: what they do wants a running system, and is tested on one
/// (`unattended`).
fn without_scripts(place: &Place, version: &str, change: impl FnOnce(&Path)) -> PathBuf {
    repack(place, version, |tree| {
        for script in ["postinst", "prerm", "postrm"] {
            let _ = fs::remove_file(tree.join("DEBIAN").join(script));
        }
        change(tree);
    })
}

#[test]
fn the_package_holds_what_a_board_needs_and_says_what_it_needs_itself() {
    let place = Place::default();
    let Some(file) = package(&place) else { return };
    let tree = place.path("tree");
    for name in [
        "usr/bin/mien",
        "etc/mien/mien.toml",
        "usr/lib/systemd/system/mien.service",
        "usr/lib/sysusers.d/mien.conf",
        "lib/udev/rules.d/60-mien.rules",
        "usr/share/doc/mien/copyright",
        "usr/share/doc/mien/changelog.Debian.gz",
    ] {
        assert!(tree.join(name).is_file(), "no {name}");
    }
    let read = |name: &str| fs::read_to_string(tree.join("DEBIAN").join(name)).unwrap();
    assert_eq!(read("conffiles").trim(), "/etc/mien/mien.toml");
    let control = read("control");
    assert!(control.contains("Depends: libc6 (>= 2.") && control.contains("systemd"), "{control}");
    let postinst = read("postinst");
    for step in ["systemd-sysusers", "deb-systemd-helper enable mien.service", "udevadm control --reload"] {
        assert!(postinst.contains(step), "no `{step}` in {postinst}");
    }
    assert!(read("prerm").contains("stop mien.service") && read("postrm").contains("rm -rf /var/lib/mien"));
    let Ok(lintian) = Command::new("lintian").args(["--fail-on=error", "--allow-root"]).arg(&file).output() else {
        skip("no lintian; on Debian: apt-get install lintian");
        return;
    };
    assert!(lintian.status.success(), "{}", String::from_utf8_lossy(&lintian.stdout));
}

#[test]
fn an_upgrade_keeps_changed_settings_and_a_purge_leaves_nothing() {
    let place = Place::default();
    if package(&place).is_none() {
        return;
    }
    let root = Root::new();
    root.install(&without_scripts(&place, "1.0-1", |_| ()));
    let settings = root.path("etc/mien/mien.toml");
    let shipped = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, "source = \"demo\"\n").unwrap();
    root.install(&without_scripts(&place, "2.0-1", |tree| {
        fs::write(tree.join("etc/mien/mien.toml"), format!("{shipped}# of the new version\n")).unwrap();
    }));
    assert_eq!(fs::read_to_string(&settings).unwrap(), "source = \"demo\"\n");
    assert!(root.dpkg(&["-r", "mien"]).status.success());
    assert!(settings.is_file() && !root.path("usr/bin/mien").exists());
    assert!(root.dpkg(&["-P", "mien"]).status.success());
    assert!(!root.path("etc/mien").exists());
}
