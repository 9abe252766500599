//! The floor: the least that a durable accept can cost with the same parts. A bare axum route hands each body to
//! one writer thread, which inserts a message of 600 bytes, an event and a job with prepared statements, commits
//! up to 512 accepts together with `synchronous=FULL`, and answers after the commit. No authentication, no
//! validation, no idempotency, no index.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use crate::Outcome;

const BATCH: usize = 512;
const ROW: usize = 600;

struct Accept {
    body: Bytes,
    done: oneshot::Sender<i64>,
}

type Queue = Arc<mpsc::Sender<Accept>>;

/// Prints its address and serves until it is killed.
pub async fn serve(dir: &Path) -> Outcome {
    let (queue, waiting) = mpsc::channel(8192);
    let connection = open(&dir.join("floor.db"))?;
    std::thread::spawn(move || {
        if let Err(error) = write(connection, waiting) {
            eprintln!("the floor's writer failed: {error}");
            std::process::exit(1);
        }
    });
    let router = Router::new().route("/messages", post(accept)).with_state(Arc::new(queue));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| _ = stream.set_nodelay(true));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn accept(State(queue): State<Queue>, body: Bytes) -> Result<String, StatusCode> {
    let (done, written) = oneshot::channel();
    queue.send(Accept { body, done }).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let id = written.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(format!(r#"{{"id":{id}}}"#))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE messages (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
         CREATE TABLE events (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, kind TEXT NOT NULL);
         CREATE TABLE jobs (id INTEGER PRIMARY KEY, message INTEGER NOT NULL, state INTEGER NOT NULL);",
    )?;
    Ok(connection)
}

fn write(connection: Connection, mut waiting: mpsc::Receiver<Accept>) -> rusqlite::Result<()> {
    let mut message = connection.prepare("INSERT INTO messages (id, content) VALUES (?1, ?2)")?;
    let mut event = connection.prepare("INSERT INTO events (id, message, kind) VALUES (?1, ?1, 'message.created')")?;
    let mut job = connection.prepare("INSERT INTO jobs (id, message, state) VALUES (?1, ?1, 0)")?;
    let (mut batch, mut id, mut row) = (Vec::with_capacity(BATCH), 0_i64, Vec::with_capacity(ROW));
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let first = id + 1;
        for accept in &batch {
            id += 1;
            row.clear();
            row.extend_from_slice(&accept.body[..accept.body.len().min(ROW)]);
            row.resize(ROW, b' ');
            message.execute(params![id, row])?;
            event.execute(params![id])?;
            job.execute(params![id])?;
        }
        connection.execute_batch("COMMIT")?;
        for (accept, id) in batch.drain(..).zip(first..) {
            // Whoever no longer waits has lost nothing.
            let _ = accept.done.send(id);
        }
    }
    Ok(())
}
