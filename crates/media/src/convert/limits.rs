use std::time::Duration;

/// How much one conversion may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Pixels of a picture; four bytes each are held while it is decoded.
    pub picture_pixels: u64,
    /// Pixels of all frames of an animation together; one frame is held at a time.
    pub animation_pixels: u64,
    /// Seconds of sound, and of video where it has to be transcoded.
    pub seconds: u32,
    /// Bytes of the result, where it is made anew.
    pub result_bytes: u64,
    /// Time for one run of ffmpeg.
    pub ffmpeg_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            picture_pixels: 40_000_000,
            animation_pixels: 200_000_000,
            seconds: 2 * 60 * 60,
            result_bytes: 64 * 1024 * 1024,
            ffmpeg_time: Duration::from_secs(60),
        }
    }
}
