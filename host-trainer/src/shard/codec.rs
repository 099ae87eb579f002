//! Shards to bytes and back.

use sha2::{Digest, Sha256};

use super::{Header, MAX_SIDE, Record, SCHEMA, Shard};
use crate::clean::fingerprint::Fingerprint;
use crate::sample::Usage;

const MAGIC: &[u8; 8] = b"MIENSHRD";
/// Length of a SHA-256.
const HASH: usize = 32;
/// A length that means that there is no text.
const NO_TEXT: u16 = u16::MAX;

/// The bytes of a shard. Texts longer than 65,534 bytes are cut.
///
/// # Errors
/// The header does not go into JSON.
pub fn encode(shard: &Shard) -> anyhow::Result<Vec<u8>> {
    let header = serde_json::to_vec(&shard.header)?;
    let size = shard.header.side * shard.header.side + 128;
    let mut bytes = Vec::with_capacity(header.len() + size * shard.records.len() + HASH);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&u32::try_from(header.len())?.to_le_bytes());
    bytes.extend_from_slice(&header);
    for record in &shard.records {
        push(&mut bytes, record);
    }
    let hash = Sha256::digest(&bytes);
    bytes.extend_from_slice(&hash);
    Ok(bytes)
}

fn push(bytes: &mut Vec<u8>, record: &Record) {
    bytes.extend_from_slice(&record.row.to_le_bytes());
    bytes.extend_from_slice(&[usage_code(record.usage), record.label]);
    bytes.extend_from_slice(&record.fingerprint.exact);
    bytes.extend_from_slice(&record.fingerprint.across.to_le_bytes());
    bytes.extend_from_slice(&record.fingerprint.down.to_le_bytes());
    push_text(bytes, Some(&record.place));
    push_text(bytes, record.subject.as_deref());
    let soft = record.soft.as_deref().unwrap_or_default();
    bytes.push(soft.len() as u8);
    bytes.extend(soft.iter().flat_map(|share| share.to_le_bytes()));
    bytes.extend_from_slice(&record.pixels);
}

fn push_text(bytes: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return bytes.extend_from_slice(&NO_TEXT.to_le_bytes()) };
    let text = &text[..text.floor_char_boundary(usize::from(NO_TEXT) - 1)];
    bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// A shard from its bytes.
///
/// # Errors
/// What is wrong with them. Bytes that were changed after they were written never pass.
pub fn decode(bytes: &[u8]) -> Result<Shard, String> {
    let (content, hash) =
        bytes.split_last_chunk::<HASH>().ok_or("it is too short to be a shard; was the disk full?")?;
    let mut rest = Rest(content);
    if rest.array() != Some(*MAGIC) {
        return Err("it is no shard".to_owned());
    }
    if Sha256::digest(content)[..] != hash[..] {
        return Err("its SHA-256 does not hold: it was changed or cut off".to_owned());
    }
    let cut = || "its header breaks off".to_owned();
    let length = u32::from_le_bytes(rest.array().ok_or_else(cut)?);
    let header = rest.take(length as usize).ok_or_else(cut)?;
    let header: Header = serde_json::from_slice(header).map_err(|error| format!("its header: {error}"))?;
    if header.schema != SCHEMA {
        return Err(format!("it is of schema {}, this program knows {SCHEMA}; prepare the data again", header.schema));
    }
    if !(1..=MAX_SIDE).contains(&header.side) {
        return Err(format!("faces of {} px", header.side));
    }
    let mut records = Vec::new();
    for number in 1..=header.records {
        records.push(rest.record(&header).ok_or_else(|| format!("record {number} does not hold"))?);
    }
    match rest.0.len() {
        0 => Ok(Shard { header, records }),
        more => Err(format!("{more} bytes too many")),
    }
}

/// Where in the `length` bytes of a shard the pixels of each of its records begin.
pub fn pixel_offsets(shard: &Shard, length: usize) -> Vec<u64> {
    let area = shard.header.side * shard.header.side;
    // From the end, where every size is known.
    let mut end = length - HASH;
    let mut offsets: Vec<u64> = Vec::with_capacity(shard.records.len());
    for record in shard.records.iter().rev() {
        offsets.push((end - area) as u64);
        end -= area + size_before_pixels(record);
    }
    offsets.reverse();
    offsets
}

/// Bytes of a record but for its pixels.
fn size_before_pixels(record: &Record) -> usize {
    let text = |text: Option<&str>| 2 + text.map_or(0, |text| text.len());
    let soft = 1 + 4 * record.soft.as_ref().map_or(0, Vec::len);
    8 + 2 + 16 + 8 + 8 + text(Some(&record.place)) + text(record.subject.as_deref()) + soft
}

fn usage_code(usage: Usage) -> u8 {
    Usage::ALL.iter().position(|&other| other == usage).unwrap_or(0) as u8
}

