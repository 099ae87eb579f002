//! I2C and SPI as QEMU's GPIO chip saw them: the levels of its pins, put together to messages.

use super::{Sent, i2c_message};

/// The wires of an I2C bus.
const SDA: u8 = 1 << 0;
const SCL: u8 = 1 << 1;
/// The wires of an SPI bus; data is taken at the rising clock (mode 0).
const CLOCK: u8 = 1 << 2;
const DATA_OUT: u8 = 1 << 4;
const NOT_SELECTED: u8 = 1 << 5;
/// Data or command, for an SPI display.
const IS_DATA: u8 = 1 << 6;

/// The levels of eight pins, one bit each, after every change. What nobody drives is pulled up.
pub fn levels(log: &str) -> impl Iterator<Item = u8> + '_ {
    log.lines().filter_map(|line| {
        let (_, line) = line.split_once("pl061_update ")?;
        let [direction, data] = ["GPIODIR ", "GPIODATA "].map(|name| field(line, name));
        Some(!direction? | data?)
    })
}

/// A hexadecimal number behind a name.
fn field(line: &str, name: &str) -> Option<u8> {
    let value = line.split_once(name)?.1.split_whitespace().next()?;
    u8::from_str_radix(value.strip_prefix("0x")?, 16).ok()
}

/// What was written over I2C to the device at `address`: the messages that an OLED knows.
pub fn i2c(levels: impl Iterator<Item = u8>, address: u8) -> Vec<Sent> {
    let mut found = Vec::new();
    let mut message: Option<Bytes> = None;
    let mut before = SDA | SCL;
    for now in levels.map(|level| level & (SDA | SCL)) {
        let is_high = |wire| now & before & wire != 0;
        if is_high(SCL) && (now ^ before) & SDA != 0 {
            // Data that moves while the clock is high begins a message, or ends one.
            let ended = message.take().map(|bytes| bytes.done).unwrap_or_default();
            if let Some((_, bytes)) = ended.split_first().filter(|(first, _)| **first == address << 1) {
                found.extend(i2c_message(bytes));
            }
            message = (now & SDA == 0).then(Bytes::default);
        } else if now & !before & SCL != 0
            && let Some(bytes) = &mut message
        {
            // The ninth bit is the receiver's.
            if bytes.count == 8 {
                bytes.count = 0;
            } else {
                bytes.push(now & SDA != 0);
            }
        }
        before = now;
    }
    found
}

/// What was sent over SPI to the selected display.
pub fn spi(levels: impl Iterator<Item = u8>) -> Vec<Sent> {
    let mut found: Vec<Sent> = Vec::new();
    let mut bytes = Bytes::default();
    let mut before = 0;
    for now in levels {
        if now & NOT_SELECTED != 0 {
            bytes = Bytes::default();
        } else if now & !before & CLOCK != 0 {
            bytes.push(now & DATA_OUT != 0);
            if bytes.count == 8 {
                bytes.count = 0;
                let byte = bytes.done.remove(0);
                match (found.last_mut(), now & IS_DATA != 0) {
                    (Some(Sent::Data(bytes)), true) | (Some(Sent::Command(bytes)), false) => bytes.push(byte),
                    (_, true) => found.push(Sent::Data(vec![byte])),
                    (_, false) => found.push(Sent::Command(vec![byte])),
                }
            }
        }
        before = now;
    }
    found
}

/// Bytes that come bit by bit, the highest first.
#[derive(Default)]
struct Bytes {
    done: Vec<u8>,
    byte: u8,
    /// Bits of the byte that are there.
    count: u8,
}

impl Bytes {
    fn push(&mut self, bit: bool) {
        self.byte = self.byte << 1 | u8::from(bit);
        self.count += 1;
        if self.count == 8 {
            self.done.push(self.byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of the log: the pins that are driven, and the levels that they are driven to.
    fn line(direction: u8, data: u8) -> String {
        format!("pl061_update /machine/gpio GPIODIR {direction:#x} GPIODATA {data:#x} pullups 0x0 floating 0x0\n")
    }

    /// An I2C wire is driven low or let go.
    fn i2c_line(wires: u8) -> String {
        line(!wires & (SDA | SCL), 0)
    }

    #[test]
    fn an_i2c_message_is_put_together_and_another_address_is_passed_over() {
        let mut log = i2c_line(SDA | SCL);
        for address in [0x3c, 0x3d] {
            log += &(i2c_line(SCL) + &i2c_line(0));
            for byte in [address << 1, 0x40, 0xa5] {
                for bit in (0..8).rev().map(|bit| byte >> bit & 1).chain([1]) {
                    log += &(i2c_line(bit) + &i2c_line(bit | SCL) + &i2c_line(bit));
                }
            }
            log += &(i2c_line(0) + &i2c_line(SCL) + &i2c_line(SDA | SCL));
        }
        assert_eq!(i2c(levels(&log), 0x3c), [Sent::Data(vec![0xa5])]);
    }

    #[test]
    fn spi_bytes_are_told_apart_by_their_line() {
        let mut log = line(0xff, NOT_SELECTED);
        for (byte, kind) in [(0x2c, 0), (0xf0, IS_DATA), (0x0f, IS_DATA)] {
            for bit in (0..8).rev().map(|bit| if byte >> bit & 1 == 1 { DATA_OUT } else { 0 }) {
                log += &(line(0xff, kind | bit) + &line(0xff, kind | bit | CLOCK));
            }
            log += &line(0xff, kind);
        }
        log += &line(0xff, NOT_SELECTED);
        assert_eq!(spi(levels(&log)), [Sent::Command(vec![0x2c]), Sent::Data(vec![0xf0, 0x0f])]);
    }
}
