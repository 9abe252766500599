use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

/// Bytes of an answer that are read, so that the connection can be used again.
const MAX_READ: usize = 64 * 1024;

/// The beginning of an answer's body, at most `most` bytes of it, for a person to read. What breaks off is kept as far
/// as it came.
pub(super) async fn read(mut body: BoxStream<'static, Result<Bytes, net::Error>>, most: usize) -> String {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(Ok(chunk)) = body.next().await {
        let room = most - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        read += chunk.len();
        if read > MAX_READ {
            break;
        }
    }
    readable(&kept, most)
}

/// Text without control characters, at most `most` bytes of it.
fn readable(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    let shown = String::from_utf8_lossy(bytes);
    for letter in shown.chars().map(blank).filter(|letter| !letter.is_control()) {
        if text.len() + letter.len_utf8() > most {
            break;
        }
        text.push(letter);
    }
    text
}

/// Lines run together, their words do not.
fn blank(letter: char) -> char {
    match letter {
        '\n' | '\t' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_readable_and_short() {
        assert_eq!(readable(b"no\r\nsuch\x1b[31m\0 hook\xff", 99), "no such[31m hook\u{fffd}");
        let long = readable(&[0xff; 1024], 1024);
        assert_eq!((long.len(), long.chars().count()), (1023, 341));
        assert_eq!(readable("é".repeat(600).as_bytes(), 1024).len(), 1024);
    }
}
