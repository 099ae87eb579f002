//! The configuration file: every setting of a run that is not a path of the moment.
//!
//! `deploy/mien.toml` is the shipped file: it lists every key with its default, its
//! unit and its meaning, and a test holds it to this module.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod boards;
pub mod check;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use crate::diagnostics::{Problem, tell};
use crate::panel::PanelChoice;
use crate::panel::oled::OledConfig;
use crate::panel::spi::SpiConfig;
use crate::reading::BoardState;
use crate::smooth::SmoothRule;
use crate::source::camera::CameraConfig;
use crate::track::TrackRule;

/// Where an installed `mien` finds its settings when nobody names a file.
pub const SYSTEM_FILE: &str = "/etc/mien/mien.toml";

/// Sources that are no paths.
const SOURCE_WORDS: [&str; 2] = ["camera", "demo"];
/// What stands for standard output in place of a path.
pub const STDOUT: &str = "-";

/// All settings. Every key may be left out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What is read when the command line names no source; as there.
    pub source: String,
    /// Folder of the bundle; without it the one in the program.
    pub bundle: Option<PathBuf>,
    /// The screen to draw: see [`PanelChoice`].
    #[serde(deserialize_with = "check::panel")]
    pub panel: PanelChoice,
    /// Where the readings go as JSON Lines, as on the command line; without it nowhere.
    pub json: Option<PathBuf>,
    /// `[panel-spi]`
    pub panel_spi: SpiConfig,
    /// `[panel-oled]`
    pub panel_oled: OledConfig,
    /// `[camera]`
    pub camera: CameraConfig,
    /// `[detect]`
    pub detect: DetectConfig,
    /// `[track]`
    pub track: TrackConfig,
    /// `[smooth]`
    pub smooth: SmoothConfig,
    /// `[health]`
    pub health: HealthConfig,
}

/// The name of the detector in the program, for [`DetectConfig::model`].
pub const RUSTFACE: &str = models::RustfaceDetector::NAME;

/// How faces are found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DetectConfig {
    /// A YuNet-format ONNX file, or [`RUSTFACE`]; without it the detector that the bundle names.
    pub model: Option<PathBuf>,
    /// The detector looks at every n-th whole frame; without it the pace that suits the detector. In between one that
    /// can follow looks around the last boxes, and those of others hold.
    #[serde(deserialize_with = "check::some_at_least_one")]
    pub every: Option<u32>,
    /// Faces of a smaller detector score are left out, 0..=1; without it the detector's
    /// own limit holds.
    #[serde(deserialize_with = "check::some_share")]
    pub min_score: Option<f32>,
    /// Side in px of the smallest face; without it a sixth of the picture's shorter side, at most 120, for rustface, which
    /// looks for none below 40, and an eighth, at most 90, for others, whose boxes fit tighter.
    #[serde(deserialize_with = "check::some_face_side")]
    pub min_face_px: Option<f32>,
}

/// When two boxes are one face; see [`TrackRule`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrackConfig {
    /// Detections in a row that may miss a face before its id is gone.
    pub keep_missed: u32,
    /// Least intersection over union, 0..=1.
    #[serde(deserialize_with = "check::share")]
    pub min_overlap: f32,
    /// Greatest distance of centres without that overlap, in box heights.
    #[serde(deserialize_with = "check::not_negative")]
    pub max_distance: f32,
}

/// How scores are steadied; see [`SmoothRule`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmoothConfig {
    /// Milliseconds until 63 % of a change has come through; 0 switches it off.
    pub time_constant_ms: u32,
    /// Probability by which another expression must lead, 0..=1.
    #[serde(deserialize_with = "check::share")]
    pub hold: f32,
    /// Probability above the bundle's `unsure-below` at which a face is sure again.
    #[serde(deserialize_with = "check::share")]
    pub unsure_band: f32,
}

