//! Figures about the run: what is read, how fast, and what is wrong.

use super::canvas::Canvas;
use super::layout::{Cutter, Layout};
use super::text::{Align, Style, Typesetter};
use super::{palette, shapes};
use crate::reading::{BoardState, FaceReading, Reading, StageTimes};

/// Figures stand still for this long, in ms: nobody reads numbers that change 20 times a
/// second.
const REFRESH_MS: f64 = 500.0;
/// Below this many frames a second the picture is seen to stutter.
const SLOW_FPS: f32 = 5.0;

/// Means of the figures over the last half second. The time of drawing is not among them:
/// it is not known before the drawing is done.
#[derive(Debug, Default)]
pub struct Status {
    since_ms: Option<f64>,
    frames: u64,
    sums: StageTimes,
    shown: Figures,
}

/// What is on the screen until the next refresh.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
struct Figures {
    fps: f32,
    mean: StageTimes,
    dropped: u64,
    board: BoardState,
}

impl Status {
    /// Takes the figures of one reading.
    pub fn add(&mut self, reading: &Reading) {
        let now = reading.captured_at_ms;
        let add = |sum: &mut u64, value: u64| *sum = sum.saturating_add(value);
        add(&mut self.sums.decode_us, reading.stages.decode_us);
        add(&mut self.sums.detect_us, reading.stages.detect_us);
        add(&mut self.sums.align_us, reading.stages.align_us);
        add(&mut self.sums.recognise_us, reading.stages.recognise_us);
        self.frames += 1;
        let elapsed = self.since_ms.map(|since| now - since);
        // Also at the start, and when a new source begins its own time.
        if elapsed.is_some_and(|elapsed| (0.0..REFRESH_MS).contains(&elapsed)) {
            return;
        }
        let mean = |sum: u64| sum / self.frames;
        self.shown = Figures {
            fps: reading.fps,
            mean: StageTimes {
                decode_us: mean(self.sums.decode_us),
                detect_us: mean(self.sums.detect_us),
                align_us: mean(self.sums.align_us),
                recognise_us: mean(self.sums.recognise_us),
                ..StageTimes::default()
            },
            dropped: reading.dropped,
            board: reading.board.unwrap_or_default(),
        };
        self.since_ms = Some(now);
        self.frames = 0;
        self.sums = StageTimes::default();
    }

    /// Frames a second as last shown.
    pub fn fps(&self) -> f32 {
        self.shown.fps
    }

    /// Heat and supply of the board as last shown.
    pub fn board(&self) -> BoardState {
        self.shown.board
    }

    /// Draws the line of figures.
    pub fn draw(&self, canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout, source: Option<&str>) {
        let Figures { fps, mean, dropped, board } = self.shown;
        let mut rest = Cutter::of(layout.status, layout.unit, layout.px(12));
        let quiet = Style::regular(layout.px(if layout.roomy { 16 } else { 12 }), palette::QUIET);
        let total = ms(mean.decode_us + mean.detect_us + mean.align_us + mean.recognise_us);
        if !layout.roomy {
            if let Some(celsius) = board.temperature_celsius {
                let width = text.width("100 °C", quiet);
                text.write(canvas, &degrees(celsius), heat_style(board, quiet), rest.right_px(width), Align::Right);
            }
            let line = format!("{} · {total} ms · {dropped} dropped", rate(fps, 0));
            text.write(canvas, &line, quiet, rest.area, Align::Left);
            return;
        }
        let strong = Style::bold(layout.px(18), palette::TEXT);
        let width = text.width("100.0 fps", strong);
        text.write(canvas, &rate(fps, 1), strong, rest.right_px(width), Align::Right);
        if let Some(celsius) = board.temperature_celsius {
            let width = text.width("100 °C", strong);
            text.write(canvas, &degrees(celsius), heat_style(board, strong), rest.right_px(width), Align::Right);
        }
        let stages = format!(
            "decode {} · detect {} · align {} · read {} ms · {dropped} dropped",
            ms(mean.decode_us),
            ms(mean.detect_us),
            ms(mean.align_us),
            ms(mean.recognise_us),
        );
        let width = text.width(&stages, quiet);
        text.write(canvas, &stages, quiet, rest.right_px(width), Align::Right);
        let brand = Style::bold(layout.px(22), palette::TEXT);
        let width = text.width("Mien", brand);
        text.write(canvas, "Mien", brand, rest.left_px(width), Align::Left);
        text.write(canvas, source.unwrap_or(""), quiet, rest.area, Align::Left);
    }

