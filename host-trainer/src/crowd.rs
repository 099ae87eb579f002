//! What people said of the faces when asked again, translated into the labels of the data.
//!
//! FER-2013's labels are noisy: ten people asked again (FER+) often say something else. Their votes cannot take the place of
//! the labels where the labels are what counts, but how likely each label is, given the votes, can be learned from the
//! training faces; as part of the target it takes away much of the noise (soft labels, as in distillation).

use std::collections::HashMap;

use burn::tensor::Device;
use models::LabelSet;

use crate::ask::is_greatest;
use crate::config::VotesConfig;
use crate::failure::bad_input;
use crate::logistic::Table;
use crate::reader::{Fault, VoteFile};
use crate::sample::Sample;
use crate::say::say;
use crate::targets::Lessons;

/// How likely each label of every face is, given what people said of it: multinomial logistic regression from the shares of
/// their answers, fitted to the labels of these very faces.
///
/// # Errors
/// Bad input: a file that does not hold, or that is not the one of these faces.
pub fn lessons(
    config: &VotesConfig,
    samples: &[&Sample],
    labels: &LabelSet,
    device: &Device,
) -> anyhow::Result<Lessons> {
    let said = answers(config, samples)?;
    let labelled: Vec<usize> = samples.iter().map(|sample| sample.label).collect();
    let rows = Table::fit(&said, &labelled, labels.len(), device).read(&said)?;
    let right = rows.iter().zip(&labelled).filter(|(row, label)| is_greatest(row, **label)).count();
    say(&format!(
        "votes {}: {:.1} % of {} labels are what the votes make likeliest",
        config.file.display(),
        100.0 * right as f64 / samples.len().max(1) as f64,
        samples.len()
    ));
    Ok(Lessons::new(config.weight, rows))
}

/// The shares of the answers, a row a face.
fn answers(config: &VotesConfig, samples: &[&Sample]) -> anyhow::Result<Vec<Vec<f32>>> {
    let mut file = VoteFile::open(&config.file)?;
    let mut lines = HashMap::new();
    while let Some(line) = file.next_line().map_err(Fault::into_error)? {
        lines.insert(line.number, line);
    }
    let of = |sample: &&Sample| match lines.get(&sample.row) {
        Some(line) if line.usage == sample.usage => Ok(line.votes.shares().to_vec()),
        _ => Err(bad_input(format!(
            "votes {}: line {} is not that of the face of row {}\n  give the votes of this very data, which is FER-2013's file as it was published",
            config.file.display(),
            sample.row,
            sample.row
        ))),
    };
    samples.iter().map(of).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use models::GrayImage;

    use super::*;
    use crate::failure::is_bad_input;
    use crate::sample::Usage;

    #[test]
    fn votes_go_to_the_face_of_their_line_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("votes.csv");
        let head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";
        std::fs::write(
            &file,
            head.to_owned() + "Training,a.png,4,0,0,1,3,2,0,0,0,0\nTraining,b.png,0,10,0,0,0,0,0,0,0,0\n",
        )
        .unwrap();
        let config = VotesConfig { file, weight: 0.5 };
        let face = |row, usage| Sample::new(row, usage, 0, GrayImage::new(2, 2));
        let [first, second] = [face(2, Usage::Training), face(3, Usage::Training)];
        let said = answers(&config, &[&second, &first]).unwrap();
        assert_eq!(said[0], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(said[1], [0.4, 0.0, 0.0, 0.1, 0.3, 0.2, 0.0, 0.0, 0.0, 0.0]);
        for stranger in [face(4, Usage::Training), face(3, Usage::PublicTest)] {
            let error = answers(&config, &[&stranger]).unwrap_err();
            assert!(is_bad_input(&error) && error.to_string().contains(&format!("line {}", stranger.row)), "{error:#}");
        }
    }
}
