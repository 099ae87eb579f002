//! The columns that a convolution multiplies its weights with, laid out panel by panel as tract's kernels want them, right
//! before they are used.
//!
//! A panel holds as many columns as a kernel takes at once, side by side. Neighbours in it belong to neighbours in a row of
//! the output, so that what they need for one weight lies in a row of the input, a run that is copied as a whole. Where a
//! convolution takes only every second pixel, the copy with the zeros around keeps those apart that are taken together.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::*;
use tract_onnx::tract_core::ops::matmul::pack::DynPackedExoticFact;
use tract_onnx::tract_core::prelude::tract_linalg::WeightType;
use tract_onnx::tract_core::prelude::tract_linalg::mmm::{
    EagerPackedInput, MMMInputFormat, MMMInputValue, PackedMatrixStorage,
};
use tract_onnx::tract_core::prelude::tract_linalg::pack::PackedFormat;

/// Lengths of runs that are copied without a loop, from the longest on.
const LENGTHS: [usize; 9] = [16, 12, 8, 6, 5, 4, 3, 2, 1];

thread_local! {
    /// The panel that this thread's kernel reads: tract has done with one before it asks for the next.
    static PANEL: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

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
    fn copy(&self, input: &[f32], map: &mut [f32]) {
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
struct Layout {
    geometry: Geometry,
    format: PackedFormat,
    weights: Vec<usize>,
    /// Of each panel.
    runs: Vec<Vec<Run>>,
}

impl Layout {
    fn new(geometry: Geometry, format: PackedFormat) -> Self {
        let columns: Vec<usize> = (0..geometry.columns()).map(|pixel| geometry.column_at(pixel)).collect();
        let runs = columns.chunks(format.r).map(runs).collect();
        Self { weights: geometry.weights(), runs, geometry, format }
    }

    /// Numbers of a panel.
    fn panel(&self) -> usize {
        self.format.single_panel_len(self.geometry.column())
    }

    /// Numbers of the input between its zeros.
    fn map(&self) -> usize {
        self.geometry.channels * self.geometry.rows() * self.geometry.row()
    }

    /// Lays out a panel.
    fn fill(&self, panel: &mut [f32], number: usize, map: &[f32]) {
        for &run in &self.runs[number] {
            let copy = match run.length {
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

/// `[1, channels, height, width]` -> the columns of a convolution, packed for a kernel.
#[derive(Clone, Debug)]
pub struct Columns {
    layout: Arc<Layout>,
    spare: Spare,
}

impl Columns {
    /// Columns for kernels that take them in `format`.
    pub fn new(geometry: Geometry, format: PackedFormat) -> Self {
        Self { layout: Arc::new(Layout::new(geometry, format)), spare: Spare::default() }
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout
    }
}

impl Eq for Columns {}

impl Op for Columns {
    fn name(&self) -> StaticName {
        "Columns".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Columns {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let geometry = &self.layout.geometry;
        let mut map = self.spare.take(self.layout.map());
        geometry.copy(input.try_as_plain_ram()?.as_slice::<f32>()?, &mut map.numbers);
        let value = Panels { layout: self.layout.clone(), map: Arc::new(map) };
        Ok(tvec!(PackedMatrixStorage::new(Box::new(value)).into_tensor(f32::datum_type()).into_tvalue()))
    }
}

impl TypedOp for Columns {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let Layout { geometry, format, .. } = &*self.layout;
        let fact = DynPackedExoticFact {
            k: geometry.column().to_dim(),
            mn: geometry.columns().to_dim(),
            packers: vec![Box::new(format.clone())],
        };
        Ok(tvec!(f32::datum_type().scalar_fact().with_exotic_fact(fact)))
    }

    as_op!();
}

/// Memory that a call leaves for the next: fresh pages cost more than what is written to them here.
#[derive(Clone, Debug, Default)]
struct Spare(Arc<Mutex<Vec<Vec<f32>>>>);

impl Spare {
    /// So many numbers: zeros, or what an earlier call of the same size left.
    fn take(&self, length: usize) -> Map {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Map { numbers: left.unwrap_or_else(|| vec![0.0; length]), spare: self.clone() }
    }
}

/// The input of a convolution with the zeros around it.
#[derive(Debug)]
struct Map {
    numbers: Vec<f32>,
    spare: Spare,
}

impl Drop for Map {
    fn drop(&mut self) {
        self.spare.0.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.numbers));
    }
}

/// The columns of one input.
#[derive(Clone, Debug)]
struct Panels {
    layout: Arc<Layout>,
    map: Arc<Map>,
}

impl PartialEq for Panels {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout && self.map.numbers == other.map.numbers
    }
}

impl Eq for Panels {}

impl Hash for Panels {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.layout.hash(state);
        self.map.numbers.iter().for_each(|number| number.to_bits().hash(state));
    }
}

impl fmt::Display for Panels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} numbers", self.layout, self.k())
    }
}