    /// What somebody in front of the screen should know, the most urgent first.
    pub fn warnings(&self, main: Option<&FaceReading>) -> Vec<&'static str> {
        // Dropped frames are no trouble: of a fast camera only the newest are wanted.
        let Figures { fps, board, .. } = self.shown;
        let is_blurred = |face: &FaceReading| face.unsure && face.blur.value < face.blur.threshold;
        let all = [
            (board.under_voltage, "supply too weak"),
            (board.is_hot(), "board too hot"),
            (board.throttled && !board.is_hot() && !board.under_voltage, "board slowed down"),
            (fps > 0.0 && fps < SLOW_FPS, "slow: under 5 fps"),
            (main.is_some_and(is_blurred), "blurred: hold still"),
        ];
        all.into_iter().filter_map(|(holds, warning)| holds.then_some(warning)).collect()
    }

    /// Draws warnings, one above the other, as far as there is room.
    pub fn draw_warnings(canvas: &mut Canvas, text: &mut Typesetter, layout: &Layout, warnings: &[&str]) {
        let mut room = Cutter::of(layout.warnings, layout.unit, 0);
        let style = Style::bold(layout.px(if layout.roomy { 17 } else { 13 }), palette::WARNING);
        for warning in warnings {
            let strip = room.bottom(if layout.roomy { 28 } else { 18 });
            if strip.size.height < style.px {
                break;
            }
            shapes::fill(canvas, strip, palette::BACKING);
            let mut rest = Cutter::of(strip, layout.unit, layout.px(6));
            let edge = rest.left_px(layout.px(4));
            shapes::fill(canvas, edge, palette::WARNING);
            text.write(canvas, &format!("! {warning}"), style, rest.area, Align::Left);
        }
    }
}

/// Whole degrees: the sensors of boards are no better.
pub fn degrees(celsius: f32) -> String {
    format!("{celsius:.0} °C")
}

/// Heat is as loud as it is a trouble.
fn heat_style(board: BoardState, style: Style) -> Style {
    if board.is_hot() { Style { colour: palette::WARNING, ..style } } else { style }
}

/// `24.6 fps`; a dash as long as it is not known.
pub fn rate(fps: f32, decimals: usize) -> String {
    if fps > 0.0 { format!("{fps:.decimals$} fps") } else { "– fps".to_owned() }
}

/// Microseconds as milliseconds, one digit below ten.
fn ms(us: u64) -> String {
    if us < 9_950 { format!("{:.1}", us as f32 / 1000.0) } else { format!("{:.0}", us as f32 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::sample;

    #[test]
    fn figures_stand_still_between_refreshes() {
        let mut status = Status::default();
        let mut reading = sample::reading(0);
        for i in 0..12 {
            reading.captured_at_ms = f64::from(i) * 50.0;
            reading.fps = 20.0 + i as f32;
            reading.stages.detect_us = 1000 * i as u64;
            status.add(&reading);
            let expected = if i < 10 { 20.0 } else { 30.0 };
            assert_eq!(status.fps(), expected, "frame {i}");
        }
        assert_eq!(status.shown.mean.detect_us, 5_500);
    }

    #[test]
    fn warnings_come_by_urgency_and_go() {
        let mut status = Status::default();
        let mut reading = sample::reading(1);
        reading.dropped = 3;
        status.add(&reading);
        let face = sample::reading(1).faces.pop();
        let face = face.as_ref();
        assert!(status.warnings(face).is_empty());
        let mut after = |fps: f32, board: Option<BoardState>| {
            reading.captured_at_ms += 600.0;
            (reading.fps, reading.board) = (fps, board);
            status.add(&reading);
            status.warnings(face)
        };
        let board = |celsius, throttled, under_voltage| {
            Some(BoardState { temperature_celsius: Some(celsius), throttled, under_voltage })
        };
        assert_eq!(after(2.0, None), ["slow: under 5 fps"]);
        assert_eq!(after(2.0, board(84.0, true, true)), ["supply too weak", "board too hot", "slow: under 5 fps"]);
        // Slowed down by what is said already, and by what is not.
        assert_eq!(after(25.0, board(84.0, true, false)), ["board too hot"]);
        assert_eq!(after(25.0, board(70.0, true, false)), ["board slowed down"]);
        assert!(after(25.0, board(79.9, false, false)).is_empty());
        assert!(after(25.0, None).is_empty());
    }

    #[test]
    fn times_are_short() {
        assert_eq!((ms(430).as_str(), ms(9_949).as_str()), ("0.4", "9.9"));
        assert_eq!((ms(9_960).as_str(), ms(123_400).as_str()), ("10", "123"));
    }
}
