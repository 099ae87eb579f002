//! The part of Linux' `videodev2.h` that a camera needs, for every processor that Mien runs on.
//!
//! Written down here because bindings made at build time would ask for libclang on every
//! machine that builds Mien. The tests hold the layouts to those of the C header.

use std::ffi::{c_int, c_long, c_ulong};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`, the only kind of buffer used here.
pub const BUF_TYPE_VIDEO_CAPTURE: u32 = 1;
/// `V4L2_MEMORY_MMAP`: buffers of the driver, mapped into the process.
pub const MEMORY_MMAP: u32 = 1;
/// `V4L2_CAP_VIDEO_CAPTURE`: the node hands out pictures.
pub const CAP_VIDEO_CAPTURE: u32 = 0x0000_0001;
/// `V4L2_CAP_VIDEO_CAPTURE_MPLANE`: it does so plane by plane, as bridges to CSI sensors do.
pub const CAP_VIDEO_CAPTURE_MPLANE: u32 = 0x0000_1000;
/// `V4L2_CAP_META_CAPTURE`: the node hands out data about pictures.
pub const CAP_META_CAPTURE: u32 = 0x0080_0000;
/// `V4L2_CAP_STREAMING`: buffers can be mapped.
pub const CAP_STREAMING: u32 = 0x0400_0000;
/// `V4L2_CAP_DEVICE_CAPS`: `device_caps` speaks of this node, not of the whole device.
pub const CAP_DEVICE_CAPS: u32 = 0x8000_0000;
/// `V4L2_BUF_FLAG_ERROR`: the picture in the buffer is damaged.
pub const BUF_FLAG_ERROR: u32 = 0x40;
/// `V4L2_CAP_TIMEPERFRAME`: the interval between frames can be set.
pub const CAP_TIMEPERFRAME: u32 = 0x1000;

/// `V4L2_CID_GAIN`.
pub const CID_GAIN: u32 = 0x0098_0913;
/// `V4L2_CID_POWER_LINE_FREQUENCY`: 0 off, 1 50 Hz, 2 60 Hz, 3 automatic.
pub const CID_POWER_LINE_FREQUENCY: u32 = 0x0098_0918;
/// `V4L2_CID_EXPOSURE_AUTO`: 1 manual, 3 aperture priority.
pub const CID_EXPOSURE_AUTO: u32 = 0x009a_0901;
/// `V4L2_CID_EXPOSURE_ABSOLUTE`, in units of 100 us.
pub const CID_EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;

/// `struct v4l2_capability`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Capability {
    pub driver: [u8; 16],
    pub card: [u8; 32],
    pub bus_info: [u8; 32],
    pub version: u32,
    pub capabilities: u32,
    pub device_caps: u32,
    pub reserved: [u32; 3],
}

/// `struct v4l2_fmtdesc`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct FormatDescription {
    pub index: u32,
    pub buffer_type: u32,
    pub flags: u32,
    pub description: [u8; 32],
    pub pixel_format: u32,
    pub mbus_code: u32,
    pub reserved: [u32; 3],
}

/// `struct v4l2_format` with the `pix` member of its union.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Format {
    pub buffer_type: u32,
    pub pix: PixFormat,
}

/// `struct v4l2_pix_format`, filled up to the size of the union it lives in.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PixFormat {
    /// The union has members with pointers, and their alignment.
    pub alignment: [c_ulong; 0],
    pub width: u32,
    pub height: u32,
    pub pixel_format: u32,
    pub field: u32,
    pub bytes_per_line: u32,
    pub size_image: u32,
    pub colour_space: u32,
    pub private: u32,
    pub flags: u32,
    pub encoding: u32,
    pub quantization: u32,
    pub transfer: u32,
    pub rest: [[u32; 19]; 2],
}

/// `struct v4l2_streamparm` with the `capture` member of its union.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct StreamParameters {
    pub buffer_type: u32,
    pub capability: u32,
    pub mode: u32,
    /// Seconds between two frames: numerator and denominator.
    pub time_per_frame: [u32; 2],
    pub extended_mode: u32,
    pub read_buffers: u32,
    pub reserved: [u32; 4],
    pub rest: [[u32; 20]; 2],
}

/// `struct v4l2_requestbuffers`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestBuffers {
    pub count: u32,
    pub buffer_type: u32,
    pub memory: u32,
    pub capabilities: u32,
    pub flags: u32,
}

/// `struct v4l2_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Buffer {
    pub index: u32,
    pub buffer_type: u32,
    pub bytes_used: u32,
    pub flags: u32,
    pub field: u32,
    /// `struct timeval`: seconds and microseconds.
    pub timestamp: [c_long; 2],
    pub timecode: [u32; 4],
    pub sequence: u32,
    pub memory: u32,
    /// The union's `offset` on a little-endian machine.
    pub offset: c_ulong,
    pub length: u32,
    pub reserved: u32,
    pub request_fd: i32,
}

