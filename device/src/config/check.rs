//! Ranges of settings, and where in the file a wrong one stands.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::panel::PanelChoice;

/// The smallest face that any detector finds, in px.
const LEAST_FACE_PX: f32 = 12.0;

/// Below, every board is warm; above, none runs.
const BOARD_CELSIUS: RangeInclusive<f32> = 30.0..=120.0;

/// A whole number of 1 or more.
pub fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(D::Error::custom("must be 1 or more")),
        number => Ok(number),
    }
}

/// A number of at least 1 that may be left out.
pub fn some_at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    at_least_one(from).map(Some)
}

/// A number in 0..=1.
pub fn share<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let number = f32::deserialize(from)?;
    if (0.0..=1.0).contains(&number) {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("must be in 0 to 1, not {number}")))
    }
}

/// A number in 0..=1 that may be left out.
pub fn some_share<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    share(from).map(Some)
}

/// A side of a face in px that may be left out.
pub fn some_face_side<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f32>, D::Error> {
    let side = f32::deserialize(from)?;
    if side.is_finite() && side >= LEAST_FACE_PX {
        Ok(Some(side))
    } else {
        Err(D::Error::custom(format!("must be {LEAST_FACE_PX} px or more, not {side}")))
    }
}

/// A finite number of 0 or more.
pub fn not_negative<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let number = f32::deserialize(from)?;
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(D::Error::custom(format!("must be 0 or more, not {number}")))
    }
}

/// A temperature at which a board may be called hot, in °C.
pub fn board_celsius<'de, D: Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    let celsius = f32::deserialize(from)?;
    if BOARD_CELSIUS.contains(&celsius) {
        Ok(celsius)
    } else {
        let (least, most) = (BOARD_CELSIUS.start(), BOARD_CELSIUS.end());
        Err(D::Error::custom(format!("must be in {least} to {most} °C, not {celsius}")))
    }
}

/// A screen, as on the command line.
pub fn panel<'de, D: Deserializer<'de>>(from: D) -> Result<PanelChoice, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

/// Line of a mistake, and the key in that line if it has one.
pub struct Place<'a> {
    line: usize,
    key: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line)?;
        self.key.map_or(Ok(()), |key| write!(f, ": {key}"))
    }
}

/// Finds the line of a span of bytes; the first line when the parser knows no place.
pub fn place_of(text: &str, span: Option<Range<usize>>) -> Place<'_> {
    let start = span.map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or("");
    let line = before.matches('\n').count();
    Place {
        line: line + 1,
        key: text.lines().nth(line).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim()),
    }
}
