//! A video, written by the `ffmpeg` program of the machine.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use embedded_graphics::geometry::{OriginDimensions, Size};
use tempfile::TempPath;

use super::{Tape, expect_size};
use crate::diagnostics::Problem;
use crate::frame::Frame;
use crate::screen::canvas::Canvas;

/// How long a frame stays when the source states no times.
const STAY: Duration = Duration::from_millis(40);

/// Saves a video at the rate of the first two frames. ffmpeg writes a hidden file beside it, which gets its name when it is
/// complete and is removed otherwise.
pub struct Video {
    path: PathBuf,
    /// The first frame waits for the second, whose time tells the rate.
    first: Option<(Canvas, Duration)>,
    // Declared before the file, so that ffmpeg is gone when the file is removed.
    encoder: Option<Encoder>,
    hidden: Option<TempPath>,
    size: Size,
}

/// A running ffmpeg.
struct Encoder {
    child: Child,
    /// Takes its messages and keeps the last one.
    complaints: Option<JoinHandle<String>>,
}

impl Video {
    /// Makes sure that there is an ffmpeg and that the folder can be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let mut version = Command::new("ffmpeg");
        version.arg("-version").stdin(Stdio::null());
        let found = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.map_err(|error| {
            let message = format!("saving {} needs the program ffmpeg", path.display());
            let problem = Problem::failure(message).next_step(
                "Install it (Debian: sudo apt install ffmpeg), or save to a .gif or a folder \
                 (a name that ends in /), which need nothing.",
            );
            anyhow::Error::new(error).context(problem)
        })?;
        let hidden = hidden_beside(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { path: path.to_path_buf(), first: None, encoder: None, hidden: Some(hidden), size: Size::zero() })
    }

    /// Starts the encoder with the frame that waits, which stays for `stay`.
    fn start(&mut self, stay: Duration) -> anyhow::Result<()> {
        let Some((canvas, _)) = self.first.take() else {
            return Ok(());
        };
        let to = self.hidden.as_ref().context("the recording has ended")?;
        let stay = if stay.is_zero() { STAY } else { stay };
        self.encoder = Some(Encoder::start(to, canvas.size(), 1.0 / stay.as_secs_f64())?);
        self.write(&canvas)
    }

    fn write(&mut self, canvas: &Canvas) -> anyhow::Result<()> {
        let stdin = self.encoder.as_mut().and_then(|encoder| encoder.child.stdin.as_mut());
        let stdin = stdin.context("ffmpeg has no input")?;
        let Err(error) = stdin.write_all(canvas.pixels()) else {
            return Ok(());
        };
        // What ffmpeg says of its end explains more than the broken pipe.
        if let Some(encoder) = self.encoder.take() {
            encoder.end(&self.path)?;
        }
        Err(error).with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

impl Tape for Video {
    fn add(&mut self, canvas: &Canvas, frame: &Frame) -> anyhow::Result<()> {
        if let Some((_, since)) = self.first {
            self.start(frame.captured_at.saturating_sub(since))?;
        } else if self.encoder.is_none() {
            self.size = canvas.size();
            self.first = Some((canvas.clone(), frame.captured_at));
            return Ok(());
        }
        expect_size(self.size, canvas, frame, &self.path)?;
        self.write(canvas)
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.start(STAY)?;
        let (Some(encoder), Some(hidden)) = (self.encoder.take(), self.hidden.take()) else {
            // A source without a frame: there is nothing to save.
            return Ok(());
        };
        encoder.end(&self.path)?;
        hidden.persist(&self.path).with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

impl Encoder {
    fn start(to: &Path, size: Size, fps: f64) -> anyhow::Result<Self> {
        let mut command = Command::new("ffmpeg");
        command
            // Without -xerror a full disk at the end is told, but counts as success.
            .args(["-hide_banner", "-loglevel", "error", "-xerror", "-y"])
            .args(["-f", "rawvideo", "-pixel_format", "rgb24"])
            .args(["-video_size", &format!("{}x{}", size.width, size.height)])
            .args(["-framerate", &fps.to_string(), "-i", "-"])
            // Players want 4:2:0, which wants even sides.
            .args(["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"])
            .arg(to)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Ctrl-C is for us: we end the encoder by closing its input.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().context("ffmpeg cannot be started")?;
        let complaints = child.stderr.take().map(last_line_of);
        Ok(Self { child, complaints })
    }

    /// Closes its input and waits until it is done with the rest.
    fn end(mut self, path: &Path) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().context("ffmpeg cannot be waited for")?;
        if status.success() {
            return Ok(());
        }
        let words = self.complaints.take().and_then(|thread| thread.join().ok());
        let words = words.filter(|words| !words.is_empty());
        let cause = words.unwrap_or_else(|| format!("it ended with {status}"));
        let message = format!("{} cannot be written: ffmpeg: {cause}", path.display());
        let step = "See that the disk has room and that this ffmpeg can write this format.";
        Err(Problem::failure(message).next_step(step).into())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end on a thread of its own, so that a talkative ffmpeg never waits for us.
fn last_line_of(stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let lines = BufReader::new(stderr).lines().map_while(Result::ok);
        lines.filter(|line| !line.trim().is_empty()).last().unwrap_or_default()
    })
}

/// An empty file in the same folder and with the same ending, from which ffmpeg takes the
/// format. The path is absolute, or ffmpeg could read a protocol or an option in it.
fn hidden_beside(path: &Path) -> std::io::Result<TempPath> {
    let path = std::path::absolute(path)?;
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let suffix = format!(".partial.{ending}");
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mien-").suffix(&suffix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(builder.tempfile_in(folder)?.into_temp_path())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::screen::sample;

    fn has_ffmpeg() -> bool {
        let found = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status();
        if found.is_err() {
            eprintln!("skipped: no ffmpeg");
        }
        found.is_ok()
    }

    fn count(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_video_appears_when_it_is_complete() {
        if !has_ffmpeg() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a:b.mp4");
        let mut video = Video::create(&path).unwrap();
        // Odd sides are made even.
        let canvas = Canvas::new(Size::new(63, 47));
        for number in 0..5 {
            video.add(&canvas, &sample::frame(number)).unwrap();
            assert!(!path.exists());
        }
        video.finish().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 200);
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn an_unfinished_video_leaves_nothing() {
        if !has_ffmpeg() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut video = Video::create(&folder.path().join("a.mp4")).unwrap();
        video.add(&Canvas::new(Size::new(64, 48)), &sample::frame(0)).unwrap();
        drop(video);
        assert_eq!(count(folder.path()), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        if !has_ffmpeg() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let full = folder.path().join("full.mp4");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let mut encoder = Encoder::start(&full, Size::new(64, 48), 20.0).unwrap();
        // It may see the end of the disk before or after it has taken the frame.
        let _ = encoder.child.stdin.as_mut().unwrap().write_all(&[99; 3 * 64 * 48]);
        let error = encoder.end(Path::new("a.mp4")).unwrap_err().to_string();
        assert!(error.starts_with("a.mp4 cannot be written: ffmpeg: "), "{error}");
        // Which of its complaints ffmpeg writes last depends on how far it came.
    }

    #[test]
    fn without_ffmpeg_the_error_says_so() {
        let told = Video::create(Path::new("/no/such/folder/a.mp4")).err().unwrap();
        let told = format!("{told:#}");
        assert!(told.contains("a.mp4"), "{told}");
        assert!(has_ffmpeg() || told.contains("needs the program ffmpeg"), "{told}");
    }
}
