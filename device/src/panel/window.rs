//! A window on a desk: X11, and by XWayland also Wayland, spoken without any library of C.

use std::borrow::Cow;

use anyhow::Context;
use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;
use x11rb::connection::Connection;
use x11rb::errors::ConnectError;
use x11rb::image::{BitsPerPixel, Image, ImageOrder, ScanlinePad};
use x11rb::properties::WmSizeHints;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateGCAux, CreateWindowAux, Gcontext, Pixmap, PropMode, Screen, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::Panel;
use crate::diagnostics::{AudienceGone, Problem};
use crate::screen::canvas::Canvas;

const TITLE: &str = "Mien";
/// The colour depth of every desktop today, and its pixels: 0RGB in 32 bits.
const DEPTH: u8 = 24;
const MASKS: [u32; 3] = [0xff_0000, 0x00_ff00, 0x00_00ff];

x11rb::atom_manager! {
    /// What window managers are told and tell.
    Atoms: AtomsCookie {
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        _NET_WM_NAME,
        UTF8_STRING,
    }
}

/// A window that cannot be resized.
pub struct WindowPanel {
    connection: RustConnection,
    size: Size,
    window: Window,
    /// What the window shows: its background, so that the server draws it whenever the
    /// window is uncovered.
    picture: Pixmap,
    context: Gcontext,
    atoms: Atoms,
}

impl WindowPanel {
    /// Opens a window of `size` px.
    ///
    /// # Errors
    /// There is no desktop to open it on.
    pub fn open(size: Size) -> anyhow::Result<Self> {
        let (connection, number) = x11rb::connect(None).map_err(|error| no_desktop(&error))?;
        Self::create(connection, number, size).context(Problem::failure("panel: no window can be opened"))
    }

    fn create(connection: RustConnection, number: usize, size: Size) -> anyhow::Result<Self> {
        let screen = connection.setup().roots[number].clone();
        anyhow::ensure!(has_usual_pixels(&screen), "the display has no true colour of 24 bits");
        // A panel's sides are far below what 16 bits hold.
        let (width, height) = (size.width as u16, size.height as u16);
        let atoms = Atoms::new(&connection)?.reply()?;
        let [window, picture, context] =
            [connection.generate_id()?, connection.generate_id()?, connection.generate_id()?];
        connection.create_pixmap(DEPTH, picture, screen.root, width, height)?;
        connection.create_gc(context, picture, &CreateGCAux::new())?;
        connection.create_window(
            DEPTH,
            window,
            screen.root,
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            screen.root_visual,
            &CreateWindowAux::new().background_pixmap(picture),
        )?;
        let title = TITLE.as_bytes();
        connection.change_property8(PropMode::REPLACE, window, AtomEnum::WM_NAME, AtomEnum::STRING, title)?;
        connection.change_property8(PropMode::REPLACE, window, atoms._NET_WM_NAME, atoms.UTF8_STRING, title)?;
        let protocols = [atoms.WM_DELETE_WINDOW];
        connection.change_property32(PropMode::REPLACE, window, atoms.WM_PROTOCOLS, AtomEnum::ATOM, &protocols)?;
        let fixed = Some((i32::from(width), i32::from(height)));
        let hints = WmSizeHints { min_size: fixed, max_size: fixed, ..WmSizeHints::new() };
        hints.set_normal_hints(&connection, window)?;
        connection.map_window(window)?.check()?;
        Ok(Self { connection, size, window, picture, context, atoms })
    }

    /// Sends `area` of the canvas to the server and shows it.
    fn show(&self, canvas: &Canvas, area: Rectangle) -> anyhow::Result<()> {
        let pixels = area.rows().flat_map(|y| canvas.pixels_of(area, y));
        let bytes: Vec<u8> = pixels.flat_map(|rgb| [rgb[2], rgb[1], rgb[0], 0]).collect();
        let (width, height) = (area.size.width as u16, area.size.height as u16);
        let (x, y) = (area.top_left.x as i16, area.top_left.y as i16);
        let image = Image::new(
            width,
            height,
            ScanlinePad::Pad32,
            DEPTH,
            BitsPerPixel::B32,
            ImageOrder::LsbFirst,
            Cow::Owned(bytes),
        )?;
        image.put(&self.connection, self.picture, self.context, x, y)?;
        self.connection.clear_area(false, self.window, x, y, width, height)?;
        Ok(())
    }

