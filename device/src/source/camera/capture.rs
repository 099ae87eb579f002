//! The seam between a camera and what is done with its pictures, and what can go wrong at it.

use std::fmt;
use std::io;
use std::time::Duration;

use super::pixels::Layout;
use crate::diagnostics::Problem;

/// A camera that streams.
pub trait Capture {
    /// Name, format, size and rate as the camera states them.
    fn describe(&self) -> String;

    /// How its bytes are to be read.
    fn layout(&self) -> Layout;

    /// The exposure time that the camera states, in microseconds, if it states one.
    fn exposure_us(&self) -> Option<u32>;

    /// Waits up to `patience` for a picture and gives the newest there is; older ones are passed
    /// over. `None` when none came in time.
    ///
    /// # Errors
    /// The stream is over until the camera is opened again.
    fn newest(&mut self, patience: Duration) -> Result<Option<Raw<'_>>, Fault>;
}

/// One picture as the camera gives it.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// Its bytes, only those that are used.
    pub bytes: &'a [u8],
    /// The driver's running number; starts again when the camera does, and wraps around.
    pub sequence: u32,
}

/// What a camera of this name is called in messages.
pub fn title(name: &str) -> String {
    if name == super::FIRST { name.into() } else { format!("camera {name}") }
}

/// Why a camera gives no pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This machine has no camera.
    NoneThere,
    /// There is no such device.
    Missing,
    /// The user may not open it.
    Permission,
    /// Another program has it.
    Busy,
    /// It is there, but no camera; why not.
    NoCamera(String),
    /// The raw end of a CSI sensor.
    Csi,
    /// It has none of our pixel formats; those that it has.
    NoFormat(String),
    /// It refuses a setting; which and why.
    Control(String),
    /// It was unplugged, or its driver went away.
    Gone,
    /// The bus has no room for the stream.
    Bandwidth,
    /// It streams, and nothing comes.
    Stalled,
    /// Anything else that the driver says.
    Driver(String),
}

impl Fault {
    /// What an error of opening the device means.
    pub fn of_open(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => Self::Missing,
            Some(libc::EACCES | libc::EPERM) => Self::Permission,
            Some(libc::EBUSY) => Self::Busy,
            _ => Self::Driver(format!("opening it: {error}")),
        }
    }

    /// What an error of the stream means.
    pub fn of_stream(error: &io::Error, doing: &str) -> Self {
        match error.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO | libc::EBADF) => Self::Gone,
            Some(libc::EBUSY) => Self::Busy,
            Some(libc::ENOSPC) => Self::Bandwidth,
            _ => Self::Driver(format!("{doing}: {error}")),
        }
    }

    /// Whether trying again later may help without anybody changing a setting.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::NoCamera(_) | Self::Csi | Self::NoFormat(_) | Self::Control(_))
    }

    /// The fault as an error that ends the program.
    pub fn into_problem(self, name: &str) -> Problem {
        let message = format!("{}: {self}", title(name));
        let problem = match self {
            Self::NoneThere | Self::Missing | Self::NoCamera(_) | Self::Csi | Self::NoFormat(_) | Self::Control(_) => {
                Problem::input(message)
            }
            Self::Permission | Self::Busy | Self::Gone | Self::Bandwidth | Self::Stalled | Self::Driver(_) => {
                Problem::failure(message)
            }
        };
        problem.next_step(self.next_step(name))
    }

    fn next_step(&self, name: &str) -> String {
        match self {
            Self::NoneThere | Self::Missing | Self::NoCamera(_) => {
                "`mien list-cameras` shows the cameras there are; plug one in, or try \
                --source demo."
                    .into()
            }
            Self::Permission => {
                "Add yourself to the group video (sudo usermod -aG video $USER) and log in again.".into()
            }
            Self::Busy => format!("Another program has it; `fuser -v {name}` says which. End that one first."),
            Self::Csi => "A CSI camera needs libcamera in between: sudo apt install libcamera-v4l2, and start mien \
                with `libcamerify mien ...`; on a Jetson a v4l2loopback device that nvarguscamerasrc fills does it. Or \
                use a USB camera."
                .into(),
            Self::NoFormat(_) => "mien reads YUYV, UYVY, NV12, GREY and MJPEG; leave `format` out of [camera], or use \
                another camera."
                .into(),
            Self::Control(_) => {
                "Leave that key out of [camera]; `v4l2-ctl --list-ctrls` shows what the camera takes.".into()
            }
            Self::Gone => "Plug it in again, directly and not through a hub.".into(),
            Self::Bandwidth => "Plug it into a USB port of its own, or set `format = \"mjpeg\"` or a smaller size in \
                [camera]."
                .into(),
            Self::Stalled => {
                "Unplug it and plug it in again; if it comes back, try another cable or a powered hub.".into()
            }
            Self::Driver(_) => "Look into `sudo dmesg | tail`; unplug the camera and plug it in again.".into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoneThere => f.write_str("there is none"),
            Self::Missing => f.write_str("there is no such device"),
            Self::Permission => f.write_str("you may not open it"),
            Self::Busy => f.write_str("it is in use"),
            Self::NoCamera(why) => write!(f, "{why}"),
            Self::Csi => f.write_str("it is the raw end of a CSI sensor, which gives no finished pictures"),
            Self::NoFormat(offered) if offered.is_empty() => f.write_str("it has none of the pixel formats wanted"),
            Self::NoFormat(offered) => write!(f, "it has only the pixel formats {offered}"),
            Self::Control(what) => write!(f, "it does not take {what}"),
            Self::Gone => f.write_str("it is gone"),
            Self::Bandwidth => f.write_str("the USB bus has no room for its pictures"),
            Self::Stalled => f.write_str("it sends no pictures"),
            Self::Driver(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{EXIT_BAD_INPUT, EXIT_FAILURE, exit_code, message};

    #[test]
    fn the_reasons_are_told_apart_and_each_has_a_next_step() {
        for (code, fault, exit, told) in [
            (libc::ENOENT, Fault::Missing, EXIT_BAD_INPUT, "list-cameras"),
            (libc::EACCES, Fault::Permission, EXIT_FAILURE, "group video"),
            (libc::EBUSY, Fault::Busy, EXIT_FAILURE, "fuser -v /dev/video7"),
        ] {
            let found = Fault::of_open(&io::Error::from_raw_os_error(code));
            assert_eq!(found, fault);
            let error = found.into_problem("/dev/video7").into();
            assert_eq!(exit_code(&error), exit);
            let text = message(&error);
            assert!(text.starts_with("error: camera /dev/video7: ") && text.contains(told), "{text}");
        }
        let stream = |code| Fault::of_stream(&io::Error::from_raw_os_error(code), "reading a frame");
        assert_eq!(stream(libc::ENODEV), Fault::Gone);
        assert_eq!(stream(libc::ENOSPC), Fault::Bandwidth);
        assert!(stream(libc::EIO).to_string().starts_with("reading a frame: "));
        assert!(stream(libc::EIO).may_pass() && !Fault::Csi.may_pass());
    }
}
