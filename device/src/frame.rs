//! One picture on its way from a source to the sinks.

use std::time::Duration;

use models::GrayImage;

/// One picture of a source.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Running number in the source, from 0.
    pub number: u64,
    /// Monotonic time since the source started. For files it is the time that the
    /// file states (GIF delays, video frame rate), not the time of decoding.
    pub captured_at: Duration,
    /// The luma plane: all that detection, blur estimate and recognition look at.
    pub gray: GrayImage,
    /// The same picture in colour, for display and recording only.
    pub colour: Option<image::RgbImage>,
    /// File name, for picture sources.
    pub name: Option<String>,
}
