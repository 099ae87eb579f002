//! The columns that a convolution multiplies its weights with, laid out panel by panel ([`Layout`]) as tract's kernels want
//! them, right before they are used.

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

use super::layout::{Geometry, Layout};

thread_local! {
    /// The panel that this thread's kernel reads: tract has done with one before it asks for the next.
    static PANEL: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `[pictures, channels, height, width]` -> the columns of a convolution, packed for a kernel, those of each picture together.
#[derive(Clone, Debug)]
pub struct Columns {
    pictures: usize,
    layout: Arc<Layout>,
    spare: Spare,
}

impl Columns {
    /// Columns for kernels that take them in `format`.
    pub fn new(pictures: usize, geometry: Geometry, format: PackedFormat) -> Self {
        Self { pictures, layout: Arc::new(Layout::new(geometry, format)), spare: Spare::default() }
    }
}

impl PartialEq for Columns {
    fn eq(&self, other: &Self) -> bool {
        (self.pictures, &self.layout) == (other.pictures, &other.layout)
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
        let columns = |picture: &[f32]| -> Box<dyn MMMInputValue> {
            let mut map = self.spare.take(self.layout.map());
            geometry.copy(picture, &mut map.numbers);
            Box::new(Panels { layout: self.layout.clone(), map: Arc::new(map) })
        };
        let pictures = input.try_as_plain_ram()?.as_slice::<f32>()?;
        let values = pictures.chunks_exact(pictures.len() / self.pictures).map(columns).collect();
        let shape = if self.pictures == 1 { &[][..] } else { &[self.pictures] };
        Ok(tvec!(PackedMatrixStorage::new_batched(shape, values).into_tensor(f32::datum_type()).into_tvalue()))
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
        let shape = if self.pictures == 1 { tvec!() } else { tvec!(self.pictures) };
        Ok(tvec!(f32::fact(shape).with_exotic_fact(fact)))
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
