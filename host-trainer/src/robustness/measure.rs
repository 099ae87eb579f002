//! Asks both models about every face under every degradation, and about what the remedies make of it.

use std::collections::BTreeMap;

use anyhow::Context;
use models::{Gray8, ModelChoice, Recognizer};
use rayon::prelude::*;

use super::degradation::Degradation;
use super::degrade::Degraded;
use super::remedy::{Deblurring, Remedy};
use super::report::{DegradationPart, Gain, RemedyScore, Row, Score};
use super::rival::Rival;
use crate::evaluate::answer::Answer;
use crate::evaluate::bootstrap::{self, Interval};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::sweep::{self, Face, FaceAnswer};
use crate::progress::FaceBar;

/// What a measurement needs beside the faces.
pub struct Measurement<'a> {
    /// The bundle.
    pub recognizer: &'a Recognizer,
    /// What is asked in the place of both models, where there is such a one.
    pub rival: Option<&'a Rival>,
    /// What deblurring works with, where that is measured.
    pub deblurring: Option<&'a Deblurring>,
    /// Width and height of the faces, px.
    pub side: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

/// A face with its place in the data, which decides what is drawn for it.
pub type Numbered<'a> = (u64, Face<'a>);

/// Everything that was said about one face in one state.
struct FaceRow {
    answer: FaceAnswer,
    rival: Option<Answer>,
    remedies: Vec<(Remedy, RemedyAnswer)>,
}

/// What was said about a face after a remedy.
struct RemedyAnswer {
    clear: Answer,
    routed: Answer,
}

impl Measurement<'_> {
    /// The faces as they are, and under every degradation at every strength; on all cores. The result does not depend on
    /// how many there are.
    ///
    /// # Errors
    /// A model that fails.
    pub fn run(&self, faces: &[Numbered<'_>]) -> anyhow::Result<(Row, Vec<DegradationPart>)> {
        let states = 1 + Degradation::ALL.iter().map(|degradation| degradation.facts().strengths.len()).sum::<usize>();
        let progress = FaceBar::new("measuring", faces.len() * states);
        let (sharp, _) = self.row(faces, None, &progress)?;
        let mut parts = Vec::with_capacity(Degradation::ALL.len());
        for degradation in Degradation::ALL {
            let mut rows = Vec::new();
            let mut gains = Gains::new(faces.len(), self.rival.is_some());
            for strength in degradation.facts().strengths {
                let (row, answers) = self.row(faces, Some((degradation, strength)), &progress)?;
                gains.add(&answers);
                rows.push(row);
            }
            parts.push(gains.part(degradation, rows, self.seed));
        }
        progress.finish();
        Ok((sharp, parts))
    }

    fn row(
        &self,
        faces: &[Numbered<'_>],
        state: Option<(Degradation, f32)>,
        progress: &FaceBar,
    ) -> anyhow::Result<(Row, Vec<FaceRow>)> {
        let ask = |face: &Numbered<'_>| {
            let answers = self.ask(face, state);
            progress.step();
            answers
        };
        let answers = faces.par_iter().map(ask).collect::<anyhow::Result<Vec<FaceRow>>>()?;
        let name =
            state.map_or_else(|| "none".to_owned(), |(degradation, by)| format!("{} {by}", degradation.facts().name));
        progress.line(&format!("{name}: {} faces done", answers.len()));
        Ok((self.summary(state, &answers), answers))
    }

    fn ask(&self, &(index, face): &Numbered<'_>, state: Option<(Degradation, f32)>) -> anyhow::Result<FaceRow> {
        let picture = face.picture.read()?;
        let degraded = match state {
            Some((degradation, strength)) => degradation.apply(strength, &picture, self.seed, index)?,
            None => Degraded::not(&picture),
        };
        let answer = sweep::ask(self.recognizer, degraded.picture.view(), face.truth);
        let answer = answer.context("a model of the bundle failed")?;
        let rival = self.rival.map(|rival| rival.ask(degraded.picture.view(), face.truth)).transpose()?;
        let mut remedies = Vec::new();
        for &remedy in Remedy::against(state.map(|(degradation, _)| degradation)) {
            if let Some(picture) = remedy.apply(&degraded, self.deblurring) {
                remedies.push((remedy, self.ask_after_remedy(picture.view(), face.truth)?));
            }
        }
        Ok(FaceRow { answer, rival, remedies })
    }

    /// The clear model's answer and the routed one; the robust model is only asked where the gate says so.
    fn ask_after_remedy(&self, picture: Gray8<'_>, truth: usize) -> anyhow::Result<RemedyAnswer> {
        let crop = sweep::crop(self.recognizer, picture);
        let answer = |model| {
            let scores = self.recognizer.scores_with(crop.view(), model).context("a model of the bundle failed")?;
            anyhow::Ok(Answer::new(truth, scores.as_slice()))
        };
        let clear = answer(ModelChoice::Clear)?;
        let routed = match self.recognizer.route(crop.view(), None).1 {
            ModelChoice::Clear => clear.clone(),
            ModelChoice::Robust => answer(ModelChoice::Robust)?,
        };
        Ok(RemedyAnswer { clear, routed })
    }

    fn summary(&self, state: Option<(Degradation, f32)>, rows: &[FaceRow]) -> Row {
        let score = |answers: Vec<Answer>| Score::of(&Metrics::of(self.recognizer.labels(), &answers, self.seed));
        let of = |pick: fn(&FaceAnswer) -> &Answer| score(rows.iter().map(|row| pick(&row.answer).clone()).collect());
        let robust = rows.iter().filter(|row| row.answer.model == ModelChoice::Robust).count();
        let mut remedies: BTreeMap<Remedy, (Vec<Answer>, Vec<Answer>)> = BTreeMap::new();
        for (remedy, answer) in rows.iter().flat_map(|row| &row.remedies) {
            let (clear, routed) = remedies.entry(*remedy).or_default();
            clear.push(answer.clear.clone());
            routed.push(answer.routed.clone());
        }
        Row {
            strength: state.map(|(_, strength)| strength),
            size_px: state.and_then(|(degradation, strength)| degradation.size_px(strength, self.side)),
            clear: of(|answer| &answer.clear.answer),
            robust: of(|answer| &answer.robust.answer),
            routed: of(FaceAnswer::routed),
            rival: self.rival.map(|_| score(rows.iter().filter_map(|row| row.rival.clone()).collect())),
            routed_share: robust as f64 / rows.len().max(1) as f64,
            remedies: remedies
                .into_iter()
                .map(|(remedy, (clear, routed))| (remedy, RemedyScore { clear: score(clear), routed: score(routed) }))
                .collect(),
        }
    }
}

