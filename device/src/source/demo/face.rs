//! Composite faces: each the mean of many, so that it is nobody's.

use anyhow::Context;
use image::imageops::{FilterType, resize};
use models::{Expression, GrayImage, box_blur};

use super::brush::{at, ellipse, gray_level, paint_around, smooth_step};
use super::script::{Act, Random};

/// Side of the composites in memory, in px: about as big as they are drawn.
const SIDE: usize = 192;

/// Averaging takes away what is fine: the mean of many sharp faces looks blurred, and the
/// blur gate is right to say so. These put it back, so that a sharp face of the demo measures
/// as sharp photographs do: the strengths of unsharp masks with a box of radius 1 and of
/// radius 3, in px of the stored composite, ...
const FINE: f32 = 4.0;
const COARSE: f32 = 0.8;
/// ... pores, the standard deviation of a fixed pattern in gray levels, ...
const PORES: f32 = 2.5;
/// ... and one more unsharp mask at full size, against what drawing and cropping soften.
const EDGES: f32 = 2.5;
const EDGE_RADIUS_PX: f32 = 3.0;
/// How much of its mirror image a face gets: smooths away what one single face of the many
/// still showed.
const MIRROR: f32 = 0.3;

/// The face fills this much of half of the square's width and height.
const REACH: (f32, f32) = (0.86, 1.0);

const FACES: [(Expression, &[u8]); 7] = [
    (Expression::Angry, include_bytes!("../../../assets/demo/angry.png")),
    (Expression::Disgust, include_bytes!("../../../assets/demo/disgust.png")),
    (Expression::Fear, include_bytes!("../../../assets/demo/fear.png")),
    (Expression::Happy, include_bytes!("../../../assets/demo/happy.png")),
    (Expression::Sad, include_bytes!("../../../assets/demo/sad.png")),
    (Expression::Surprise, include_bytes!("../../../assets/demo/surprise.png")),
    (Expression::Neutral, include_bytes!("../../../assets/demo/neutral.png")),
];

/// The composite of every expression, sharpened, [`SIDE`] px square.
pub struct Composites {
    faces: Vec<(Expression, GrayImage)>,
}

impl Composites {
    /// The faces that are part of the program.
    ///
    /// # Errors
    /// When one is no square gray PNG.
    pub fn embedded() -> anyhow::Result<Self> {
        let faces = FACES.iter().map(|(expression, png)| {
            let face = load(png).with_context(|| format!("the demo's {expression} face"))?;
            Ok((*expression, face))
        });
        Ok(Self { faces: faces.collect::<anyhow::Result<_>>()? })
    }

    /// Draws a face with soft edges.
    pub fn draw(&self, picture: &mut GrayImage, act: &Act) {
        let (Some(from), Some(to)) = (self.of(act.from), self.of(act.to)) else {
            return;
        };
        let (sin, cos) = act.tilt.sin_cos();
        let half = act.side / 2.0;
        paint_around(picture, act.centre, 0.75 * act.side, |dx, dy, old| {
            // -1..1 over the square of the face, turned back upright.
            let (u, v) = ((dx * cos + dy * sin) / half, (dy * cos - dx * sin) / half);
            let (x, y) = ((u + 1.0) / 2.0, (v + 1.0) / 2.0);
            let alpha = 1.0 - smooth_step(0.74, 1.0, ellipse(u, v, REACH.0, REACH.1));
            if alpha <= 0.0 {
                return old;
            }
            let (a, b) = (sample(from, x, y), sample(to, x, y));
            let new = a + (b - a) * act.change;
            old + (new - old) * alpha
        });
    }

    fn of(&self, expression: Expression) -> Option<&GrayImage> {
        let found = self.faces.iter().find(|(which, _)| *which == expression);
        found.map(|(_, face)| face)
    }
}

fn load(png: &[u8]) -> anyhow::Result<GrayImage> {
    let stored = image::load_from_memory_with_format(png, image::ImageFormat::Png)?.into_luma8();
    let (width, height) = stored.dimensions();
    anyhow::ensure!(width == height && width > 8, "is {width}x{height} px, no square");
    let stored = GrayImage::from_vec(stored.into_raw(), width as usize, height as usize)?;
    let sharp = sharpened(&stored);
    let sharp = image::GrayImage::from_vec(width, height, sharp).context("has lost pixels")?;
    let big = resize(&sharp, SIDE as u32, SIDE as u32, FilterType::CatmullRom);
    let big = GrayImage::from_vec(big.into_raw(), SIDE, SIDE)?;
    let soft = box_blur(big.view(), EDGE_RADIUS_PX);
    let edges = big.pixels().iter().zip(soft.pixels()).map(|(value, soft)| {
        let (value, soft) = (f32::from(*value), f32::from(*soft));
        gray_level(value + EDGES * (value - soft))
    });
    Ok(GrayImage::from_vec(edges.collect(), SIDE, SIDE)?)
}

fn sharpened(face: &GrayImage) -> Vec<u8> {
    let side = face.width();
    let mut even = face.clone();
    for (row, old) in even.pixels_mut().chunks_mut(side).zip(face.pixels().chunks(side)) {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (here, there) = (f32::from(old[x]), f32::from(old[side - 1 - x]));
            *pixel = gray_level(here + (there - here) * MIRROR);
        }
    }
    let fine = box_blur(even.view(), 1.0);
    let coarse = box_blur(even.view(), 3.0);
    let mut random = Random(0);
    let rest = fine.pixels().iter().zip(coarse.pixels());
    even.pixels()
        .iter()
        .zip(rest)
        .map(|(value, (fine, coarse))| {
            let [value, fine, coarse] = [*value, *fine, *coarse].map(f32::from);
            // The sum of four even numbers is near enough to a normal one.
            let sum: u64 = (0..4).map(|_| random.below(1001)).sum();
            let pore = (sum as f32 / 1000.0 - 2.0) * PORES / 0.577;
            let sharp = value + FINE * (value - fine) + COARSE * (value - coarse);
            gray_level(sharp + pore)
        })
        .collect()
}

/// The value at `(x, y)`, shares of the side, between the four pixels around it.
fn sample(face: &GrayImage, x: f32, y: f32) -> f32 {
    let place = |share: f32| {
        let place = (share * SIDE as f32 - 0.5).clamp(0.0, (SIDE - 1) as f32);
        let first = (place as usize).min(SIDE - 2);
        (first, place - first as f32)
    };
    let ((x, fx), (y, fy)) = (place(x), place(y));
    let upper = at(face, x, y) + (at(face, x + 1, y) - at(face, x, y)) * fx;
    let lower = at(face, x, y + 1) + (at(face, x + 1, y + 1) - at(face, x, y + 1)) * fx;
    upper + (lower - upper) * fy
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::demo::script::EXPRESSIONS;

    #[test]
    fn there_is_a_face_for_every_expression_of_the_script() {
        let composites = Composites::embedded().unwrap();
        for expression in EXPRESSIONS {
            let face = composites.of(expression).unwrap();
            assert_eq!((face.width(), face.height()), (SIDE, SIDE));
        }
    }

    #[test]
    fn damaged_faces_are_refused() {
        assert!(load(b"no picture").is_err());
    }
}
