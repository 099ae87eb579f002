//! The vector instructions of this machine, and the sums of products that convolutions of pixels are made of.
//!
//! In a map of pixels, `[pictures, height, width, channels]`, the channels of a pixel lie side by side, as the filters do among
//! the weights: a vector holds one number of some filters, and is multiplied by one number of a pixel after the other.

use pulp::Simd;

/// Numbers of the longest vectors that are used; there are those of half as many too.
pub const LANES: usize = 8;
/// Filters whose sums for some pixels stay in registers together.
pub const FILTERS: usize = 16;
/// Pixels for which they do: 12 vectors of eight numbers, of the 16 that AVX2 has, or 24 of four, of the 32 of 64-bit ARM.
pub const PIXELS: usize = 6;

/// AVX2 with its fused multiplication and addition. tract's kernels for it are as fast as those for AVX-512 where that is put
/// through in two steps.
#[cfg(target_arch = "x86_64")]
pub type Vectors = pulp::x86::V3;
/// Those of 64-bit ARM.
#[cfg(target_arch = "aarch64")]
pub type Vectors = pulp::aarch64::Neon;
/// None.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub type Vectors = pulp::Scalar;

/// Those of this machine, if it has them.
pub fn vectors() -> Option<Vectors> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Vectors::try_new();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return None;
}

/// The sums of products of a block of filters with what they cover of `COUNT` pixels.
#[derive(Copy, Clone)]
pub struct Sums<S: Simd, const VECTORS: usize, const COUNT: usize>(pub [[S::f32s; VECTORS]; COUNT]);

impl<S: Simd, const VECTORS: usize, const COUNT: usize> Sums<S, VECTORS, COUNT> {
    /// Nothing yet.
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        Self([[simd.splat_f32s(0.0); VECTORS]; COUNT])
    }

    /// Adds the products of `filters`, `[numbers]`, with as many of `numbers` from each of `starts` on.
    #[inline(always)]
    pub fn add(&mut self, simd: S, filters: &[[S::f32s; VECTORS]], numbers: &[f32], starts: [usize; COUNT]) {
        let mut pixels = [numbers; COUNT];
        for (pixel, start) in pixels.iter_mut().zip(starts) {
            *pixel = &numbers[start..][..filters.len()];
        }
        for (place, filters) in filters.iter().enumerate() {
            for (pixel, sums) in pixels.iter().zip(&mut self.0) {
                let number = simd.splat_f32s(pixel[place]);
                for (filters, sum) in filters.iter().zip(sums) {
                    *sum = simd.mul_add_f32s(*filters, number, *sum);
                }
            }
        }
    }
}

/// What is done with the sums of every pixel.
#[derive(Copy, Clone)]
pub struct Finish<'a> {
    /// Added, one for each filter.
    pub bias: &'a [f32],
    /// Added, if there is one: a map like the output.
    pub shortcut: Option<&'a [f32]>,
    /// The least that comes out.
    pub floor: f32,
}

impl Finish<'_> {
    /// Puts a vector of sums, those of some filters of a pixel, into its place of the output.
    #[inline(always)]
    pub fn put<S: Simd>(&self, simd: S, sum: S::f32s, filter: usize, output: &mut [f32], place: usize) {
        let mut sum = simd.add_f32s(sum, S::as_simd_f32s(&self.bias[filter..][..S::F32_LANES]).0[0]);
        if let Some(shortcut) = self.shortcut {
            sum = simd.add_f32s(sum, S::as_simd_f32s(&shortcut[place..][..S::F32_LANES]).0[0]);
        }
        // In this order what is no number stays none.
        let sum = simd.max_f32s(simd.splat_f32s(self.floor), sum);
        S::as_mut_simd_f32s(&mut output[place..][..S::F32_LANES]).0[0] = sum;
    }
}
