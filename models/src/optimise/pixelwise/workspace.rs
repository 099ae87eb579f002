//! The memory that all convolutions of a thread work in: one after the other, so that it stays near the processor.

use std::cell::RefCell;

use super::super::layout::Geometry;

thread_local! {
    static WORKSPACE: RefCell<Workspace> =
        const { RefCell::new(Workspace { plane: Vec::new(), entered: Vec::new(), products: Vec::new() }) };
}

/// What lies between the steps of a convolution. All of it is written before it is read.
pub struct Workspace {
    /// The input with zeros around, `[pictures, height, width, channels]`.
    pub plane: Vec<f32>,
    /// Tiles in another basis.
    pub entered: Vec<f32>,
    /// Their products with the filters.
    pub products: Vec<f32>,
}

impl Workspace {
    /// Does something in this thread's.
    pub fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        WORKSPACE.with_borrow_mut(work)
    }
}

/// So many numbers of `memory`, whatever they are.
pub fn part(memory: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if memory.len() < count {
        memory.resize(count, 0.0);
    }
    &mut memory[..count]
}

/// Lays `maps`, `[pictures, height, width, channels]`, between zeros, into planes of so many pixels down and across; what does
/// not fit there is what no filter covers.
pub fn plane<'a>(memory: &'a mut Vec<f32>, geometry: &Geometry, [high, wide]: [usize; 2], maps: &[f32]) -> &'a [f32] {
    let Geometry { channels, input: [height, width], before: [above, left], .. } = *geometry;
    let pictures = maps.len() / (height * width * channels);
    let plane = part(memory, pictures * high * wide * channels);
    plane.fill(0.0);
    // Filters that are far apart may lie in the padding alone.
    let left = left.min(wide);
    let run = width.min(wide - left) * channels;
    for (maps, plane) in
        maps.chunks_exact(height * width * channels).zip(plane.chunks_exact_mut(high * wide * channels))
    {
        let rows = plane.chunks_exact_mut(wide * channels).skip(above);
        for (from, to) in maps.chunks_exact(width * channels).zip(rows) {
            to[left * channels..][..run].copy_from_slice(&from[..run]);
        }
    }
    plane
}
