//! What happens in the demo and when: pure functions of the seed and the frame number.

use std::f32::consts::TAU;

use models::{BlurLevel, Expression, PixelRect};

use super::TrueFace;

/// Frames that an expression lasts, the change to the next one included.
const HOLD: u64 = 70;
/// Frames of that change.
const FADE: u64 = 12;

/// Frames from one blurred time to the next.
const BLUR_PERIOD: u64 = 180;
/// Within a period: when blur begins, how long it takes to its peak and back, and how long
/// the peak lasts.
const BLUR_START: u64 = 60;
const BLUR_RAMP: u64 = 20;
const BLUR_PEAK: u64 = 60;
/// The peaks, in turns.
const PEAKS: [BlurLevel; 3] = [BlurLevel::High, BlurLevel::Medium, BlurLevel::VeryHigh];

/// Frames from one visit of the second face to the next; when it begins and ends, and how
/// long coming and going take.
const VISIT_PERIOD: u64 = 480;
const VISIT_START: u64 = 150;
const VISIT_END: u64 = 380;
const VISIT_RAMP: u64 = 30;

/// The expressions that there are composites of.
pub const EXPRESSIONS: [Expression; 7] = [
    Expression::Angry,
    Expression::Disgust,
    Expression::Fear,
    Expression::Happy,
    Expression::Sad,
    Expression::Surprise,
    Expression::Neutral,
];

/// A face in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// The expression, and the one that it changes to.
    pub from: Expression,
    /// See `from`.
    pub to: Expression,
    /// How far the change is, 0..=1.
    pub change: f32,
    /// Middle of the face, x and y in px.
    pub centre: (f32, f32),
    /// Side of the square that holds it, in px.
    pub side: f32,
    /// Turned clockwise by so many radians.
    pub tilt: f32,
    /// Radius of the box blur over it, in px.
    pub blur_radius_px: f32,
}

impl Act {
    /// What a perfect reading would say.
    pub fn truth(&self) -> TrueFace {
        // Ears to ears and hair to chin: the square of the composite reaches a little
        // further at its sides.
        let (width, height) = (0.8 * self.side, self.side);
        TrueFace {
            rect: PixelRect { x: self.centre.0 - width / 2.0, y: self.centre.1 - height / 2.0, width, height },
            expression: if self.change < 0.5 { self.from } else { self.to },
            blur_radius_px: self.blur_radius_px,
        }
    }
}

/// The plan of a demo.
pub struct Script {
    /// The order of the expressions, for ever repeated.
    order: Vec<Expression>,
    /// Where the movements begin, in turns.
    phase: f32,
}

impl Script {
    /// The plan that follows from a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let mut order = EXPRESSIONS.to_vec();
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        Self { order, phase: random.below(1000) as f32 / 1000.0 }
    }

    /// The faces of a frame in a picture of `width` x `height` px, from front to back.
    pub fn at(&self, number: u64, width: usize, height: usize) -> Vec<Act> {
        let (width, height) = (width as f32, height as f32);
        let visit = visit(number);
        let mut acts = vec![self.main(number, width, height, visit)];
        if visit > 0.0 {
            acts.push(self.visitor(number, width, height, visit));
        }
        acts
    }

    /// The face that is always there; it makes room for a visitor.
    fn main(&self, number: u64, width: f32, height: f32, visit: f32) -> Act {
        let x = 0.5 - 0.16 * visit + 0.05 * self.swing(number, 310);
        let y = 0.5 + 0.03 * self.swing(number, 230);
        let side = height * (0.42 + 0.03 * self.swing(number, 410));
        let blur = blur_share(number) * peak(number).radius_px(side as usize);
        Act {
            centre: (x * width, y * height),
            side,
            tilt: 0.07 * self.swing(number, 270),
            blur_radius_px: blur,
            ..self.expression(number, 0)
        }
    }

    /// A smaller face, farther away, that comes in from the right; sharp, so that both
    /// models are at work in one picture.
    fn visitor(&self, number: u64, width: f32, height: f32, visit: f32) -> Act {
        let x = 1.25 - 0.45 * visit + 0.02 * self.swing(number, 190);
        let y = 0.46 + 0.02 * self.swing(number, 150);
        Act {
            centre: (x * width, y * height),
            side: 0.29 * height,
            tilt: 0.05 * self.swing(number, 330),
            blur_radius_px: 0.0,
            ..self.expression(number, 3)
        }
    }

    /// Expressions of the face that is `ahead` places ahead in the order.
    fn expression(&self, number: u64, ahead: u64) -> Act {
        let turn = number / HOLD + ahead;
        let into = number % HOLD;
        let nth = |turn: u64| self.order[(turn % self.order.len() as u64) as usize];
        Act {
            from: nth(turn),
            to: nth(turn + 1),
            change: ramp(into, HOLD - FADE, FADE),
            centre: (0.0, 0.0),
            side: 0.0,
            tilt: 0.0,
            blur_radius_px: 0.0,
        }
    }

    /// A slow swing between -1 and 1 with this period in frames.
    fn swing(&self, number: u64, period: u64) -> f32 {
        let turns = (number % period) as f32 / period as f32 + self.phase;
        (TAU * turns).sin()
    }
}

