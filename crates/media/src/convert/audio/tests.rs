//! The samples under `tests/samples` are 0.6 s of 440 Hz at 44.1 kHz (FLAC: 8 kHz), of which the first half is ten times
//! quieter, as ffmpeg writes them: `aevalsrc='if(lt(t,0.3),0.05,0.5)*sin(2*PI*440*t)':d=0.6`.

use opus_pure::{MAX_PACKET_SAMPLES, OggOpusReader, Trim};
use rstest::rstest;

use super::*;

/// A WAV file of 16 bits.
fn wav(rate: u32, channels: u16, frames: impl Iterator<Item = f32>) -> Bytes {
    let data: Vec<u8> = frames
        .flat_map(|sample| std::iter::repeat_n((sample * 32767.0) as i16, usize::from(channels)))
        .flat_map(i16::to_le_bytes)
        .collect();
    let block = channels * 2;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    let size = (file.len() - 8) as u32;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    file.into()
}

fn tone(rate: u32, seconds: f32) -> impl Iterator<Item = f32> {
    (0..(rate as f32 * seconds) as u32)
        .map(move |i| (i as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin() * 0.5)
}

/// The sound in an Ogg/Opus file, without what its header says to leave out.
fn decoded(bytes: &[u8]) -> Vec<f32> {
    let mut reader = OggOpusReader::new(bytes).unwrap();
    assert_eq!(reader.head().channel_count, 1);
    let mut decoder = reader.head().decoder(48_000).unwrap();
    let mut trim = Trim::new(reader.head(), 48_000, 1).unwrap();
    let mut block = vec![0.0; MAX_PACKET_SAMPLES];
    let mut sound = Vec::new();
    while let Some(packet) = reader.read_packet().unwrap() {
        let frames = decoder.decode(&packet.data, MAX_PACKET_SAMPLES, &mut block).unwrap();
        sound.extend_from_slice(trim.keep(&packet, &block[..frames]));
    }
    sound
}

fn loudness(sound: &[f32]) -> f32 {
    (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32).sqrt()
}

/// Times that a sound crosses zero upwards in a second.
fn pitch(sound: &[f32]) -> f32 {
    let ups = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    ups as f32 * 48_000.0 / sound.len() as f32
}

#[rstest]
fn a_wav_of_any_rate_becomes_opus_of_the_same_length_and_sound(
    #[values(8_000, 44_100, 48_000)] rate: u32,
    #[values(1, 2)] channels: u16,
) {
    let made = voice(&wav(rate, channels, tone(rate, 1.5)), &Limits::default()).unwrap();
    let sound = decoded(&made.bytes);
    assert!(sound.len().abs_diff(72_000) <= 6, "{}", sound.len());
    let middle = &sound[10_000..60_000];
    assert!((0.30..0.40).contains(&loudness(middle)), "{}", loudness(middle));
    assert!((435.0..445.0).contains(&pitch(middle)), "{}", pitch(middle));
    assert_eq!(made.seconds, 2);
    assert!(made.waveform.iter().all(|bar| (90..=100).contains(bar)), "{:?}", made.waveform);

    // The same bytes each time, and unharmed when they come again.
    assert_eq!(voice(&wav(rate, channels, tone(rate, 1.5)), &Limits::default()).unwrap(), made);
    let again = voice(&made.bytes, &Limits::default()).unwrap();
    assert_eq!((again.bytes, again.seconds), (made.bytes, 2));
}

#[rstest]
#[case::mp3(include_bytes!("../../../tests/samples/tone.mp3"))]
#[case::m4a(include_bytes!("../../../tests/samples/tone.m4a"))]
#[case::aac(include_bytes!("../../../tests/samples/tone.aac"))]
#[case::vorbis(include_bytes!("../../../tests/samples/tone.ogg"))]
#[case::flac(include_bytes!("../../../tests/samples/tone.flac"))]
#[case::opus(include_bytes!("../../../tests/samples/tone.opus"))]
fn every_format_becomes_a_voice_message(#[case] sample: &'static [u8]) {
    let bytes = Bytes::from_static(sample);
    let made = voice(&bytes, &Limits::default()).unwrap();
    assert_eq!(made.bytes == bytes, sample.starts_with(b"OggS") && sample[28..].starts_with(b"OpusHead"));
    assert_eq!(made.seconds, 1);
    let quiet: u32 = made.waveform[8..24].iter().copied().map(u32::from).sum::<u32>() / 16;
    let loud: u32 = made.waveform[40..56].iter().copied().map(u32::from).sum::<u32>() / 16;
    assert!((5..=20).contains(&quiet) && loud >= 60, "{:?}", made.waveform);

    let sound = decoded(&made.bytes);
    // Codecs of music fill up their first and last packets.
    assert!((27_000..=34_000).contains(&sound.len()), "{}", sound.len());
    let middle = &sound[18_000..25_000];
    assert!((0.28..0.42).contains(&loudness(middle)), "{}", loudness(middle));
    assert!((430.0..450.0).contains(&pitch(middle)), "{}", pitch(middle));
    assert_eq!(listen(&bytes, &Limits::default()).unwrap().seconds, 1);
}

#[test]
fn the_shortest_sound_is_a_second_long() {
    let made = voice(&wav(16_000, 1, [0.3; 10].into_iter()), &Limits::default()).unwrap();
    assert_eq!((made.seconds, decoded(&made.bytes).len()), (1, 30));
}

#[test]
fn what_is_too_long_is_refused() {
    let limits = Limits { seconds: 1, ..Limits::default() };
    let long = wav(8_000, 1, tone(8_000, 1.1));
    for outcome in [voice(&long, &limits).map(|_| ()), listen(&long, &limits).map(|_| ())] {
        assert!(matches!(outcome, Err(Error::TooLong { limit: 1, .. })), "{outcome:?}");
    }
    let opus = voice(&long, &Limits::default()).unwrap().bytes;
    assert!(matches!(voice(&opus, &limits), Err(Error::TooLong { .. })));
}

#[test]
fn half_a_file_gives_half_of_the_sound_or_is_broken() {
    let whole = wav(16_000, 1, tone(16_000, 2.0));
    let half = voice(&whole.slice(..whole.len() / 2), &Limits::default()).unwrap();
    assert_eq!(half.seconds, 1);

    let m4a = Bytes::from_static(include_bytes!("../../../tests/samples/tone.m4a"));
    let opus = Bytes::from_static(include_bytes!("../../../tests/samples/tone.opus"));
    for cut in [m4a.slice(..m4a.len() / 2), opus.slice(..60), whole.slice(..40)] {
        let outcome = voice(&cut, &Limits::default());
        assert!(matches!(outcome, Err(Error::Broken { .. })), "{outcome:?}");
    }
}

#[rstest]
#[case(b"%PDF-1.7\n", "application/pdf")]
#[case(b"#!AMR\n\x3c\x91\x17", "audio/amr")]
#[case(b"hello there", "a file of unknown type")]
#[case(b"", "a file of unknown type")]
fn other_files_are_refused_by_name(#[case] bytes: &'static [u8], #[case] name: &str) {
    let refused = voice(&Bytes::from_static(bytes), &Limits::default()).unwrap_err();
    assert!(matches!(&refused, Error::Unsupported { found, .. } if found == name), "{refused:?}");
}
