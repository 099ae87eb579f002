//! Our figures beside the published ones.

use std::collections::{BTreeMap, BTreeSet};

use models::BlurLevel;
use serde::Serialize;

use super::folder::Study;
use super::published::{self, Figure, Model, VALIDATION};
use super::record::Record;
use crate::evaluate::bootstrap::Interval;
use crate::sample::UsageFilter;

/// What is compared where nothing was published.
const OWN: [Figure; 3] = [Figure::Accuracy, Figure::MacroF1, Figure::WeightedPrecision];

/// What each trial of a study reached, or why there is nothing, by the name of its file.
pub type Found = BTreeMap<String, Result<Record, String>>;

/// A row of the table.
#[derive(Debug, PartialEq, Serialize)]
pub struct Row {
    /// What the study calls it; the trial where nothing was published.
    pub name: String,
    /// The trial of ours.
    pub trial: Option<String>,
    /// The faces.
    pub test: String,
    /// The model of ours.
    pub model: Model,
    /// How much the faces were blurred.
    pub blur: BlurLevel,
    /// Whether ours is of a quick run, and worth nothing.
    pub quick: bool,
    /// The figures.
    pub cells: BTreeMap<Figure, Cell>,
    /// What has to be known about the published figures.
    pub note: Option<String>,
}

/// One figure.
#[derive(Debug, PartialEq, Serialize)]
pub struct Cell {
    /// What was published.
    pub published: Option<f64>,
    /// What we reached.
    pub ours: Option<Ours>,
    /// Why one of the two is missing.
    pub why: Option<String>,
}

/// A figure of ours.
#[derive(Debug, PartialEq, Serialize)]
pub struct Ours {
    /// The figure.
    pub value: f64,
    /// The middle 95 % of bootstrap resamples; none for validation faces, whose answers are not kept.
    pub interval: Option<Interval>,
}

/// The figures that the table has columns for.
pub fn columns(study: &Study) -> BTreeSet<Figure> {
    let published = study.published.iter().flat_map(|published| &published.rows);
    let figures: BTreeSet<Figure> = published.flat_map(|row| row.figures.keys().copied()).collect();
    if figures.is_empty() { OWN.into() } else { figures }
}

/// The published rows in their order, each with ours; then the trials that nothing was published of.
pub fn rows(study: &Study, found: &Found) -> Vec<Row> {
    let columns = columns(study);
    let published = study.published.as_ref().map(|published| published.rows.as_slice()).unwrap_or_default();
    let beside = published.iter().map(|row| {
        let record = row.trial.as_deref().map(|id| (id, found.get(id)));
        let ours = |figure| match record {
            None => Err(row.without_ours.clone().unwrap_or_default()),
            Some((id, None)) => Err(format!("there is no trial {id}")),
            Some((_, Some(Err(why)))) => Err(why.clone()),
            Some((_, Some(Ok(record)))) => ours(record, row, figure),
        };
        let is_quick = record.is_some_and(|(_, found)| found.is_some_and(is_quick));
        Row::of(row, is_quick, &columns, "the study does not give it", ours)
    });
    let is_published = |id: &str| published.iter().any(|row| row.trial.as_deref() == Some(id));
    let alone = found.iter().filter(|(id, _)| !is_published(id)).flat_map(|(id, found)| {
        let tests = match found {
            Ok(record) => record.tests.iter().map(|test| test.name.clone()).collect(),
            Err(_) => vec![UsageFilter::default().name().to_owned()],
        };
        let columns = &columns;
        tests.into_iter().map(move |test| {
            let row = blank(id, test);
            let ours = |figure| found.as_ref().map_err(Clone::clone).and_then(|record| ours(record, &row, figure));
            Row::of(&row, is_quick(found), columns, "nothing was published of this trial", ours)
        })
    });
    beside.chain(alone).collect()
}

/// A row of which nothing was published: the clear model without blur.
fn blank(id: &str, test: String) -> published::Row {
    published::Row {
        name: id.to_owned(),
        trial: Some(id.to_owned()),
        test,
        model: Model::Clear,
        blur: BlurLevel::None,
        figures: BTreeMap::new(),
        without_ours: None,
        note: None,
    }
}

fn is_quick(found: &Result<Record, String>) -> bool {
    found.as_ref().is_ok_and(|record| record.quick)
}

impl Row {
    fn of(
        row: &published::Row,
        quick: bool,
        columns: &BTreeSet<Figure>,
        why_unpublished: &str,
        ours: impl Fn(Figure) -> Result<Ours, String>,
    ) -> Self {
        let cell = |&figure: &Figure| {
            let (published, ours) = (row.figures.get(&figure).copied(), ours(figure));
            let why = match (&published, &ours) {
                (_, Err(why)) => Some(why.clone()),
                (None, Ok(_)) => Some(why_unpublished.to_owned()),
                (Some(_), Ok(_)) => None,
            };
            (figure, Cell { published, ours: ours.ok(), why })
        };
        Self {
            name: row.name.clone(),
            trial: row.trial.clone(),
            test: row.test.clone(),
            model: row.model,
            blur: row.blur,
            quick,
            cells: columns.iter().map(cell).collect(),
            note: row.note.clone(),
        }
    }
}

