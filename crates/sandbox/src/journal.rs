//! The journal: messages, their later marks, and the webhooks that are still owed, one JSON line each, appended by a thread of its own.
//!
//! At start the lines are read back (a torn last line is ignored), and the file is rewritten with only what is still true; the same happens
//! while running whenever it has grown past a bound. A crash of the process loses nothing that a write call was given; a crash of the machine may lose
//! the last moments.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};

use crate::phones::chats::Seen;
use crate::phones::messages::{Message, Status};
use crate::saved::{Error, io};
use crate::state::State;
use crate::text::Text;
use crate::webhooks::{Item, Lane};

#[derive(Serialize, Deserialize)]
pub(crate) enum Line {
    /// A message as it is now.
    #[serde(rename = "m")]
    Message(Message),
    /// Its status and whether it is on the screen.
    #[serde(rename = "s")]
    Mark(Text, Status, bool),
    /// A message of WhatsApp Web as a phone shows it now.
    #[serde(rename = "w")]
    Seen(Seen),
    /// A webhook is owed.
    #[serde(rename = "p")]
    Owed(u64, Lane, Item),
    /// These have been taken.
    #[serde(rename = "d")]
    Taken(Vec<u64>),
}

/// Webhooks still owed, by number of order.
pub(crate) type Owed = BTreeMap<u64, (Lane, Item)>;

enum Order {
    Line(Line),
    /// Everything still true, for a fresh file.
    Rewrite(Vec<Line>),
    Stop,
}

/// Lines written since the last rewrite after which another is worth it.
const REWRITE_AFTER: usize = 3_000_000;

#[derive(Clone)]
pub(crate) struct Journal {
    orders: Option<mpsc::Sender<Order>>,
    written: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Journal {
    /// A journal that forgets everything, for a sandbox without a directory.
    pub(crate) fn none() -> Self {
        Self { orders: None, written: Default::default() }
    }

    pub(crate) fn add(&self, line: Line) {
        if let Some(orders) = &self.orders {
            self.written.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let _ = orders.send(Order::Line(line));
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.orders.is_some()
    }

    pub(crate) fn wants_rewrite(&self) -> bool {
        self.written.load(std::sync::atomic::Ordering::Relaxed) > REWRITE_AFTER
    }

    /// Replaces the file's contents. The caller holds the state's lock, so that no line falls between.
    pub(crate) fn rewrite(&self, lines: Vec<Line>) {
        if let Some(orders) = &self.orders {
            self.written.store(0, std::sync::atomic::Ordering::Relaxed);
            let _ = orders.send(Order::Rewrite(lines));
        }
    }

    pub(crate) fn stop(&self) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order::Stop);
        }
    }
}

/// Reads the journal into the state, rewrites it, and starts its writer.
pub(crate) fn open(dir: &Path, state: &mut State) -> Result<(Journal, Owed, JoinHandle<()>), Error> {
    let path = dir.join("messages.jsonl");
    let owed = read(&path, state)?;
    let lines = state.messages.iter().cloned().map(Line::Message);
    let lines = lines.chain(state.chats.iter().cloned().map(Line::Seen));
    let lines = lines.chain(owed.iter().map(|(n, (lane, item))| Line::Owed(*n, lane.clone(), item.clone())));
    let file = fresh(&path, lines)?;
    let (orders, inbox) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("sandbox-journal".to_owned())
        .spawn({
            let path = path.clone();
            move || write(&path, file, &inbox)
        })
        .map_err(io(&path))?;
    Ok((Journal { orders: Some(orders), written: Default::default() }, owed, thread))
}

fn read(path: &Path, state: &mut State) -> Result<Owed, Error> {
    let mut owed = Owed::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(owed),
        Err(other) => return Err(io(path)(other)),
    };
    for line in BufReader::new(file).lines() {
        let line = line.map_err(io(path))?;
        match serde_json::from_str(&line) {
            Ok(Line::Message(message)) => {
                if message.direction == crate::phones::messages::Direction::In
                    && state.messages.find(&message.id).is_none()
                {
                    state.stats.count_send(&message.number, message.opaque.as_deref());
                }
                state.add_message(message);
            }
            Ok(Line::Mark(id, status, shown)) => {
                if let Some(message) = state.messages.find(&id).and_then(|seq| state.messages.get_mut(seq)) {
                    (message.status, message.shown) = (status, shown);
                }
            }
            Ok(Line::Seen(seen)) => {
                state.chats.put(seen);
            }
            Ok(Line::Owed(number, lane, item)) => {
                owed.insert(number, (lane, item));
            }
            Ok(Line::Taken(numbers)) => numbers.iter().for_each(|number| {
                owed.remove(number);
            }),
            Err(error) => {
                tracing::warn!(%error, "skipped a line of the journal that cannot be read")
            }
        }
    }
    Ok(owed)
}

fn fresh(path: &PathBuf, lines: impl Iterator<Item = Line>) -> Result<BufWriter<File>, Error> {
    let beside = path.with_extension("new");
    let mut out = BufWriter::new(File::create(&beside).map_err(io(&beside))?);
    for line in lines {
        put(&mut out, &line).map_err(io(&beside))?;
    }
    out.flush().map_err(io(&beside))?;
    std::fs::rename(&beside, path).map_err(io(path))?;
    Ok(out)
}

fn put(out: &mut BufWriter<File>, line: &Line) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn write(path: &PathBuf, mut out: BufWriter<File>, inbox: &mpsc::Receiver<Order>) {
    let mut next = inbox.recv().ok();
    while let Some(order) = next.take() {
        let done = match order {
            Order::Line(line) => put(&mut out, &line),
            Order::Rewrite(lines) => match fresh(path, lines.into_iter()) {
                Ok(file) => {
                    out = file;
                    Ok(())
                }
                Err(error) => Err(std::io::Error::other(error)),
            },
            Order::Stop => {
                if let Err(error) = out.flush().and_then(|()| out.get_ref().sync_all()) {
                    tracing::error!(%error, "the journal could not be finished");
                }
                return;
            }
        };
        if let Err(error) = done {
            tracing::error!(%error, "the journal could not be written");
        }
        next = inbox.try_recv().ok().or_else(|| {
            if let Err(error) = out.flush() {
                tracing::error!(%error, "the journal could not be written");
            }
            inbox.recv().ok()
        });
    }
}
