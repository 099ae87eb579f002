//! The controller of a monochrome OLED: SSD1306, and SH1106 as far as its page mode.

use super::Controller;

/// Columns of the frame memory; the SH1106 has the most.
const COLUMNS: usize = 132;
const PAGES: usize = 8;

/// How the place of the next byte moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addressing {
    Horizontal,
    Vertical,
    Page,
}

/// The frame memory of an OLED and where the next byte goes.
#[derive(Clone, Debug)]
pub struct OledDisplay {
    /// A byte is a column of eight pixels, the uppermost in bit 0.
    memory: Vec<u8>,
    addressing: Addressing,
    columns: (usize, usize),
    pages: (usize, usize),
    next: (usize, usize),
    /// A command whose arguments are still to come.
    pending: Vec<u8>,
    /// Whether the display was switched on.
    pub on: bool,
    /// Bytes of pixels written so far.
    pub bytes_written: usize,
}

impl Default for OledDisplay {
    /// As after a reset, but with every pixel lit: what a real one shows then is chance.
    fn default() -> Self {
        Self {
            memory: vec![0xff; COLUMNS * PAGES],
            addressing: Addressing::Page,
            columns: (0, 127),
            pages: (0, PAGES - 1),
            next: (0, 0),
            pending: Vec::new(),
            on: false,
            bytes_written: 0,
        }
    }
}

impl OledDisplay {
    /// Whether the pixel of the frame memory is lit.
    ///
    /// # Panics
    /// Outside of the frame memory.
    pub fn is_lit(&self, column: usize, row: usize) -> bool {
        assert!(column < COLUMNS && row < 8 * PAGES, "({column}, {row})");
        self.memory[row / 8 * COLUMNS + column] >> (row % 8) & 1 == 1
    }

    /// How many arguments follow a command (SSD1306 data sheet, table 9).
    fn arguments(command: u8) -> usize {
        match command {
            0x20 | 0x81 | 0x8d | 0xa8 | 0xad | 0xd3 | 0xd5 | 0xd9..=0xdb => 1,
            0x21 | 0x22 | 0xa3 => 2,
            0x29 | 0x2a => 5,
            0x26 | 0x27 => 6,
            _ => 0,
        }
    }

    fn execute(&mut self) {
        match *self.pending {
            [low @ 0x00..=0x0f] => self.next.0 = self.next.0 & 0xf0 | usize::from(low),
            [high @ 0x10..=0x1f] => self.next.0 = self.next.0 & 0x0f | usize::from(high & 0x0f) << 4,
            [page @ 0xb0..=0xb7] => self.next.1 = usize::from(page & 0x07),
            [0xae] => self.on = false,
            [0xaf] => self.on = true,
            [0x20, mode] => {
                self.addressing = match mode & 3 {
                    0 => Addressing::Horizontal,
                    1 => Addressing::Vertical,
                    _ => Addressing::Page,
                };
            }
            [0x21, first, last] => {
                self.columns = (first.into(), last.into());
                self.next.0 = first.into();
            }
            [0x22, first, last] => {
                self.pages = (first.into(), last.into());
                self.next.1 = first.into();
            }
            _ => {}
        }
    }

    fn step(&mut self) {
        let next = |at: usize, (first, last): (usize, usize)| if at >= last { (first, true) } else { (at + 1, false) };
        match self.addressing {
            Addressing::Page => self.next.0 += 1,
            Addressing::Horizontal => {
                let (column, wraps) = next(self.next.0, self.columns);
                self.next.0 = column;
                if wraps {
                    self.next.1 = next(self.next.1, self.pages).0;
                }
            }
            Addressing::Vertical => {
                let (page, wraps) = next(self.next.1, self.pages);
                self.next.1 = page;
                if wraps {
                    self.next.0 = next(self.next.0, self.columns).0;
                }
            }
        }
    }
}

impl Controller for OledDisplay {
    fn command(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.pending.push(byte);
            if self.pending.len() > Self::arguments(self.pending[0]) {
                self.execute();
                self.pending.clear();
            }
        }
    }

    fn data(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let (column, page) = self.next;
            if column < COLUMNS && page < PAGES {
                self.memory[page * COLUMNS + column] = byte;
            }
            self.bytes_written += 1;
            self.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_windows_put_bytes_where_they_belong() {
        let mut display = OledDisplay::default();
        display.command(&[0x20, 0x02, 0xb3, 0x05, 0x12]);
        display.data(&[0x00, 0x81]);
        assert!(!display.is_lit(0x25, 24) && display.is_lit(0x26, 24) && display.is_lit(0x26, 31));
        assert!(!display.is_lit(0x26, 25));
        display.command(&[0x20, 0x00, 0x21, 10, 11, 0x22, 1, 2]);
        display.data(&[0, 1, 2, 3]);
        let byte = |column: usize, page: usize| {
            (0..8_usize).map(|bit| u8::from(display.is_lit(column, 8 * page + bit)) << bit).sum::<u8>()
        };
        assert_eq!([byte(10, 1), byte(11, 1), byte(10, 2), byte(11, 2)], [0, 1, 2, 3]);
        display.command(&[0xaf]);
        assert!(display.on);
    }
}
