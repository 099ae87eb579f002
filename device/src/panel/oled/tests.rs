use ::tests::wire::oled::OledDisplay;

use super::*;
use crate::diagnostics::message;
use crate::panel::suite::Subject;
use crate::panel::suite::wires::{End, FakeI2c, FakePin, FakeSpi};

fn on_i2c(config: &OledConfig, end: &End<OledDisplay>) -> OledPanel {
    OledPanel::new(config, Box::new(I2cBus::new(FakeI2c(end.clone(), 0x3c), config.address, &config.device)))
}

fn on_spi(config: &OledConfig, end: &End<OledDisplay>) -> OledPanel {
    OledPanel::new(config, Box::new(SpiBus::new(FakeSpi(end.clone()), FakePin(end.clone()), &config.device)))
}

fn seen(display: &OledDisplay, config: &OledConfig) -> Vec<u8> {
    let first = if config.model == OledModel::Sh1106 { 2 } else { 0 };
    let places = (0..config.height as usize).flat_map(|row| (0..128).map(move |column| (column + first, row)));
    places.flat_map(|(column, row)| [if display.is_lit(column, row) { 255 } else { 0 }; 3]).collect()
}

fn mono(rgb: [u8; 3]) -> [u8; 3] {
    [if is_lit(&rgb) { 255 } else { 0 }; 3]
}

#[test]
fn every_model_height_and_bus_passes_the_suite() {
    for model in [OledModel::Ssd1306, OledModel::Sh1106] {
        for height in [32, 64] {
            for open in [on_i2c, on_spi] {
                let config = OledConfig { model, height, ..OledConfig::default() };
                let end = End::new(OledDisplay::default());
                let mut panel = open(&config, &end);
                assert_eq!(panel.size(), Size::new(128, height));
                let shown = || seen(&end.look().display, &config);
                let mut subject = Subject { panel: &mut panel, shown: &shown, colour: mono };
                subject.shows_the_canvas_and_its_changes();
                subject.recovers(&|cut| end.look().is_cut = cut);
                assert!(end.look().display.on);
            }
        }
    }
}

#[test]
fn only_the_changed_columns_of_changed_pages_are_sent() {
    let end = End::new(OledDisplay::default());
    let mut panel = on_i2c(&OledConfig::default(), &end);
    let canvas = Canvas::new(panel.size());
    panel.flush(&canvas, &[canvas.area()]).unwrap();
    assert_eq!(end.look().display.bytes_written, 1024);
    // Rows 7 to 16 reach into three pages.
    let area = Rectangle::new(Point::new(100, 7), Size::new(12, 10));
    panel.flush(&canvas, &[area]).unwrap();
    assert_eq!(end.look().display.bytes_written, 1024 + 3 * 12);
}

#[test]
fn one_that_lost_power_is_set_up_again() {
    let end = End::new(OledDisplay::default());
    let mut panel = on_i2c(&OledConfig::default(), &end);
    let canvas = Canvas::new(panel.size());
    panel.flush(&canvas, &[canvas.area()]).unwrap();
    end.look().is_cut = true;
    panel.flush(&canvas, &[canvas.area()]).unwrap_err();
    let mut wire = end.look();
    (wire.display, wire.is_cut) = (OledDisplay::default(), false);
    drop(wire);
    panel.flush(&canvas, &[canvas.area()]).unwrap();
    assert!(end.look().display.on);
}

#[test]
fn nobody_at_the_address_is_said_with_how_to_find_it() {
    let config = OledConfig { address: 0x3d, device: "/dev/i2c-4".into(), ..OledConfig::default() };
    let error = on_i2c(&config, &End::new(OledDisplay::default())).set_up().unwrap_err();
    let text = message(&error);
    assert!(text.contains("no OLED answers at address 0x3d of /dev/i2c-4: No such device"), "{text}");
    assert!(text.contains("i2cdetect -y 4"), "{text}");
}

#[test]
fn the_bus_follows_from_the_device() {
    let on = |device: &str| OledConfig { device: device.into(), ..OledConfig::default() }.is_on_spi();
    assert!(on("/dev/spidev1.0") && !on("/dev/i2c-1"));
}
