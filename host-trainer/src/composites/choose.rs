//! Chooses the faces that are most like the mean of their class.

/// Two faces that correlate more than this may be two cuts of one photograph; only one of them is taken.
const SAME_PHOTOGRAPH: f32 = 0.95;
/// The mean is taken, the faces nearest to it, their mean, and the faces nearest to that.
const ROUNDS: usize = 2;

/// A face without its brightness and contrast: the mean of its pixels is 0, the sum of their squares 1.
#[derive(Clone, Debug)]
pub struct NormalisedFace {
    /// Row by row.
    pub pixels: Vec<f32>,
}

impl NormalisedFace {
    /// None for a picture of one shade.
    pub fn of(pixels: &[u8]) -> Option<Self> {
        Self::from_values(pixels.iter().map(|&pixel| f32::from(pixel)).collect())
    }

    fn from_values(mut pixels: Vec<f32>) -> Option<Self> {
        let mean = pixels.iter().sum::<f32>() / pixels.len() as f32;
        pixels.iter_mut().for_each(|pixel| *pixel -= mean);
        let norm = pixels.iter().map(|pixel| pixel * pixel).sum::<f32>().sqrt();
        if norm <= f32::EPSILON {
            return None;
        }
        pixels.iter_mut().for_each(|pixel| *pixel /= norm);
        Some(NormalisedFace { pixels })
    }

    /// Pearson's correlation with a face of as many pixels, -1..=1.
    pub fn correlation(&self, other: &NormalisedFace) -> f32 {
        self.pixels.iter().zip(&other.pixels).map(|(a, b)| a * b).sum()
    }
}

/// The mean of faces, normalised again; None without faces, and for faces that cancel out to nothing.
pub fn mean(faces: &[&NormalisedFace]) -> Option<NormalisedFace> {
    let mut pixels = vec![0.0; faces.first()?.pixels.len()];
    for face in faces {
        pixels.iter_mut().zip(&face.pixels).for_each(|(sum, pixel)| *sum += pixel);
    }
    NormalisedFace::from_values(pixels)
}

/// The `count` different faces that correlate best with their own mean, as far as there are so many.
pub fn choose(faces: &[NormalisedFace], count: usize) -> Vec<&NormalisedFace> {
    let mut chosen: Vec<&NormalisedFace> = faces.iter().collect();
    for _ in 0..ROUNDS {
        let Some(middle) = mean(&chosen) else { break };
        chosen = nearest(faces, &middle, count);
    }
    chosen
}

fn nearest<'a>(faces: &'a [NormalisedFace], middle: &NormalisedFace, count: usize) -> Vec<&'a NormalisedFace> {
    let mut ranked: Vec<(f32, &NormalisedFace)> = faces.iter().map(|face| (face.correlation(middle), face)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut chosen: Vec<&NormalisedFace> = Vec::with_capacity(count);
    for (_, face) in ranked {
        if chosen.len() == count {
            break;
        }
        if chosen.iter().all(|other| other.correlation(face) <= SAME_PHOTOGRAPH) {
            chosen.push(face);
        }
    }
    chosen
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn face(pixels: &[u8]) -> NormalisedFace {
        NormalisedFace::of(pixels).unwrap()
    }

    #[test]
    fn correlation_ignores_brightness_and_contrast() {
        let one = face(&[10, 20, 30, 60]);
        assert!((one.correlation(&face(&[120, 140, 160, 220])) - 1.0).abs() < 1e-5);
        assert!((one.correlation(&face(&[60, 50, 40, 10])) + 1.0).abs() < 1e-5);
        assert!((one.pixels[3] - 30.0 / 1400.0_f32.sqrt()).abs() < 1e-6);
        assert!(NormalisedFace::of(&[7; 4]).is_none());
    }

    #[test]
    fn outliers_and_second_cuts_are_left_out() {
        let faces = [
            face(&[0, 10, 90, 100]),
            face(&[0, 11, 90, 100]),
            face(&[10, 0, 60, 100]),
            face(&[0, 40, 80, 90]),
            face(&[100, 90, 10, 0]),
        ];
        let chosen = choose(&faces, 3);
        assert_eq!(chosen.len(), 3);
        assert!(chosen.iter().all(|face| face.pixels[0] < 0.0));
        assert!(chosen[0].correlation(chosen[1]) <= SAME_PHOTOGRAPH);
        assert_eq!(choose(&faces, 9).len(), 4);
        assert!(choose(&[], 3).is_empty());
    }
}
