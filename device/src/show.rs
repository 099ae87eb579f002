//! The demo that runs when nothing else was asked for, and what it leaves to look at.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use embedded_graphics::geometry::{OriginDimensions, Size};
use image::RgbImage;
use models::Rgb8;

use crate::cli::InputArgs;
use crate::diagnostics::tell;
use crate::frame::Frame;
use crate::line::Line;
use crate::output::WholeFile;
use crate::panel::png::encode;
use crate::reading::Reading;
use crate::run::Sinks;
use crate::screen::Screen;
use crate::screen::canvas::Canvas;
use crate::sink::Sink;
use crate::sink::narrator::Narrator;
use crate::sink::recorder::Recorder;

/// Length of the demo.
const FRAMES: u64 = 300;
/// Of these, every so many are kept as a picture, and in the animation.
const PICTURE_EVERY: u64 = 50;
const ANIMATION_EVERY: u64 = 4;
/// Where they go, in the working directory.
const FOLDER: &str = "mien-demo";
/// The screen that is drawn, in px: small enough for an animation to be sent around.
const SIZE: Size = Size::new(480, 288);

/// `mien` without a command.
///
/// # Errors
/// What bundle, demo and outputs report.
pub fn demo() -> anyhow::Result<()> {
    let folder = Path::new(FOLDER);
    tell(format_args!(
        "mien: no camera found, so this is the demo: {FRAMES} frames with composite \
         faces of nobody\n      that change expression and go in and out of blur. What the \
         screen shows goes to ./{FOLDER};\n      a line here tells each change. `mien --help` \
         says what else there is."
    ));
    let input = InputArgs { source: Some("demo".into()), frames: Some(FRAMES), ..InputArgs::default() };
    let mut line = Line::open(&input, false)?;
    tell(format_args!("mien: {}", line.about()));
    let keepsakes = Keepsakes::create(folder)?;
    line.drive(Sinks { drawing: vec![Box::new(keepsakes)], writing: vec![Box::new(Narrator::default())] }, None)?;
    tell(format_args!("mien: look at {FOLDER}/screen.gif and the pictures beside it"));
    Ok(())
}

/// Draws the screen and keeps some of it: pictures, and an animation.
struct Keepsakes {
    folder: PathBuf,
    screen: Screen,
    animation: Recorder,
}

impl Keepsakes {
    fn create(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be written", folder.display()))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            screen: Screen::new(SIZE),
            animation: Recorder::create(&folder.join("screen.gif"))?,
        })
    }
}

impl Sink for Keepsakes {
    fn take(&mut self, frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        let canvas = self.screen.draw(frame, reading);
        if frame.number.is_multiple_of(PICTURE_EVERY) {
            let path = self.folder.join(format!("screen-{:04}.png", frame.number));
            let mut file = WholeFile::create(&path)?;
            encode(canvas, &mut file).with_context(|| format!("{} cannot be written", path.display()))?;
            file.finish()?;
        }
        if frame.number.is_multiple_of(ANIMATION_EVERY) {
            // The recorder marks faces in what it saves; the screen has its own marks.
            let unmarked = Reading { faces: Vec::new(), ..reading.clone() };
            self.animation.take(&frame_of(canvas, frame)?, &unmarked)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.animation.finish()
    }
}

/// The screen as a frame of its own, at the time of the one that it shows.
fn frame_of(canvas: &Canvas, shown: &Frame) -> anyhow::Result<Frame> {
    let Size { width, height } = canvas.size();
    let pixels = canvas.pixels().to_vec();
    let gray = Rgb8::packed(&pixels, width as usize, height as usize)?.to_gray();
    Ok(Frame {
        number: shown.number,
        captured_at: shown.captured_at,
        gray,
        colour: RgbImage::from_raw(width, height, pixels),
        name: None,
    })
}