/// `struct v4l2_control`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Control {
    pub id: u32,
    pub value: i32,
}

/// A request of the kernel's `_IOC(direction, 'V', number, size)`.
#[derive(Clone, Copy)]
pub struct Request<T> {
    code: u32,
    argument: std::marker::PhantomData<T>,
}

impl<T> Request<T> {
    const WRITE: u32 = 1;
    const READ: u32 = 2;

    const fn new(direction: u32, number: u32) -> Self {
        let code = direction << 30 | (size_of::<T>() as u32) << 16 | (b'V' as u32) << 8 | number;
        Self { code, argument: std::marker::PhantomData }
    }
}

pub const QUERYCAP: Request<Capability> = Request::new(Request::<Capability>::READ, 0);
pub const ENUM_FMT: Request<FormatDescription> = both(2);
pub const S_FMT: Request<Format> = both(5);
pub const REQBUFS: Request<RequestBuffers> = both(8);
pub const QUERYBUF: Request<Buffer> = both(9);
pub const QBUF: Request<Buffer> = both(15);
pub const DQBUF: Request<Buffer> = both(17);
pub const STREAMON: Request<c_int> = Request::new(Request::<c_int>::WRITE, 18);
pub const STREAMOFF: Request<c_int> = Request::new(Request::<c_int>::WRITE, 19);
pub const G_PARM: Request<StreamParameters> = both(21);
pub const S_PARM: Request<StreamParameters> = both(22);
pub const G_CTRL: Request<Control> = both(27);
pub const S_CTRL: Request<Control> = both(28);

const fn both<T>(number: u32) -> Request<T> {
    Request::new(Request::<T>::READ | Request::<T>::WRITE, number)
}

/// Sends a request to a video device; the kernel may change `argument`.
///
/// # Errors
/// What the driver answers.
pub fn call<T>(device: BorrowedFd<'_>, request: Request<T>, argument: &mut T) -> io::Result<()> {
    loop {
        // SAFETY: the request's code carries the size of T, which is what the kernel reads and
        // writes behind the pointer, and every T here is plain numbers.
        let answer = unsafe { libc::ioctl(device.as_raw_fd(), request.code as _, std::ptr::from_mut(argument)) };
        if answer != -1 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn layouts_and_codes_are_those_of_the_header() {
        // From videodev2.h of Linux 6.1, compiled by gcc for x86-64 and aarch64.
        assert_eq!(QUERYCAP.code, 0x8068_5600);
        assert_eq!(ENUM_FMT.code, 0xc040_5602);
        assert_eq!(S_FMT.code, 0xc0d0_5605);
        assert_eq!(REQBUFS.code, 0xc014_5608);
        assert_eq!(QUERYBUF.code, 0xc058_5609);
        assert_eq!(QBUF.code, 0xc058_560f);
        assert_eq!(DQBUF.code, 0xc058_5611);
        assert_eq!(STREAMON.code, 0x4004_5612);
        assert_eq!(STREAMOFF.code, 0x4004_5613);
        assert_eq!(G_PARM.code, 0xc0cc_5615);
        assert_eq!(S_PARM.code, 0xc0cc_5616);
        assert_eq!(G_CTRL.code, 0xc008_561b);
        assert_eq!(S_CTRL.code, 0xc008_561c);
        assert_eq!(std::mem::offset_of!(Buffer, sequence), 56);
        assert_eq!(std::mem::offset_of!(Buffer, offset), 64);
        assert_eq!(std::mem::offset_of!(Format, pix), 8);
    }
}
