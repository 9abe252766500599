//! The one program outside: ffmpeg, where it is installed.
//!
//! Who acts: the calling thread writes the file into a scratch directory of its own, starts ffmpeg without a shell, waits
//! for it within a time limit, and reads the result. Promised: the process is ended at the limit, the directory is gone
//! afterwards. ffmpeg reads the one file, in the one container that its bytes show, and nothing that the file points to.
//! A crash leaves a directory, swept when the next process opens the same scratch directory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use super::{Error, Limits, Medium, sniff};

/// Name of each directory of ours under the scratch directory.
const PREFIX: &str = "ffmpeg-";
/// Bytes kept of what ffmpeg says.
const MAX_LOG: usize = 4 * 1024;
/// Bytes that ffmpeg may take in one piece.
const MAX_PIECE: &str = "268435456";

/// An installed ffmpeg with a directory to work in.
#[derive(Clone, Debug)]
pub struct Ffmpeg {
    program: PathBuf,
    scratch: PathBuf,
}

impl Ffmpeg {
    /// Takes this program. The scratch directory is made if need be, belongs to this process, and is swept.
    pub fn new(program: PathBuf, scratch: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&scratch)?;
        for leftover in fs::read_dir(&scratch)? {
            let leftover = leftover?;
            if leftover.file_name().to_string_lossy().starts_with(PREFIX) {
                fs::remove_dir_all(leftover.path())?;
            }
        }
        Ok(Self { program, scratch })
    }

    /// Where `ffmpeg` is, on a search path as the variable `PATH` holds it.
    pub fn find(search_path: &std::ffi::OsStr) -> Option<PathBuf> {
        std::env::split_paths(search_path).map(|folder| folder.join("ffmpeg")).find(|program| program.is_file())
    }

    /// The first frame of a video, as PNG.
    pub(super) fn first_frame(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
        let scale = "scale='min(640,iw)':'min(640,ih)':force_original_aspect_ratio=decrease";
        let to = ["-map", "0:v:0", "-frames:v", "1", "-vf", scale, "-c:v", "png", "-f", "image2"];
        self.run(Medium::Video, bytes, &to, limits)
    }

    /// A video as MP4 with H.264 and AAC, no side longer than 1280 pixels.
    pub(super) fn to_mp4(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
        let scale = "scale='min(1280,iw)':'min(1280,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2";
        let seconds = limits.seconds.to_string();
        let pictures = ["-map", "0:v:0", "-c:v", "libx264", "-preset", "veryfast", "-crf", "27", "-vf", scale];
        let colours = ["-pix_fmt", "yuv420p"];
        let sound = ["-map", "0:a:0?", "-c:a", "aac", "-b:a", "96k", "-ac", "2"];
        let file = ["-t", &seconds, "-movflags", "+faststart", "-f", "mp4"];
        self.run(Medium::Video, bytes, &[&pictures[..], &colours, &sound, &file].concat(), limits)
    }

    /// The sound of a file as FLAC, mono, 48 kHz.
    pub(super) fn to_flac(&self, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
        // One second more than allowed, so that what is too long is seen to be.
        let seconds = limits.seconds.saturating_add(1).to_string();
        let to = ["-map", "0:a:0", "-ac", "1", "-ar", "48000", "-sample_fmt", "s16", "-t", &seconds, "-f", "flac"];
        self.run(Medium::Audio, bytes, &to, limits)
    }

    fn run(&self, medium: Medium, bytes: &[u8], to: &[&str], limits: &Limits) -> Result<Vec<u8>, Error> {
        let mime = sniff::shown(bytes).unwrap_or("a file of unknown type");
        let demuxer = demuxer(mime).ok_or_else(|| Error::unsupported(medium, mime))?;
        let internal = |error: io::Error| Error::internal(medium, error);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&self.scratch).map_err(internal)?;
        fs::write(folder.path().join("in"), bytes).map_err(internal)?;
        // ffmpeg ends a file where it has reached this size; the byte more than allowed tells it from a whole one.
        let most = limits.result_bytes.saturating_add(1).to_string();
        // Should we be gone before it, it ends by itself.
        let processor_time = limits.ffmpeg_time.as_secs().saturating_mul(2).max(1).to_string();
        let mut command = Command::new(&self.program);
        command
            .args(["-nostdin", "-hide_banner", "-v", "error", "-max_alloc", MAX_PIECE, "-threads", "2"])
            .args(["-timelimit", &processor_time])
            .args(["-protocol_whitelist", "file", "-f", demuxer, "-i", "in"])
            .args(["-sn", "-dn", "-map_metadata", "-1", "-fs", &most, "-threads", "2"])
            .args(to)
            .arg("out")
            .current_dir(folder.path())
            // What our environment holds is none of its business.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let (succeeded, log) = wait(command.spawn().map_err(internal)?, medium, limits)?;
        if !succeeded {
            return Err(Error::Ffmpeg { medium, log });
        }
        let result = read(&folder.path().join("out"), limits.result_bytes.saturating_add(1)).map_err(internal)?;
        match result.len() as u64 {
            0 => Err(Error::Ffmpeg { medium, log }),
            size if size > limits.result_bytes => Err(Error::TooLarge { medium, limit: limits.result_bytes }),
            _ => Ok(result),
        }
    }
}

