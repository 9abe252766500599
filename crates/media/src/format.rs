//! A blob is one file, so that one rename makes it whole: a head of fixed size, the description as JSON, the bytes.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, SeekFrom};

const MAGIC: [u8; 8] = *b"hrmblob1";
const HEAD: usize = 8 + 4 + 32;
/// Bytes of a description; more is not one of ours.
const MAX_META: usize = 16 * 1024;

/// What is known of a blob besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub mime: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// The beginning of a file, and where the bytes start.
pub(crate) struct Front {
    pub(crate) meta: Meta,
    pub(crate) sha256: [u8; 32],
    pub(crate) length: u64,
}

/// Writes the beginning and returns its length; the digest's place stays empty until [`seal`].
pub(crate) async fn begin(file: &mut File, meta: &Meta) -> io::Result<u64> {
    let json = serde_json::to_vec(meta)?;
    let length = u32::try_from(json.len()).ok().filter(|_| json.len() <= MAX_META);
    let length = length.ok_or_else(|| io::Error::other("the description is too long"))?;
    file.write_all(&MAGIC).await?;
    file.write_all(&length.to_le_bytes()).await?;
    file.write_all(&[0; 32]).await?;
    file.write_all(&json).await?;
    Ok((HEAD + json.len()) as u64)
}

/// Writes the digest into its place.
pub(crate) async fn seal(file: &mut File, sha256: &[u8; 32]) -> io::Result<()> {
    file.seek(SeekFrom::Start(12)).await?;
    file.write_all(sha256).await?;
    file.flush().await
}

/// Reads the beginning; the file then stands at the first byte of the blob.
pub(crate) async fn front(file: &mut File) -> io::Result<Front> {
    let mut head = [0; HEAD];
    file.read_exact(&mut head).await?;
    let (magic, rest) = head.split_at(8);
    let (length, digest) = rest.split_at(4);
    let length = length.iter().rev().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    if magic != MAGIC || length > MAX_META {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut json = vec![0; length];
    file.read_exact(&mut json).await?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest);
    Ok(Front { meta: serde_json::from_slice(&json)?, sha256, length: (HEAD + length) as u64 })
}
