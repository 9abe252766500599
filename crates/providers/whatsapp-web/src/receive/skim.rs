//! A history without its conversations, read off as it is unpacked: what is held is bounded, however large it is.

use std::io;

use wacore_binary::zlib_pool::InflateReader;

/// The field of a history that holds conversations.
const CONVERSATIONS: u64 = 2;
/// Bytes of everything else that are kept; what comes behind them is left out.
const ROOM: usize = 4 << 20;
/// Bytes that are passed over at once.
const STEP: usize = 64 << 10;
/// The longest number.
const LONGEST_VARINT: usize = 10;

/// The fields of `compressed`, a history of at most `largest` bytes unpacked, but for its conversations.
pub(super) fn skim(compressed: &[u8], largest: u64) -> io::Result<Vec<u8>> {
    let (mut reader, mut kept) = (Reader(InflateReader::new(compressed, largest)), Vec::new());
    while let Some((tag, tag_bytes)) = reader.varint()? {
        let (field, layout) = (tag >> 3, tag & 7);
        let (length, length_bytes) = match layout {
            0 => (0, reader.varint()?.ok_or_else(short)?.1),
            1 => (8, Vec::new()),
            2 => reader.varint()?.ok_or_else(short)?,
            5 => (4, Vec::new()),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "a field of no known layout")),
        };
        let length = usize::try_from(length).map_err(|_| short())?;
        let wanted = field != CONVERSATIONS && kept.len().saturating_add(length) <= ROOM;
        if wanted {
            kept.extend(tag_bytes.into_iter().chain(length_bytes));
        }
        reader.pass(length, wanted.then_some(&mut kept))?;
    }
    Ok(kept)
}

fn short() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

struct Reader<'a>(InflateReader<'a>);

impl Reader<'_> {
    /// The next number with its bytes; `None` where the history ends.
    fn varint(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let (mut value, mut bytes) = (0, Vec::with_capacity(2));
        while bytes.len() < LONGEST_VARINT {
            if !self.0.ensure(1)? {
                return if bytes.is_empty() { Ok(None) } else { Err(short()) };
            }
            let byte = self.0.available()[0];
            self.0.consume(1);
            value |= u64::from(byte & 0x7f).checked_shl(7 * bytes.len() as u32).unwrap_or(0);
            bytes.push(byte);
            if byte & 0x80 == 0 {
                return Ok(Some((value, bytes)));
            }
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "a number without an end"))
    }

    fn pass(&mut self, mut length: usize, mut into: Option<&mut Vec<u8>>) -> io::Result<()> {
        while length > 0 {
            if !self.0.ensure(1)? {
                return Err(short());
            }
            let available = self.0.available();
            let step = available.len().min(length).min(STEP);
            if let Some(kept) = &mut into {
                kept.extend_from_slice(&available[..step]);
            }
            self.0.consume(step);
            length -= step;
        }
        Ok(())
    }
}
