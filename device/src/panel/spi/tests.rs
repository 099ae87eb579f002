use ::tests::wire::mipi::MipiDisplay;

use super::*;
use crate::diagnostics::{EXIT_BAD_INPUT, exit_code, message};
use crate::panel::suite::Subject;
use crate::panel::suite::wires::{End, FakePin, FakeSpi, NoDelay};

/// Most bytes of a transfer: no whole number of pixels of three bytes, and few.
const TRANSFER_BYTES: usize = 64;

fn start(config: &SpiConfig, end: &End<MipiDisplay>, has_reset: bool) -> anyhow::Result<SpiPanel> {
    let wires = Wires {
        spi: FakeSpi(end.clone()),
        dc: FakePin(end.clone()),
        // The level of a reset pin is of no interest to the display of the tests.
        reset: has_reset.then(|| FakePin(End::new(MipiDisplay::new(1, 1)))),
    };
    SpiPanel::start(config, wires, &mut NoDelay, TRANSFER_BYTES)
}

/// What somebody sees who holds the panel as it is turned.
fn seen(display: &MipiDisplay, config: &SpiConfig, size: Size) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (column, row) = match config.rotation {
                Rotation::None => (x, y),
                Rotation::Quarter => (height - 1 - y, x),
                Rotation::Half => (width - 1 - x, height - 1 - y),
                Rotation::ThreeQuarters => (y, width - 1 - x),
            };
            pixels.extend(display.at(column + usize::from(config.x_offset), row + usize::from(config.y_offset)));
        }
    }
    pixels
}

fn rgb565([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let value = embedded_graphics::pixelcolor::Rgb565::from(Rgb888::new(red, green, blue));
    use embedded_graphics::pixelcolor::RgbColor;
    [value.r() << 3, value.g() << 2, value.b() << 3]
}

fn rgb666([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let value = embedded_graphics::pixelcolor::Rgb666::from(Rgb888::new(red, green, blue));
    use embedded_graphics::pixelcolor::RgbColor;
    [value.r() << 2, value.g() << 2, value.b() << 2]
}

#[test]
fn every_turn_and_offset_passes_the_suite() {
    for rotation in [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters] {
        let config = SpiConfig {
            rotation,
            width: Some(33),
            height: Some(50),
            x_offset: 52,
            y_offset: 40,
            ..SpiConfig::default()
        };
        let end = End::new(MipiDisplay::new(240, 320));
        let mut panel = start(&config, &end, true).unwrap();
        let size = panel.size();
        let is_across = matches!(rotation, Rotation::Quarter | Rotation::ThreeQuarters);
        assert_eq!(size, if is_across { Size::new(50, 33) } else { Size::new(33, 50) });
        let shown = || seen(&end.look().display, &config, size);
        let mut subject = Subject { panel: &mut panel, shown: &shown, colour: rgb565 };
        subject.shows_the_canvas_and_its_changes();
        subject.recovers(&|cut| end.look().is_cut = cut);
        assert!(end.look().display.on);
        assert!(end.look().biggest <= TRANSFER_BYTES);
    }
}

#[test]
fn pixels_of_three_bytes_are_never_cut() {
    let config = SpiConfig {
        model: SpiModel::Ili9486,
        width: Some(40),
        height: Some(30),
        bgr: true,
        invert: true,
        ..SpiConfig::default()
    };
    let end = End::new(MipiDisplay::new(320, 480));
    let mut panel = start(&config, &end, false).unwrap();
    let shown = || seen(&end.look().display, &config, Size::new(40, 30));
    Subject { panel: &mut panel, shown: &shown, colour: rgb666 }.shows_the_canvas_and_its_changes();
    let wire = end.look();
    assert!(wire.display.is_bgr() && wire.display.inverted);
    // 21 pixels: the next would not fit whole.
    assert_eq!(wire.biggest, 63);
}

#[test]
fn only_what_changed_goes_over_the_wire() {
    let end = End::new(MipiDisplay::new(240, 320));
    let mut panel = start(&SpiConfig::default(), &end, true).unwrap();
    let canvas = Canvas::new(panel.size());
    let bytes = end.look().bytes;
    let pixels = end.look().display.pixels_written;
    let area = Rectangle::new(embedded_graphics::geometry::Point::new(17, 5), Size::new(10, 7));
    panel.flush(&canvas, &[area]).unwrap();
    let wire = end.look();
    assert_eq!(wire.display.pixels_written - pixels, 70);
    assert!(wire.bytes - bytes <= 140 + 11, "{}", wire.bytes - bytes);
}

#[test]
fn every_model_starts_in_its_own_size() {
    for (model, size) in [
        (SpiModel::Gc9107, (128, 160)),
        (SpiModel::Gc9a01, (240, 240)),
        (SpiModel::Ili9225, (176, 220)),
        (SpiModel::Ili9341, (240, 320)),
        (SpiModel::Ili9342c, (320, 240)),
        (SpiModel::Ili9486, (320, 480)),
        (SpiModel::Ili9488, (320, 480)),
        (SpiModel::St7735s, (132, 162)),
        (SpiModel::St7789, (240, 320)),
        (SpiModel::St7796, (320, 480)),
    ] {
        let config = SpiConfig { model, ..SpiConfig::default() };
        let panel = start(&config, &End::new(MipiDisplay::new(480, 480)), true).unwrap();
        assert_eq!(panel.size(), Size::new(size.0, size.1), "{model}");
        assert_eq!(model.to_string().parse(), Ok(model));
    }
}

#[test]
fn a_size_that_does_not_fit_is_refused_with_what_does() {
    let config = SpiConfig { width: Some(240), x_offset: 80, ..SpiConfig::default() };
    let error = start(&config, &End::new(MipiDisplay::new(240, 320)), true).err().unwrap();
    assert_eq!(exit_code(&error), EXIT_BAD_INPUT);
    let text = message(&error);
    assert!(text.contains("st7789: width and x-offset must fit in 240 px") && text.contains("[panel-spi]"), "{text}");
}

#[test]
fn a_bus_that_fails_is_named() {
    let end = End::new(MipiDisplay::new(240, 320));
    end.look().is_cut = true;
    let text = message(&start(&SpiConfig::default(), &end, true).err().unwrap());
    assert!(text.contains("st7789 on /dev/spidev0.0 cannot be started"), "{text}");
}
