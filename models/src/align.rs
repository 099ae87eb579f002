//! From a detected face to the canonical crop: square, not turned, and framed the way the faces are
//! framed that the recogniser was trained on.

use serde::{Deserialize, Serialize};

use crate::detect::{DetectedFace, Landmarks};
use crate::image::{Gray8, GrayImage, PixelPoint};
use crate::resample::{Taps, blend};

/// No more than this many samples across a pixel of the crop; a face so large that this is
/// too few is averaged over a part of its pixels only.
const MAX_SAMPLES: f32 = 16.0;

/// How a face is framed. Part of the bundle, since detector and training set decide it.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Alignment {
    /// Side of the canonical square as a share of the height of the detector's box.
    pub box_scale: f32,
    /// From the middle of the box to the middle of the square, to the right, as a share of the
    /// height of the box.
    pub box_shift_x: f32,
    /// The same downwards.
    pub box_shift_y: f32,
    /// Where the eyes are in the square: share of its side from the top.
    pub eye_y: f32,
    /// Distance between the eyes as a share of the side; they are symmetric about the middle.
    pub eye_distance: f32,
}

/// The framing of FER-2013, for boxes of [`RustfaceDetector`](crate::RustfaceDetector).
///
/// Measured two ways. 3,000 Training faces, enlarged four times and set on a soft background: the
/// detector found 2,707, and the true square had 1.085 of the height of its box (0.90 to 1.37 in
/// the middle four fifths), shifted by 0.00 in both directions (+-0.08). And 938 frontal faces of
/// other pictures whose eyes are known: their mean crop is most like FER-2013's mean face (both
/// mirrored too, correlation in the inscribed circle) at a scale of 1.04 to 1.06 with shifts of
/// -0.01, cut by the box, and with eyes 0.40 down and 0.36 to 0.38 apart, cut by the eyes. The
/// eyes are 0.1095 above the middle of the detector's box and 0.406 of it apart, so that a scale
/// of 1.07 puts them at 0.398 and 0.379. (The dark spots of the mean face itself are at 0.362 and
/// 0.390: there the eyebrows count.)
impl Default for Alignment {
    fn default() -> Self {
        Self { box_scale: 1.07, box_shift_x: 0.0, box_shift_y: 0.0, eye_y: 0.40, eye_distance: 0.375 }
    }
}

impl Alignment {
    /// The canonical crop of `face`, `side` x `side` px (at least 1).
    ///
    /// With landmarks the square is as large that the distance of the eyes is the share `eye_distance` of its side, and lies
    /// so that the eyes of an upright face come to be where `eye_y` says; without, it follows from the box. It is never
    /// turned: of 2,259 validation faces of FER-2013 that `detector-320x256` found, 69.6 % were right in squares by the eyes
    /// and 68.1 % in the same ones turned by the eyes' angle (69.0 % in squares by the box, 70.2 % as they are), also of
    /// those that are tilted most. The networks have learned tilted faces, and the angle is never quite right.
    ///
    /// Pixels are averaged over their area when the face shrinks and interpolated when it grows; beyond the picture its
    /// edges go on. A face without a usable place (no size, not a number) gives the middle of the picture.
    pub fn crop(&self, picture: Gray8<'_>, face: &DetectedFace, side: usize) -> GrayImage {
        let side = side.max(1);
        let square = face
            .landmarks
            .and_then(|landmarks| self.square_by_eyes(&landmarks))
            .or_else(|| self.square_by_box(face))
            .unwrap_or_else(|| Square::middle_of(picture));
        square.sample(picture, side)
    }

    fn square_by_eyes(&self, landmarks: &Landmarks) -> Option<Square> {
        let (right, left) = (landmarks.right_eye, landmarks.left_eye);
        let (across, along) = (left.x - right.x, left.y - right.y);
        // From between the eyes to the middle of the face, in distances of the eyes: downwards as the face is tilted.
        let down = (0.5 - self.eye_y) / self.eye_distance;
        let middle =
            PixelPoint { x: 0.5 * (left.x + right.x) - down * along, y: 0.5 * (left.y + right.y) + down * across };
        Square::around(middle, across.hypot(along) / self.eye_distance)
    }

    fn square_by_box(&self, face: &DetectedFace) -> Option<Square> {
        let (middle, height) = (face.rect.center(), face.rect.height);
        let middle = PixelPoint { x: middle.x + self.box_shift_x * height, y: middle.y + self.box_shift_y * height };
        Square::around(middle, self.box_scale * height)
    }
}

/// An upright square in a picture, px.
struct Square {
    /// Its top left corner.
    corner: PixelPoint,
    side: f32,
}

impl Square {
    /// The square around `middle`; None if it is smaller than a pixel or not finite.
    fn around(middle: PixelPoint, side: f32) -> Option<Self> {
        let corner = PixelPoint { x: middle.x - 0.5 * side, y: middle.y - 0.5 * side };
        let usable = side.is_finite() && side >= 1.0 && corner.x.is_finite() && corner.y.is_finite();
        usable.then_some(Self { corner, side })
    }

    fn middle_of(picture: Gray8<'_>) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let side = width.min(height);
        Self { corner: PixelPoint { x: 0.5 * (width - side), y: 0.5 * (height - side) }, side }
    }

    fn sample(&self, picture: Gray8<'_>, side: usize) -> GrayImage {
        // So close that no pixel of the picture is skipped, and exactly on the pixels where the
        // face shrinks by a whole number.
        let samples = (self.side / side as f32).ceil().clamp(1.0, MAX_SAMPLES) as usize;
        let step = self.side / (side * samples) as f32;
        let taps = |start, length| taps(start, step, [side, samples], length);
        blend(picture, &taps(self.corner.x, picture.width()), &taps(self.corner.y, picture.height()))
    }
}

/// The pixels of an axis of `length` px that each of `side` pixels of a crop is made of: the mean of `samples` points, `step`
/// px apart from `start` on, each of which lies between the middles of two pixels; points beyond the ends lie on them.
fn taps(start: f32, step: f32, [side, samples]: [usize; 2], length: usize) -> Vec<Taps> {
    let last = length - 1;
    let point = |index: usize| (start + (index as f32 + 0.5) * step - 0.5).clamp(0.0, last as f32);
    let of = |pixel: usize| {
        let points = pixel * samples..(pixel + 1) * samples;
        let first = point(points.start) as usize;
        let end = (point(points.end - 1) as usize + 2).min(length);
        let mut weights = vec![0.0; end - first];
        for at in points.map(point) {
            let before = at as usize;
            let share = at - before as f32;
            weights[before - first] += (1.0 - share) / samples as f32;
            // On the last pixel there is no share of one behind it.
            if let Some(after) = weights.get_mut(before - first + 1) {
                *after += share / samples as f32;
            }
        }
        Taps { first, weights }
    };
    (0..side).map(of).collect()
}
