//! Which of tract's kernels multiplies matrices of floats on this machine.

use std::sync::LazyLock;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::prelude::tract_linalg::MmmDispatch;
use tract_onnx::tract_core::prelude::tract_linalg::isa::{self, IsaSet};
use tract_onnx::tract_core::prelude::tract_linalg::mmm::{MatMatMul, Query};

/// The kernel for `[m, k] x [k, n]`, and which of its ways to pack the matrices; `None` where tract has none that takes
/// packed floats.
pub fn kernel(m: usize, k: usize, n: usize) -> Option<(Box<dyn MatMatMul>, usize)> {
    static KERNELS: LazyLock<MmmDispatch> = LazyLock::new(|| MmmDispatch::for_isa(worthwhile(isa::native())));
    let float = f32::datum_type();
    let query = Query { allow_extractor: false, ..Query::plain(float, Some(m), Some(k), Some(n)) };
    match KERNELS.pick(&query)? {
        (kernel, packing, None) => Some((kernel, packing)),
        (_, _, Some(_)) => None,
    }
}

/// What this machine can do, without what it only does by halves: processors that put an AVX-512 instruction through in two
/// steps (AMD's Zen 4, smaller Xeons) multiply no faster by it, and as tract's AVX-512 kernels load a number for each of
/// their multiplications, by a third slower. tract times that itself, once, for its kernels of bytes.
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
