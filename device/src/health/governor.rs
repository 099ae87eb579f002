//! When a board needs relief: at once when it is in trouble, and until it has been out of it for a
//! while, so that the relief itself does not make it flap.

use std::time::Duration;

use crate::reading::BoardState;

/// A board that was hot must have cooled by this much, in °C.
const COOLED_BY: f32 = 5.0;
/// It must have been out of trouble for so long.
const CALM: Duration = Duration::from_secs(30);

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The board came under pressure, and by what.
    Pressed(String),
    /// It is out of it again.
    Relieved,
}

/// Judges one state after the other.
#[derive(Debug)]
pub struct Governor {
    hot_celsius: f32,
    is_pressed: bool,
    /// Since when the board has been out of trouble.
    calm_since: Option<Duration>,
}

impl Governor {
    /// A governor to whom a board is hot from `hot_celsius` °C on.
    pub fn new(hot_celsius: f32) -> Self {
        Self { hot_celsius, is_pressed: false, calm_since: None }
    }

    /// The turn that this state at this time is, if it is one.
    pub fn judge(&mut self, state: &BoardState, now: Duration) -> Option<Turn> {
        if !self.is_pressed {
            let trouble = trouble(state, self.hot_celsius)?;
            (self.is_pressed, self.calm_since) = (true, None);
            return Some(Turn::Pressed(trouble));
        }
        if trouble(state, self.hot_celsius - COOLED_BY).is_some() {
            self.calm_since = None;
            return None;
        }
        let since = *self.calm_since.get_or_insert(now);
        if now.saturating_sub(since) < CALM {
            return None;
        }
        self.is_pressed = false;
        Some(Turn::Relieved)
    }
}

/// What is wrong with a board, in words.
pub fn trouble(state: &BoardState, hot_celsius: f32) -> Option<String> {
    let hot = state.temperature_celsius.filter(|&celsius| celsius >= hot_celsius);
    if state.under_voltage {
        Some("the board's supply gives too little voltage".into())
    } else if let Some(celsius) = hot {
        Some(format!("the board is hot ({celsius:.0} °C)"))
    } else if state.throttled {
        Some("the board has slowed itself down".into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: BoardState = BoardState { temperature_celsius: Some(60.0), throttled: false, under_voltage: false };

    fn at(celsius: f32) -> BoardState {
        BoardState { temperature_celsius: Some(celsius), ..FINE }
    }

    /// The turns that these states are, one a second.
    fn turns(states: impl IntoIterator<Item = BoardState>) -> Vec<(u64, bool)> {
        let mut governor = Governor::new(80.0);
        let judge = |(second, state)| {
            let turn = governor.judge(&state, Duration::from_secs(second))?;
            Some((second, turn != Turn::Relieved))
        };
        (0..).zip(states).filter_map(judge).collect()
    }

    #[test]
    fn relief_is_told_once_and_lasts_until_the_board_has_been_cool_for_a_while() {
        let states = [at(79.9), at(80.0), at(85.0), at(70.0), at(76.0)].into_iter().chain(vec![at(74.9); 40]);
        assert_eq!(turns(states), [(1, true), (35, false)]);
    }

    #[test]
    fn a_board_at_the_threshold_does_not_flap() {
        let states = (0..200).map(|second| at(if second % 2 == 0 { 80.5 } else { 79.5 }));
        assert_eq!(turns(states), [(0, true)]);
    }

    #[test]
    fn power_and_throttling_count_also_without_a_thermometer() {
        let unknown = BoardState { temperature_celsius: None, ..FINE };
        let low = BoardState { under_voltage: true, ..unknown };
        let slow = BoardState { throttled: true, ..unknown };
        for state in [low, slow] {
            assert_eq!(turns([unknown, state, unknown]), [(1, true)]);
        }
        assert_eq!(turns([FINE, unknown]), []);
    }

    #[test]
    fn the_cause_that_somebody_can_cure_comes_first() {
        let all = BoardState { temperature_celsius: Some(90.0), throttled: true, under_voltage: true };
        assert!(trouble(&all, 80.0).is_some_and(|why| why.contains("supply")));
        let hot = BoardState { under_voltage: false, ..all };
        assert!(trouble(&hot, 80.0).is_some_and(|why| why.contains("90 °C")));
    }
}
