//! The chunks of a WebP file: read to tell what it is, written around frames to make them an animation.
//!
//! Frames are put together here, and not by libwebp's own animation encoder, because that one holds every frame of the
//! animation twice; here two are enough.

use crate::convert::{Error, Medium};

/// Chunks in one file; more is not a sticker.
const MAX_CHUNKS: usize = 10_000;

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) animated: bool,
    /// Bytes that belong to it; what follows is not WebP.
    pub(super) length: usize,
}

/// Where a frame stands on the canvas. The corner lies on even pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Walks through all chunks; a file that ends too early or holds no picture is broken.
pub(super) fn read(bytes: &[u8]) -> Result<File, Error> {
    let broken = |why: &'static str| Error::broken(Medium::Sticker, why);
    let body = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
    let length = body.and_then(|size| usize::try_from(size).ok()?.checked_add(8));
    let length = length.ok_or_else(|| broken("it has no length"))?;
    let chunks = bytes.get(12..length).ok_or_else(|| broken("it ends before its length"))?;
    let mut frames = 0;
    let mut stills = 0;
    for (count, chunk) in (1..).zip(Chunks(chunks)) {
        match chunk.ok_or_else(|| broken("a chunk ends after the file"))?.0 {
            b"ANMF" => frames += 1,
            b"VP8 " | b"VP8L" => stills += 1,
            _ => {}
        }
        if count > MAX_CHUNKS {
            return Err(broken("it has too many chunks"));
        }
    }
    if frames + stills == 0 {
        return Err(broken("it holds no picture"));
    }
    Ok(File { animated: frames > 0, length })
}

/// An animation being written.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// An animation that repeats for ever on a clear square canvas.
    pub(super) fn new(side: u32) -> Self {
        const ALPHA_AND_ANIMATION: u8 = 0x12;
        let mut file = Self(b"RIFF\0\0\0\0WEBP".to_vec());
        let mut header = vec![ALPHA_AND_ANIMATION, 0, 0, 0];
        header.extend(low_three(side - 1));
        header.extend(low_three(side - 1));
        file.chunk(b"VP8X", &header);
        file.chunk(b"ANIM", &[0; 6]);
        file
    }

    /// Adds a frame, given as a still WebP file, that replaces what was at its place for some milliseconds.
    pub(super) fn frame(&mut self, place: Place, still: &[u8], milliseconds: u32) {
        const REPLACE_AND_KEEP: u8 = 0x02;
        let mut frame = Vec::with_capacity(still.len() + 16);
        for field in [place.left / 2, place.top / 2, place.width - 1, place.height - 1, milliseconds] {
            frame.extend(low_three(field));
        }
        frame.push(REPLACE_AND_KEEP);
        for (name, data) in Chunks(still.get(12..).unwrap_or_default()).flatten() {
            if matches!(name, b"ALPH" | b"VP8 " | b"VP8L") {
                push_chunk(&mut frame, name, data);
            }
        }
        self.chunk(b"ANMF", &frame);
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let body = (self.0.len() - 8) as u32;
        self.0[4..8].copy_from_slice(&body.to_le_bytes());
        self.0
    }

    fn chunk(&mut self, name: &[u8], data: &[u8]) {
        push_chunk(&mut self.0, name, data);
    }
}

fn push_chunk(out: &mut Vec<u8>, name: &[u8], data: &[u8]) {
    out.extend_from_slice(name);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}

fn low_three(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

/// The chunks of a file after its head: name and data; `None` for one that does not fit.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let chunk = next_chunk(self.0);
        self.0 = chunk.map_or(&[], |(_, _, rest)| rest);
        Some(chunk.map(|(name, data, _)| (name, data)))
    }
}

fn next_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let (size, rest) = rest.split_first_chunk()?;
    let (data, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)?;
    // The padding of the last chunk is often forgotten.
    Some((name, data, rest.get(data.len() % 2..).unwrap_or_default()))
}
