//! Which cells are to find which face.
//!
//! A face belongs to the cells whose middles lie in the inner part of its box (Tian et al. 2019, "FCOS"), at the strides
//! that fit its size; the ranges of sizes overlap, so that no size falls between two strides.

use models::PixelRect;

use super::annotation::{Face, POINTS};
use super::form::STRIDES;
use super::scene::Scene;

/// Sides of the faces, px, that each stride is to find.
const SIDES_PX: [(f32, f32); STRIDES.len()] = [(0.0, 42.0), (30.0, 98.0), (72.0, f32::INFINITY)];
/// A stride may find faces that are this much smaller or larger than it must.
const TOLERANCE: f32 = 1.3;
/// Half of the inner part that must be found from, as a share of the box, and at least in strides.
const INNER: f32 = 0.2;
const INNER_STRIDES: f32 = 0.7;
/// Half of the part that may be found from.
const OUTER: f32 = 0.38;

/// What the cells of one scene are to say; stride after stride, row by row.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// 1 where there is a face to find.
    pub face: Vec<f32>,
    /// 0 where it does not matter whether there is one.
    pub counts: Vec<f32>,
    /// Box of the face, as the network gives it: offset of its middle and logarithm of its sides, in strides.
    pub boxes: Vec<[f32; 4]>,
    /// Points of the face: offsets in strides.
    pub points: Vec<[f32; 2 * POINTS]>,
}

impl Targets {
    /// What the cells are to say about a scene whose sides are multiples of the largest stride.
    pub fn of(scene: &Scene) -> Self {
        let mut targets = Self::default();
        for (&stride, &sides) in STRIDES.iter().zip(&SIDES_PX) {
            let (columns, rows) = (scene.image.width() / stride, scene.image.height() / stride);
            for row in 0..rows {
                for column in 0..columns {
                    targets.push(&Cell { stride: stride as f32, column: column as f32, row: row as f32 }, sides, scene);
                }
            }
        }
        targets
    }

    fn push(&mut self, cell: &Cell, sides: (f32, f32), scene: &Scene) {
        let fits = |face: &&Face| (sides.0..sides.1).contains(&face.side());
        let found = scene
            .faces
            .iter()
            .filter(fits)
            .filter(|face| cell.is_inner(&face.rect))
            .min_by(|a, b| cell.distance(&a.rect).total_cmp(&cell.distance(&b.rect)));
        let nearly = sides.0 / TOLERANCE..sides.1 * TOLERANCE;
        let indifferent = || {
            let faces = scene.faces.iter().filter(|face| nearly.contains(&face.side()));
            faces.into_iter().any(|face| cell.distance(&face.rect) < OUTER)
                || scene.doubtful.iter().any(|face| cell.distance(&face.rect) < 0.5)
        };
        self.face.push(if found.is_some() { 1.0 } else { 0.0 });
        self.counts.push(if found.is_none() && indifferent() { 0.0 } else { 1.0 });
        self.boxes.push(found.map_or([0.0; 4], |face| cell.of_box(&face.rect)));
        self.points.push(found.map_or([0.0; 2 * POINTS], |face| cell.of_points(face)));
    }
}

/// One cell of a map.
struct Cell {
    stride: f32,
    column: f32,
    row: f32,
}

impl Cell {
    /// From the middle of a box to that of the cell, px across and down.
    fn distance_to_middle(&self, rect: &PixelRect) -> (f32, f32) {
        let middle = rect.center();
        (((self.column + 0.5) * self.stride - middle.x).abs(), ((self.row + 0.5) * self.stride - middle.y).abs())
    }

    /// The same in sides of the box, the larger of the two.
    fn distance(&self, rect: &PixelRect) -> f32 {
        let (across, down) = self.distance_to_middle(rect);
        (across / rect.width).max(down / rect.height)
    }

    fn is_inner(&self, rect: &PixelRect) -> bool {
        let (across, down) = self.distance_to_middle(rect);
        let least = INNER_STRIDES * self.stride;
        across <= (INNER * rect.width).max(least) && down <= (INNER * rect.height).max(least)
    }

