//! The programs that take part: the platform, the sandbox, the floor, the bare loop, PostgreSQL. Each is a child
//! process of this one and ends with its handle.

pub mod floor;
mod linked;
mod platform;
pub mod post;
mod postgres;
mod process;

use std::path::{Path, PathBuf};

pub use linked::{Inbox, Linked, User};
pub use platform::{Api, Facts, Platform, Sandbox, World};
pub use postgres::Postgres;
pub use process::{Process, cpu_seconds, memory_mb, written};

use crate::Outcome;

/// Where the programs are and where they may write.
#[derive(Clone)]
pub struct Bench {
    pub hermod: PathBuf,
    /// One whose sandbox has a WhatsApp Web server: `hermod-web-sandbox`, if it is there.
    web: PathBuf,
    pub out: PathBuf,
    keep: bool,
}

impl Bench {
    pub fn new(hermod: Option<PathBuf>, out: PathBuf, keep: bool) -> Outcome<Self> {
        let beside = |name: &str| Outcome::Ok(std::env::current_exe()?.with_file_name(name));
        let web = beside("hermod-web-sandbox")?;
        let web = if hermod.is_none() && web.is_file() { Some(web) } else { None };
        let hermod = hermod.map_or_else(|| beside("hermod"), Ok)?;
        if !hermod.is_file() {
            return Err(format!("{} is not there: build it, or name it with --hermod", hermod.display()).into());
        }
        std::fs::create_dir_all(&out)?;
        let hermod = hermod.canonicalize()?;
        Ok(Self { web: web.unwrap_or_else(|| hermod.clone()), hermod, out: out.canonicalize()?, keep })
    }

    /// The same for linked accounts.
    pub fn for_web(&self) -> Self {
        Self { hermod: self.web.clone(), ..self.clone() }
    }

    /// A directory that goes when it is dropped; on the disk of the report, for memory would flatter.
    pub fn dir(&self) -> Outcome<tempfile::TempDir> {
        Ok(tempfile::Builder::new().prefix("run-").disable_cleanup(self.keep).tempdir_in(&self.out)?)
    }

    pub fn itself(&self) -> Outcome<PathBuf> {
        Ok(std::env::current_exe()?)
    }
}

/// A port on which nobody listens just now.
pub fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A log file for a child's output, appended to over restarts.
fn log(path: &Path) -> Outcome<std::fs::File> {
    Ok(std::fs::OpenOptions::new().create(true).append(true).open(path)?)
}
