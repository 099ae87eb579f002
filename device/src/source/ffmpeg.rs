//! Videos, decoded by the `ffmpeg` program of the machine in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use anyhow::Context;

use super::Source;
use super::y4m::Y4mReader;
use crate::diagnostics::{Problem, tell};
use crate::frame::Frame;

/// A video file read through `ffmpeg`.
pub struct FfmpegSource {
    path: PathBuf,
    child: Child,
    /// Takes the child's messages and keeps the last one.
    complaints: Option<JoinHandle<String>>,
    stream: Y4mReader<BufReader<ChildStdout>>,
    number: u64,
}

impl FfmpegSource {
    /// Starts the decoder and reads the size of the video.
    ///
    /// # Errors
    /// When there is no `ffmpeg`, or it finds no video in the file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let mut child = command(path).spawn().map_err(|error| {
            let message = format!("{} needs the program ffmpeg", path.display());
            let problem = Problem::failure(message).next_step(
                "Install it (Debian: sudo apt install ffmpeg), or turn the video into a GIF \
                 or a folder of pictures, which need nothing.",
            );
            anyhow::Error::new(error).context(problem)
        })?;
        let complaints = child.stderr.take().map(last_line_of);
        let stdout = child.stdout.take().context("ffmpeg has no output")?;
        let opened = Y4mReader::open(BufReader::with_capacity(1 << 16, stdout));
        let mut ending = Ending { path, child: &mut child, complaints };
        match opened {
            Ok(Some(stream)) => {
                let complaints = ending.complaints.take();
                Ok(Self { path: path.to_path_buf(), child, complaints, stream, number: 0 })
            }
            Ok(None) => {
                ending.check()?;
                let message = format!("{} has no video in it", path.display());
                Err(Problem::input(message).into())
            }
            Err(error) => {
                let _ = ending.child.kill();
                Err(error.context(Problem::input(format!("ffmpeg's output for {} makes no sense", path.display()))))
            }
        }
    }
}

impl Source for FfmpegSource {
    fn describe(&self) -> String {
        let (width, height) = self.stream.size();
        format!("video {}, {width}x{height}", self.path.display())
    }

    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>> {
        let next = self.stream.next_frame();
        if let Ok(Some((gray, colour))) = next {
            let number = self.number;
            self.number += 1;
            return Ok(Some(Frame {
                number,
                captured_at: self.stream.time_of(number),
                gray,
                colour: Some(colour),
                name: None,
            }));
        }
        // The end. What ffmpeg says of it explains more than how the pipe broke.
        let complaints = self.complaints.take();
        Ending { path: &self.path, child: &mut self.child, complaints }
            .check()
            .and_then(|()| next.map(|_| None))
            .with_context(|| Problem::input(format!("frame {} of {}", self.number, self.path.display())))
    }
}

impl Drop for FfmpegSource {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A decoder whose output has ended.
struct Ending<'a> {
    path: &'a Path,
    child: &'a mut Child,
    complaints: Option<JoinHandle<String>>,
}

impl Ending<'_> {
    /// Waits for the decoder; an error when it failed, with its last words. Words without
    /// a failure are told: a damaged place that it got over, an end that came too early.
    fn check(&mut self) -> anyhow::Result<()> {
        let status = self.child.wait().context("ffmpeg cannot be waited for")?;
        let words = self.complaints.take().and_then(|thread| thread.join().ok());
        let words = words.filter(|words| !words.is_empty());
        let path = self.path.display();
        if status.success() {
            if let Some(words) = words {
                tell(format_args!("mien: {path} is damaged: ffmpeg: {words}"));
            }
            return Ok(());
        }
        let cause = words.unwrap_or_else(|| format!("it ended with {status}"));
        let message = format!("{path} cannot be decoded: ffmpeg: {cause}");
        Err(Problem::input(message).into())
    }
}

/// `C444` with full-range BT.601, so that luma is the gray of a JPEG.
fn command(path: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-i"])
        .arg(as_file(path))
        .args(["-map", "0:v:0", "-vf"])
        .arg("scale=out_color_matrix=bt601:out_range=full,format=yuv444p")
        .args(["-f", "yuv4mpegpipe", "-"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C is for us: we end the decoder once the sinks are finished.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// A name that ffmpeg takes for a file and not for an option or an address.
fn as_file(path: &Path) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from("file:");
    name.push(path);
    name
}

fn last_line_of(stderr: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut last = String::new();
        let mut from = BufReader::new(stderr);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            let text = String::from_utf8_lossy(&line);
            if !text.trim().is_empty() {
                last = text.trim().to_owned();
            }
            line.clear();
        }
        last
    })
}
