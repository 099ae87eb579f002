//! What can go wrong in this crate; each message names the thing, the cause and the
//! next step. (`DetectError` lives with the detectors.)

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::ModelChoice;

/// A label or a set of labels that is not usable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LabelError {
    /// The text is no name or synonym of an expression.
    #[error("`{found}` is no expression; use one of angry, disgust, fear, happy, sad, surprise, neutral, contempt")]
    Unknown {
        /// The text as given.
        found: String,
    },
    /// An expression occurs twice in a label set.
    #[error("label `{name}` occurs twice; each output of a model needs a label of its own")]
    Duplicate {
        /// Canonical name of the expression.
        name: &'static str,
    },
    /// Too few or too many labels.
    #[error("{found} labels given; a label set has 2 to 8")]
    Count {
        /// How many were given.
        found: usize,
    },
}

/// A picture whose sizes do not fit its bytes or its use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// A side of zero pixels, or a size whose bytes cannot be counted.
    #[error("a picture of {width}x{height} pixels is not usable; both sides must be at least 1")]
    BadSize {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The distance between two rows is smaller than a row.
    #[error("the row stride of {stride} bytes is shorter than a row of {row_bytes} bytes")]
    ShortStride {
        /// Stride in bytes.
        stride: usize,
        /// Bytes that a row of pixels takes.
        row_bytes: usize,
    },
    /// Not as many bytes as the sizes ask for.
    #[error("{found} bytes given for a {width}x{height} picture that needs {expected}")]
    WrongLength {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Bytes given.
        found: usize,
        /// Bytes needed.
        expected: usize,
    },
    /// A crop that is not the square the model asks for.
    #[error("the crop is {width}x{height} pixels and the model takes {side}x{side}; align the face first")]
    WrongCrop {
        /// Width of the crop in pixels.
        width: usize,
        /// Height of the crop in pixels.
        height: usize,
        /// Side that the model takes, in pixels.
        side: usize,
    },
    /// The buffer for a tensor has the wrong length.
    #[error("the tensor buffer holds {found} values and the model takes {expected}")]
    WrongTensor {
        /// Values that the buffer holds.
        found: usize,
        /// Values needed.
        expected: usize,
    },
}

/// A network that cannot be loaded or run.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The bytes are no ONNX network that can be run here.
    #[error("`{name}` is no usable ONNX network: {cause}; export it again")]
    Load {
        /// Name of the network.
        name: String,
        /// What the loader said.
        cause: String,
    },
    /// The network's input is not the one expected.
    #[error("`{name}` takes {found} and must take {expected}; check `side` and the exported network")]
    Input {
        /// Name of the network.
        name: String,
        /// What the file says.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// The network's output is not one number a label.
    #[error(
        "`{name}` gives {found} and must give {expected}, one number a label; check `labels` and the exported network"
    )]
    Output {
        /// Name of the network.
        name: String,
        /// What the file says.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// A tensor of the wrong length was handed in.
    #[error("`{name}` takes {expected} values and was given {found}; make the tensor with `InputSpec`")]
    TensorLength {
        /// Name of the network.
        name: String,
        /// Values given.
        found: usize,
        /// Values taken.
        expected: usize,
    },
    /// The network failed while it ran.
    #[error("`{name}` failed on a crop: {cause}")]
    Run {
        /// Name of the network.
        name: String,
        /// What the runtime said.
        cause: String,
    },
    /// An output is infinite or not a number.
    #[error("`{name}` gave {value} at output {index}; its weights or its input are damaged, export it again")]
    NotFinite {
        /// Name of the network.
        name: String,
        /// Which output.
        index: usize,
        /// What it was.
        value: f32,
    },
    /// The crop does not fit the model.
    #[error(transparent)]
    Crop(#[from] ImageError),
}

/// A bundle that cannot be read, is not what it says, or cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A file of the bundle cannot be read.
    #[error("cannot read {}: {cause}; check the path, or make the bundle again", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is larger than any bundle's is.
    #[error("{} has {found} bytes and at most {limit} are read; it is no file of a bundle", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The longest that is read, in bytes.
        limit: u64,
    },
    /// The manifest or the golden set is not written as it should be.
    #[error("{}{place}: {cause}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// `:line:column`, or nothing where that is not known.
        place: String,
        /// What is wrong there.
        cause: String,
    },
    /// The manifest is of another schema.
    #[error("{} is of schema {found} and this program reads schema {expected}; use a program and a bundle of the same release", path.display())]
    Schema {
        /// The manifest.
        path: PathBuf,
        /// Schema of the file.
        found: String,
        /// Schema that this program reads.
        expected: u32,
    },
    /// A value of the manifest is out of its range.
    #[error("{}: `{key}` is {found} and must be {expected}", path.display())]
    Value {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// The bytes of a file are not those that the manifest was written for.
    #[error("{} has the sha-256 {found} and the manifest says {expected}; the file is damaged or was exchanged, copy the bundle again", path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// Hash of the bytes.
        found: String,
        /// Hash in the manifest.
        expected: String,
    },
    /// A model of the bundle cannot be used.
    #[error("{}: {cause}", path.display())]
    Model {
        /// The bundle.
        path: PathBuf,
        /// What is wrong with it.
        cause: ClassifierError,
    },
    /// The models do not answer on this machine what they answered where they were made.
    #[error("{}: pair {pair}, model {model}: {cause}; the bundle or this build is broken, do not use them together", path.display())]
    Golden {
        /// The golden set.
        path: PathBuf,
        /// Which pair, from 0.
        pair: usize,
        /// Which model.
        model: ModelChoice,
        /// What was found and what was expected.
        cause: String,
    },
    /// A file is to be written that the manifest does not name, or the other way round.
    #[error("the bundle {} is not complete: {cause}", path.display())]
    Files {
        /// The bundle.
        path: PathBuf,
        /// Which file and why.
        cause: String,
    },
    /// Something else lies where the bundle is to be written.
    #[error("{} {cause}; it is not overwritten, choose another folder or empty it", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What is there.
        cause: String,
    },
    /// The bundle cannot be written.
    #[error("cannot write {}: {cause}; check the disk and the rights of the folder", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}
