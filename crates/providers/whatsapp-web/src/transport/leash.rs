//! What ties a session's connections to its lease. Nothing is sent while it is not sure that the lease is ours, and with
//! the session the connections end, whoever still holds them: a process that was paused in the middle of a log-in must
//! not finish it, and what the library leaves running must not keep a socket.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use engine::sessions::Lease;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Of one session. Cheap to clone.
#[derive(Clone)]
pub struct Leash {
    lease: Option<Lease>,
    ended: CancellationToken,
    tied: Arc<Mutex<Vec<Weak<TcpStream>>>>,
}

impl Leash {
    #[must_use]
    pub fn new(lease: Lease) -> Self {
        Self { lease: Some(lease), ..Self::loose() }
    }

    /// For connections that belong to no lease.
    #[must_use]
    pub fn loose() -> Self {
        Self { lease: None, ended: CancellationToken::new(), tied: Arc::default() }
    }

    /// Closes every connection, and makes no new one.
    pub fn end(&self) {
        let mut tied = self.tied();
        self.ended.cancel();
        tied.drain(..).filter_map(|stream| stream.upgrade()).for_each(|stream| close(&stream));
    }

    /// The stream, from now on on this leash.
    pub(super) fn tie(&self, stream: TcpStream) -> io::Result<Leashed> {
        let (mut tied, stream) = (self.tied(), Arc::new(stream));
        if self.ended.is_cancelled() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        tied.retain(|known| known.strong_count() > 0);
        tied.push(Arc::downgrade(&stream));
        Ok(Leashed { stream, lease: self.lease.clone(), ended: self.ended.clone(), waiting: None })
    }

    fn tied(&self) -> MutexGuard<'_, Vec<Weak<TcpStream>>> {
        self.tied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For everybody who has it: reading ends, writing fails.
fn close(stream: &TcpStream) {
    if let Ok(same) = stream.as_fd().try_clone_to_owned() {
        // The other side may have closed it.
        let _ = std::net::TcpStream::from(same).shutdown(Shutdown::Both);
    }
}

/// A connection on a leash.
pub(super) struct Leashed {
    stream: Arc<TcpStream>,
    lease: Option<Lease>,
    ended: CancellationToken,
    /// For the lease to be sure again, or the end.
    waiting: Option<BoxFuture<'static, ()>>,
}

impl Leashed {
    fn poll_sure(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(lease) = self.lease.as_ref().filter(|lease| !lease.is_sure()) {
            if self.ended.is_cancelled() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
            let (lease, ended) = (lease.clone(), self.ended.clone());
            let waiting = self.waiting.get_or_insert_with(|| {
                Box::pin(async move {
                    tokio::select! {
                        () = lease.sure() => {}
                        () = ended.cancelled() => {}
                    }
                })
            });
            ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Leashed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_sure(cx))?;
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        close(&self.stream);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::Clock;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::sync::watch;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (here, there) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (here.unwrap(), there.unwrap().0)
    }

    #[tokio::test]
    async fn nothing_is_sent_while_the_lease_is_not_sure() {
        let clock = Clock::manual(1_000);
        let (until, ends) = watch::channel(2_000);
        let (leash, (here, mut there)) = (Leash::new(Lease::new(clock.clone(), ends)), pair().await);
        let mut here = leash.tie(here).unwrap();
        here.write_all(b"a").await.unwrap();
        assert_eq!(there.read_u8().await.unwrap(), b'a');

        clock.advance(Duration::from_secs(1));
        let mut late = tokio::spawn(async move { here.write_all(b"b").await.map(|()| here) });
        there.write_all(b"heard").await.unwrap();
        assert!(futures_util::poll!(&mut late).is_pending());
        assert_eq!(there.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        until.send_replace(3_000);
        let mut here = late.await.unwrap().unwrap();
        assert_eq!(there.read_u8().await.unwrap(), b'b');
        let mut heard = [0; 5];
        here.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"heard");

        clock.advance(Duration::from_secs(1));
        let lost = tokio::spawn(async move { here.write_all(b"c").await });
        leash.end();
        assert!(lost.await.unwrap().is_err());
        assert_eq!(there.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn connections_end_with_the_leash_whoever_has_them() {
        let (leash, (here, mut there)) = (Leash::loose(), pair().await);
        let kept = leash.tie(here).unwrap();
        leash.clone().end();
        assert_eq!(there.read(&mut [0]).await.unwrap(), 0, "nobody polls it here");
        let (late, _there) = pair().await;
        assert!(leash.tie(late).is_err());
        drop(kept);
    }
}