/// How much more often each face is answered right by routing than by each model alone, summed over the strengths.
struct Gains {
    strengths: usize,
    over_clear: Vec<f64>,
    over_robust: Vec<f64>,
    /// Where there is a rival.
    over_rival: Option<Vec<f64>>,
}

impl Gains {
    fn new(faces: usize, has_rival: bool) -> Self {
        let none = vec![0.0; faces];
        Gains {
            strengths: 0,
            over_clear: none.clone(),
            over_robust: none.clone(),
            over_rival: has_rival.then_some(none),
        }
    }

    fn add(&mut self, rows: &[FaceRow]) {
        let share = |answer: &Answer| f64::from(u8::from(answer.is_right()));
        self.strengths += 1;
        for (index, FaceRow { answer, rival, .. }) in rows.iter().enumerate() {
            let routed = share(answer.routed());
            self.over_clear[index] += routed - share(&answer.clear.answer);
            self.over_robust[index] += routed - share(&answer.robust.answer);
            if let (Some(gains), Some(rival)) = (&mut self.over_rival, rival) {
                gains[index] += routed - share(rival);
            }
        }
    }

    fn part(self, degradation: Degradation, rows: Vec<Row>, seed: u64) -> DegradationPart {
        let gain = |sums: &[f64]| gain(sums, self.strengths, seed);
        DegradationPart {
            degradation,
            what: degradation.facts().what,
            unit: degradation.facts().unit,
            rows,
            routing_over_clear: gain(&self.over_clear),
            routing_over_robust: gain(&self.over_robust),
            routing_over_rival: self.over_rival.as_deref().map(gain),
        }
    }
}

/// The mean over faces and strengths of what each face gained, with its bootstrap interval over the faces.
fn gain(sums: &[f64], strengths: usize, seed: u64) -> Gain {
    let count = (sums.len() * strengths).max(1) as f64;
    let resampled = bootstrap::seeds(seed).into_par_iter().map(|seed| {
        let counts = bootstrap::resample(sums.len(), seed);
        sums.iter().zip(counts).map(|(sum, times)| sum * f64::from(times)).sum::<f64>() / count
    });
    Gain { accuracy: sums.iter().sum::<f64>() / count, interval: Interval::of(resampled.collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_the_mean_over_faces_and_strengths() {
        let found = gain(&[2.0, 0.0, -1.0, 1.0], 2, 1);
        assert_eq!(found.accuracy, 0.25);
        assert!(found.interval.low < 0.25 && found.interval.high > 0.25, "{:?}", found.interval);
        assert_eq!(gain(&[0.0; 9], 5, 1).interval, Interval { low: 0.0, high: 0.0 });
    }
}
