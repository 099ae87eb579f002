//! A V4L2 camera: negotiation, memory-mapped buffers, streaming. The only module that talks to
//! the driver; what comes out are bytes and what the driver says about them.

mod sys;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;

use super::capture::{Capture, Fault, Raw};
use super::config::CameraConfig;
use super::pixels::{Layout, PixelFormat};

/// V4L2's unit of exposure times, in microseconds.
const EXPOSURE_UNIT_US: u32 = 100;
/// Buffers that the driver fills in turn: one with us, one being filled, two for late wake-ups.
const BUFFERS: u32 = 4;

/// Drivers of CSI receivers and of the processors behind them: Raspberry Pi up to 4, Raspberry Pi 5, Jetson.
const CSI_DRIVERS: [&str; 5] = ["unicam", "bcm2835-isp", "rp1-cfe", "pispbe", "tegra-video"];

/// What a video node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The camera's name.
    pub card: String,
    /// The driver's name.
    pub driver: String,
    /// What the node is good for.
    pub kind: NodeKind,
}

/// What a video node is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Hands out pictures that can be mapped.
    Camera,
    /// The raw end of a CSI sensor, which hands out what no picture is yet: it wants libcamera.
    Csi,
    /// Hands out data about pictures; every USB camera has such a node beside the real one.
    Metadata,
    /// Something else: an output, a codec, a radio.
    Other,
}

/// Asks a video node what it is.
///
/// # Errors
/// The node cannot be opened or is no V4L2 device.
pub fn about(node: &Path) -> io::Result<About> {
    about_device(&open_node(node)?)
}

fn open_node(node: &Path) -> io::Result<File> {
    // Not blocking, so that only `poll` ever waits, and only so long.
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(node)
}

fn about_device(device: &File) -> io::Result<About> {
    let mut answer = sys::Capability::default();
    sys::call(device.as_fd(), sys::QUERYCAP, &mut answer)?;
    let node = if answer.capabilities & sys::CAP_DEVICE_CAPS != 0 { answer.device_caps } else { answer.capabilities };
    let (card, driver) = (text_of(&answer.card), text_of(&answer.driver));
    let kind = kind_of(node, &driver);
    Ok(About { card, driver, kind })
}

/// What a node with these capabilities is good for.
fn kind_of(node: u32, driver: &str) -> NodeKind {
    if node & sys::CAP_META_CAPTURE != 0 {
        return NodeKind::Metadata;
    }
    if node & (sys::CAP_VIDEO_CAPTURE | sys::CAP_VIDEO_CAPTURE_MPLANE) == 0 {
        return NodeKind::Other;
    }
    // Plane by plane is how bridges to sensors speak; some speak plainly and still hand out raw data.
    if node & sys::CAP_VIDEO_CAPTURE == 0 || CSI_DRIVERS.contains(&driver) {
        return NodeKind::Csi;
    }
    if node & sys::CAP_STREAMING != 0 { NodeKind::Camera } else { NodeKind::Other }
}

/// A string of the kernel: up to the first zero.
fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// An open camera that streams.
#[derive(Debug)]
pub struct Camera {
    device: File,
    about: About,
    layout: Layout,
    fps: Option<f32>,
    buffers: Vec<Mapping>,
    /// The buffer whose picture was handed out last.
    lent: Option<sys::Buffer>,
}

impl Camera {
    /// Opens a node, agrees with the driver on a format, and starts the stream.
    ///
    /// # Errors
    /// A [`Fault`] that tells the reasons apart.
    pub fn open(node: &Path, wanted: &CameraConfig) -> Result<Self, Fault> {
        let device = open_node(node).map_err(|error| Fault::of_open(&error))?;
        let about = about_device(&device).map_err(|_| Fault::NoCamera("it is no video device".into()))?;
        match about.kind {
            NodeKind::Camera => {}
            NodeKind::Csi => return Err(Fault::Csi),
            NodeKind::Metadata => {
                return Err(Fault::NoCamera("it hands out data about pictures, not pictures".into()));
            }
            NodeKind::Other => return Err(Fault::NoCamera(format!("{} hands out no pictures", about.card))),
        }
        let layout = negotiate(&device, wanted)?;
        let fps = set_interval(&device, wanted.fps);
        set_controls(&device, wanted)?;
        let mut camera = Self { device, about, layout, fps, buffers: Vec::new(), lent: None };
        camera.map_buffers()?;
        camera.start()?;
        Ok(camera)
    }

