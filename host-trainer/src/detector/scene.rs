//! Scenes to learn from and to measure on: faces of several pictures on a background, seen by a bad camera.

mod background;
mod camera;
mod patch;

use models::{GrayImage, PixelPoint, PixelRect};
use rand::RngExt;
use rand::rngs::StdRng;

use self::background::{background, faceless};
use self::camera::blur_radius_px;
use self::patch::{Patch, cover};
use super::annotation::{Face, Placement};
use super::config::SceneConfig;
use super::faces::Picture;
use crate::augment::{chance, symmetric};

/// How often a place is looked for that is free.
const TRIES: usize = 12;
/// Of a face that is cut by the scene's edge, at least this share of each side is inside.
const INSIDE: f32 = 0.8;
/// A face below this side, px, is not asked for.
const TOO_SMALL_PX: f32 = 10.0;
/// The face of a scene that is one whole picture has this side, px, or more.
const WHOLE_PICTURE_FACE_PX: f32 = 48.0;
/// Patches without a face that are pasted like faces, so that pasting is no sign of one.
const DECOYS: usize = 3;

/// A picture with its faces.
pub struct Scene {
    /// The picture.
    pub image: GrayImage,
    /// Faces that are to be found.
    pub faces: Vec<Face>,
    /// Faces that may be found or not: too small, or hidden in part.
    pub doubtful: Vec<Face>,
}

impl Scene {
    /// Composes a scene of `pictures`, of which there is at least one. Equal streams give equal scenes.
    pub fn compose(pictures: &[Picture], config: &SceneConfig, rng: &mut StdRng) -> Self {
        let mut scene = Self {
            image: background(pictures, config.width, config.height, rng),
            faces: Vec::new(),
            doubtful: Vec::new(),
        };
        for _ in 0..rng.random_range(0..=DECOYS) {
            scene.paste_decoy(pictures, rng);
        }
        if chance(rng, config.whole_pictures) {
            // Hands, ears, collars and what else is near a face, as it is.
            let side = face_side(config, rng).max(WHOLE_PICTURE_FACE_PX).min(config.largest_face_px);
            scene.paste_face(pictures, config, (side, f32::INFINITY), rng);
        } else {
            scene.paste_faces(pictures, config, rng);
        }
        let faces = scene.faces.clone();
        for face in &faces {
            if chance(rng, config.covered) {
                cover(&mut scene.image, face, rng);
            }
        }
        scene.photograph(config, rng);
        scene
    }

    /// Pastes as many random faces as there happen to be, of random sizes.
    fn paste_faces(&mut self, pictures: &[Picture], config: &SceneConfig, rng: &mut StdRng) {
        let count = if chance(rng, config.empty) { 0 } else { face_count(config.faces, rng) };
        // Half of the scenes show people at one distance.
        let common = rng.random::<bool>().then(|| face_side(config, rng));
        for _ in 0..count {
            let side = match common {
                Some(side) => {
                    (side * 2f32.powf(symmetric(rng, 0.5))).clamp(config.smallest_face_px, config.largest_face_px)
                }
                None => face_side(config, rng),
            };
            self.paste_face(pictures, config, (side, margin(rng)), rng);
        }
    }

    /// Pastes a random face of about so many px where there is room, with a margin of so many of its sides.
    fn paste_face(&mut self, pictures: &[Picture], config: &SceneConfig, (side, margin): (f32, f32), rng: &mut StdRng) {
        let picture = &pictures[rng.random_range(0..pictures.len())];
        let chosen = &picture.faces[rng.random_range(0..picture.faces.len())];
        for _ in 0..TRIES {
            let to = PixelPoint {
                x: within_edges(self.image.width(), side, rng),
                y: within_edges(self.image.height(), side, rng),
            };
            let placement = Placement::new(
                chosen.rect.center(),
                to,
                side / chosen.side(),
                symmetric(rng, config.rotation_deg),
                rng.random::<bool>() && config.flip,
            );
            let patch = Patch::around(picture, &chosen.rect, margin, placement, rng);
            if !self.is_free(&patch.bounds()) {
                continue;
            }
            let radius = chance(rng, config.blurred_faces)
                .then(|| blur_radius_px(rng.random::<f32>() * config.blur_radius_at_128_px, side));
            patch.draw(&mut self.image, radius, rng);
            for face in &picture.faces {
                self.add(placement.face(face), patch.shows(&face.rect));
            }
            return;
        }
    }

    /// Pastes a part of a picture without a face.
    fn paste_decoy(&mut self, pictures: &[Picture], rng: &mut StdRng) {
        let picture = &pictures[rng.random_range(0..pictures.len())];
        let Some(part) = faceless(picture, rng) else { return };
        let side = (part.width * part.height).sqrt();
        let to = PixelPoint {
            x: rng.random_range(0.0..self.image.width() as f32),
            y: rng.random_range(0.0..self.image.height() as f32),
        };
        let scale = rng.random_range(20f32..200.0) / side;
        let placement = Placement::new(part.center(), to, scale, symmetric(rng, 30.0), rng.random());
        Patch::of(picture, &part, placement, rng).draw(&mut self.image, None, rng);
    }

    /// Whether nothing of a face is in `bounds`.
    fn is_free(&self, bounds: &PixelRect) -> bool {
        self.faces.iter().chain(&self.doubtful).all(|face| face.rect.iou(bounds) == 0.0)
    }

    fn add(&mut self, face: Face, shown: f32) {
        let (width, height) = (self.image.width() as f32, self.image.height() as f32);
        let inside = PixelRect { x: 0.0, y: 0.0, width, height };
        let visible = face.rect.shared_area(&inside) / face.rect.area().max(1.0);
        if visible.min(shown) <= 0.0 {
            return;
        }
        if visible > 0.6 && shown > 0.9 && face.side() >= TOO_SMALL_PX {
            self.faces.push(face);
        } else {
            self.doubtful.push(face);
        }
    }

    /// Blur, light, exposure and noise.
    fn photograph(&mut self, config: &SceneConfig, rng: &mut StdRng) {
        let smallest = self.faces.iter().map(Face::side).fold(f32::INFINITY, f32::min);
        // So that the smallest face can still be seen.
        let reference = if smallest.is_finite() { smallest } else { 64.0 };
        camera::photograph(&mut self.image, config, reference, rng);
    }
}

/// One or two faces mostly, seldom a group.
fn face_count(most: usize, rng: &mut StdRng) -> usize {
    let count = match rng.random_range(0..20) {
        0..=7 => 1,
        8..=12 => 2,
        13..=16 => 3,
        _ => rng.random_range(4..=8),
    };
    count.min(most)
}

/// Every octave of sizes as often.
fn face_side(config: &SceneConfig, rng: &mut StdRng) -> f32 {
    let (low, high) = (config.smallest_face_px.ln(), config.largest_face_px.ln());
    (low + rng.random::<f32>() * (high - low)).exp()
}

/// How much of a picture comes with its face, in sides of the face: close to the box, with hair and shoulders, or all.
fn margin(rng: &mut StdRng) -> f32 {
    match rng.random_range(0..10) {
        0..=4 => rng.random_range(0.15..0.5),
        5..=7 => rng.random_range(0.5..1.2),
        _ => f32::INFINITY,
    }
}

/// A middle at which a face of `side` px is inside of 0..`extent` for the most part.
fn within_edges(extent: usize, side: f32, rng: &mut StdRng) -> f32 {
    let extent = extent as f32;
    let least = ((INSIDE - 0.5) * side).min(0.5 * extent);
    least + rng.random::<f32>() * (extent - 2.0 * least)
}

#[cfg(test)]
mod tests;
