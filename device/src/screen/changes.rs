//! What differs between two pictures of the screen, as a few rectangles: headline, figures
//! and timeline lie far apart, and panels on a slow bus are sent no more than they need.

use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;

/// Changes are looked for in squares of so many px. Smaller ones would save few bytes more
/// and cost a window each, which is 11 bytes and five transfers on SPI.
const CELL: usize = 16;

/// Rectangles that hold every pixel in which `now` differs from `before`; none overlaps
/// another, and their edges touch what differs. The whole area when the sizes differ.
pub fn between(now: &Canvas, before: &Canvas) -> Vec<Rectangle> {
    if now.size() != before.size() {
        return vec![now.area()];
    }
    let Size { width, height } = now.size();
    let (width, height) = (width as usize, height as usize);
    let mut done = Vec::new();
    // Rectangles that end at the band before: first and last column of cells, first row.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for top in (0..height).step_by(CELL) {
        let runs = runs_of(&changed_cells(now, before, width, top..(top + CELL).min(height)));
        let (going_on, closed): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(first, last, _)| runs.contains(&(*first, *last)));
        done.extend(closed.into_iter().map(|rectangle| (rectangle, top)));
        let start = |&(first, last): &(usize, usize)| {
            let begun = going_on.iter().find(|(f, l, _)| (*f, *l) == (first, last));
            (first, last, begun.map_or(top, |(_, _, top)| *top))
        };
        open = runs.iter().map(start).collect();
    }
    done.extend(open.into_iter().map(|rectangle| (rectangle, height)));
    let tight = done.into_iter().map(|((first, last, top), bottom)| {
        tighten(now, before, first * CELL..((last + 1) * CELL).min(width), top..bottom)
    });
    tight.collect()
}

/// Which of the cells of a band of rows differ.
fn changed_cells(now: &Canvas, before: &Canvas, width: usize, rows: std::ops::Range<usize>) -> Vec<bool> {
    let mut changed = vec![false; width.div_ceil(CELL)];
    for y in rows {
        let (mine, theirs) = (now.row(y), before.row(y));
        if mine == theirs {
            continue;
        }
        let pairs = mine.chunks(CELL * Canvas::CHANNELS).zip(theirs.chunks(CELL * Canvas::CHANNELS));
        for (changed, (mine, theirs)) in changed.iter_mut().zip(pairs) {
            *changed |= mine != theirs;
        }
    }
    changed
}

/// First and last of each run of cells that differ.
fn runs_of(changed: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for at in (0..changed.len()).filter(|at| changed[*at]) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => runs.push((at, at)),
        }
    }
    runs
}

/// The smallest rectangle around what differs within `columns` and `rows`.
fn tighten(now: &Canvas, before: &Canvas, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Rectangle {
    let bytes = columns.start * Canvas::CHANNELS..columns.end * Canvas::CHANNELS;
    let (mut left, mut right) = (bytes.len(), 0);
    let (mut top, mut bottom) = (rows.end, rows.start);
    for y in rows {
        let (mine, theirs) = (&now.row(y)[bytes.clone()], &before.row(y)[bytes.clone()]);
        if mine == theirs {
            continue;
        }
        (top, bottom) = (top.min(y), y);
        let differs = |i: &usize| mine[*i] != theirs[*i];
        // Only columns outside of what is already known to differ can widen it.
        left = (0..left).find(differs).unwrap_or(left);
        right = (right..mine.len()).rev().find(differs).unwrap_or(right);
    }
    let column = |byte: usize| (columns.start + byte / Canvas::CHANNELS) as i32;
    Rectangle::with_corners(Point::new(column(left), top as i32), Point::new(column(right), bottom as i32))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
    use proptest::prelude::*;

    use super::*;
    use crate::screen::{Screen, sample, shapes};

    fn at(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
        Rectangle::new(Point::new(x, y), Size::new(width, height))
    }

    #[test]
    fn far_apart_changes_are_rectangles_of_their_own() {
        let before = Canvas::new(Size::new(100, 70));
        let mut now = before.clone();
        assert_eq!(between(&now, &before), []);
        now.blend(Point::new(6, 3), Rgb888::new(0, 0, 1), 255);
        assert_eq!(between(&now, &before), [at(6, 3, 1, 1)]);
        // One over several cells, both ways; its edges are found.
        shapes::fill(&mut now, at(40, 20, 33, 37), Rgb888::RED);
        assert_eq!(between(&now, &before), [at(6, 3, 1, 1), at(40, 20, 33, 37)]);
        let other = Canvas::new(Size::new(8, 5));
        assert_eq!(between(&other, &before), [other.area()]);
        assert_eq!(between(&Canvas::new(Size::zero()), &Canvas::new(Size::zero())), []);
    }

    /// Bytes on an SPI bus: two a pixel, and eleven to open a window.
    fn cost(changed: &[Rectangle]) -> u32 {
        changed.iter().map(|area| 2 * area.size.width * area.size.height + 11).sum()
    }

    #[test]
    fn several_rectangles_are_cheaper_than_the_one_around_them() {
        for size in [(128, 64), (160, 128), (240, 240), (320, 240), (480, 320), (800, 480)] {
            let size = Size::new(size.0, size.1);
            let mut screen = Screen::new(size);
            let (mut frame, mut reading) = (sample::frame(0), sample::reading(1));
            let before = screen.draw(&frame, &reading).clone();
            // The next frame of a still camera: noise around the face, which moves a little.
            reading.captured_at_ms += 600.0;
            reading.fps = 23.9;
            reading.faces[0].rect.x += 4.0;
            reading.faces[0].blur.value = 0.4;
            reading.faces[0].scores[0].1 += 0.02;
            for (i, pixel) in frame.gray.pixels_mut().iter_mut().enumerate() {
                *pixel += (i % 7 / 3) as u8;
            }
            let now = screen.draw(&frame, &reading);
            let parts = between(now, &before);
            let around = parts.iter().copied().reduce(|all, part| {
                let [end, far] = [all, part].map(|area| area.bottom_right().unwrap());
                Rectangle::with_corners(all.top_left.component_min(part.top_left), end.component_max(far))
            });
            let (several, one) = (cost(&parts), cost(around.as_slice()));
            println!("{size}: {several} bytes in {} parts, {one} in one", parts.len());
            assert!(10 * several < 9 * one, "{size}: {several} against {one}");
        }
    }

    proptest! {
        #[test]
        fn every_change_is_in_exactly_one_rectangle(
            size in (1u32..90, 1u32..90),
            shapes in prop::collection::vec((0i32..90, 0i32..90, 1u32..40, 1u32..40), 0..6),
        ) {
            let before = Canvas::new(Size::new(size.0, size.1));
            let mut now = before.clone();
            for (x, y, width, height) in shapes {
                shapes::fill(&mut now, at(x, y, width, height), Rgb888::WHITE);
            }
            let found = between(&now, &before);
            for (i, pixel) in now.pixels().chunks_exact(Canvas::CHANNELS).enumerate() {
                let place = Point::new((i as u32 % size.0) as i32, (i as u32 / size.0) as i32);
                let holding = found.iter().filter(|rectangle| rectangle.contains(place)).count();
                prop_assert!(holding <= 1);
                prop_assert!(pixel[0] == 0 || holding == 1, "{place:?}");
            }
            let whole = now.area();
            prop_assert!(found.iter().all(|rectangle| rectangle.intersection(&whole) == *rectangle));
        }
    }
}
