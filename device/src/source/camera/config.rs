//! The camera's settings: `[camera]` of the configuration.

use serde::{Deserialize, Deserializer};

use super::pixels::PixelFormat;

/// What to ask a camera for. It may give something else; what it gives is reported.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraConfig {
    /// Width of the picture, px.
    pub width: u32,
    /// Height of the picture, px.
    pub height: u32,
    /// Frames a second; without it the camera's own choice.
    #[serde(deserialize_with = "some_rate")]
    pub fps: Option<f32>,
    /// The only pixel format to use; without it the one that costs least.
    pub format: Option<PixelFormat>,
    /// Exposure time in microseconds; without it the camera's automatic one.
    pub exposure_us: Option<u32>,
    /// Gain, in the camera's own units; without it left as it is.
    pub gain: Option<i32>,
    /// Which flicker of lamps the automatic exposure avoids; without it left as it is.
    pub power_line: Option<PowerLine>,
}

/// The frequency of the mains, as V4L2 numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerLine {
    /// No lamps on mains.
    Off = 0,
    /// 50 Hz.
    #[serde(rename = "50-hz")]
    Hz50 = 1,
    /// 60 Hz.
    #[serde(rename = "60-hz")]
    Hz60 = 2,
    /// The camera finds out.
    Auto = 3,
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self { width: 640, height: 480, fps: None, format: None, exposure_us: None, gain: None, power_line: None }
    }
}

/// Pictures of more pixels come as MJPEG where there is a choice: USB 2 carries 640x480 in plain
/// form at 30 frames a second, and little more.
const MOST_PLAIN_PIXELS: u64 = 640 * 480;

impl CameraConfig {
    /// The pixel formats to ask for, in order of preference.
    pub fn formats(&self) -> impl Iterator<Item = PixelFormat> + use<> {
        let mut formats = PixelFormat::ALL.to_vec();
        if u64::from(self.width) * u64::from(self.height) > MOST_PLAIN_PIXELS {
            formats.sort_by_key(|&format| format != PixelFormat::Mjpeg);
        }
        let only = self.format;
        formats.into_iter().filter(move |&format| only.is_none_or(|only| only == format))
    }
}

/// A rate that may be left out.
fn some_rate<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    let rate = f32::deserialize(from)?;
    if (0.1..=1000.0).contains(&rate) {
        Ok(Some(rate))
    } else {
        Err(serde::de::Error::custom(format!("must be in 0.1 to 1000 frames a second, not {rate}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_pictures_come_compressed_where_there_is_a_choice() {
        let first = |width, height| CameraConfig { width, height, ..Default::default() }.formats().next();
        assert_eq!(first(640, 480), Some(PixelFormat::Yuyv));
        assert_eq!(first(1280, 720), Some(PixelFormat::Mjpeg));
        let only = CameraConfig { format: Some(PixelFormat::Grey), width: 1920, ..Default::default() };
        assert_eq!(only.formats().collect::<Vec<_>>(), [PixelFormat::Grey]);
    }
}