    fn map_buffers(&mut self) -> Result<(), Fault> {
        let mut request = sys::RequestBuffers {
            count: BUFFERS,
            buffer_type: sys::BUF_TYPE_VIDEO_CAPTURE,
            memory: sys::MEMORY_MMAP,
            ..Default::default()
        };
        self.call(sys::REQBUFS, &mut request, "setting up buffers")?;
        for index in 0..request.count {
            let mut buffer = self.buffer(index);
            self.call(sys::QUERYBUF, &mut buffer, "asking for a buffer")?;
            let mapping = Mapping::new(&self.device, buffer.length as usize, buffer.offset as libc::off_t)
                .map_err(|error| Fault::Driver(format!("mapping a buffer: {error}")))?;
            self.buffers.push(mapping);
            self.call(sys::QBUF, &mut buffer, "handing over a buffer")?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), Fault> {
        let mut kind = sys::BUF_TYPE_VIDEO_CAPTURE as i32;
        self.call(sys::STREAMON, &mut kind, "starting the stream")
    }

    fn buffer(&self, index: u32) -> sys::Buffer {
        sys::Buffer { index, buffer_type: sys::BUF_TYPE_VIDEO_CAPTURE, memory: sys::MEMORY_MMAP, ..Default::default() }
    }

    fn call<T>(&self, request: sys::Request<T>, argument: &mut T, doing: &str) -> Result<(), Fault> {
        sys::call(self.device.as_fd(), request, argument).map_err(|error| Fault::of_stream(&error, doing))
    }

    /// Waits for a filled buffer; false when there was none in time.
    fn wait(&self, patience: Duration) -> Result<bool, Fault> {
        let mut poll = libc::pollfd { fd: self.device.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let patience = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one pollfd of a file that is open as long as `self` is.
        match unsafe { libc::poll(&raw mut poll, 1, patience) } {
            0 => Ok(false),
            -1 => {
                let error = io::Error::last_os_error();
                // A signal: whoever asked looks whether it means the end.
                if error.kind() == io::ErrorKind::Interrupted {
                    Ok(false)
                } else {
                    Err(Fault::of_stream(&error, "waiting"))
                }
            }
            _ => Ok(true),
        }
    }

    /// The next filled buffer, if there is one already.
    fn take(&self) -> Result<Option<sys::Buffer>, Fault> {
        let mut buffer = self.buffer(0);
        match sys::call(self.device.as_fd(), sys::DQBUF, &mut buffer) {
            Ok(()) => Ok(Some(buffer)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(Fault::of_stream(&error, "reading a frame")),
        }
    }

    fn give_back(&self, mut buffer: sys::Buffer) -> Result<(), Fault> {
        self.call(sys::QBUF, &mut buffer, "handing back a buffer")
    }
}

impl Capture for Camera {
    fn describe(&self) -> String {
        let rate = self.fps.map_or_else(String::new, |fps| format!(", {fps:.0} frames a second"));
        format!("{}, {}{rate}", self.about.card, self.layout)
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn exposure_us(&self) -> Option<u32> {
        let mut control = sys::Control { id: sys::CID_EXPOSURE_ABSOLUTE, value: 0 };
        sys::call(self.device.as_fd(), sys::G_CTRL, &mut control).ok()?;
        u32::try_from(control.value).ok().filter(|&units| units > 0)?.checked_mul(EXPOSURE_UNIT_US)
    }

    fn newest(&mut self, patience: Duration) -> Result<Option<Raw<'_>>, Fault> {
        if let Some(lent) = self.lent.take() {
            self.give_back(lent)?;
        }
        if !self.wait(patience)? {
            return Ok(None);
        }
        let mut newest = None;
        while let Some(buffer) = self.take()? {
            // A damaged picture is as good as none; only a newer sound one replaces the last.
            if buffer.flags & sys::BUF_FLAG_ERROR != 0 {
                self.give_back(buffer)?;
            } else if let Some(older) = newest.replace(buffer) {
                self.give_back(older)?;
            }
        }
        self.lent = newest;
        let Some(buffer) = newest else { return Ok(None) };
        let Some(mapping) = self.buffers.get(buffer.index as usize) else {
            return Err(Fault::Driver(format!("the driver names a buffer {} that there is not", buffer.index)));
        };
        let bytes = mapping.bytes();
        let used = (buffer.bytes_used as usize).min(bytes.len());
        Ok(Some(Raw { bytes: &bytes[..used], sequence: buffer.sequence }))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        let mut kind = sys::BUF_TYPE_VIDEO_CAPTURE as i32;
        // A camera that was unplugged refuses, and needs no stop either.
        let _ = sys::call(self.device.as_fd(), sys::STREAMOFF, &mut kind);
    }
}

/// Asks for the pixel formats in order of preference and takes the first that the driver really
/// gives: some answer with another format and no error.
fn negotiate(device: &File, wanted: &CameraConfig) -> Result<Layout, Fault> {
    let offered = offered(device);
    let usable: Vec<PixelFormat> =
        wanted.formats().filter(|format| offered.is_empty() || offered.contains(&format.fourcc())).collect();
    for format in usable {
        let mut request = sys::Format {
            buffer_type: sys::BUF_TYPE_VIDEO_CAPTURE,
            pix: sys::PixFormat {
                width: wanted.width,
                height: wanted.height,
                pixel_format: u32::from_le_bytes(format.fourcc()),
                ..Default::default()
            },
        };
        match sys::call(device.as_fd(), sys::S_FMT, &mut request) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => return Err(Fault::Busy),
            Err(_) => continue,
        }
        let pix = request.pix;
        if pix.pixel_format == u32::from_le_bytes(format.fourcc()) {
            return Layout::new(format, pix.width as usize, pix.height as usize, pix.bytes_per_line as usize)
                .map_err(Fault::Driver);
        }
    }
    let names: Vec<String> = offered.iter().map(|fourcc| fourcc.escape_ascii().to_string()).collect();
    Err(Fault::NoFormat(names.join(", ")))
}

/// The pixel formats that the driver lists.
fn offered(device: &File) -> Vec<[u8; 4]> {
    let mut list = Vec::new();
    loop {
        let mut entry = sys::FormatDescription {
            index: list.len() as u32,
            buffer_type: sys::BUF_TYPE_VIDEO_CAPTURE,
            ..Default::default()
        };
        if sys::call(device.as_fd(), sys::ENUM_FMT, &mut entry).is_err() || list.len() > 256 {
            return list;
        }
        list.push(entry.pixel_format.to_le_bytes());
    }
}

/// Asks for a frame rate and gives the one that the driver then states, if it states any.
fn set_interval(device: &File, fps: Option<f32>) -> Option<f32> {
    let mut parameters = sys::StreamParameters { buffer_type: sys::BUF_TYPE_VIDEO_CAPTURE, ..Default::default() };
    sys::call(device.as_fd(), sys::G_PARM, &mut parameters).ok()?;
    if let Some(fps) = fps.filter(|_| parameters.capability & sys::CAP_TIMEPERFRAME != 0) {
        parameters.time_per_frame = [1000, (fps * 1000.0).round() as u32];
        // One that keeps its own rate is read back below.
        let _ = sys::call(device.as_fd(), sys::S_PARM, &mut parameters);
    }
    let [secs, frames] = parameters.time_per_frame;
    (secs > 0 && frames > 0).then(|| frames as f32 / secs as f32)
}

fn set_controls(device: &File, wanted: &CameraConfig) -> Result<(), Fault> {
    let mut controls = Vec::new();
    if let Some(exposure_us) = wanted.exposure_us {
        const MANUAL: i32 = 1;
        controls.push(("exposure-us (manual exposure)", sys::CID_EXPOSURE_AUTO, MANUAL));
        let units = (exposure_us / EXPOSURE_UNIT_US).max(1);
        controls.push(("exposure-us", sys::CID_EXPOSURE_ABSOLUTE, i32::try_from(units).unwrap_or(i32::MAX)));
    }
    if let Some(gain) = wanted.gain {
        controls.push(("gain", sys::CID_GAIN, gain));
    }
    if let Some(frequency) = wanted.power_line {
        controls.push(("power-line", sys::CID_POWER_LINE_FREQUENCY, frequency as i32));
    }
    for (key, id, value) in controls {
        let mut control = sys::Control { id, value };
        sys::call(device.as_fd(), sys::S_CTRL, &mut control)
            .map_err(|error| Fault::Control(format!("`{key}`: {error}")))?;
    }
    Ok(())
}

/// A buffer of the driver in our memory, for reading.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    fn new(device: &File, length: usize, offset: libc::off_t) -> io::Result<Self> {
        // SAFETY: a new mapping of a length and offset that the driver gave; nothing else is
        // touched, and a failure is looked for.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                device.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        Ok(Self { start, length })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for this length until drop. The driver writes into it only between QBUF
        // and DQBUF, and this is called only for buffers that were dequeued.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped, and nobody has a reference any more.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csi_receivers_are_known_by_their_planes_and_by_their_names() {
        let plain = sys::CAP_VIDEO_CAPTURE | sys::CAP_STREAMING;
        for (node, driver, kind) in [
            (plain, "uvcvideo", NodeKind::Camera),
            (plain, "unicam", NodeKind::Csi),
            (plain, "tegra-video", NodeKind::Csi),
            (sys::CAP_VIDEO_CAPTURE_MPLANE | sys::CAP_STREAMING, "rkisp1", NodeKind::Csi),
            (sys::CAP_META_CAPTURE | sys::CAP_STREAMING, "rp1-cfe", NodeKind::Metadata),
            (sys::CAP_STREAMING, "bcm2835-codec", NodeKind::Other),
            (sys::CAP_VIDEO_CAPTURE, "old", NodeKind::Other),
        ] {
            assert_eq!(kind_of(node, driver), kind, "{driver}");
        }
    }
}
