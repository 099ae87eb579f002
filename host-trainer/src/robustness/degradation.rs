//! The ways in which faces are spoilt, and how much: what every strength means, with its unit.

use models::BlurLevel;
use serde::Serialize;

/// What is done to a face.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degradation {
    BoxBlur,
    GaussianBlur,
    MotionBlur,
    Defocus,
    Noise,
    LowLight,
    OverExposure,
    LowContrast,
    Jpeg,
    Occlusion,
    SmallFaces,
}

/// Which remedies a degradation is measured with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Family {
    /// A blur, which deblurring may undo.
    Blur,
    /// A change of light, which equalising may undo.
    Light,
    /// Neither.
    Other,
}

/// What is to be known of a degradation.
pub struct Facts {
    /// Its name in files, JSON and the terminal.
    pub name: &'static str,
    /// Its name on the page.
    pub title: &'static str,
    /// What is done, and what the figures of the strengths are.
    pub what: &'static str,
    /// The unit of the strengths.
    pub unit: &'static str,
    /// From weak to strong.
    pub strengths: [f32; STRENGTHS],
    /// Which remedies it is measured with.
    pub family: Family,
}

/// Strengths of each degradation, beside none.
pub const STRENGTHS: usize = 5;

impl Degradation {
    /// All of them.
    pub const ALL: [Degradation; 11] = [
        Degradation::BoxBlur,
        Degradation::GaussianBlur,
        Degradation::MotionBlur,
        Degradation::Defocus,
        Degradation::Noise,
        Degradation::LowLight,
        Degradation::OverExposure,
        Degradation::LowContrast,
        Degradation::Jpeg,
        Degradation::Occlusion,
        Degradation::SmallFaces,
    ];

    /// What is to be known of it.
    pub fn facts(self) -> Facts {
        match self {
            Degradation::BoxBlur => Facts {
                name: "box-blur",
                title: "Box blur",
                what: "The blur study's blur: the mean of a square of 2 r + 1 px. 2, 4, 8 and 14 are its four levels.",
                unit: "radius r, px of a 128-px face",
                strengths: [1.0, 2.0, 4.0, 8.0, 14.0],
                family: Family::Blur,
            },
            Degradation::GaussianBlur => Facts {
                name: "gaussian-blur",
                title: "Gaussian blur",
                what: "Convolution with a Gaussian.",
                unit: "standard deviation, px of a 128-px face",
                strengths: [1.0, 2.0, 3.0, 5.0, 8.0],
                family: Family::Blur,
            },
            Degradation::MotionBlur => Facts {
                name: "motion-blur",
                title: "Motion blur",
                what: "The mean along a straight line, whose angle is drawn for each face.",
                unit: "length, px of a 128-px face",
                strengths: [4.0, 8.0, 16.0, 24.0, 32.0],
                family: Family::Blur,
            },
            Degradation::Defocus => Facts {
                name: "defocus",
                title: "Defocus",
                what: "The mean of a disc of radius r and half a pixel of the face, as a lens out of focus gives.",
                unit: "radius r, px of a 128-px face",
                strengths: [1.0, 2.0, 4.0, 8.0, 12.0],
                family: Family::Blur,
            },
            Degradation::Noise => Facts {
                name: "noise",
                title: "White noise",
                what: "Gaussian noise added to every pixel; 0.005 is the most that the blur study's literature names.",
                unit: "variance, share of the full range squared",
                strengths: [0.0005, 0.001, 0.002, 0.0035, 0.005],
                family: Family::Other,
            },
            Degradation::LowLight => Facts {
                name: "low-light",
                title: "Low light",
                what: "Less light on a sensor that holds 1,000 electrons at white: the light is multiplied, shot noise \
                       and a read noise of 4 electrons are added, and the result is rounded to 8 bits. Grey levels \
                       count as linear in light.",
                unit: "gain",
                strengths: [0.75, 0.5, 0.35, 0.25, 0.125],
                family: Family::Light,
            },
            Degradation::OverExposure => Facts {
                name: "over-exposure",
                title: "Over-exposure",
                what: "More light than the sensor holds: multiplied, and cut off at white.",
                unit: "gain",
                strengths: [1.25, 1.5, 2.0, 3.0, 4.0],
                family: Family::Light,
            },
            Degradation::LowContrast => Facts {
                name: "low-contrast",
                title: "Less contrast",
                what: "Grey levels drawn towards the middle one, rounded to 8 bits.",
                unit: "contrast that is left",
                strengths: [0.75, 0.5, 0.25, 0.1, 0.05],
                family: Family::Light,
            },
            Degradation::Jpeg => Facts {
                name: "jpeg",
                title: "JPEG",
                what: "Compressed and unpacked.",
                unit: "quality, 1 to 100",
                strengths: [50.0, 30.0, 20.0, 10.0, 5.0],
                family: Family::Other,
            },
            Degradation::Occlusion => Facts {
                name: "occlusion",
                title: "Occlusion",
                what: "A bar of one grey level over the eyes, the mouth, or the left or right side; place and grey level \
                       are drawn for each face. At 0.5 it covers half of the face.",
                unit: "thickness of the bar, share of the face's side",
                strengths: [0.1, 0.2, 0.3, 0.4, 0.5],
                family: Family::Other,
            },
            Degradation::SmallFaces => Facts {
                name: "small-faces",
                title: "Small faces",
                what: "Reduced by area averages and enlarged again; faces that are no larger stay as they are.",
                unit: "side, px",
                strengths: [32.0, 24.0, 20.0, 16.0, 12.0],
                family: Family::Other,
            },
        }
    }

    /// The size of a blur on faces of `side` px, where its strengths are stated at 128 px: the same share of the face.
    pub fn size_px(self, strength: f32, side: usize) -> Option<f32> {
        (self.facts().family == Family::Blur).then(|| strength * side as f32 / BlurLevel::REFERENCE_SIDE)
    }
}
