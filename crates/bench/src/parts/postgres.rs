//! A PostgreSQL server of our own that can be stopped and started. As in scripts/postgres, it never runs as root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::free_port;
use crate::Outcome;

pub struct Postgres {
    bin: PathBuf,
    /// Out of the way of the report's directory, which the server's user may not enter.
    dir: tempfile::TempDir,
    user: Option<String>,
    port: u16,
}

impl Postgres {
    /// Makes an empty database and starts the server.
    pub fn start() -> Outcome<Self> {
        let dir = tempfile::Builder::new().prefix("hermod-postgres.").tempdir()?;
        let user = is_root()?.then(|| known("postgres").unwrap_or("nobody".to_owned()));
        let server = Self { bin: newest()?, dir, user, port: free_port()? };
        if let Some(user) = &server.user {
            run(Command::new("chown").arg(user).arg(server.dir.path()))?;
        }
        let data = server.data();
        run(server.command("initdb").arg(format!("--pgdata={data}")).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]))?;
        server.go()?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again; returns when it takes connections.
    pub fn go(&self) -> Outcome {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=100",
            self.port,
            self.path()
        );
        let log = format!("--log={}/log", self.path());
        run(self.command("pg_ctl").args([
            "start",
            "--silent",
            "--wait",
            &format!("--pgdata={}", self.data()),
            &log,
            &format!("--options={options}"),
        ]))
    }

    /// Connections are cut at once.
    pub fn halt(&self) -> Outcome {
        run(self.command("pg_ctl").args([
            "stop",
            "--silent",
            "--wait",
            "--mode=fast",
            &format!("--pgdata={}", self.data()),
        ]))
    }

    fn path(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn data(&self) -> String {
        format!("{}/data", self.path())
    }

    /// One of the server's programs, as its user.
    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = match &self.user {
            None => Command::new(program),
            Some(user) => {
                let group = group(user);
                let mut command = Command::new("setpriv");
                command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]).arg(program);
                command
            }
        };
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may be stopped already.
        let _ = self.halt();
    }
}

fn is_root() -> Outcome<bool> {
    Ok(Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0")
}

/// The user, if this machine has it.
fn known(user: &str) -> Option<String> {
    let output = Command::new("id").arg(user).output().ok()?;
    output.status.success().then(|| user.to_owned())
}

/// The number of the user's own group.
fn group(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn newest() -> Outcome<PathBuf> {
    let version = |path: &Path| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let installed =
        std::fs::read_dir("/usr/lib/postgresql").map_err(|_| "PostgreSQL is not installed: run scripts/install")?;
    let found = installed.flatten().map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").is_file());
    found.max_by_key(|bin| version(bin)).ok_or_else(|| "PostgreSQL is not installed: run scripts/install".into())
}

/// Output is not kept: the server that `pg_ctl` leaves behind would hold it open.
fn run(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{program} ended with {status}").into()),
    }
}
