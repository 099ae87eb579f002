//! The camera's way through trouble, with a script in place of the driver. What the driver itself
//! does is tested against a real one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::capture::Raw;
use super::pixels::{Layout, PixelFormat};
use super::*;
use crate::clock::fake::SteppingClock;
use crate::diagnostics::message;

/// What happens next at the camera.
#[derive(Clone)]
enum Event {
    /// A picture with this sequence number and of this gray.
    Picture(u32, u8),
    /// A picture cut short.
    Damaged(u32),
    /// Nothing in time.
    Nothing,
    /// The stream breaks.
    Breaks(Fault),
    /// The next try to open it fails.
    Refuses(Fault),
}

#[derive(Clone)]
struct Script(Rc<RefCell<VecDeque<Event>>>, Vec<u8>);

impl Capture for Script {
    fn describe(&self) -> String {
        "a script".into()
    }

    fn layout(&self) -> Layout {
        Layout::new(PixelFormat::Grey, 4, 2, 0).unwrap()
    }

    fn exposure_us(&self) -> Option<u32> {
        Some(100 * self.0.borrow().len() as u32)
    }

    fn newest(&mut self, _patience: Duration) -> Result<Option<Raw<'_>>, Fault> {
        let (length, gray, sequence) = match self.0.borrow_mut().pop_front() {
            Some(Event::Picture(sequence, gray)) => (8, gray, sequence),
            Some(Event::Damaged(sequence)) => (5, 0, sequence),
            Some(Event::Nothing) | None => return Ok(None),
            Some(Event::Breaks(fault)) => return Err(fault),
            Some(Event::Refuses(_)) => panic!("the camera is open"),
        };
        self.1 = vec![gray; length];
        Ok(Some(Raw { bytes: &self.1, sequence }))
    }
}

/// A camera that does all this, on a clock that moves on by 100 ms a look.
fn camera(events: Vec<Event>) -> CameraSource {
    open(events, false).unwrap()
}

fn open(events: Vec<Event>, wait: bool) -> Result<CameraSource, Fault> {
    let script = Script(Rc::new(RefCell::new(events.into())), Vec::new());
    let open = move || -> Result<Box<dyn Capture>, Fault> {
        let refused = matches!(script.0.borrow().front(), Some(Event::Refuses(_)));
        match script.0.borrow_mut().pop_front_if(|_| refused) {
            Some(Event::Refuses(fault)) => Err(fault),
            _ => Ok(Box::new(script.clone())),
        }
    };
    let clock = Box::new(SteppingClock::new(Duration::from_millis(100)));
    CameraSource::open("/dev/video0", open, clock, |_| {}, wait)
}

/// The next picture, however often one has to ask.
fn next(source: &mut CameraSource) -> Frame {
    (0..1000).find_map(|_| source.next_frame().unwrap()).unwrap()
}

#[test]
fn pictures_are_numbered_and_gaps_counted_also_across_the_end_of_the_numbers() {
    use Event::Picture;
    let mut source = camera(vec![Picture(u32::MAX - 1, 1), Picture(u32::MAX, 2), Picture(2, 3), Picture(2, 4)]);
    let frames: Vec<Frame> = (0..4).map(|_| next(&mut source)).collect();
    let seen: Vec<_> = frames.iter().map(|frame| (frame.number, frame.gray.pixels()[0])).collect();
    assert_eq!(seen, [(0, 1), (1, 2), (2, 3), (3, 4)]);
    assert!(frames.windows(2).all(|pair| pair[0].captured_at < pair[1].captured_at));
    // Numbers 0 and 1 are missing; a number that is repeated misses nothing.
    assert_eq!(source.dropped(), 2);
}

#[test]
fn a_damaged_picture_is_dropped_and_the_next_one_comes() {
    let mut source = camera(vec![Event::Picture(0, 1), Event::Damaged(1), Event::Picture(2, 3)]);
    next(&mut source);
    assert_eq!(next(&mut source).number, 1);
    assert_eq!((source.dropped(), source.bad_frames()), (1, 1));
}

#[test]
fn the_exposure_is_asked_for_once_a_second() {
    // Each picture takes two looks at the clock.
    let mut source = camera((0..24).map(|number| Event::Picture(number, 1)).collect());
    let mut exposures: Vec<Option<u32>> = (0..24)
        .map(|_| {
            next(&mut source);
            source.exposure_us()
        })
        .collect();
    exposures.dedup();
    assert_eq!(exposures.len(), 5, "{exposures:?}");
    assert_eq!(exposures[0], Some(2400));
}

#[test]
fn an_unplugged_camera_comes_back_by_itself() {
    let mut events = vec![Event::Picture(7, 1), Event::Breaks(Fault::Gone)];
    events.extend([Fault::Missing, Fault::Missing, Fault::Busy].map(Event::Refuses));
    events.push(Event::Picture(0, 2));
    let mut source = camera(events);
    next(&mut source);
    assert!(source.next_frame().unwrap().is_none());
    assert_eq!(source.pause(), Pause::Lost("camera: it is gone".into()));
    let frame = next(&mut source);
    assert_eq!((frame.number, frame.gray.pixels()[0]), (1, 2));
    assert_eq!(source.dropped(), 0);
}

#[test]
fn a_camera_that_comes_later_is_waited_for_where_that_is_wanted() {
    let events = || vec![Event::Refuses(Fault::Missing), Event::Refuses(Fault::Busy), Event::Picture(0, 5)];
    assert_eq!(open(events(), false).err(), Some(Fault::Missing));
    let mut source = open(events(), true).unwrap();
    assert_eq!(source.pause(), Pause::Lost("camera: there is no such device".into()));
    assert_eq!(next(&mut source).gray.pixels()[0], 5);
    // Waiting does not help against what no waiting cures.
    assert_eq!(open(vec![Event::Refuses(Fault::Csi)], true).err(), Some(Fault::Csi));
}

#[test]
fn a_silent_camera_is_opened_anew() {
    let mut events = vec![Event::Picture(0, 1)];
    // 100 ms each: longer than the longest silence that is borne.
    events.extend(vec![Event::Nothing; 60]);
    events.push(Event::Picture(0, 2));
    let mut source = camera(events);
    next(&mut source);
    let stalled = (0..60).any(|_| {
        assert!(source.next_frame().unwrap().is_none());
        source.pause() == Pause::Lost("camera: it sends no pictures".into())
    });
    assert!(stalled);
    assert_eq!(next(&mut source).number, 1);
}

#[test]
fn another_camera_that_cannot_be_used_ends_it() {
    let other = Fault::NoFormat("BA81".into());
    let mut source = camera(vec![Event::Breaks(Fault::Gone), Event::Refuses(other)]);
    let error = (0..100).find_map(|_| source.next_frame().err()).unwrap();
    let text = message(&error);
    assert!(text.contains("/dev/video0") && text.contains("BA81") && text.contains("YUYV"), "{text}");
}