    fn of_box(&self, rect: &PixelRect) -> [f32; 4] {
        let middle = rect.center();
        [
            middle.x / self.stride - self.column,
            middle.y / self.stride - self.row,
            (rect.width / self.stride).ln(),
            (rect.height / self.stride).ln(),
        ]
    }

    fn of_points(&self, face: &Face) -> [f32; 2 * POINTS] {
        let mut offsets = [0.0; 2 * POINTS];
        for (offset, point) in offsets.chunks_exact_mut(2).zip(face.points) {
            offset[0] = point.x / self.stride - self.column;
            offset[1] = point.y / self.stride - self.row;
        }
        offsets
    }
}

#[cfg(test)]
mod tests {
    use models::{GrayImage, PixelPoint};

    use super::*;

    const WIDTH: usize = 320;
    const CELLS: [usize; 3] = [40 * 32, 20 * 16, 10 * 8];

    fn face(x: f32, y: f32, side: f32) -> Face {
        let point = PixelPoint { x: x + 3.0, y: y + 5.0 };
        let rect = PixelRect { x: x - 0.5 * side, y: y - 0.5 * side, width: side, height: side };
        Face { rect, points: [point; POINTS] }
    }

    fn scene(faces: &[Face]) -> Scene {
        Scene { image: GrayImage::new(WIDTH, 256), faces: faces.to_vec(), doubtful: Vec::new() }
    }

    /// Cells that are to find a face, a stride each.
    fn found(targets: &Targets) -> Vec<usize> {
        let mut start = 0;
        let of = |&cells: &usize| {
            let part = &targets.face[start..start + cells];
            start += cells;
            part.iter().filter(|&&face| face == 1.0).count()
        };
        CELLS.iter().map(of).collect()
    }

    #[test]
    fn every_size_has_cells_wherever_it_is() {
        for side in [12.0, 16.0, 24.0, 35.0, 41.9, 42.1, 60.0, 71.0, 80.0, 97.9, 98.1, 150.0, 220.0] {
            for offset in 0..16 {
                let at = 100.0 + 2.1 * offset as f32;
                let targets = Targets::of(&scene(&[face(at, at, side)]));
                assert!(found(&targets).iter().sum::<usize>() >= 1, "{side} px at {at}");
            }
        }
        assert_eq!(found(&Targets::of(&scene(&[])))[..], [0, 0, 0]);
    }

    #[test]
    fn targets_are_what_the_decoder_takes_back() {
        let face = face(163.0, 90.0, 60.0);
        let targets = Targets::of(&scene(&[face]));
        // The second stride begins behind the cells of the first.
        let cell = (0..CELLS[1]).find(|cell| targets.face[CELLS[0] + cell] == 1.0);
        let cell = cell.unwrap_or_else(|| panic!("no cell of stride 16"));
        let (column, row) = ((cell % (WIDTH / 16)) as f32, (cell / (WIDTH / 16)) as f32);
        let [x, y, width, height] = targets.boxes[CELLS[0] + cell];
        assert!(((column + x) * 16.0 - 163.0).abs() < 1e-3 && ((row + y) * 16.0 - 90.0).abs() < 1e-3);
        assert!((width.exp() * 16.0 - 60.0).abs() < 1e-3 && (height.exp() * 16.0 - 60.0).abs() < 1e-3);
        assert!(((column + targets.points[CELLS[0] + cell][4]) * 16.0 - 166.0).abs() < 1e-3);
    }

    #[test]
    fn doubtful_faces_count_for_nothing() {
        let mut scene = scene(&[]);
        scene.doubtful.push(face(100.0, 100.0, 64.0));
        let targets = Targets::of(&scene);
        assert_eq!(found(&targets)[..], [0, 0, 0]);
        let passed_over = targets.counts.iter().filter(|&&counts| counts == 0.0).count();
        assert!((60..110).contains(&passed_over), "{passed_over}");
    }
}
