//! Sound: any common format into the Ogg/Opus that phones play as a voice message, with its length and its drawing.
//!
//! Sound flows through in packets: what is held is the file, one packet, and a hundred numbers a second for the drawing.

mod decode;
mod opus;
mod resample;
mod waveform;

use bytes::Bytes;

use super::{Error, Limits, Medium, sniff};
use waveform::Envelope;

pub use waveform::{BARS, Waveform};

/// What Ogg/Opus is called in a message.
pub const OPUS: &str = "audio/ogg; codecs=opus";

/// A voice message: Ogg/Opus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    pub bytes: Bytes,
    /// Rounded; at least one.
    pub seconds: u32,
    pub waveform: Waveform,
}

/// What is known of a sound file that is sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Rounded; at least one.
    pub seconds: u32,
    pub waveform: Waveform,
}

/// Makes a voice message. Ogg/Opus stays byte for byte as it is; OGG/Vorbis, MP3, AAC, M4A, WAV and FLAC become mono
/// Opus; of a file with pictures the sound is taken.
pub fn voice(bytes: &Bytes, limits: &Limits) -> Result<Voice, Error> {
    if opus::is_opus(bytes) {
        let Heard { seconds, waveform } = opus::listen(bytes, limits)?;
        return Ok(Voice { bytes: bytes.clone(), seconds, waveform });
    }
    let mut recorder = Recorder { encoder: opus::Encoder::new()?, meter: Meter::new(limits) };
    let mut resampler = resample::Resampler::default();
    decode::decode(bytes, &mut |rate, samples| resampler.push(rate, samples, &mut |part| recorder.push(part)))?;
    resampler.finish(&mut |part| recorder.push(part))?;
    let Heard { seconds, waveform } = recorder.meter.finish();
    let bytes = recorder.encoder.finish()?.into();
    Ok(Voice { bytes, seconds, waveform })
}

/// Length and drawing of a sound file of any format that [`voice`] takes.
pub fn listen(bytes: &Bytes, limits: &Limits) -> Result<Heard, Error> {
    if opus::is_opus(bytes) {
        return opus::listen(bytes, limits);
    }
    let mut meter = None;
    decode::decode(bytes, &mut |rate, samples| meter.get_or_insert_with(|| Meter::at(rate, limits)).push(samples))?;
    meter.map(Meter::finish).ok_or_else(|| Error::broken(Medium::Audio, "it holds no sound"))
}

/// Samples a second of all that is encoded.
const RATE: u32 = 48_000;

struct Recorder {
    encoder: opus::Encoder,
    meter: Meter,
}

impl Recorder {
    fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.meter.push(samples)?;
        self.encoder.push(samples)
    }
}

/// Counts and draws what passes, and stops what is too long.
struct Meter {
    rate: u32,
    samples: u64,
    limit: u32,
    envelope: Envelope,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self::at(RATE, limits)
    }

    fn at(rate: u32, limits: &Limits) -> Self {
        Self { rate, samples: 0, limit: limits.seconds, envelope: Envelope::new(rate) }
    }

    fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.samples += samples.len() as u64;
        if self.samples > u64::from(self.limit) * u64::from(self.rate) {
            return Err(Error::TooLong { medium: Medium::Audio, limit: self.limit });
        }
        self.envelope.push(samples);
        Ok(())
    }

    fn finish(self) -> Heard {
        let rate = u64::from(self.rate.max(1));
        // The limit keeps the number small.
        let seconds = ((self.samples + rate / 2) / rate).max(1) as u32;
        Heard { seconds, waveform: self.envelope.finish() }
    }
}

/// What the bytes are called when they cannot be read.
fn unsupported(bytes: &[u8]) -> Error {
    Error::unsupported(Medium::Audio, sniff::shown(bytes).unwrap_or("a file of unknown type"))
}

#[cfg(test)]
mod tests;
