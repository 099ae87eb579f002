//! Random numbers that stay the same for ever.

/// SplitMix64 (Steele, Lea and Flood 2014) from a seed.
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number of 0 to 255.
    pub fn byte(&mut self) -> u8 {
        self.next_bits().to_le_bytes()[7]
    }
}
