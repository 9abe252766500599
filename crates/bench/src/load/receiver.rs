use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::connection::{Head, header};
use crate::Outcome;

/// What was posted to a receiver.
pub struct Post<'a> {
    head: &'a [u8],
    pub body: &'a [u8],
}

impl Post<'_> {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }
}

/// What a receiver answers, and when.
#[derive(Clone, Copy)]
pub struct Reply {
    pub status: u16,
    pub after: Duration,
}

impl Reply {
    pub const OK: Self = Self { status: 200, after: Duration::ZERO };
}

type Judge = Arc<dyn Fn(&Post<'_>) -> Reply + Send + Sync>;

/// Somebody's webhook endpoint in this process; gone when dropped.
pub struct Receiver {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Receiver {
    pub async fn open(judge: impl Fn(&Post<'_>) -> Reply + Send + Sync + 'static) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let judge: Judge = Arc::new(judge);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let judge = judge.clone();
                tokio::spawn(async move {
                    // A poster that goes away is its own affair.
                    let _ = serve(stream, judge).await;
                });
            }
        });
        Ok(Self { address, task })
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, judge: Judge) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8192);
    loop {
        let head = loop {
            if let Some(head) = Head::find(&buffer)? {
                break head;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let end = head.length + head.body;
        while buffer.len() < end {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let reply = judge(&Post { head: &buffer[..head.length], body: &buffer[head.length..end] });
        buffer.drain(..end);
        if !reply.after.is_zero() {
            tokio::time::sleep(reply.after).await;
        }
        let answer = format!("HTTP/1.1 {} -\r\ncontent-length: 2\r\n\r\nok", reply.status);
        stream.write_all(answer.as_bytes()).await?;
    }
}
