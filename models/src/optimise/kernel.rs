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