/// Bytes that were not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The outer None: it breaks off or is no text; the inner one: there is none.
    fn text(&mut self) -> Option<Option<String>> {
        let length = u16::from_le_bytes(self.array()?);
        if length == NO_TEXT {
            return Some(None);
        }
        Some(Some(std::str::from_utf8(self.take(usize::from(length))?).ok()?.to_owned()))
    }

    fn soft(&mut self, labels: usize) -> Option<Option<Vec<f32>>> {
        let [count] = self.array()?;
        if count == 0 {
            return Some(None);
        }
        let shares = self.take(4 * usize::from(count))?.as_chunks::<4>().0;
        let shares: Vec<f32> = shares.iter().map(|share| f32::from_le_bytes(*share)).collect();
        let is_share = |share: &f32| (0.0..=1.0).contains(share);
        (shares.len() == labels && shares.iter().all(is_share)).then_some(Some(shares))
    }

    fn record(&mut self, header: &Header) -> Option<Record> {
        let row = self.number()?;
        let [usage, label] = self.array()?;
        let fingerprint = Fingerprint { exact: self.array()?, across: self.number()?, down: self.number()? };
        Some(Record {
            row,
            usage: *Usage::ALL.get(usize::from(usage))?,
            label: (usize::from(label) < header.labels.len()).then_some(label)?,
            fingerprint,
            place: self.text()??,
            subject: self.text()?,
            soft: self.soft(header.labels.len())?,
            pixels: self.take(header.side * header.side)?.to_vec(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::LabelSet;
    use proptest::prelude::*;

    use super::*;
    use crate::clean::Reason;
    use crate::shard::{Dropped, Range};

    const SIDE: usize = 3;

    fn shard(records: Vec<Record>) -> Shard {
        let range = Range { entries: records.len() + 1, first: "a".to_owned(), last: "z".to_owned() };
        let dropped = vec![Dropped { place: "b \"c\"".to_owned(), reason: Reason::NoFace }];
        let labels = LabelSet::fer2013();
        Shard { header: Header { schema: SCHEMA, side: SIDE, labels, records: records.len(), range, dropped }, records }
    }

    fn record() -> impl Strategy<Value = Record> {
        let print = (any::<[u8; 16]>(), any::<u64>(), any::<u64>());
        let soft = prop::option::of(prop::collection::vec(0f32..=1.0, 7));
        let text = (".{0,20}", prop::option::of(".{0,9}"));
        let numbers = (any::<u64>(), 0usize..3, 0u8..7);
        (numbers, text, print, soft, prop::collection::vec(any::<u8>(), SIDE * SIDE)).prop_map(
            |((row, usage, label), (place, subject), (exact, across, down), soft, pixels)| Record {
                row,
                place,
                usage: Usage::ALL[usage],
                label,
                soft,
                subject,
                fingerprint: Fingerprint { exact, across, down },
                pixels,
            },
        )
    }

    /// Any content with a hash that holds.
    fn sealed(content: &[u8]) -> Vec<u8> {
        [content, &Sha256::digest(content)].concat()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(records in prop::collection::vec(record(), 0..5)) {
            let shard = shard(records);
            let bytes = encode(&shard).unwrap();
            prop_assert_eq!(&decode(&bytes).unwrap(), &shard);
            let offsets = pixel_offsets(&shard, bytes.len());
            prop_assert_eq!(offsets.len(), shard.records.len());
            for (record, offset) in shard.records.iter().zip(offsets) {
                prop_assert_eq!(&bytes[offset as usize..][..SIDE * SIDE], &record.pixels);
            }
        }

        #[test]
        fn a_changed_or_cut_shard_is_refused(
            records in prop::collection::vec(record(), 1..4), at: prop::sample::Index, flip in 1u8..,
        ) {
            let bytes = encode(&shard(records)).unwrap();
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at]).is_err());
            let mut changed = bytes;
            changed[at] ^= flip;
            prop_assert!(decode(&changed).is_err());
        }

        #[test]
        fn any_bytes_are_a_shard_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200), records in 0usize..4) {
            let _ = decode(&bytes);
            let mut header = shard(Vec::new()).header;
            header.records = records;
            let header = serde_json::to_vec(&header).unwrap();
            let length = (header.len() as u32).to_le_bytes();
            let _ = decode(&sealed(&[MAGIC, &length[..], &bytes].concat()));
            let _ = decode(&sealed(&[MAGIC, &length[..], &header, &bytes].concat()));
        }
    }

    #[test]
    fn long_names_are_cut_between_letters() {
        let mut record = Record {
            row: 1,
            place: "ä".repeat(40_000),
            usage: Usage::Training,
            label: 0,
            soft: None,
            subject: None,
            fingerprint: Fingerprint { exact: [0; 16], across: 0, down: 0 },
            pixels: vec![0; SIDE * SIDE],
        };
        let read = decode(&encode(&shard(vec![record.clone()])).unwrap()).unwrap();
        record.place.truncate(65_534);
        assert_eq!(read.records, [record]);
    }
}
