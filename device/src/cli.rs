//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::panel::PanelChoice;
use crate::service::status;

/// Reads the expressions of faces, also in blurred pictures.
///
/// Without a command: where mien is configured (/etc/mien/mien.toml, MIEN_CONFIG or MIEN_SOURCE),
/// runs what that says. Else reads faces from the first camera; where there is none, it runs a
/// demo with composite faces of nobody, and leaves pictures of what it showed in ./mien-demo.
#[derive(Debug, Parser)]
#[command(name = "mien", version, max_term_width = 90)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads expressions from a source
    Run(RunArgs),
    /// Measures the time of every stage over a source
    Bench(BenchArgs),
    /// Asks the running service how it is
    Status(StatusArgs),
    /// Looks at models, cameras and displays and says what is wrong and what cures it
    Doctor(DoctorArgs),
    /// Lists the video devices of this machine and what they are good for
    ListCameras,
    /// Shows a test card: colours, size and edges of a display
    TestDisplay(TestDisplayArgs),
    /// Checks a configuration, the bundle and the detector it names
    Validate(ValidateArgs),
}

/// Where frames come from and what looks at them.
#[derive(Debug, Default, Args)]
pub struct InputArgs {
    /// A picture, a folder of pictures, a video or GIF, `demo`, /dev/videoN, or `camera`: the
    /// first there is. Without it: the configuration's, which is `camera` if it names none
    #[arg(long, value_name = "SOURCE", env = "MIEN_SOURCE")]
    pub source: Option<String>,
    /// Stop after so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub frames: Option<u64>,
    /// The pictures of the folder follow each other in time, so many a second; without
    /// it they have nothing to do with each other
    #[arg(long, value_name = "FPS", value_parser = rate)]
    pub sequence: Option<f64>,
    /// Name and leave out pictures of the folder that cannot be read
    #[arg(long)]
    pub skip_bad: bool,
    /// Folder of a bundle, instead of the one in the program
    #[arg(long, value_name = "DIR", env = "MIEN_BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// A face detector in YuNet's ONNX form, or `rustface`, which is in the program; otherwise the bundle's own
    #[arg(long, value_name = "FILE|rustface")]
    pub detector: Option<PathBuf>,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Where the settings come from.
#[derive(Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file; `deploy/mien.toml` lists what it may hold. Without it:
    /// /etc/mien/mien.toml where that exists
    #[arg(long = "config", value_name = "FILE", env = "MIEN_CONFIG")]
    pub file: Option<PathBuf>,
}

/// `mien run`
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    /// Input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Save annotated pictures: out.png, out.mp4, out.gif, or a folder (name/)
    #[arg(long, value_name = "PATH")]
    pub save: Option<PathBuf>,
    /// Screen to draw: `fb[:DEVICE]` is a framebuffer, `drm[:DEVICE]` a display without a desktop,
    /// `window[:WIDTHxHEIGHT]` a window on one; `spi[:MODEL]` and `oled` are wired as the
    /// configuration says; `png:DIR[:WIDTHxHEIGHT]` writes what it shows as pictures, `none` draws
    /// nothing
    #[arg(long, value_name = "PANEL", env = "MIEN_PANEL")]
    pub panel: Option<PanelChoice>,
    /// Readings as JSON Lines: `-` for standard output, or a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Wait for a camera that is not there yet, or in use, instead of ending
    #[arg(long)]
    pub wait: bool,
    /// Keep this file telling `mien status` how the run is. Under systemd, without it:
    /// status.json in the service's runtime directory
    #[arg(long, value_name = "FILE")]
    pub status_file: Option<PathBuf>,
}

/// `mien status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The file that the running `mien` keeps
    #[arg(long, value_name = "FILE", default_value = status::SYSTEM_FILE)]
    pub status_file: PathBuf,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

impl RunArgs {
    /// What the environment alone asks for; ends the program when it asks for nonsense, as with a
    /// command line.
    pub fn of_environment() -> Self {
        match Cli::parse_from(["mien", "run"]).command {
            Some(Command::Run(args)) => args,
            _ => Self::default(),
        }
    }
}

/// `mien bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Screen to draw: as for `run`; `none` measures without. If not given, the configured one, or one of 800x480 that
    /// is shown nowhere
    #[arg(long, value_name = "PANEL")]
    pub panel: Option<PanelChoice>,
    /// The figures as JSON as well: `-` for standard output, or a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// `mien doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Configuration whose settings are tried.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `mien test-display`
#[derive(Debug, Args)]
pub struct TestDisplayArgs {
    /// The panel, as for `run`; without it that of the configuration, without either `fb`
    #[arg(long, value_name = "PANEL", env = "MIEN_PANEL")]
    pub panel: Option<PanelChoice>,
    /// Configuration, for the wiring of SPI and I2C panels.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `mien validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// A rate in frames a second.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=1000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is a number of 0.01 to 1000 frames a second".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_is_the_demo() {
        assert!(Cli::try_parse_from(["mien"]).unwrap().command.is_none());
    }

    #[test]
    fn silly_numbers_are_refused() {
        for args in [["--frames", "0"], ["--sequence", "0"], ["--sequence", "nan"]] {
            let all = ["mien", "run", "--source", "demo"].into_iter().chain(args);
            assert!(Cli::try_parse_from(all).is_err(), "{args:?}");
        }
    }
}
