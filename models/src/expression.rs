//! The expressions, their names in the data sets, and the order of a model's outputs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::LabelError;

/// A facial expression.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expression {
    /// Anger.
    Angry,
    /// Disgust.
    Disgust,
    /// Fear.
    Fear,
    /// Happiness.
    Happy,
    /// Sadness.
    Sad,
    /// Surprise.
    Surprise,
    /// No expression.
    Neutral,
    /// Contempt (FER+ and AffectNet have it, FER-2013 has not).
    Contempt,
}

impl Expression {
    /// All expressions; FER-2013's seven come first, in its order.
    pub const ALL: [Expression; 8] = [
        Expression::Angry,
        Expression::Disgust,
        Expression::Fear,
        Expression::Happy,
        Expression::Sad,
        Expression::Surprise,
        Expression::Neutral,
        Expression::Contempt,
    ];

    /// The canonical name, as in manifests, reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Expression::Angry => "angry",
            Expression::Disgust => "disgust",
            Expression::Fear => "fear",
            Expression::Happy => "happy",
            Expression::Sad => "sad",
            Expression::Surprise => "surprise",
            Expression::Neutral => "neutral",
            Expression::Contempt => "contempt",
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Expression {
    type Err = LabelError;

    /// Reads a name or synonym of any of the data sets, in any letter case and with
    /// blanks around it.
    fn from_str(text: &str) -> Result<Self, LabelError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "angry" | "anger" => Ok(Expression::Angry),
            "disgust" | "disgusted" => Ok(Expression::Disgust),
            "fear" | "fearful" | "scared" | "afraid" => Ok(Expression::Fear),
            "happy" | "happiness" | "joy" => Ok(Expression::Happy),
            "sad" | "sadness" => Ok(Expression::Sad),
            "surprise" | "surprised" => Ok(Expression::Surprise),
            "neutral" | "neutrality" => Ok(Expression::Neutral),
            "contempt" | "contemptuous" => Ok(Expression::Contempt),
            _ => Err(LabelError::Unknown { found: text.to_owned() }),
        }
    }
}

/// The labels of a model in the order of its outputs: 2 to 8, none twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Expression>", into = "Vec<Expression>")]
pub struct LabelSet(Vec<Expression>);

impl LabelSet {
    /// Takes the labels in output order.
    ///
    /// # Errors
    /// Fewer than 2, more than 8, or one of them twice.
    pub fn new(labels: Vec<Expression>) -> Result<Self, LabelError> {
        if !(2..=Expression::ALL.len()).contains(&labels.len()) {
            return Err(LabelError::Count { found: labels.len() });
        }
        for (i, label) in labels.iter().enumerate() {
            if labels[..i].contains(label) {
                return Err(LabelError::Duplicate { name: label.name() });
            }
        }
        Ok(Self(labels))
    }

    /// FER-2013: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.
    pub fn fer2013() -> Self {
        Self(Expression::ALL[..7].to_vec())
    }

    /// The six basic expressions: FER-2013's order without neutral.
    pub fn basic6() -> Self {
        Self(Expression::ALL[..6].to_vec())
    }

    /// FER+: neutral, happy, surprise, sad, angry, disgust, fear, contempt.
    pub fn ferplus() -> Self {
        Self(vec![
            Expression::Neutral,
            Expression::Happy,
            Expression::Surprise,
            Expression::Sad,
            Expression::Angry,
            Expression::Disgust,
            Expression::Fear,
            Expression::Contempt,
        ])
    }

    /// How many labels there are (2 to 8).
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true; here because `len` is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The label of output `index`.
    pub fn get(&self, index: usize) -> Option<Expression> {
        self.0.get(index).copied()
    }

    /// The output that stands for `expression`.
    pub fn index_of(&self, expression: Expression) -> Option<usize> {
        self.0.iter().position(|&e| e == expression)
    }

    /// The labels in output order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Expression> + '_ {
        self.0.iter().copied()
    }

    /// The labels in output order.
    pub fn as_slice(&self) -> &[Expression] {
        &self.0
    }
}

impl TryFrom<Vec<Expression>> for LabelSet {
    type Error = LabelError;

    fn try_from(labels: Vec<Expression>) -> Result<Self, LabelError> {
        Self::new(labels)
    }
}

impl From<LabelSet> for Vec<Expression> {
    fn from(set: LabelSet) -> Self {
        set.0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for e in Expression::ALL {
            assert_eq!(e.name().parse::<Expression>(), Ok(e));
            assert_eq!(e.to_string().to_uppercase().parse::<Expression>(), Ok(e));
            assert_eq!(serde_json::to_string(&e).unwrap(), format!("\"{}\"", e.name()));
        }
    }

    #[test]
    fn synonyms_of_the_data_sets_are_read() {
        for (text, e) in [
            ("Anger", Expression::Angry),
            (" happiness ", Expression::Happy),
            ("SURPRISED", Expression::Surprise),
            ("scared", Expression::Fear),
            ("disgusted", Expression::Disgust),
            ("sadness", Expression::Sad),
        ] {
            assert_eq!(text.parse::<Expression>(), Ok(e));
        }
    }

    #[test]
    fn an_unknown_label_is_named_in_the_error() {
        let error = "hungry".parse::<Expression>().unwrap_err();
        assert!(error.to_string().contains("`hungry`"), "{error}");
    }

    #[test]
    fn orders_are_those_of_the_data_sets() {
        let names = |set: LabelSet| set.iter().map(Expression::name).collect::<Vec<_>>();
        assert_eq!(names(LabelSet::fer2013()), ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]);
        assert_eq!(
            names(LabelSet::ferplus()),
            ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"]
        );
        assert_eq!(LabelSet::basic6().len(), 6);
        assert_eq!(LabelSet::fer2013().index_of(Expression::Neutral), Some(6));
        assert_eq!(LabelSet::basic6().get(6), None);
    }

    #[test]
    fn sets_with_doubles_or_of_one_label_are_refused() {
        assert_eq!(LabelSet::new(vec![Expression::Sad]), Err(LabelError::Count { found: 1 }));
        assert_eq!(
            LabelSet::new(vec![Expression::Sad, Expression::Happy, Expression::Sad]),
            Err(LabelError::Duplicate { name: "sad" })
        );
        assert!(serde_json::from_str::<LabelSet>(r#"["sad","sad"]"#).is_err());
        let set: LabelSet = serde_json::from_str(r#"["sad","happy"]"#).unwrap();
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["sad","happy"]"#);
    }
}
