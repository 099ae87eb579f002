//! `[clear.augment]` and `[robust.augment]`: random changes to a face.

use models::BlurLevel;
use serde::{Deserialize, Serialize};

use super::range::within;

/// Random changes to a face; each range is symmetric unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Mirror half of the faces.
    pub flip: bool,
    /// Rotation, degrees.
    pub rotation_deg: f32,
    /// Scale, share of the side.
    pub scale: f32,
    /// Shift along each axis, share of the side.
    pub shift: f32,
    /// Contrast, share.
    pub contrast: f32,
    /// Brightness, share of the full range of 255.
    pub brightness: f32,
    /// Show every face in six forms an epoch, as the acting-mirror study did: see [`crate::augment::sixfold`].
    pub sixfold: bool,
    /// Standard deviation of Gaussian noise added to every pixel, share of the full range (0..=1).
    pub gaussian_noise: f32,
    /// Probability of one erased rectangle (0..=1).
    pub erase_probability: f32,
    /// Largest share of another face that is mixed into each, and of its target into the target (0..=0.5; Zhang et al.
    /// 2018, mixup, with a share that is drawn evenly, once a batch).
    pub mixup: f32,
    /// Probability that a face is blurred (0..=1).
    pub blur_probability: f32,
    /// Box blurs of the blur study, one of which a blurred face gets. Where there are none: half
    /// of them a box and half a Gaussian, of any strength up to `blur-radius-at-128-px`.
    pub blur_levels: Vec<BlurLevel>,
    /// Strongest blur: radius of the box in px at a side of 128 px ("very high" is 14).
    pub blur_radius_at_128_px: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            flip: true,
            rotation_deg: 10.0,
            scale: 0.1,
            shift: 0.08,
            contrast: 0.3,
            brightness: 0.15,
            sixfold: false,
            gaussian_noise: 0.0,
            erase_probability: 0.2,
            mixup: 0.0,
            blur_probability: 0.0,
            blur_levels: Vec::new(),
            blur_radius_at_128_px: 16.0,
        }
    }
}

impl AugmentConfig {
    /// The levels of blur that faces are seen at, where every face is blurred to one of them; none where others are seen too.
    pub fn only_levels(&self) -> &[BlurLevel] {
        if self.blur_probability >= 1.0 { &self.blur_levels } else { &[] }
    }

    /// Checks every range; `table` is the name of the table.
    pub(super) fn check(&self, table: &str) -> anyhow::Result<()> {
        for (key, value, high) in [
            ("rotation-deg", self.rotation_deg, 180.0),
            ("scale", self.scale, 0.9),
            ("shift", self.shift, 0.9),
            ("contrast", self.contrast, 1.0),
            ("brightness", self.brightness, 1.0),
            ("gaussian-noise", self.gaussian_noise, 1.0),
            ("erase-probability", self.erase_probability, 1.0),
            ("mixup", self.mixup, 0.5),
            ("blur-probability", self.blur_probability, 1.0),
            ("blur-radius-at-128-px", self.blur_radius_at_128_px, 64.0),
        ] {
            within(&format!("{table}.{key}"), value.into(), 0.0, high)?;
        }
        Ok(())
    }
}
