//! What can be done to a spoilt face before a model sees it.

use models::{GrayImage, clahe, equalise};
use serde::Serialize;

use super::degradation::{Degradation, Family};
use super::degrade::Degraded;
use super::psf::Psf;
use super::sharpness::RadiusTable;
use super::wiener::Wiener;

/// Tiles of CLAHE along each side.
pub const TILES: usize = 4;
/// Clip limit of CLAHE: see [`clahe`].
pub const CLIP_LIMIT: f32 = 2.0;

/// Something done to a face.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// The Wiener filter with the very blur that was done: more than anybody can know outside of a test.
    WienerKnown,
    /// The Wiener filter with the box blur that would make a face as dull as this one is.
    WienerBlind,
    /// Histogram equalisation.
    Equalisation,
    /// Equalisation in tiles, with a limit.
    Clahe,
}

/// What deblurring works with.
pub struct Deblurring {
    /// The filter.
    pub filter: Wiener,
    /// Guesses the blur where it is not known.
    pub table: RadiusTable,
}

impl Remedy {
    /// Its name on the page and the terminal.
    pub fn title(self) -> &'static str {
        match self {
            Remedy::WienerKnown => "Wiener known",
            Remedy::WienerBlind => "Wiener blind",
            Remedy::Equalisation => "equalised",
            Remedy::Clahe => "CLAHE",
        }
    }

    /// The series of charts that shows it.
    pub fn series(self) -> &'static str {
        match self {
            Remedy::WienerKnown | Remedy::Equalisation => "first-remedy",
            Remedy::WienerBlind | Remedy::Clahe => "second-remedy",
        }
    }

    /// What is tried against a degradation; on faces as they are everything that needs no blur to be known.
    pub fn against(degradation: Option<Degradation>) -> &'static [Remedy] {
        match degradation.map(|degradation| degradation.facts().family) {
            None => &[Remedy::WienerBlind, Remedy::Equalisation, Remedy::Clahe],
            Some(Family::Blur) => &[Remedy::WienerKnown, Remedy::WienerBlind],
            Some(Family::Light) => &[Remedy::Equalisation, Remedy::Clahe],
            Some(Family::Other) => &[],
        }
    }

    /// The face after it; none where it cannot be done: without deblurring, or without a blur that is known.
    pub fn apply(self, degraded: &Degraded, deblurring: Option<&Deblurring>) -> Option<GrayImage> {
        let picture = degraded.picture.view();
        match self {
            Remedy::WienerKnown => Some(deblurring?.filter.restore(picture, degraded.psf.as_ref()?)),
            Remedy::WienerBlind => {
                let Deblurring { filter, table } = deblurring?;
                Some(filter.restore(picture, &Psf::square(table.radius_px(picture))))
            }
            Remedy::Equalisation => Some(equalise(picture)),
            Remedy::Clahe => Some(clahe(picture, TILES, CLIP_LIMIT)),
        }
    }
}
