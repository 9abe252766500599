//! Ogg/Opus: written as a voice message, and listened to when it is one already.

use opus_pure::{
    Application, Error as Refusal, MAX_PACKET_BYTES, MAX_PACKET_SAMPLES, OggOpusReader, OggOpusWriter, OpusEncoder,
    OpusHead, OpusTags, Trim,
};

use super::{Heard, Meter, RATE};
use crate::convert::{Error, Limits, Medium};

/// Bits a second; voices are clear at half of it, music is fair.
const BITRATE: i32 = 32_000;
/// From 0 to 10: nearly the best sound at half the time.
const COMPLEXITY: i32 = 7;
/// Samples of a packet: 20 ms.
const FRAME: usize = RATE as usize / 50;
/// The number of the stream in its file; there is only one.
const SERIAL: u32 = 1;

/// Whether a file is Ogg with Opus in it.
pub(super) fn is_opus(bytes: &[u8]) -> bool {
    bytes.starts_with(b"OggS") && bytes.get(28..36) == Some(b"OpusHead")
}

/// Writes mono Ogg/Opus.
pub(super) struct Encoder {
    encoder: OpusEncoder,
    writer: OggOpusWriter<Vec<u8>>,
    pending: Vec<f32>,
    packet: Vec<u8>,
    samples: u64,
    pre_skip: u16,
}

impl Encoder {
    pub(super) fn new() -> Result<Self, Error> {
        let mut encoder = OpusEncoder::new(RATE as i32, 1, Application::Voip).map_err(failed)?;
        encoder.bitrate_bps = BITRATE;
        encoder.complexity = COMPLEXITY;
        let head = OpusHead::for_encoder(&encoder, RATE);
        let pre_skip = head.pre_skip;
        let writer = OggOpusWriter::with_serial(Vec::new(), head, OpusTags::new(), SERIAL).map_err(failed)?;
        let pending = Vec::with_capacity(2 * FRAME);
        Ok(Self { encoder, writer, pending, packet: vec![0; MAX_PACKET_BYTES], samples: 0, pre_skip })
    }

    pub(super) fn push(&mut self, samples: &[f32]) -> Result<(), Error> {
        self.samples += samples.len() as u64;
        for piece in samples.chunks(FRAME) {
            self.pending.extend_from_slice(piece);
            if self.pending.len() >= FRAME {
                let size = self.encode()?;
                self.writer.write_packet(&self.packet[..size]).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Flushes what the encoder still holds and says where the sound ends (RFC 7845, 4.4).
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Error> {
        let end = u64::from(self.pre_skip) + self.samples;
        loop {
            self.pending.resize(FRAME, 0.0);
            let size = self.encode()?;
            let left = end.saturating_sub(u64::try_from(self.writer.granule()).unwrap_or_default());
            let last = left <= FRAME as u64;
            let samples = if last { left as u32 } else { FRAME as u32 };
            self.writer.write_packet_with_duration(&self.packet[..size], samples).map_err(failed)?;
            if last {
                return self.writer.finish().map_err(failed);
            }
        }
    }

    /// Encodes the first frame that is pending; gives the size of the packet.
    fn encode(&mut self) -> Result<usize, Error> {
        let size = self.encoder.encode(&self.pending[..FRAME], FRAME, &mut self.packet).map_err(failed)?;
        self.pending.drain(..FRAME);
        Ok(size)
    }
}

/// Length and drawing. A file that ends too early counts as far as it goes; one without sound is broken.
pub(super) fn listen(bytes: &[u8], limits: &Limits) -> Result<Heard, Error> {
    let mut reader = OggOpusReader::new(bytes).map_err(|error| Error::broken(Medium::Audio, error))?;
    let channels = usize::from(reader.head().channel_count);
    let mut decoder = reader.head().decoder(RATE as i32).map_err(|error| Error::broken(Medium::Audio, error))?;
    let mut trim =
        Trim::new(reader.head(), RATE as i32, channels).map_err(|error| Error::broken(Medium::Audio, error))?;
    let mut meter = Meter::new(limits);
    let mut block = vec![0.0; MAX_PACKET_SAMPLES * channels];
    let mut heard = false;
    while let Ok(Some(packet)) = reader.read_packet() {
        let Ok(frames) = decoder.decode(&packet.data, MAX_PACKET_SAMPLES, &mut block) else { continue };
        let decoded = block.get(..frames * channels).unwrap_or_default();
        let mono: Vec<f32> = trim.keep(&packet, decoded).chunks_exact(channels).map(mean).collect();
        meter.push(&mono)?;
        heard = true;
    }
    if heard { Ok(meter.finish()) } else { Err(Error::broken(Medium::Audio, "it holds no sound")) }
}

fn mean(frame: &[f32]) -> f32 {
    frame.iter().sum::<f32>() / frame.len() as f32
}

fn failed(error: Refusal) -> Error {
    Error::internal(Medium::Audio, error)
}
