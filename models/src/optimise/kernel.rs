//! Which of tract's kernels multiplies a convolution's weights with its columns on this machine.

use std::sync::LazyLock;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::prelude::tract_linalg::MmmDispatch;
use tract_onnx::tract_core::prelude::tract_linalg::isa::{self, IsaSet};
use tract_onnx::tract_core::prelude::tract_linalg::mmm::{MatMatMul, Query};

/// Filters up to which laying out columns costs more than multiplying with them.
const FEW: usize = 24;

/// On which side of the product the columns are. tract's kernels take more rows of the left matrix at once than columns of the
/// right one: longer runs to copy, but if they are many for the output's pixels, more of them for nothing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    /// What belongs to the columns and what belongs to the weights, or the other way round: as left and right, or back.
    pub fn of<T>(self, columns: T, weights: T) -> (T, T) {
        match self {
            Self::Left => (columns, weights),
            Self::Right => (weights, columns),
        }
    }
}

/// How a product is computed.
pub struct Choice {
    /// Where the columns are.
    pub side: Side,
    /// tract's kernel.
    pub kernel: Box<dyn MatMatMul>,
    /// Which of its ways to pack the matrices.
    pub packing: usize,
}

impl Choice {
    /// For so many filters and columns, both of `k` numbers; `None` where tract has no kernel that takes packed floats.
    pub fn new(filters: usize, k: usize, columns: usize) -> Option<Self> {
        static KERNELS: LazyLock<MmmDispatch> = LazyLock::new(|| MmmDispatch::for_isa(worthwhile(isa::native())));
        let query = |side: Side| {
            let (m, n) = side.of(columns, filters);
            let float = f32::datum_type();
            Query { allow_extractor: false, ..Query::plain(float, Some(m), Some(k), Some(n)) }
        };
        let side = if filters <= FEW { Side::Left } else { Side::Right };
        match KERNELS.pick(&query(side))? {
            (kernel, packing, None) => Some(Self { side, kernel, packing }),
            (_, _, Some(_)) => None,
        }
    }
}

/// What this machine can do, without what it only does by halves: a processor that puts an AVX-512 instruction through in two
/// steps (AMD's Zen 4, smaller Xeons) multiplies no faster by it, and by tract's kernels it is slower: 32 filters of 3 x 3 px
/// on 24 x 24 px take .13 ms on such an EPYC, and .10 by those for AVX2. tract finds out itself, once, for its kernels of bytes.
#[cfg(target_arch = "x86_64")]
fn worthwhile(features: IsaSet) -> IsaSet {
    use tract_onnx::tract_core::prelude::tract_linalg::x86_64::fma_width::has_dual_avx512_fma;
    let wide = isa::Isa::X86_64Avx512f;
    if features.has(wide) && !has_dual_avx512_fma() { features.without(wide) } else { features }
}

#[cfg(not(target_arch = "x86_64"))]
fn worthwhile(features: IsaSet) -> IsaSet {
    features
}
