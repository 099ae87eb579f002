//! Annotated pictures and videos: each frame at the size that the source gave it, with a
//! box, the expression, the sharpness and the model for every face.

mod animation;
mod folder;
mod picture;
mod video;

use std::path::Path;

use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use models::ModelChoice;

use self::animation::Animation;
use self::folder::Folder;
use self::picture::Picture;
use self::video::Video;
use super::Sink;
use crate::diagnostics::Problem;
use crate::frame::Frame;
use crate::reading::{FaceReading, Reading};
use crate::screen::annotate::{self, Marker};
use crate::screen::canvas::Canvas;
use crate::screen::text::Typesetter;

/// Endings that ffmpeg is asked to write.
const VIDEO_ENDINGS: [&str; 6] = ["mp4", "m4v", "mov", "mkv", "webm", "avi"];

/// One form of recording.
trait Tape {
    /// Adds an annotated frame.
    fn add(&mut self, canvas: &Canvas, frame: &Frame) -> anyhow::Result<()>;

    /// Completes the recording: only now it gets its name.
    fn finish(&mut self) -> anyhow::Result<()>;
}

/// Draws readings on the frames and saves them.
pub struct Recorder {
    tape: Box<dyn Tape>,
    text: Typesetter,
}

impl Recorder {
    /// A recording whose form follows from the ending of `path`: one picture (`.png`,
    /// `.jpg`), an animation (`.gif`), a video (`.mp4` and others, through ffmpeg), or a
    /// folder of pictures. The time between its frames is what the source states.
    ///
    /// # Errors
    /// When the ending is unknown, the place cannot be written, or ffmpeg is needed and
    /// not there. Nothing is left behind, here or when a later step fails.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let named_as_folder = path.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR]);
        let tape: Box<dyn Tape> = match ending.as_deref() {
            _ if named_as_folder || path.is_dir() => Box::new(Folder::create(path)?),
            None => Box::new(Folder::create(path)?),
            Some("png" | "jpg" | "jpeg") => Box::new(Picture::create(path)?),
            Some("gif") => Box::new(Animation::create(path)?),
            Some(video) if VIDEO_ENDINGS.contains(&video) => Box::new(Video::create(path)?),
            Some(other) => {
                let message = format!("{}: cannot record as .{other}", path.display());
                let step = format!(
                    "Known are .png, .jpg, .gif, .{} and folders (a name that ends in /).",
                    VIDEO_ENDINGS.join(", .")
                );
                return Err(Problem::input(message).next_step(step).into());
            }
        };
        Ok(Self { tape, text: Typesetter::new() })
    }
}

impl Sink for Recorder {
    fn take(&mut self, frame: &Frame, reading: &Reading) -> anyhow::Result<()> {
        let canvas = annotated(&mut self.text, frame, reading);
        self.tape.add(&canvas, frame)
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.tape.finish()
    }
}

/// The frame with everything that was read in it.
fn annotated(text: &mut Typesetter, frame: &Frame, reading: &Reading) -> Canvas {
    let (width, height) = (frame.gray.width(), frame.gray.height());
    let mut canvas = Canvas::new(Size::new(width as u32, height as u32));
    let mut rgb = Vec::with_capacity(3 * width);
    for y in 0..height {
        let colour = frame
            .colour
            .as_ref()
            .filter(|colour| (colour.width() as usize, colour.height() as usize) == (width, height));
        rgb.clear();
        match colour {
            Some(colour) => {
                rgb.extend_from_slice(&colour.as_raw()[3 * y * width..3 * (y + 1) * width]);
            }
            None => rgb.extend(frame.gray.view().row(y).iter().flat_map(|value| [*value; 3])),
        }
        canvas.put_row(Point::new(0, y as i32), &rgb);
    }
    let marker = Marker::for_height(height as u32);
    let area = canvas.area();
    for face in reading.faces.iter().rev() {
        let place = annotate::place(face.rect, width, area);
        let lines = [annotate::caption(face), model_line(face)];
        marker.face(&mut canvas, text, area, place, face, &lines);
    }
    canvas
}

/// `robust model · sharpness 0.05 / 0.20`: the value, and the threshold it was held to.
fn model_line(face: &FaceReading) -> String {
    let model = match face.model {
        ModelChoice::Clear => "clear",
        ModelChoice::Robust => "robust",
    };
    format!(
        "{model} model · sharpness {} / {}",
        annotate::figure(face.blur.value),
        annotate::figure(face.blur.threshold)
    )
}

