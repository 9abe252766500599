//! Any rate to the rate of Opus, in pieces.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

use super::RATE;
use crate::convert::{Error, Medium};

/// Frames that are resampled at once.
const CHUNK: usize = 1024;

/// Takes samples of one rate, gives them at [`RATE`]. The rate is known with the first samples.
#[derive(Default)]
pub(super) struct Resampler(Option<Stage>);

type Sink<'a> = dyn FnMut(&[f32]) -> Result<(), Error> + 'a;

enum Stage {
    Same,
    Convert(Box<Conversion>),
}

struct Conversion {
    inner: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    taken: u64,
    given: u64,
    /// Frames at the beginning that are the filter's, not the sound's.
    skip: usize,
}

impl Resampler {
    pub(super) fn push(&mut self, rate: u32, samples: &[f32], sink: &mut Sink<'_>) -> Result<(), Error> {
        if self.0.is_none() {
            self.0 = Some(if rate == RATE { Stage::Same } else { Stage::Convert(Box::new(Conversion::new(rate)?)) });
        }
        match &mut self.0 {
            Some(Stage::Convert(conversion)) => conversion.push(samples, sink),
            _ => sink(samples),
        }
    }

    /// Gives what is still inside.
    pub(super) fn finish(self, sink: &mut Sink<'_>) -> Result<(), Error> {
        match self.0 {
            Some(Stage::Convert(conversion)) => conversion.finish(sink),
            _ => Ok(()),
        }
    }
}

impl Conversion {
    fn new(rate: u32) -> Result<Self, Error> {
        let parameters = SincInterpolationParameters {
            sinc_len: 64,
            f_cutoff: None,
            oversampling_factor: 160,
            interpolation: SincInterpolationType::Linear,
            window: WindowFunction::BlackmanHarris2,
        };
        let ratio = f64::from(RATE) / f64::from(rate);
        let inner = Async::new_sinc(ratio, 1.0, &parameters, CHUNK, 1, FixedAsync::Input)
            .map_err(|error| Error::internal(Medium::Audio, error))?;
        let output = vec![0.0; inner.output_frames_max()];
        let skip = inner.output_delay();
        Ok(Self { inner, input: Vec::with_capacity(2 * CHUNK), output, taken: 0, given: 0, skip })
    }

    fn push(&mut self, samples: &[f32], sink: &mut Sink<'_>) -> Result<(), Error> {
        self.taken += samples.len() as u64;
        for piece in samples.chunks(CHUNK) {
            self.input.extend_from_slice(piece);
            if self.input.len() >= CHUNK {
                self.convert(CHUNK, u64::MAX, sink)?;
                self.input.drain(..CHUNK);
            }
        }
        Ok(())
    }

    /// Feeds the rest and then silence until as much came out as went in.
    fn finish(mut self, sink: &mut Sink<'_>) -> Result<(), Error> {
        let wanted = (self.taken as f64 * self.inner.resample_ratio()).round() as u64;
        let mut rest = self.input.len();
        self.input.resize(CHUNK, 0.0);
        while self.given < wanted {
            let left = wanted - self.given;
            let before = (self.given, self.skip);
            self.convert(rest, left, sink)?;
            rest = 0;
            if before == (self.given, self.skip) {
                break;
            }
        }
        Ok(())
    }

    fn convert(&mut self, frames: usize, most: u64, sink: &mut Sink<'_>) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::internal(Medium::Audio, error.to_string());
        let frames_out = self.output.len();
        let input = SequentialSlice::new(&self.input[..], 1, self.input.len()).map_err(|e| failed(&e))?;
        let mut output = SequentialSlice::new_mut(&mut self.output[..], 1, frames_out).map_err(|e| failed(&e))?;
        let partial =
            Indexing { input_offset: 0, output_offset: 0, partial_len: Some(frames), active_channels_mask: None };
        let (_, made) = self.inner.process_into_buffer(&input, &mut output, Some(&partial)).map_err(|e| failed(&e))?;
        let made = self.output.get(..made).unwrap_or_default();
        let sound = made.get(self.skip.min(made.len())..).unwrap_or_default();
        self.skip -= made.len() - sound.len();
        let sound = &sound[..sound.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
        self.given += sound.len() as u64;
        sink(sound)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn keeps_length_pitch_and_loudness(
        #[values(8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)] rate: u32,
        #[values(1, 700, 5_000)] piece: usize,
    ) {
        let tone = |rate: u32, i: usize| (i as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin() * 0.5;
        let samples: Vec<f32> = (0..rate as usize / 4).map(|i| tone(rate, i)).collect();
        let mut given = Vec::new();
        let mut sink = |part: &[f32]| {
            given.extend_from_slice(part);
            Ok(())
        };
        let mut resampler = Resampler::default();
        for piece in samples.chunks(piece) {
            resampler.push(rate, piece, &mut sink).unwrap();
        }
        resampler.finish(&mut sink).unwrap();

        assert!(given.len().abs_diff(RATE as usize / 4) <= 6, "{}", given.len());
        // A sample late is 0.03 of this tone.
        let wrong = |i: &usize| (given[*i] - tone(RATE, *i)).abs() > 0.035;
        let edge = 600;
        assert_eq!((edge..given.len() - edge).find(wrong), None);
    }
}
