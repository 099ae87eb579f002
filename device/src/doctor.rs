//! `mien doctor`: looks at everything that a run needs, and says of each trouble what cures it.

mod displays;

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::clock::{Clock, MachineClock};
use crate::config::Config;
use crate::diagnostics::{Problem, causes, next_step};
use crate::health::sensors::Sensors;
use crate::open;
use crate::pipeline::Pipeline;
use crate::source::camera;
use crate::source::images::FolderRule;

/// Frames of the demo that are read to measure the machine; the first one warms up.
const MEASURED_FRAMES: u64 = 11;

/// How one thing was found.
#[derive(Debug)]
struct Finding {
    what: String,
    state: State,
    said: String,
    step: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    /// Not there, and only needed by some.
    Missing,
    Trouble,
}

/// Everything that was looked at.
#[derive(Debug, Default)]
pub struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, what: &str, state: State, said: impl Into<String>) {
        self.0.push(Finding { what: what.into(), state, said: said.into(), step: None });
    }

    fn needs(&mut self, what: &str, said: impl Into<String>, step: &str) {
        self.0.push(Finding { what: what.into(), state: State::Trouble, said: said.into(), step: Some(step.into()) });
    }

    fn trouble(&mut self, what: &str, error: &anyhow::Error) {
        let step = next_step(error).map(str::to_owned);
        self.0.push(Finding { what: what.into(), state: State::Trouble, said: causes(error), step });
    }

    /// Whether nothing needs a cure.
    ///
    /// # Errors
    /// A failure that counts what does.
    pub fn verdict(&self) -> anyhow::Result<()> {
        match self.0.iter().filter(|finding| finding.state == State::Trouble).count() {
            0 => Ok(()),
            1 => Err(Problem::failure("1 thing needs attention, see above").into()),
            count => Err(Problem::failure(format!("{count} things need attention, see above")).into()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            let state = match finding.state {
                State::Fine => "ok     ",
                State::Missing => "none   ",
                State::Trouble => "TROUBLE",
            };
            writeln!(f, "{state} {}: {}", finding.what, finding.said)?;
            if let Some(step) = &finding.step {
                writeln!(f, "        {step}")?;
            }
        }
        Ok(())
    }
}

/// Looks at models, detector, speed, cameras, displays, helpers and temperature.
pub fn examine(config: &Config) -> Report {
    let mut report = Report::default();
    if let Err(error) = read_the_demo(config, &mut report) {
        report.trouble("models", &error);
    }
    look_at_cameras(config, &mut report);
    displays::look(config, &mut report);
    let found = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match found {
        Ok(_) => report.add("ffmpeg", State::Fine, "videos can be read and saved"),
        Err(_) => report.add("ffmpeg", State::Missing, "GIFs work; other videos want `sudo apt install ffmpeg`"),
    }
    look_at_board(&Sensors::find(Path::new("/")), config.health.hot_celsius, &mut report);
    report
}

/// Opens bundle and detector, which repeats the golden pairs, and reads frames of the demo.
fn read_the_demo(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let bundle = open::bundle(config.bundle.as_deref())?;
    let recognizer = open::recognizer(&config.detect, &bundle)?;
    report.add("models", State::Fine, format!("bundle {} answers as it did where it was made", bundle.manifest.name));
    let detector = open::detector(&config.detect, &bundle)?;
    let mut source = open::source("demo", FolderRule::default(), &config.camera, false)?;
    let clock = MachineClock::start();
    let mut pipeline = Pipeline::new(detector, recognizer, Box::new(MachineClock::start()), config, true);
    let (mut faces, mut spent) = (0, Duration::ZERO);
    for number in 0..MEASURED_FRAMES {
        let Some(frame) = source.next_frame()? else { break };
        let began = clock.now();
        let reading = pipeline.process(&frame)?;
        if number > 0 {
            spent += clock.now().saturating_sub(began);
            faces += usize::from(!reading.faces.is_empty());
        }
    }
    let measured = MEASURED_FRAMES - 1;
    let fps = measured as f64 / spent.as_secs_f64().max(1e-9);
    let said = format!(
        "{} finds a face in {faces} of {measured} frames of the demo; {fps:.1} frames of 640x480 a second",
        pipeline.detector_name()
    );
    if faces > 0 {
        report.add("faces", State::Fine, said);
    } else {
        report.needs(
            "faces",
            said,
            "Lower `min-score` or `min-face-px` in [detect], or leave `model` out there: the detector that is built in \
             finds the faces of the demo.",
        );
    }
    Ok(())
}

fn look_at_cameras(config: &Config, report: &mut Report) {
    let probes = camera::probe_all(&config.camera);
    if probes.is_empty() {
        report.add("camera", State::Missing, "no video device that gives pictures; plug in a USB camera");
    }
    for (node, probe) in probes {
        let what = format!("camera {}", node.display());
        match probe {
            Ok(said) => report.add(&what, State::Fine, said),
            Err(problem) => report.trouble(&what, &problem.into()),
        }
    }
}

fn look_at_board(sensors: &Sensors, hot_celsius: f32, report: &mut Report) {
    let Some(board) = sensors.read() else { return };
    if let Some(celsius) = board.temperature_celsius {
        let said = format!("{celsius:.0} °C");
        if celsius < hot_celsius {
            report.add("temperature", State::Fine, said);
        } else {
            report.needs("temperature", said, "Give the board a heat sink or a fan, or raise `every` in [detect].");
        }
    }
    if board.under_voltage {
        report.needs(
            "supply",
            "too little voltage",
            "Use the supply that was made for this board, and a short, thick cable; a USB camera may need a hub with \
             a supply of its own.",
        );
    }
    if board.throttled {
        report.needs(
            "processor",
            "the board has slowed itself down",
            "It is too hot or its supply too weak: cool it, and use the supply that was made for it.",
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_trouble_is_told_with_its_cure_and_fails_the_verdict() {
        let mut report = Report::default();
        report.add("models", State::Fine, "sound");
        report.add("ffmpeg", State::Missing, "not needed");
        report.verdict().unwrap();
        report.trouble("camera /dev/video0", &Problem::failure("it is in use").next_step("End the other.").into());
        let text = report.to_string();
        assert!(text.contains("TROUBLE camera /dev/video0: it is in use\n        End the other.\n"), "{text}");
        assert_eq!(report.verdict().unwrap_err().to_string(), "1 thing needs attention, see above");
    }

    #[test]
    fn heat_and_a_weak_supply_are_troubles_with_cures() {
        let root = tempfile::tempdir().unwrap();
        let zone = root.path().join("sys/class/thermal/thermal_zone0");
        let firmware = root.path().join("sys/devices/platform/soc/soc:firmware");
        for folder in [&zone, &firmware] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(zone.join("temp"), "47100\n").unwrap();
        let look = || {
            let mut report = Report::default();
            look_at_board(&Sensors::find(root.path()), 80.0, &mut report);
            report
        };
        assert_eq!(look().to_string(), "ok      temperature: 47 °C\n");
        fs::write(zone.join("temp"), "85000").unwrap();
        fs::write(firmware.join("get_throttled"), "50005").unwrap();
        let report = look();
        assert_eq!(report.verdict().unwrap_err().to_string(), "3 things need attention, see above");
        let text = report.to_string();
        for part in ["85 °C\n        Give the board a heat sink", "supply: too little", "processor: "] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