/// How blurred the frame is, 0 (sharp) to 1 (at its peak).
fn blur_share(number: u64) -> f32 {
    let at = number % BLUR_PERIOD;
    let end = BLUR_START + BLUR_RAMP + BLUR_PEAK;
    ramp(at, BLUR_START, BLUR_RAMP) - ramp(at, end, BLUR_RAMP)
}

/// The peak of the current blur period.
fn peak(number: u64) -> BlurLevel {
    PEAKS[(number / BLUR_PERIOD) as usize % PEAKS.len()]
}

/// How far the second face has come in, 0 (away) to 1.
fn visit(number: u64) -> f32 {
    let at = number % VISIT_PERIOD;
    ramp(at, VISIT_START, VISIT_RAMP) - ramp(at, VISIT_END, VISIT_RAMP)
}

/// 0 until `start`, then smoothly to 1 within `length` frames.
fn ramp(at: u64, start: u64, length: u64) -> f32 {
    let share = (at.saturating_sub(start) as f32 / length as f32).min(1.0);
    share * share * (3.0 - 2.0 * share)
}

/// SplitMix64 (Steele, Lea and Flood 2014): ten lines that stay the same for ever, which
/// the generators of a library need not.
pub struct Random(pub u64);

impl Random {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_expression_has_its_turn() {
        for seed in 0..20 {
            let script = Script::new(seed);
            let shown: BTreeSet<Expression> = (0..7 * HOLD)
                .flat_map(|number| script.at(number, 640, 480))
                .map(|act| act.truth().expression)
                .collect();
            assert_eq!(shown.len(), 7, "seed {seed}");
        }
    }

    #[test]
    fn blur_comes_and_goes_and_reaches_the_levels_of_the_study() {
        let script = Script::new(1);
        let radius = |number: u64| script.at(number, 640, 480)[0].blur_radius_px;
        let sharp = (0..540).filter(|number| radius(*number) == 0.0).count();
        assert!((200..340).contains(&sharp), "{sharp} sharp frames");
        let peak = (0..540).map(radius).fold(0.0, f32::max);
        // Very high is 14 px on a face of 128 px.
        assert!((18.0..26.0).contains(&peak), "{peak}");
    }

    #[test]
    fn faces_stay_in_the_picture_and_apart() {
        let script = Script::new(1);
        let mut together = 0;
        for number in 0..2000 {
            let acts = script.at(number, 640, 480);
            let main = acts[0].truth().rect;
            assert!(main.x >= 0.0 && main.x + main.width <= 640.0, "frame {number}");
            assert!(main.y >= 0.0 && main.y + main.height <= 480.0, "frame {number}");
            if let Some(visitor) = acts.get(1) {
                together += 1;
                assert!(main.iou(&visitor.truth().rect) == 0.0, "frame {number}");
            }
        }
        assert!(together > 800, "{together}");
    }
}