    /// Whether somebody closed the window since the last time.
    fn is_closed(&self) -> anyhow::Result<bool> {
        while let Some(event) = self.connection.poll_for_event()? {
            if let Event::ClientMessage(message) = event
                && message.data.as_data32()[0] == self.atoms.WM_DELETE_WINDOW
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Panel for WindowPanel {
    fn size(&self) -> Size {
        self.size
    }

    fn ends_with_program(&self) -> bool {
        true
    }

    /// # Errors
    /// [`AudienceGone`] when somebody closed the window.
    fn flush(&mut self, canvas: &Canvas, changed: &[Rectangle]) -> anyhow::Result<()> {
        if self.is_closed().context("panel: the window is lost")? {
            return Err(anyhow::anyhow!("its window was closed").context(AudienceGone("nobody looks any more")));
        }
        changed.iter().try_for_each(|area| self.show(canvas, *area)).context("panel: the window is lost")?;
        self.connection.flush().context("panel: the window is lost")
    }

    fn settle(&mut self) -> anyhow::Result<()> {
        // An answer comes when all before was done.
        self.connection.sync().context("panel: the window is lost")
    }
}

fn has_usual_pixels(screen: &Screen) -> bool {
    let mut visuals = screen.allowed_depths.iter().filter(|depth| depth.depth == DEPTH).flat_map(|d| &d.visuals);
    screen.root_depth == DEPTH
        && visuals.any(|visual| {
            visual.visual_id == screen.root_visual && [visual.red_mask, visual.green_mask, visual.blue_mask] == MASKS
        })
}

fn no_desktop(error: &ConnectError) -> anyhow::Error {
    let problem = Problem::failure("panel: no window can be opened").next_step(
        "Start Mien from a terminal of the desktop; from elsewhere DISPLAY=:0 in front of the command names it. A \
         Wayland desktop needs XWayland. Without a desktop: --panel drm.",
    );
    anyhow::anyhow!("{error}").context(problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use ::tests::skip;
    use x11rb::protocol::xproto::{ClientMessageEvent, EventMask};

    use super::*;
    use crate::diagnostics::{is_audience_gone, message};
    use crate::panel::suite::Subject;

    const SIZE: Size = Size::new(90, 70);

    /// An X server that shows its screen to nobody; it ends with this.
    struct Desk {
        server: Child,
        display: String,
    }

    impl Desk {
        /// `None` where there is no Xvfb, which is said.
        fn start() -> Option<Self> {
            let mut command = Command::new("Xvfb");
            command.args(["-displayfd", "1", "-screen", "0", "320x240x24", "-nolisten", "tcp"]);
            let Ok(mut server) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
                skip("windows: no Xvfb; on Debian: apt-get install xvfb");
                return None;
            };
            let mut number = String::new();
            BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
            Some(Self { server, display: format!(":{}", number.trim()) })
        }

        fn connect(&self) -> (RustConnection, usize) {
            x11rb::connect(Some(&self.display)).unwrap()
        }

        fn window(&self) -> WindowPanel {
            let (connection, number) = self.connect();
            WindowPanel::create(connection, number, SIZE).unwrap()
        }

        /// The pixels of the screen where the window is: nobody moves it without a window manager.
        fn screenshot(&self) -> Vec<u8> {
            let (connection, number) = self.connect();
            let root = connection.setup().roots[number].root;
            let (width, height) = (SIZE.width as u16, SIZE.height as u16);
            let (image, _) = Image::get(&connection, root, 0, 0, width, height).unwrap();
            image.data().as_chunks::<4>().0.iter().flat_map(|[blue, green, red, _]| [*red, *green, *blue]).collect()
        }
    }

    impl Drop for Desk {
        fn drop(&mut self) {
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
    }

    #[test]
    fn a_window_passes_the_suite_and_keeps_its_picture() {
        let Some(desk) = Desk::start() else { return };
        let mut panel = desk.window();
        let window = panel.window;
        let shown = || desk.screenshot();
        Subject { panel: &mut panel, shown: &shown, colour: |rgb| rgb }.shows_the_canvas_and_its_changes();
        // Covered and uncovered, which no event tells the panel.
        let before = desk.screenshot();
        let (connection, _) = desk.connect();
        connection.unmap_window(window).unwrap().check().unwrap();
        assert_ne!(desk.screenshot(), before);
        connection.map_window(window).unwrap().check().unwrap();
        assert_eq!(desk.screenshot(), before);
    }

    #[test]
    fn closing_the_window_is_no_failure() {
        let Some(desk) = Desk::start() else { return };
        let mut panel = desk.window();
        let canvas = Canvas::new(SIZE);
        panel.flush(&canvas, &[canvas.area()]).unwrap();
        panel.settle().unwrap();
        // As a window manager does when its button is pressed.
        let (connection, _) = desk.connect();
        let message = ClientMessageEvent::new(
            32,
            panel.window,
            panel.atoms.WM_PROTOCOLS,
            [panel.atoms.WM_DELETE_WINDOW, 0, 0, 0, 0],
        );
        connection.send_event(false, panel.window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
        let error = panel.flush(&canvas, &[]).unwrap_err();
        assert!(is_audience_gone(&error), "{error:#}");
    }

    #[test]
    fn a_desk_that_goes_away_is_an_error() {
        let Some(desk) = Desk::start() else { return };
        let mut panel = desk.window();
        drop(desk);
        let canvas = Canvas::new(SIZE);
        let lost = panel.flush(&canvas, &[canvas.area()]).and_then(|()| panel.settle());
        assert!(format!("{:#}", lost.unwrap_err()).contains("the window is lost"));
    }

    #[test]
    fn no_desktop_is_said_with_a_way_out() {
        let error = x11rb::connect(Some(":9173")).err().unwrap();
        let text = message(&no_desktop(&error));
        assert!(text.contains("no window can be opened") && text.contains("--panel drm"), "{text}");
    }
}