/// A figure of ours that means the same as one of a published row, or why there is none.
fn ours(record: &Record, row: &published::Row, figure: Figure) -> Result<Ours, String> {
    if row.test == VALIDATION && figure == Figure::Accuracy && row.blur == BlurLevel::None {
        let stage = record.stages.iter().find(|stage| stage.name == row.model.name());
        return stage
            .map(|stage| Ours { value: stage.validation_accuracy, interval: None })
            .ok_or_else(|| record.why_without(VALIDATION));
    }
    let test = record.test(&row.test).ok_or_else(|| record.why_without(&row.test))?;
    let level = test.blur.iter().find(|level| level.level == row.blur);
    let level = level.ok_or_else(|| format!("our trial was not measured at this blur ({})", row.blur.name()))?;
    let metrics = match row.model {
        Model::Clear => &level.clear,
        Model::Robust => &level.robust,
        Model::Routed => &level.routed,
    };
    let value = figure.of(&metrics.figures).ok_or("it cannot be measured on these faces")?;
    Ok(Ours { value, interval: figure.of(&metrics.intervals) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::LabelSet;

    use super::*;
    use crate::checkpoint::Epoch;
    use crate::config::TrialConfig;
    use crate::evaluate::answer::Answer;
    use crate::evaluate::metrics::Metrics;
    use crate::report::LevelRow;
    use crate::study::published::Published;
    use crate::study::record::{DataRecord, StageRecord, TestRecord};
    use crate::study::trial::Trial;

    /// A trial of which 4 of 5 answers are right without blur, and no more was measured.
    fn record() -> Record {
        let labels = LabelSet::basic6();
        let answers: Vec<Answer> = [0, 1, 2, 3, 0]
            .into_iter()
            .enumerate()
            .map(|(truth, predicted)| {
                let mut scores = [0.05; 6];
                scores[predicted] = 0.75;
                Answer::new(truth, &scores)
            })
            .collect();
        let metrics = Metrics::of(&labels, &answers, 1);
        let blur = vec![LevelRow {
            level: BlurLevel::None,
            radius_px: 0.0,
            clear: metrics.clone(),
            robust: metrics.clone(),
            routed: metrics,
            routed_share: 0.0,
        }];
        let data = DataRecord { path: "faces.csv".into(), sha256: String::new() };
        let epoch =
            Epoch { epoch: 1, training_loss: 1.0, validation_loss: 1.0, validation_accuracy: 0.5, duration_secs: 1.0 };
        Record {
            schema: Record::SCHEMA,
            study: "s".into(),
            trial: "a".into(),
            quick: true,
            config_sha256: String::new(),
            config: TrialConfig::default(),
            data: data.clone(),
            training_faces: 9,
            validation_faces: 3,
            weights: None,
            device: "cpu".into(),
            seed: 1,
            command: String::new(),
            commit: String::new(),
            stages: vec![StageRecord::of("clear", vec![epoch])],
            tests: vec![TestRecord {
                name: "public-test".into(),
                data,
                samples: 5,
                skipped: BTreeMap::new(),
                labels,
                blur,
            }],
            left_out: [("private-test".to_owned(), "the data has no private-test faces".to_owned())].into(),
        }
    }

    fn study(rows: &str) -> Study {
        let trial = |id: &str| Trial {
            study: "s".into(),
            id: id.into(),
            path: format!("{id}.toml").into(),
            config: TrialConfig::default(),
        };
        let published: Published = toml::from_str(&format!("title = \"t\"\nsource = \"s\"\n{rows}")).unwrap();
        Study { name: "s".into(), trials: vec![trial("a"), trial("b")], published: Some(published) }
    }

    #[test]
    fn every_dash_has_its_reason() {
        let study = study(
            "[[row]]\nname = \"A\"\ntrial = \"a\"\nfigures = { accuracy = 0.9 }\n\
             [[row]]\nname = \"A\"\ntrial = \"a\"\ntest = \"private-test\"\nfigures = { macro_f1 = 0.9 }\n\
             [[row]]\nname = \"A\"\ntrial = \"a\"\ntest = \"validation\"\nfigures = { accuracy = 0.6 }\n\
             [[row]]\nname = \"A\"\ntrial = \"a\"\nblur = \"high\"\nfigures = { accuracy = 0.6 }\n\
             [[row]]\nname = \"C\"\nwithout-ours = \"we have no C\"\nfigures = { accuracy = 0.3 }\n",
        );
        let found: Found = [("a".to_owned(), Ok(record())), ("b".to_owned(), Err("it was not run".to_owned()))].into();
        let rows = rows(&study, &found);
        assert_eq!(columns(&study), [Figure::Accuracy, Figure::MacroF1].into());
        let cell = |row: usize, figure| &rows[row].cells[&figure];
        let ours = cell(0, Figure::Accuracy).ours.as_ref().unwrap();
        assert!(ours.value == 0.8 && ours.interval.is_some() && cell(0, Figure::Accuracy).why.is_none());
        assert!(rows[0].quick && cell(0, Figure::Accuracy).published == Some(0.9));
        assert!(cell(0, Figure::MacroF1).ours.is_some());
        let why = |row, figure| cell(row, figure).why.as_deref().unwrap();
        assert_eq!(why(0, Figure::MacroF1), "the study does not give it");
        assert_eq!(why(1, Figure::MacroF1), "the data has no private-test faces");
        let validation = cell(2, Figure::Accuracy).ours.as_ref().unwrap();
        assert_eq!(validation, &Ours { value: 0.5, interval: None });
        assert!(why(2, Figure::MacroF1).starts_with("of the validation faces only"));
        assert!(why(3, Figure::Accuracy).contains("(high)"));
        assert_eq!(why(4, Figure::Accuracy), "we have no C");
        assert_eq!((rows[5].name.as_str(), why(5, Figure::Accuracy)), ("b", "it was not run"));
        assert_eq!(rows.len(), 6);
    }

    #[test]
    fn a_record_comes_back_from_its_json() {
        let root = tempfile::tempdir().unwrap();
        let written = record();
        written.write(root.path()).unwrap();
        let read = Record::read(root.path()).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&written).unwrap());
    }
}
