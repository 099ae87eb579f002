//! The colours of the screen: dark, quiet, and one colour for each expression.
//!
//! The expressions take the palette of Okabe and Ito (2008), which people with any kind
//! of colour blindness can tell apart, with blue and green lightened for a dark ground.
//! Colour never stands alone: each band, box and bar also carries its word.

use embedded_graphics::pixelcolor::Rgb888;
use models::Expression;

/// Behind everything.
pub const GROUND: Rgb888 = Rgb888::new(13, 16, 21);
/// Behind a group of things that belong together.
pub const CARD: Rgb888 = Rgb888::new(24, 29, 37);
/// Empty part of a bar, a meter, a timeline.
pub const TRACK: Rgb888 = Rgb888::new(43, 51, 63);
/// The part of the blur meter where the robust model works.
pub const ROBUST_TRACK: Rgb888 = Rgb888::new(96, 74, 38);
/// What is to be read first.
pub const TEXT: Rgb888 = Rgb888::new(236, 240, 245);
/// Captions and figures that matter less; 7:1 against [`GROUND`].
pub const QUIET: Rgb888 = Rgb888::new(152, 163, 178);
/// Warnings.
pub const WARNING: Rgb888 = Rgb888::new(255, 193, 84);
/// Behind text that lies on a picture.
pub const BACKING: Rgb888 = Rgb888::new(10, 12, 16);

/// The colour of an expression.
pub fn of(expression: Expression) -> Rgb888 {
    match expression {
        Expression::Angry => Rgb888::new(230, 100, 28),
        Expression::Disgust => Rgb888::new(18, 178, 132),
        Expression::Fear => Rgb888::new(214, 130, 178),
        Expression::Happy => Rgb888::new(242, 226, 72),
        Expression::Sad => Rgb888::new(62, 120, 206),
        Expression::Surprise => Rgb888::new(126, 206, 250),
        Expression::Neutral => Rgb888::new(170, 178, 189),
        Expression::Contempt => Rgb888::new(222, 160, 22),
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::RgbColor;

    use super::*;

    /// Relative luminance after WCAG 2, 0..=1.
    fn luminance(colour: Rgb888) -> f64 {
        let linear = |byte: u8| {
            let v = f64::from(byte) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Rgb888, b: Rgb888) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_expressions_stand_out_from_the_ground() {
        for ground in [GROUND, CARD, BACKING] {
            assert!(contrast(TEXT, ground) > 12.0);
            assert!(contrast(QUIET, ground) > 5.5);
            assert!(contrast(WARNING, ground) > 8.0);
            for expression in Expression::ALL {
                let ratio = contrast(of(expression), ground);
                assert!(ratio > 3.0, "{expression}: {ratio:.2}");
            }
        }
    }
}