/// When a board is spared, and how; see [`crate::health`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HealthConfig {
    /// From this temperature on, in °C, the board is spared, as when it is throttled or its supply
    /// is too weak.
    #[serde(deserialize_with = "check::board_celsius")]
    pub hot_celsius: f32,
    /// Then the detector looks at every n-th frame, if not more seldom anyway.
    #[serde(deserialize_with = "check::at_least_one")]
    pub relaxed_every: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: "camera".into(),
            bundle: None,
            panel: PanelChoice::None,
            json: None,
            panel_spi: SpiConfig::default(),
            panel_oled: OledConfig::default(),
            camera: CameraConfig::default(),
            detect: DetectConfig::default(),
            track: TrackConfig::default(),
            smooth: SmoothConfig::default(),
            health: HealthConfig::default(),
        }
    }
}

impl Default for TrackConfig {
    fn default() -> Self {
        Self { keep_missed: 15, min_overlap: 0.3, max_distance: 0.5 }
    }
}

impl Default for SmoothConfig {
    fn default() -> Self {
        Self { time_constant_ms: 250, hold: 0.08, unsure_band: 0.04 }
    }
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { hot_celsius: BoardState::HOT_CELSIUS, relaxed_every: 6 }
    }
}

impl Config {
    /// The file that is read when `given` is named on the command line or not: without one it is
    /// [`SYSTEM_FILE`] where that exists.
    pub fn file(given: Option<&Path>) -> Option<&Path> {
        given.or_else(|| Some(Path::new(SYSTEM_FILE)).filter(|file| file.exists()))
    }

