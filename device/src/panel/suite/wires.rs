//! SPI, I2C and pins that end in a display of the tests instead of a panel.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use ::tests::wire::{Controller, Sent, i2c_message};
use embedded_hal::{digital, i2c, spi};

/// What the ends of a wire share.
pub struct Wire<C> {
    /// The display at its end.
    pub display: C,
    /// The biggest transfer so far, in bytes.
    pub biggest: usize,
    /// All bytes so far.
    pub bytes: usize,
    /// The next transfers fail.
    pub is_cut: bool,
    dc_is_high: bool,
}

/// A wire, to be held at every end.
pub struct End<C>(Arc<Mutex<Wire<C>>>);

impl<C> Clone for End<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> End<C> {
    /// A wire to `display`.
    pub fn new(display: C) -> Self {
        Self(Arc::new(Mutex::new(Wire { display, biggest: 0, bytes: 0, is_cut: false, dc_is_high: false })))
    }

    /// What is at the other end now.
    pub fn look(&self) -> MutexGuard<'_, Wire<C>> {
        self.0.lock().unwrap()
    }
}

impl<C: Controller> Wire<C> {
    fn carry(&mut self, sent: &Sent, bytes: usize) -> Result<(), Cut> {
        if self.is_cut {
            return Err(Cut);
        }
        self.biggest = self.biggest.max(bytes);
        self.bytes += bytes;
        self.display.take(std::slice::from_ref(sent));
        Ok(())
    }
}

/// The error of a wire that is cut.
#[derive(Debug)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("No such device or address")
    }
}

impl spi::Error for Cut {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl i2c::Error for Cut {
    fn kind(&self) -> i2c::ErrorKind {
        i2c::ErrorKind::NoAcknowledge(i2c::NoAcknowledgeSource::Address)
    }
}

/// The SPI device.
pub struct FakeSpi<C>(pub End<C>);

impl<C> spi::ErrorType for FakeSpi<C> {
    type Error = Cut;
}

impl<C: Controller> spi::SpiDevice for FakeSpi<C> {
    fn transaction(&mut self, operations: &mut [spi::Operation<'_, u8>]) -> Result<(), Cut> {
        let mut wire = self.0.look();
        for operation in operations {
            let spi::Operation::Write(bytes) = operation else { panic!("panels are only written to") };
            let sent = if wire.dc_is_high { Sent::Data(bytes.to_vec()) } else { Sent::Command(bytes.to_vec()) };
            wire.carry(&sent, bytes.len())?;
        }
        Ok(())
    }
}

/// The data/command pin.
pub struct FakePin<C>(pub End<C>);

impl<C> digital::ErrorType for FakePin<C> {
    type Error = Infallible;
}

impl<C> digital::OutputPin for FakePin<C> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.look().dc_is_high = false;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.look().dc_is_high = true;
        Ok(())
    }
}

/// The I2C bus, with the display at this address.
pub struct FakeI2c<C>(pub End<C>, pub u8);

impl<C> i2c::ErrorType for FakeI2c<C> {
    type Error = Cut;
}

impl<C: Controller> i2c::I2c for FakeI2c<C> {
    fn transaction(&mut self, address: u8, operations: &mut [i2c::Operation<'_>]) -> Result<(), Cut> {
        for operation in operations {
            let i2c::Operation::Write(bytes) = operation else { panic!("panels are only written to") };
            if address != self.1 {
                return Err(Cut);
            }
            let Some(sent) = i2c_message(bytes) else { panic!("no control byte: {bytes:?}") };
            self.0.look().carry(&sent, bytes.len())?;
        }
        Ok(())
    }
}

/// Waits for nothing.
pub struct NoDelay;

impl embedded_hal::delay::DelayNs for NoDelay {
    fn delay_ns(&mut self, _ns: u32) {}
}
