//! Displays at the far end of a wire, as far as a picture needs them: they take what a host sends, and have it in
//! their memory as the real controllers would. Driver tests and the virtual board decode what they recorded with them.

pub mod mipi;
pub mod oled;
pub mod pins;

/// What came over a wire at once; the level of the data/command line, or an I2C control byte, tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Commands, and in OLEDs their arguments too.
    Command(Vec<u8>),
    /// Arguments of the last command, or pixels.
    Data(Vec<u8>),
}

/// A display controller that is told what was sent.
pub trait Controller {
    /// Takes bytes that came with the data/command line low.
    fn command(&mut self, bytes: &[u8]);
    /// Takes bytes that came with the data/command line high.
    fn data(&mut self, bytes: &[u8]);

    /// Takes all that was recorded, in its order.
    fn take(&mut self, all: &[Sent]) {
        for sent in all {
            match sent {
                Sent::Command(bytes) => self.command(bytes),
                Sent::Data(bytes) => self.data(bytes),
            }
        }
    }
}

/// An I2C message to an OLED, told apart by its control byte (SSD1306 data sheet, 8.1.5.2); `None` for another one.
pub fn i2c_message(bytes: &[u8]) -> Option<Sent> {
    match bytes.split_first()? {
        (0x00, rest) => Some(Sent::Command(rest.to_vec())),
        (0x40, rest) => Some(Sent::Data(rest.to_vec())),
        _ => None,
    }
}
