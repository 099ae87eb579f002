//! Where the numbers of a convolution's columns lie in its input, and how they come into a panel.
//!
//! A panel holds as many columns as a kernel takes at once, side by side. Neighbours in it belong to neighbours in a row of
//! the output, so that what they need for one weight lies in a row of the input, a run that is copied as a whole. Where a
//! convolution takes only every second pixel, the copy with the zeros around keeps those apart that are taken together.

use tract_onnx::tract_core::prelude::tract_linalg::pack::PackedFormat;

/// Lengths of runs that are copied without a loop, from the longest on.
const LENGTHS: [usize; 10] = [24, 16, 12, 8, 6, 5, 4, 3, 2, 1];

/// Sizes of a convolution; of pairs the vertical one comes first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Of the input.
    pub channels: usize,
    /// Px.
    pub input: [usize; 2],
    /// Px.
    pub filter: [usize; 2],
    /// Px from one output pixel to the next.
    pub stride: [usize; 2],
    /// Zeros above and to the left of the input, px; below and to the right there are as many as the filters reach over.
    pub before: [usize; 2],
    /// Px.
    pub output: [usize; 2],
}

impl Geometry {
    /// Numbers of a column: weights of a filter.
    pub fn column(&self) -> usize {
        self.channels * self.filter[0] * self.filter[1]
    }

    /// Columns: pixels of the output.
    pub fn columns(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Rows of the input with its zeros.
    fn rows(&self) -> usize {
        (self.output[0] - 1) * self.stride[0] + self.filter[0]
    }

    /// Numbers in a part of such a row, which holds every `stride`th of its pixels, beginning with one of the first.
    fn part(&self) -> usize {
        (self.output[1] - 1) + self.filter[1].div_ceil(self.stride[1])
    }

    /// Numbers of such a row, all parts one after the other.
    fn row(&self) -> usize {
        self.stride[1] * self.part()
    }

    /// Place of a pixel in such a row.
    fn place(&self, x: usize) -> usize {
        x % self.stride[1] * self.part() + x / self.stride[1]
    }

    /// Where the numbers of the first column lie.
    fn weights(&self) -> Vec<usize> {
        let [height, width] = self.filter;
        let filter = |channel| (0..height).flat_map(move |y| (0..width).map(move |x| (channel * self.rows() + y, x)));
        (0..self.channels).flat_map(filter).map(|(row, x)| row * self.row() + self.place(x)).collect()
    }

    /// How far behind those of the first column the numbers of a column lie.
    fn column_at(&self, pixel: usize) -> usize {
        let [y, x] = [pixel / self.output[1], pixel % self.output[1]];
        y * self.stride[0] * self.row() + x
    }

    /// Puts the input, `[channels, height, width]`, between its zeros, which are there already.
    pub fn copy(&self, input: &[f32], map: &mut [f32]) {
        let [height, width] = self.input;
        let planes = map.chunks_exact_mut(self.rows() * self.row());
        for (channel, plane) in input.chunks_exact(height * width).zip(planes) {
            let rows = plane.chunks_exact_mut(self.row()).skip(self.before[0]);
            for (from, to) in channel.chunks_exact(width).zip(rows) {
                match self.stride[1] {
                    1 => to.iter_mut().skip(self.before[1]).zip(from).for_each(|(to, &number)| *to = number),
                    2 => self.deal(from, to),
                    _ => {
                        from.iter().zip(self.before[1]..self.row()).for_each(|(&number, x)| to[self.place(x)] = number);
                    }
                }
            }
        }
    }

    /// Puts every second pixel of a row of the input into one part of a row with zeros, and the others into the other.
    fn deal(&self, from: &[f32], to: &mut [f32]) {
        let (even, odd) = to.split_at_mut(self.part());
        let (half, begins_odd) = (self.before[1] / 2, self.before[1] % 2);
        let (first, second) = if begins_odd == 1 { (odd, even) } else { (even, odd) };
        let first = first.iter_mut().skip(half);
        let second = second.iter_mut().skip(half + begins_odd);
        // Two passes: each is a loop that the compiler makes vectors of.
        first.zip(from.iter().step_by(2)).for_each(|(to, &number)| *to = number);
        second.zip(from.iter().skip(1).step_by(2)).for_each(|(to, &number)| *to = number);
    }
}

/// Numbers that lie side by side in the input and in a panel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
struct Run {
    /// Behind the place of the first column.
    from: usize,
    /// Column of the panel.
    to: usize,
    /// One of [`LENGTHS`].
    length: usize,
}

/// How columns are laid out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Of the convolution.
    pub geometry: Geometry,
    /// What the kernel takes.
    pub format: PackedFormat,
    weights: Vec<usize>,
    /// Of each panel.
    runs: Vec<Vec<Run>>,
}

impl Layout {
    /// For kernels that take columns in `format`.
    pub fn new(geometry: Geometry, format: PackedFormat) -> Self {
        let columns: Vec<usize> = (0..geometry.columns()).map(|pixel| geometry.column_at(pixel)).collect();
        let runs = columns.chunks(format.r).map(runs).collect();
        Self { weights: geometry.weights(), runs, geometry, format }
    }

    /// Numbers of a panel.
    pub fn panel(&self) -> usize {
        self.format.single_panel_len(self.geometry.column())
    }

    /// Numbers of the input between its zeros.
    pub fn map(&self) -> usize {
        self.geometry.channels * self.geometry.rows() * self.geometry.row()
    }

    /// Lays out a panel.
    pub fn fill(&self, panel: &mut [f32], number: usize, map: &[f32]) {
        for &run in &self.runs[number] {
            let copy = match run.length {
                24 => copy::<24>,
                16 => copy::<16>,
                12 => copy::<12>,
                8 => copy::<8>,
                6 => copy::<6>,
                5 => copy::<5>,
                4 => copy::<4>,
                3 => copy::<3>,
                2 => copy::<2>,
                _ => copy::<1>,
            };
            copy(run, &self.weights, map, panel, self.format.r);
        }
    }
}

/// The runs of a panel of so many columns, of which these lie so far behind the first one.
fn runs(columns: &[usize]) -> Vec<Run> {
    let side_by_side = |columns: &[usize]| columns.windows(2).take_while(|pair| pair[1] == pair[0] + 1).count() + 1;
    let mut runs = Vec::new();
    let mut to = 0;
    while to < columns.len() {
        let most = side_by_side(&columns[to..]);
        let length = LENGTHS.into_iter().find(|&length| length <= most).unwrap_or(1);
        runs.push(Run { from: columns[to], to, length });
        to += length;
    }
    runs
}

/// Copies a run for every weight, into a panel of rows of `width` columns.
fn copy<const LENGTH: usize>(run: Run, weights: &[usize], map: &[f32], panel: &mut [f32], width: usize) {
    let map = &map[run.from..];
    for (&weight, row) in weights.iter().zip(panel.chunks_exact_mut(width)) {
        row[run.to..][..LENGTH].copy_from_slice(&map[weight..][..LENGTH]);
    }
}
