//! Where frames come from.

pub mod camera;
pub mod demo;
pub mod ffmpeg;
pub mod gif;
pub mod images;
pub mod stream;
pub mod y4m;

use std::time::Duration;

use crate::frame::Frame;

/// Why a source has no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// There will never be another.
    Ended,
    /// The next one has not come yet.
    Waiting,
    /// Something is wrong that may pass, and what.
    Lost(String),
}

/// A stream of frames.
pub trait Source {
    /// What it is, for messages: `video clip.gif, 320x240`.
    fn describe(&self) -> String;

    /// The next frame; `None` when there is none now, of which [`Source::pause`] tells the
    /// reason. Waits a moment at most, so that a request to stop is heard.
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

    /// Whether the frames are of the present, and do not wait for who reads them.
    fn is_live(&self) -> bool {
        false
    }

    /// Why there was no frame.
    fn pause(&self) -> Pause {
        Pause::Ended
    }

    /// How long the last call of [`Source::next_frame`] did nothing but wait for the picture.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }

    /// Frames dropped so far because newer ones were there.
    fn dropped(&self) -> u64 {
        0
    }

    /// Frames among them that came damaged.
    fn bad_frames(&self) -> u64 {
        0
    }

    /// The exposure time of the newest frame in microseconds, where the camera states it.
    fn exposure_us(&self) -> Option<u32> {
        None
    }

    /// Nobody will look at the colours: a source for which they are work need not give any.
    fn leave_colour_out(&mut self) {}
}