impl MMMInputValue for Panels {
    fn format(&self) -> &dyn MMMInputFormat {
        &*self.layout
    }

    fn scratch_panel_buffer_layout(&self) -> Option<std::alloc::Layout> {
        None
    }

    fn panel_bytes(&self, number: usize, _: Option<*mut u8>) -> TractResult<*const u8> {
        PANEL.with_borrow_mut(|panel| {
            let (length, alignment) = (self.layout.panel(), self.layout.format.alignment_bytes);
            if panel.len() < length + alignment {
                panel.resize(length + alignment, 0.0);
            }
            let start = panel.as_ptr().align_offset(alignment);
            let panel = &mut panel[start..][..length];
            self.layout.fill(panel, number, &self.map.numbers);
            Ok(panel.as_ptr().cast())
        })
    }

    fn mn(&self) -> usize {
        self.layout.geometry.columns()
    }

    fn k(&self) -> usize {
        self.layout.geometry.column()
    }

    fn exotic_fact(&self) -> &dyn ExoticFact {
        &*self.layout
    }

    fn extract_at_mn_f16(&self, _: usize, _: &mut [f16]) -> TractResult<()> {
        bail!("columns are read by kernels only")
    }

    fn extract_at_mn_f32(&self, _: usize, _: &mut [f32]) -> TractResult<()> {
        bail!("columns are read by kernels only")
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} columns", self.geometry.columns())
    }
}

impl ExoticFact for Layout {
    fn buffer_sizes(&self) -> TVec<TDim> {
        tvec!(self.panel().to_dim())
    }
}

/// To tract this is no format of its own, so that it goes through all weights for each panel, which is then laid out once.
impl MMMInputFormat for Layout {
    fn r(&self) -> usize {
        self.format.r
    }

    fn precursor(&self) -> WeightType {
        self.format.precursor()
    }

    fn k_alignment(&self) -> usize {
        1
    }

    fn mem_size(&self, k: TDim, mn: TDim) -> TDim {
        k * mn * size_of::<f32>()
    }

    fn prepare_tensor(&self, _: &Tensor, _: usize, _: usize) -> TractResult<Tensor> {
        bail!("columns are made of maps only")
    }

    fn prepare_one(&self, _: &Tensor, _: usize, _: usize) -> TractResult<Box<dyn MMMInputValue>> {
        bail!("columns are made of maps only")
    }

    fn prepare_one_view(&self, _: &TensorView, _: usize, _: usize) -> TractResult<Box<dyn MMMInputValue>> {
        bail!("columns are made of maps only")
    }

    fn extract_at_mn_f16(&self, _: &EagerPackedInput, _: usize, _: &mut [f16]) -> TractResult<()> {
        bail!("columns are read by kernels only")
    }

    fn extract_at_mn_f32(&self, _: &EagerPackedInput, _: usize, _: &mut [f32]) -> TractResult<()> {
        bail!("columns are read by kernels only")
    }
}
