//! What was measured: robustness.json for programs, the table for the terminal.

use std::collections::BTreeMap;
use std::fmt;

use models::LabelSet;
use serde::Serialize;

use super::degradation::Degradation;
use super::remedy::{CLIP_LIMIT, Remedy, TILES};
use super::rival::RivalSettings;
use super::sharpness::RadiusRow;
use crate::evaluate::bootstrap::{self, Interval};
use crate::evaluate::metrics::Metrics;
use crate::report::percent;
use crate::report::settings::Origin;

/// Version of the form of robustness.json.
pub const SCHEMA: u32 = 1;

/// Everything that was measured. Equal commands on equal files give equal reports but for [`Report::duration_secs`].
#[derive(Serialize)]
pub struct Report {
    /// See [`SCHEMA`].
    pub schema: u32,
    /// Faces measured.
    pub samples: usize,
    /// Faces passed over because the bundle does not know their label, by label.
    pub skipped: BTreeMap<String, usize>,
    /// The bundle's labels.
    pub labels: LabelSet,
    /// The faces as they are.
    pub none: Row,
    /// The faces spoilt in each way.
    pub degradations: Vec<DegradationPart>,
    /// The network that was asked in the place of both models, where there was one.
    pub rival: Option<RivalSettings>,
    /// What was measured how.
    pub settings: Settings,
    /// How long it took, s; the only part that differs from run to run.
    pub duration_secs: f64,
}

/// One degradation.
#[derive(Serialize)]
pub struct DegradationPart {
    /// Which.
    pub degradation: Degradation,
    /// What is done.
    pub what: &'static str,
    /// The unit of the strengths.
    pub unit: &'static str,
    /// From weak to strong.
    pub rows: Vec<Row>,
    /// How much more often routing is right than the clear model alone, over all strengths.
    pub routing_over_clear: Gain,
    /// The same over the robust model alone.
    pub routing_over_robust: Gain,
    /// The same over the rival.
    pub routing_over_rival: Option<Gain>,
}

/// The figures of one state of the faces.
#[derive(Serialize)]
pub struct Row {
    /// In the degradation's unit; none for faces as they are.
    pub strength: Option<f32>,
    /// What the strength of a blur is on these faces, px.
    pub size_px: Option<f32>,
    /// Every face by the clear model.
    pub clear: Score,
    /// Every face by the robust model.
    pub robust: Score,
    /// Every face by the model that the gate chose.
    pub routed: Score,
    /// Every face by the rival.
    pub rival: Option<Score>,
    /// Share of the faces that the gate gave to the robust model.
    pub routed_share: f64,
    /// After something was done to the picture.
    pub remedies: BTreeMap<Remedy, RemedyScore>,
}

/// The figures after a remedy.
#[derive(Serialize)]
pub struct RemedyScore {
    /// Every face by the clear model.
    pub clear: Score,
    /// Every face by the model that the gate chose for what the remedy made of it.
    pub routed: Score,
}

/// How good the answers are, with 95 % bootstrap intervals.
#[derive(Serialize)]
pub struct Score {
    /// Share of right answers.
    pub accuracy: f64,
    /// Its interval.
    pub accuracy_interval: Interval,
    /// Mean F1 of the labels.
    pub macro_f1: f64,
    /// Its interval.
    pub macro_f1_interval: Interval,
}

impl Score {
    /// These of all figures.
    pub fn of(metrics: &Metrics) -> Self {
        Score {
            accuracy: metrics.figures.accuracy,
            accuracy_interval: metrics.intervals.accuracy,
            macro_f1: metrics.figures.macro_f1,
            macro_f1_interval: metrics.intervals.macro_f1,
        }
    }
}

/// A difference of accuracies on the same faces.
#[derive(Serialize)]
pub struct Gain {
    /// -1..=1.
    pub accuracy: f64,
    /// Its 95 % interval, by a bootstrap in which each face keeps both answers.
    pub interval: Interval,
}

/// All settings.
#[derive(Serialize)]
pub struct Settings {
    /// What was measured on what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Seed of the degradations, of the choice of faces and of the bootstrap.
    pub seed: u64,
    /// Resamples behind every interval.
    pub bootstrap_resamples: usize,
    /// How faces are equalised in tiles.
    pub clahe: ClaheSettings,
    /// How faces are deblurred, where they are.
    pub wiener: Option<WienerSettings>,
}

/// See [`models::clahe`].
#[derive(Serialize)]
pub struct ClaheSettings {
    /// Tiles along each side.
    pub tiles: usize,
    /// In multiples of the mean count.
    pub clip_limit: f32,
}

/// See [`super::wiener::Wiener`].
#[derive(Serialize)]
pub struct WienerSettings {
    /// Power of the noise over that of the picture.
    pub noise_to_signal: f32,
    /// Training faces behind the table.
    pub table_faces: usize,
    /// What the blind filter takes its radius from.
    pub table: Vec<RadiusRow>,
}

impl Settings {
    /// With the constants of this program; `wiener` where faces are deblurred.
    pub fn new(origin: Origin, seed: u64, wiener: Option<WienerSettings>) -> Self {
        Settings {
            origin,
            seed,
            bootstrap_resamples: bootstrap::RESAMPLES,
            clahe: ClaheSettings { tiles: TILES, clip_limit: CLIP_LIMIT },
            wiener,
        }
    }
}

impl fmt::Display for Report {
    /// The table for the terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {:>8} {:>8} {:>8} {:>8} {:>10} {:>8}  remedies, then the clear model",
            "degradation", "strength", "clear", "robust", "routed", "to robust", "rival"
        )?;
        line(f, "none", &self.none)?;
        for part in &self.degradations {
            for row in &part.rows {
                line(f, part.degradation.facts().name, row)?;
            }
        }
        write!(f, "(accuracy on {} faces)", self.samples)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, row: &Row) -> fmt::Result {
    let strength = row.strength.map_or_else(String::new, |strength| strength.to_string());
    let remedy =
        |(remedy, score): (&Remedy, &RemedyScore)| format!("  {} {}", remedy.title(), percent(score.clear.accuracy));
    writeln!(
        f,
        "{name:<14} {strength:>8} {:>8} {:>8} {:>8} {:>10} {:>8}{}",
        percent(row.clear.accuracy),
        percent(row.robust.accuracy),
        percent(row.routed.accuracy),
        percent(row.routed_share),
        row.rival.as_ref().map_or_else(String::new, |rival| percent(rival.accuracy)),
        row.remedies.iter().map(remedy).collect::<String>()
    )
}
