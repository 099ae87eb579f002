//! Where frames come from.

pub mod camera;
pub mod demo;
pub mod ffmpeg;
pub mod gif;
pub mod images;
pub mod y4m;

use crate::frame::Frame;

/// A stream of frames.
pub trait Source {
    /// What it is, for messages: `video clip.gif, 320x240`.
    fn describe(&self) -> String;

    /// The next frame; `None` when the source has ended.
    ///
    /// # Errors
    /// When the input cannot be read or is not what it claims to be. The error names
    /// the file or device, and the frame where there is one.
    fn next_frame(&mut self) -> anyhow::Result<Option<Frame>>;

    /// Whether the frames follow each other in time, so that a face can be followed
    /// from one to the next. Unrelated pictures are no sequence.
    fn is_sequence(&self) -> bool {
        true
    }

    /// Frames dropped so far because newer ones were there.
    fn dropped(&self) -> u64 {
        0
    }
}
