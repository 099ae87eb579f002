//! The learning rate of every step.

use crate::checkpoint::Epoch;
use crate::config::{Recipe, Schedule};

/// The rate of `step` (from 0 over the whole stage), which depends on `history` alone where it depends on how the
/// training went, so that a resumed run goes on with the same one.
pub fn learning_rate(recipe: &Recipe, step: usize, steps_an_epoch: usize, history: &[Epoch]) -> f64 {
    let steps = steps_an_epoch * recipe.epochs;
    let warm_up_steps = recipe.warm_up_steps.min(steps);
    if let Some(rate) = warm_up(recipe.learning_rate, step, warm_up_steps) {
        return rate;
    }
    let share = match recipe.schedule {
        Schedule::Cosine {} => return cosine(recipe.learning_rate, step, warm_up_steps, steps),
        Schedule::Constant {} => 1.0,
        Schedule::Step { every_epochs, factor } => {
            let epoch = step / steps_an_epoch.max(1);
            factor.powf((epoch / every_epochs) as f64)
        }
        Schedule::Plateau { patience, factor } => factor.powf(plateaus(history, patience) as f64),
    };
    recipe.learning_rate * share
}

/// The rate of `step` of so many `steps`: it rises to `highest` over `warm_up_steps`, then falls to 0 along half a cosine
/// (Loshchilov and Hutter 2017).
pub fn cosine(highest: f64, step: usize, warm_up_steps: usize, steps: usize) -> f64 {
    warm_up(highest, step, warm_up_steps).unwrap_or_else(|| {
        let share = (step - warm_up_steps) as f64 / steps.saturating_sub(warm_up_steps).max(1) as f64;
        highest * 0.5 * (1.0 + (share * std::f64::consts::PI).cos())
    })
}

/// The rate while it rises.
fn warm_up(highest: f64, step: usize, steps: usize) -> Option<f64> {
    (step < steps).then(|| highest * (step + 1) as f64 / steps as f64)
}

/// How often `patience` epochs in a row have brought no lower validation loss.
fn plateaus(history: &[Epoch], patience: usize) -> usize {
    let (mut lowest, mut waited, mut plateaus) = (f64::INFINITY, 0, 0);
    for epoch in history {
        if epoch.validation_loss < lowest {
            lowest = epoch.validation_loss;
            waited = 0;
        } else {
            waited += 1;
            if waited == patience {
                plateaus += 1;
                waited = 0;
            }
        }
    }
    plateaus
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(schedule: Schedule) -> Recipe {
        Recipe { learning_rate: 0.1, warm_up_steps: 10, epochs: 10, schedule, ..Recipe::default() }
    }

    fn rates(schedule: Schedule) -> Vec<f64> {
        (0..=100).map(|step| learning_rate(&recipe(schedule), step, 10, &[])).collect()
    }

    #[test]
    fn the_rate_rises_then_falls_to_zero() {
        let rates = rates(Schedule::Cosine {});
        assert!(rates[..10].windows(2).all(|pair| pair[0] < pair[1]));
        assert!((rates[10] - 0.1).abs() < 1e-9);
        assert!(rates[10..].windows(2).all(|pair| pair[0] > pair[1]));
        assert!(rates[100] < 1e-9);
    }

    #[test]
    fn it_stays_or_falls_in_steps() {
        assert!(rates(Schedule::Constant {})[10..].iter().all(|rate| (rate - 0.1).abs() < 1e-12));
        let rates = rates(Schedule::Step { every_epochs: 3, factor: 0.5 });
        let after = |epoch: usize| rates[epoch * 10];
        assert_eq!([after(1), after(2), after(3), after(6), after(9)], [0.1, 0.1, 0.05, 0.025, 0.0125]);
    }

    #[test]
    fn it_falls_when_the_loss_does_not() {
        let history: Vec<Epoch> = [1.0, 0.9, 0.95, 0.9, 0.8, 0.85, 0.85, 0.85, 0.85]
            .into_iter()
            .enumerate()
            .map(|(index, validation_loss)| Epoch {
                epoch: index + 1,
                training_loss: 1.0,
                validation_loss,
                validation_accuracy: 0.5,
                duration_secs: 1.0,
            })
            .collect();
        let at = |epochs: usize| {
            let schedule = Schedule::Plateau { patience: 2, factor: 0.1 };
            learning_rate(&recipe(schedule), 50, 10, &history[..epochs])
        };
        for (epochs, expected) in [(3, 0.1), (4, 0.01), (6, 0.01), (7, 0.001), (9, 0.0001)] {
            assert!((at(epochs) - expected).abs() < 1e-12, "after {epochs}: {}", at(epochs));
        }
    }
}
