use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// A child that is killed when its handle goes.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child =
            command.stdin(Stdio::null()).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        Ok(Self(child))
    }

    /// Starts it and waits for the first line that it prints.
    pub fn start_and_listen(command: &mut Command) -> Outcome<(Self, String)> {
        let mut process = Self::start(command.stdout(Stdio::piped()))?;
        let output = process.0.stdout.take().ok_or("a child has no output")?;
        let mut lines = BufReader::new(output);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{} ended at once", command.get_program().to_string_lossy()).into());
        }
        // Whatever else it prints must not block it.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok((process, line.trim().to_owned()))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// `kill -9`, and gone when this returns.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Asks it to end and waits; killed when it takes too long.
    pub async fn stop(mut self) -> Outcome {
        Command::new("kill").arg("-TERM").arg(self.id().to_string()).status()?;
        let began = Instant::now();
        while self.0.try_wait()?.is_none() {
            if began.elapsed() > Duration::from_secs(40) {
                return Err(format!("process {} did not stop when asked", self.id()).into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Stops it in the middle of what it does, or lets it go on.
    pub fn freeze(&self, frozen: bool) -> Outcome {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        match Command::new("kill").arg(signal).arg(self.id().to_string()).status()?.success() {
            true => Ok(()),
            false => Err(format!("process {} takes no signal", self.id()).into()),
        }
    }

    pub fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits until it ends and fails if it failed.
    pub async fn finish(mut self) -> Outcome {
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("a child ended with {status}").into()),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Clock ticks in a second, the same on every Linux machine that we know.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used, in user and system mode.
pub fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces; times are the 14th and 15th field, 12th and 13th after it.
    let after = stat.rsplit_once(')').ok_or("a process's statistics cannot be read")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 = fields
        .get(11..13)
        .ok_or("a process's statistics are short")?
        .iter()
        .flat_map(|ticks| ticks.parse::<f64>())
        .sum();
    Ok(ticks / TICKS)
}

/// Resident memory in megabytes (10⁶ bytes).
pub fn memory_mb(pid: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("a process's memory cannot be read")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Bytes that a process has caused to be written to disk.
pub fn written(pid: u32) -> Outcome<f64> {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    Ok(line.ok_or("a process's writes cannot be read")?.trim().parse()?)
}