    /// Reads that file and says so; the defaults where there is none.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn load(given: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = Self::file(given) else { return Ok(Self::default()) };
        let config = Self::read(file)?;
        tell(format_args!("mien: settings of {}", file.display()));
        Ok(config)
    }

    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// When it cannot be read, or naming file, line and key of what is wrong in it.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| Problem::input(format!("configuration {} cannot be read", path.display())))?;
        let mut config = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let panel = match &mut config.panel {
            PanelChoice::Png(shots, _) => Some(shots),
            _ => None,
        };
        let json = config.json.as_mut().filter(|path| path.as_os_str() != STDOUT);
        let model = config.detect.model.as_mut().filter(|model| model.as_os_str() != RUSTFACE);
        let given = [config.bundle.as_mut(), model, panel, json];
        for given in given.into_iter().flatten() {
            *given = folder.join(&*given);
        }
        if !SOURCE_WORDS.contains(&config.source.as_str()) {
            config.source = folder.join(config.source).to_string_lossy().into_owned();
        }
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        toml::from_str(text).map_err(|error| {
            let place = check::place_of(text, error.span());
            Problem::input(format!("{}:{place}: {}", path.display(), error.message().trim_end()))
                .next_step("deploy/mien.toml lists every key with its default and unit.")
                .into()
        })
    }

    /// The rule for the tracker.
    pub fn track_rule(&self) -> TrackRule {
        TrackRule {
            keep_missed: self.track.keep_missed,
            min_overlap: self.track.min_overlap,
            max_distance: self.track.max_distance,
        }
    }

    /// The rule for steadying scores; `unsure_below` comes from the bundle.
    pub fn smooth_rule(&self, unsure_below: f32) -> SmoothRule {
        SmoothRule {
            time_constant: Duration::from_millis(self.smooth.time_constant_ms.into()),
            hold: self.smooth.hold,
            unsure_below,
            unsure_band: self.smooth.unsure_band,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, exit_code};

    const SHIPPED: &str = include_str!("../../deploy/mien.toml");

    fn parse(text: &str) -> anyhow::Result<Config> {
        Config::parse(text, Path::new("mien.toml"))
    }

    #[test]
    fn the_shipped_file_is_the_defaults() {
        assert_eq!(parse(SHIPPED).unwrap(), Config::default());
    }

    /// The keys that a section knows, taken from the message about one that it does not.
    fn keys_of(section: &str) -> Vec<String> {
        let error = parse(&format!("{section}\nno-such-key = 1\n")).unwrap_err();
        let error = error.to_string();
        let (_, keys) = error.split_once("expected ").unwrap();
        keys.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_shipped_file_has_every_key_and_no_other() {
        let every = SHIPPED.replace("\n#", "\n");
        let is_setting = |line: &&str| line.starts_with('[') || line.contains(" = ");
        let every: String = every.lines().filter(is_setting).fold(String::new(), |text, line| text + line + "\n");
        parse(&every).unwrap();
        let every: toml::Table = every.parse().unwrap();
        for key in keys_of("") {
            let value = every.get(&key).unwrap_or_else(|| panic!("{key}"));
            if let Some(section) = value.as_table() {
                for inner in keys_of(&format!("[{key}]")) {
                    assert!(section.contains_key(&inner), "[{key}] {inner}");
                }
            }
        }
    }

    #[test]
    fn errors_name_file_line_and_key() {
        for (text, wanted) in [
            ("[detect]\nevry = 2\n", ["mien.toml:2:", "evry"]),
            ("\n[track]\nkeep-missed = \"x\"\n", ["mien.toml:3:", "keep-missed"]),
            ("[smooth]\nhold = 1.5\n", ["mien.toml:2:", "hold"]),
            ("[detect]\n\nevery = 0\n", ["mien.toml:3:", "every"]),
            ("[track]\nmax-distance = nan\n", ["mien.toml:2:", "max-distance"]),
            ("\npanel = \"hdmi\"\n", ["mien.toml:2:", "png:DIR"]),
            ("screen = 1\n", ["mien.toml:1:", "screen"]),
            ("[panel-spi]\nmodel = \"crt\"\n", ["mien.toml:2:", "st7789"]),
            ("[panel-spi]\nrotation = 45\n", ["mien.toml:2:", "0, 90, 180 or 270"]),
            ("[panel-spi]\nclock-hz = 0\n", ["mien.toml:2:", "clock-hz"]),
            ("[panel-spi]\nspi-mode = 4\n", ["mien.toml:2:", "0 to 3"]),
            ("[panel-oled]\nheight = 63\n", ["mien.toml:2:", "32 or 64"]),
            ("[panel-oled]\naddress = 0x90\n", ["mien.toml:2:", "0x3c"]),
            ("[camera]\nfps = 0\n", ["mien.toml:2:", "fps"]),
            ("[camera]\nformat = \"h264\"\n", ["mien.toml:2:", "mjpeg"]),
            ("[health]\nhot-celsius = 200\n", ["mien.toml:2:", "hot-celsius"]),
            ("[health]\nrelaxed-every = 0\n", ["mien.toml:2:", "relaxed-every"]),
            ("source = 3\n", ["mien.toml:1:", "source"]),
            ("[detect\n", ["mien.toml:1:", "]"]),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
            for part in wanted {
                assert!(error.to_string().contains(part), "{text:?}: {error}");
            }
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mien.toml");
        let text =
            "source = \"a.gif\"\nbundle = \"b\"\npanel = \"png:p\"\njson = \"r\"\n[detect]\nmodel = \"/m.onnx\"\n";
        std::fs::write(&path, text).unwrap();
        let config = Config::read(&path).unwrap();
        assert_eq!(config.bundle, Some(folder.path().join("b")));
        assert_eq!(config.detect.model, Some("/m.onnx".into()));
        assert_eq!(config.json, Some(folder.path().join("r")));
        assert_eq!(Path::new(&config.source), folder.path().join("a.gif"));
        let shots = folder.path().join("p");
        assert!(matches!(config.panel, PanelChoice::Png(path, _) if path == shots));
    }

    #[test]
    fn what_is_no_path_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mien.toml");
        for source in ["camera", "demo", "/dev/video2"] {
            std::fs::write(&path, format!("source = \"{source}\"\njson = \"-\"\n")).unwrap();
            let config = Config::read(&path).unwrap();
            assert_eq!((config.source.as_str(), config.json), (source, Some(STDOUT.into())));
        }
        std::fs::write(&path, "[detect]\nmodel = \"rustface\"\n").unwrap();
        assert_eq!(Config::read(&path).unwrap().detect.model, Some(RUSTFACE.into()));
    }
}
