//! One label in NumPy's file format (numpy.lib.format): AffectNet keeps every label in a file of its own.

/// What every such file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The number in a file that holds a single value: an integer, a float, or its digits as a text (`<U1`, `|S1`).
///
/// # Errors
/// What is wrong with the file.
pub fn number(bytes: &[u8]) -> Result<i64, String> {
    let cut = || "the file breaks off".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is no .npy file")?;
    let (&[major, _minor], rest) = rest.split_first_chunk().ok_or_else(cut)?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        (u32::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        (u32::from_le_bytes(*length), rest)
    };
    let (header, data) = rest.split_at_checked(length as usize).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text".to_owned())?;
    // {'descr': '<U1', 'fortran_order': False, 'shape': (), }
    let descr = header
        .split_once("'descr':")
        .and_then(|(_, after)| after.split('\'').nth(1))
        .ok_or("its header does not say the type of its value")?;
    value(descr, data).ok_or_else(|| format!("it does not hold one number (type {descr}, {} bytes)", data.len()))
}

fn value(descr: &str, data: &[u8]) -> Option<i64> {
    match descr {
        "|i1" => Some(i64::from(i8::from_le_bytes(data.try_into().ok()?))),
        "|u1" => Some(i64::from(u8::from_le_bytes(data.try_into().ok()?))),
        "<i4" => Some(i64::from(i32::from_le_bytes(data.try_into().ok()?))),
        "<i8" => Some(i64::from_le_bytes(data.try_into().ok()?)),
        "<f4" => Some(f32::from_le_bytes(data.try_into().ok()?) as i64),
        "<f8" => Some(f64::from_le_bytes(data.try_into().ok()?) as i64),
        _ if descr.starts_with("<U") => digits(data.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code))),
        _ if descr.starts_with("|S") => digits(data.iter().map(|&byte| u32::from(byte))),
        _ => None,
    }
}

/// A text as codes, padded with 0.
fn digits(codes: impl Iterator<Item = u32>) -> Option<i64> {
    let text: Option<String> = codes.take_while(|&code| code != 0).map(char::from_u32).collect();
    text?.trim().parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As numpy.save writes a scalar.
    pub fn npy(descr: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (), }}");
        while !(MAGIC.len() + 4 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn texts_and_numbers_are_read() {
        assert_eq!(number(&npy("<U1", &[b'7', 0, 0, 0])), Ok(7));
        assert_eq!(number(&npy("|S2", b"10")), Ok(10));
        assert_eq!(number(&npy("<i8", &3_i64.to_le_bytes())), Ok(3));
        assert_eq!(number(&npy("<f8", &5_f64.to_le_bytes())), Ok(5));
        assert!(number(&npy("<i8", &[1, 2])).unwrap_err().contains("type <i8, 2 bytes"));
        assert!(number(b"7").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_number_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..80), descr in ".{0,6}") {
            let _ = number(&bytes);
            let _ = number(&[MAGIC, &bytes].concat());
            let _ = number(&npy(&descr, &bytes));
        }
    }
}
