//! The form of what a detector says: maps of cells, each with the same numbers.

/// Px of the input a cell of each map.
pub const STRIDES: [usize; 3] = [8, 16, 32];
/// Numbers a cell: logit of a face, logit of the box' overlap, box (4), points (10).
pub const VALUES: usize = 16;
