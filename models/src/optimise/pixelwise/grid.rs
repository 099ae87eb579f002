//! How an output is laid out in tiles.

use super::Size;
use super::vectors::PIXELS;

/// Sides that a tile may have, pixels of the output.
pub const SIDES: [usize; 2] = [2, 4];

/// The tiles of a convolution.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Of a tile, one of [`SIDES`].
    pub side: usize,
    /// As those of the convolution.
    pub pictures: usize,
    /// Rows of tiles of a picture.
    pub down: usize,
    /// Tiles of a row.
    pub across: usize,
    /// As those of the convolution.
    pub channels: usize,
    /// Blocks of filters.
    pub blocks: usize,
}

impl Grid {
    /// For tiles of this side.
    pub fn new(size: &Size, side: usize) -> Self {
        let [down, across] = size.geometry.output.map(|pixels| pixels.div_ceil(side));
        let (channels, blocks) = (size.geometry.channels, size.blocks());
        Self { side, pictures: size.pictures, down, across, channels, blocks }
    }

    /// Numbers of a tile in the basis.
    pub fn points(&self) -> usize {
        (self.side + 2).pow(2)
    }

    /// Pixels of the input with what is around it, down and across.
    pub fn area(&self) -> [usize; 2] {
        [self.down, self.across].map(|tiles| self.side * tiles + 2)
    }

    /// What the products take, for each channel and filter: as much for reading the filters as for multiplying some tiles by
    /// them, since those of all layers together are more than a processor keeps near.
    pub fn work(&self) -> usize {
        self.points() * (self.pictures * self.down * self.across + PIXELS)
    }
}
