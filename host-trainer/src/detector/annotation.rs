//! A labelled face, and what becomes of it where its picture is moved, turned, scaled or mirrored.

use models::{DetectedFace, PixelPoint, PixelRect};

/// Points of a face.
pub const POINTS: usize = 5;
/// Which of them is the tip of the nose.
pub const NOSE: usize = 2;
/// Their names, in the order of [`Face::points`].
pub const POINT_NAMES: [&str; POINTS] = ["right-eye", "left-eye", "nose", "right-mouth", "left-mouth"];

/// A face of a picture, in its px.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Face {
    /// Its box.
    pub rect: PixelRect,
    /// The subject's right eye, left eye, tip of the nose, right and left corner of the mouth.
    pub points: [PixelPoint; POINTS],
}

impl Face {
    /// Side of the square that is as large as the box, px.
    pub fn side(&self) -> f32 {
        self.rect.area().sqrt()
    }

    /// Distance between the eyes, px.
    pub fn eye_distance(&self) -> f32 {
        let [right, left, ..] = self.points;
        (left.x - right.x).hypot(left.y - right.y)
    }
}

/// The five points of a found face, where the detector gives them.
pub fn points_of(face: &DetectedFace) -> Option<[PixelPoint; POINTS]> {
    face.landmarks.map(|l| [l.right_eye, l.left_eye, l.nose, l.right_mouth, l.left_mouth])
}

/// How a picture is laid into a scene: mirrored or not, then scaled and turned about one of its points.
#[derive(Copy, Clone, Debug)]
pub struct Placement {
    /// A point of the picture.
    from: PixelPoint,
    /// Where it comes to lie in the scene.
    to: PixelPoint,
    /// Px of the scene a px of the picture, above 0.
    scale: f32,
    sin: f32,
    cos: f32,
    mirrored: bool,
}

impl Placement {
    /// Lays `from` onto `to`, turned clockwise by `degrees`.
    pub fn new(from: PixelPoint, to: PixelPoint, scale: f32, degrees: f32, mirrored: bool) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self { from, to, scale, sin, cos, mirrored }
    }

    /// Px of the scene a px of the picture.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// A point of the picture in the scene.
    pub fn point(&self, point: PixelPoint) -> PixelPoint {
        let across = (point.x - self.from.x) * self.scale;
        let (x, y) = (if self.mirrored { -across } else { across }, (point.y - self.from.y) * self.scale);
        PixelPoint { x: self.to.x + self.cos * x - self.sin * y, y: self.to.y + self.sin * x + self.cos * y }
    }

    /// A point of the scene in the picture.
    pub fn back(&self, point: PixelPoint) -> PixelPoint {
        let (x, y) = (point.x - self.to.x, point.y - self.to.y);
        let across = (self.cos * x + self.sin * y) / self.scale;
        let down = (self.cos * y - self.sin * x) / self.scale;
        PixelPoint { x: self.from.x + if self.mirrored { -across } else { across }, y: self.from.y + down }
    }

    /// A face of the picture in the scene. Its box keeps its sides' ratio and stays upright; in a mirror, right and left
    /// change places.
    pub fn face(&self, face: &Face) -> Face {
        let centre = self.point(face.rect.center());
        let (width, height) = (face.rect.width * self.scale, face.rect.height * self.scale);
        let mut points = face.points.map(|point| self.point(point));
        if self.mirrored {
            points.swap(0, 1);
            points.swap(3, 4);
        }
        Face { rect: PixelRect { x: centre.x - 0.5 * width, y: centre.y - 0.5 * height, width, height }, points }
    }

    /// The upright rectangle of the scene that holds a rectangle of the picture.
    pub fn bounds(&self, rect: &PixelRect) -> PixelRect {
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        let corners = [(rect.x, rect.y), (right, rect.y), (rect.x, bottom), (right, bottom)]
            .map(|(x, y)| self.point(PixelPoint { x, y }));
        let least = |of: fn(&PixelPoint) -> f32| corners.iter().map(of).fold(f32::INFINITY, f32::min);
        let most = |of: fn(&PixelPoint) -> f32| corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max);
        let (x, y) = (least(|p| p.x), least(|p| p.y));
        PixelRect { x, y, width: most(|p| p.x) - x, height: most(|p| p.y) - y }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn face() -> Face {
        let point = |x, y| PixelPoint { x, y };
        Face {
            rect: PixelRect { x: 20.0, y: 10.0, width: 40.0, height: 50.0 },
            points: [point(30.0, 30.0), point(50.0, 31.0), point(41.0, 41.0), point(33.0, 50.0), point(48.0, 51.0)],
        }
    }

    fn near(a: PixelPoint, b: PixelPoint) -> bool {
        (a.x - b.x).hypot(a.y - b.y) < 1e-2
    }

    #[test]
    fn in_a_mirror_the_subjects_right_is_on_the_other_side() {
        let middle = face().rect.center();
        let mirrored = Placement::new(middle, middle, 1.0, 0.0, true).face(&face());
        // The left eye was 10 px right of the middle.
        assert!(near(mirrored.points[0], PixelPoint { x: 30.0, y: 31.0 }), "{mirrored:?}");
        assert!(near(mirrored.points[4], PixelPoint { x: 47.0, y: 50.0 }), "{mirrored:?}");
        assert_eq!(mirrored.rect, face().rect);
    }

    #[test]
    fn a_quarter_turn_is_clockwise() {
        let placed = Placement::new(PixelPoint { x: 0.0, y: 0.0 }, PixelPoint { x: 0.0, y: 0.0 }, 2.0, 90.0, false);
        assert!(near(placed.point(PixelPoint { x: 1.0, y: 0.0 }), PixelPoint { x: 0.0, y: 2.0 }));
    }

    proptest! {
        #[test]
        fn points_survive_flips_and_turns(
            x in -50f32..300.0, y in -50f32..300.0, scale in 0.1f32..5.0, degrees in -180f32..180.0, mirrored: bool,
        ) {
            let placement = Placement::new(PixelPoint { x: 33.0, y: 21.0 }, PixelPoint { x, y }, scale, degrees, mirrored);
            let placed = placement.face(&face());
            let order = if mirrored { [1, 0, 2, 4, 3] } else { [0, 1, 2, 3, 4] };
            for (point, origin) in placed.points.iter().zip(order) {
                prop_assert!(near(placement.back(*point), face().points[origin]));
            }
            prop_assert!((placed.eye_distance() - scale * face().eye_distance()).abs() < 1e-2);
            prop_assert!((placed.side() - scale * face().side()).abs() < 1e-2);
            // The points keep their sense of rotation: the mouth is below the eyes for whoever looks along with the face.
            let turn = |f: &Face| {
                let [right, left, _, mouth, _] = f.points;
                (left.x - right.x) * (mouth.y - right.y) - (left.y - right.y) * (mouth.x - right.x)
            };
            prop_assert!(turn(&placed) > 0.0);
        }
    }
}
