//! Sound files into samples.

use std::io::Cursor;
use std::ops::RangeInclusive;

use bytes::Bytes;
use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error as Refusal;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;

use super::unsupported;
use crate::convert::{Error, Medium, sniff};

/// Packets that may be broken before the file is.
const MAX_BROKEN: u32 = 100;
/// Channels of a file; more is not sound for people.
const MAX_CHANNELS: usize = 32;
/// Samples a second that a file may have.
const RATES: RangeInclusive<u32> = 1_000..=768_000;

/// Takes samples of one channel, with their rate.
pub(super) type Sink<'a> = dyn FnMut(u32, &[f32]) -> Result<(), Error> + 'a;

/// Decodes the first sound track and gives its samples, mixed to one channel, with their rate. A file that ends too early
/// gives what is there; one that gives nothing is broken.
pub(super) fn decode(bytes: &Bytes, sink: &mut Sink<'_>) -> Result<(), Error> {
    let (mut reader, mut decoder, track) = open(bytes)?;
    let mut mixer = Mixer::default();
    let mut broken = 0;
    let end = loop {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => packet,
            Ok(Some(_)) => continue,
            Ok(None) => break Refusal::DecodeError("it holds no sound"),
            Err(error) => break error,
        };
        match decoder.decode(&packet) {
            Ok(decoded) => mixer.take(&decoded, sink)?,
            Err(error) if broken == MAX_BROKEN => return Err(Error::broken(Medium::Audio, error)),
            Err(_) => broken += 1,
        }
    };
    mixer.rate.map(|_| ()).ok_or_else(|| Error::broken(Medium::Audio, end))
}

/// Makes one channel of many. The rate stays what it was at first.
#[derive(Default)]
struct Mixer {
    rate: Option<u32>,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

impl Mixer {
    fn take(&mut self, decoded: &GenericAudioBufferRef<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
        let channels = decoded.num_planes();
        let rate = decoded.spec().rate();
        if decoded.frames() == 0 || channels == 0 {
            return Ok(());
        }
        if channels > MAX_CHANNELS || !RATES.contains(&rate) || *self.rate.get_or_insert(rate) != rate {
            return Err(Error::broken(Medium::Audio, "its rate or channels make no sense"));
        }
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        let share = 1.0 / channels as f32;
        // Broken floats would stay in the filters after them.
        let whole = |sample: f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        self.mono.clear();
        let frames = self.interleaved.chunks_exact(channels);
        self.mono.extend(frames.map(|frame| whole(frame.iter().sum::<f32>() * share)));
        sink(rate, &self.mono)
    }
}

type Opened<'a> = (Box<dyn FormatReader + 'a>, Box<dyn AudioDecoder>, u32);

fn open(bytes: &Bytes) -> Result<Opened<'_>, Error> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes.as_ref())), Default::default());
    let reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, Default::default(), Default::default())
        .map_err(|error| unread(error, bytes))?;
    let track = reader.default_track(TrackType::Audio).ok_or_else(|| unsupported(bytes))?;
    let id = track.id;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| unsupported(bytes))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|_| unsupported(bytes))?;
    Ok((reader, decoder, id))
}

/// A file that nobody knows is told from one of a known kind that is damaged.
fn unread(error: Refusal, bytes: &[u8]) -> Error {
    match sniff::shown(bytes) {
        Some("audio/mpeg" | "audio/ogg" | "audio/aac" | "audio/wav" | "audio/flac")
            if !matches!(error, Refusal::Unsupported(_)) =>
        {
            Error::broken(Medium::Audio, error)
        }
        // Without its index nothing is supported.
        Some("audio/mp4" | "video/mp4" | "video/3gpp" | "video/quicktime") => Error::broken(Medium::Audio, error),
        _ => unsupported(bytes),
    }
}
