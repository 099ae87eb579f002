//! The memory that all convolutions of a thread work in: one after the other, so that it stays near the processor.

use std::cell::RefCell;

use super::Size;
use super::product::FILTERS;
use super::transpose::transpose;

thread_local! {
    static WORKSPACE: RefCell<Workspace> = const { RefCell::new(Workspace::new()) };
}

/// What lies between the steps of a convolution. All of it is written before it is read.
pub struct Workspace {
    plane: Vec<f32>,
    entered: Vec<f32>,
    products: Vec<f32>,
    strip: Vec<f32>,
}

/// The parts of it, as large as a convolution needs them.
pub struct Parts<'a> {
    /// The input with zeros around: `[pictures, height, width, channels]`.
    pub plane: &'a mut [f32],
    /// Tiles in the basis.
    pub entered: &'a mut [f32],
    /// Their products with the filters.
    pub products: &'a mut [f32],
    /// A row of tiles of the output, `[rows of pixels, width, filters of a block]`.
    pub strip: &'a mut [f32],
}

impl Workspace {
    const fn new() -> Self {
        Self { plane: Vec::new(), entered: Vec::new(), products: Vec::new(), strip: Vec::new() }
    }

    /// Does something in this thread's.
    pub fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        WORKSPACE.with_borrow_mut(work)
    }

    /// For a convolution of this size, of which so many tiles go through all steps together.
    pub fn parts(&mut self, size: &Size, tiles: usize) -> Parts<'_> {
        let [high, wide] = size.plane();
        Parts {
            plane: part(&mut self.plane, size.pictures * high * wide * size.channels()),
            entered: part(&mut self.entered, size.points() * tiles * size.channels()),
            products: part(&mut self.products, size.points() * size.blocks() * tiles * FILTERS),
            strip: part(&mut self.strip, size.side * wide * FILTERS),
        }
    }
}

/// So many numbers of `memory`.
fn part(memory: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if memory.len() < count {
        memory.resize(count, 0.0);
    }
    &mut memory[..count]
}

/// Lays `maps`, `[pictures, channels, height, width]`, into the plane.
#[inline(always)]
pub fn fill(plane: &mut [f32], size: &Size, maps: &[f32]) {
    let Size { geometry, .. } = size;
    let [high, wide] = size.plane();
    let ([height, width], [above, left]) = (geometry.input, geometry.before);
    let channels = size.channels();
    plane.fill(0.0);
    for (maps, plane) in
        maps.chunks_exact(geometry.channels * height * width).zip(plane.chunks_exact_mut(high * wide * channels))
    {
        for y in 0..height {
            let to = &mut plane[((above + y) * wide + left) * channels..];
            transpose(&maps[y * width..], height * width, [geometry.channels, width], to, channels);
        }
    }
}