/// The container that a type names to ffmpeg. Playlists and the like, which point elsewhere, are not among them.
fn demuxer(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "video/mp4" | "video/3gpp" | "video/quicktime" | "video/x-m4v" | "audio/mp4" => "mov",
        "video/webm" | "video/x-matroska" => "matroska",
        "video/x-msvideo" => "avi",
        "video/x-ms-wmv" => "asf",
        "video/mpeg" => "mpeg",
        "video/x-flv" => "flv",
        "video/ogg" | "audio/ogg" => "ogg",
        "image/gif" => "gif",
        "audio/amr" => "amr",
        "audio/aac" => "aac",
        "audio/mpeg" => "mp3",
        "audio/flac" => "flac",
        "audio/wav" => "wav",
        "audio/x-aiff" => "aiff",
        "audio/x-ape" => "ape",
        _ => return None,
    })
}

/// Whether ffmpeg can be asked to read files of this type.
pub(super) fn reads(mime: &str) -> bool {
    demuxer(mime).is_some()
}

/// Waits for the process to end, at most for the time that it has; tells whether it succeeded, and what it said.
fn wait(mut child: Child, medium: Medium, limits: &Limits) -> Result<(bool, String), Error> {
    let (told, said) = mpsc::channel();
    if let Some(stderr) = child.stderr.take() {
        // Ends with the process, whose end closes the pipe.
        std::thread::spawn(move || told.send(listen(stderr)));
    }
    let log = said.recv_timeout(limits.ffmpeg_time);
    let late = matches!(log, Err(mpsc::RecvTimeoutError::Timeout));
    if late && let Err(error) = child.kill() {
        tracing::warn!(%error, "ffmpeg could not be ended");
    }
    let status = child.wait().map_err(|error| Error::internal(medium, error))?;
    if late {
        return Err(Error::Timeout { medium });
    }
    Ok((status.success(), log.unwrap_or_default()))
}

/// Reads to the end and keeps the beginning.
fn listen(mut stderr: impl Read) -> String {
    let mut log = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(size @ 1..) = stderr.read(&mut piece) {
        log.extend_from_slice(&piece[..size.min(MAX_LOG - log.len().min(MAX_LOG))]);
    }
    String::from_utf8_lossy(&log).into_owned()
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(most).read_to_end(&mut bytes).map(|_| bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    const MP4: &[u8] = include_bytes!("../../tests/samples/clip.mp4");

    /// A program that stands in for ffmpeg.
    fn program(script: &str) -> (TempDir, Ffmpeg) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ffmpeg");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let found = Ffmpeg::find(folder.path().as_os_str()).unwrap();
        let ffmpeg = Ffmpeg::new(found, folder.path().join("scratch")).unwrap();
        (folder, ffmpeg)
    }

    fn left_over(ffmpeg: &Ffmpeg) -> usize {
        fs::read_dir(&ffmpeg.scratch).unwrap().count()
    }

    #[test]
    fn it_is_given_the_file_and_its_container_and_what_it_writes_is_read() {
        let (_folder, ffmpeg) = program(r#"cp in out && echo "$@" >>out"#);
        let made = ffmpeg.to_mp4(MP4, &Limits::default()).unwrap();
        let said = String::from_utf8_lossy(&made[MP4.len()..]).into_owned();
        assert_eq!(&made[..MP4.len()], MP4);
        assert!(said.contains("-protocol_whitelist file -f mov -i in "), "{said}");
        assert_eq!(left_over(&ffmpeg), 0);
    }

    #[test]
    fn failures_say_why_and_leave_nothing() {
        let small = Limits { result_bytes: 9, ..Limits::default() };
        let (_folder, refusing) = program("echo 'moov atom not found' >&2; exit 1");
        let refused = refusing.to_mp4(MP4, &small).unwrap_err();
        assert_eq!(refused.detail(), "the video could not be converted: moov atom not found");
        assert_eq!(left_over(&refusing), 0);

        let (_folder, silent) = program("exit 0");
        assert!(matches!(silent.first_frame(MP4, &small), Err(Error::Ffmpeg { .. })));
        let (_folder, talkative) = program("yes error | head -c 100000 >&2; exit 1");
        assert!(talkative.to_mp4(MP4, &small).unwrap_err().detail().len() < 2 * MAX_LOG);
        let (_folder, lavish) = program("echo 0123456789 >out");
        assert!(matches!(lavish.to_mp4(MP4, &small), Err(Error::TooLarge { limit: 9, .. })));
        let (folder, _) = program("");
        let absent = Ffmpeg::new(folder.path().join("nothing"), folder.path().join("scratch")).unwrap();
        assert!(!absent.to_mp4(MP4, &small).unwrap_err().is_callers_fault());
    }

    #[test]
    fn it_is_ended_when_its_time_is_over() {
        let (_folder, hanging) = program("exec sleep 600");
        let limits = Limits { ffmpeg_time: Duration::from_millis(1), ..Limits::default() };
        assert!(matches!(hanging.to_mp4(MP4, &limits), Err(Error::Timeout { .. })));
        assert_eq!(left_over(&hanging), 0);
    }

    #[test]
    fn playlists_and_scripts_never_reach_it() {
        let (_folder, ffmpeg) = program("cp in out");
        for text in ["#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n", ""] {
            assert!(matches!(ffmpeg.to_mp4(text.as_bytes(), &Limits::default()), Err(Error::Unsupported { .. })));
        }
    }

    #[test]
    fn what_a_crash_left_is_swept_and_nothing_else() {
        let (folder, _) = program("");
        let scratch = folder.path().join("scratch");
        fs::create_dir_all(scratch.join("ffmpeg-old/deep")).unwrap();
        fs::write(scratch.join("notes"), "mine").unwrap();
        Ffmpeg::new(folder.path().join("ffmpeg"), scratch.clone()).unwrap();
        assert!(scratch.join("notes").exists() && !scratch.join("ffmpeg-old").exists());
        assert_eq!(Ffmpeg::find(scratch.as_os_str()), None);
    }
}