/// Refuses a frame of another size than the recording began with.
fn expect_size(begun: Size, canvas: &Canvas, frame: &Frame, path: &Path) -> anyhow::Result<()> {
    let now = canvas.size();
    if now == begun {
        return Ok(());
    }
    let message = format!(
        "frame {} has {}x{} px, but {} began with {}x{}",
        frame.number,
        now.width,
        now.height,
        path.display(),
        begun.width,
        begun.height
    );
    let step = "Save pictures of different sizes to a folder (a name that ends in /).";
    Err(Problem::input(message).next_step(step).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, exit_code};
    use crate::screen::sample;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn record(path: &Path, frames: u64) -> anyhow::Result<()> {
        let mut recorder = Recorder::create(path)?;
        for number in 0..frames {
            recorder.take(&sample::frame(number), &sample::reading(2))?;
        }
        recorder.finish()
    }

    #[test]
    fn one_picture_is_saved_with_its_marks() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.png", "out.JPG"] {
            let path = folder.path().join(name);
            record(&path, 1).unwrap();
            let picture = image::open(&path).unwrap().into_rgb8();
            assert_eq!(picture.dimensions(), (640, 480));
            // The sample is gray; the frame around the happy face is yellow.
            let pixel = picture.get_pixel(201, 220).0;
            assert!(pixel[0] > 200 && pixel[2] < 130, "{name}: {pixel:?}");
        }
        assert_eq!(names(folder.path()), ["out.JPG", "out.png"]);
    }

    #[test]
    fn a_second_frame_does_not_fit_in_one_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.png");
        let error = record(&path, 2).unwrap_err();
        assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn folders_get_a_picture_for_each_frame() {
        let folder = tempfile::tempdir().unwrap();
        record(&folder.path().join("new/"), 2).unwrap();
        record(&folder.path().join("v1.2/"), 1).unwrap();
        record(folder.path(), 1).unwrap();
        let expected = ["000000-sample.png", "new", "v1.2"];
        assert_eq!(names(folder.path()), expected);
        let expected = ["000000-sample.png", "000001-sample.png"];
        assert_eq!(names(&folder.path().join("new")), expected);
    }

    #[test]
    fn animations_keep_frames_and_times() {
        use image::AnimationDecoder;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.gif");
        record(&path, 3).unwrap();
        assert_eq!(names(folder.path()), ["out.gif"]);
        let file = std::io::BufReader::new(fs::File::open(&path).unwrap());
        let decoder = image::codecs::gif::GifDecoder::new(file).unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 3);
        for frame in &frames {
            assert_eq!(frame.delay().numer_denom_ms(), (50, 1));
        }
    }

    #[test]
    fn an_unfinished_recording_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "a.gif"] {
            let mut recorder = Recorder::create(&folder.path().join(name)).unwrap();
            let taken = recorder.take(&sample::frame(0), &sample::reading(1));
            taken.unwrap();
        }
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn sizes_must_not_change_within_an_animation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        let mut recorder = Recorder::create(&path).unwrap();
        recorder.take(&sample::frame(0), &sample::reading(1)).unwrap();
        let mut other = sample::frame(1);
        other.gray = models::GrayImage::new(320, 240);
        let error = recorder.take(&other, &sample::reading(0)).unwrap_err();
        assert!(error.to_string().contains("frame 1 has 320x240"), "{error}");
        drop(recorder);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn places_that_cannot_be_written_are_told_at_once() {
        for path in ["/dev/null/out.png", "/no/such/folder/out.gif", "/dev/null/x/"] {
            let error = Recorder::create(Path::new(path)).err().unwrap();
            assert!(error.to_string().contains(path.trim_end_matches('/')), "{error}");
        }
        let error = Recorder::create(Path::new("out.tiff")).err().unwrap();
        assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let link = |name: &str| -> (tempfile::TempDir, PathBuf) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            std::os::unix::fs::symlink("/dev/full", &path).unwrap();
            (folder, path)
        };
        for name in ["full.png", "full.gif"] {
            let (_folder, path) = link(name);
            let error = record(&path, 1).unwrap_err();
            assert!(format!("{error:#}").contains("No space left"), "{error:#}");
        }
    }
}
