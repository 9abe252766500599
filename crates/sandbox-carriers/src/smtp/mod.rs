//! A mail server: it takes mails for anybody, as a relay does, and keeps them to be looked at.
//!
//! Who acts: a task for each connection ([`session`]), one more for each report that is brought to the platform
//! ([`bounce`]). A mail for several recipients is kept once for each, as their mailboxes would have it.
//!
//! A recipient under `.invalid` does not exist, nor does one whose phone (by this address) is not registered: the mail is
//! taken and comes back as a report, if the user who logged in has said where to. For faults see the crate's front page;
//! here `Status` is the reply to `RCPT`, and `Code` an enhanced status (`5.2.2`) that is reported later; `2.0.0` reports
//! that the mail arrived.

mod bounce;
mod command;
mod identity;
mod line;
mod login;
mod mail;
mod post;
mod session;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::StartError;
use crate::world::World;
pub use identity::Identity;
use post::Post;
pub use users::{Bounces, User};

/// How it is started.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// Where TLS begins with the first byte; needs an identity.
    pub listen_tls: Option<SocketAddr>,
    /// STARTTLS is offered with it.
    pub identity: Option<Identity>,
    /// Who may log in. While there is nobody, no log-in is needed and any is accepted.
    pub users: Vec<User>,
    /// Bytes of a mail.
    pub largest: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            listen_tls: None,
            identity: None,
            users: Vec::new(),
            largest: 10 * 1024 * 1024,
        }
    }
}

pub struct Server {
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    post: Arc<Post>,
}

impl Server {
    pub(crate) async fn start(options: Options, world: &Arc<World>) -> Result<Self, StartError> {
        let acceptor = options.identity.as_ref().map(Identity::acceptor).transpose()?;
        let post = Arc::new(Post::new(world.clone(), acceptor, &options));
        let (listener, address) = bind(options.listen).await?;
        tokio::spawn(listen(listener, post.clone(), false));
        let mut tls_address = None;
        if let (Some(wanted), true) = (options.listen_tls, post.tls.is_some()) {
            let (listener, address) = bind(wanted).await?;
            tokio::spawn(listen(listener, post.clone(), true));
            tls_address = Some(address);
        }
        Ok(Self { address, tls_address, post })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where TLS begins with the first byte.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// Lets somebody log in, or brings what is known of them up to date.
    pub fn admit(&self, user: User) {
        self.post.users.admit(user);
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn listen(listener: TcpListener, post: Arc<Post>, tls_first: bool) {
    let stop = post.world.stop.clone();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((tcp, _)) = accepted else {
            // Out of file descriptors, most likely: that passes.
            post.world.pause(Duration::from_millis(100)).await;
            continue;
        };
        let (post, stop) = (post.clone(), stop.clone());
        tokio::spawn(async move {
            let served = stop.run_until_cancelled(Box::pin(serve(tcp, post, tls_first))).await;
            if let Some(Err(error)) = served {
                tracing::debug!(%error, "a connection to the mail server ended");
            }
        });
    }
}

/// One connection: without TLS until it is asked for, then with it.
async fn serve(tcp: TcpStream, post: Arc<Post>, tls_first: bool) -> std::io::Result<()> {
    // Only a matter of speed.
    let _ = tcp.set_nodelay(true);
    let Some(acceptor): Option<TlsAcceptor> = post.tls.clone() else {
        return session::Session::new(tcp, post, false).run(true).await.map(drop);
    };
    let tcp = match tls_first {
        true => Some(tcp),
        false => session::Session::new(tcp, post.clone(), false).run(true).await?,
    };
    let Some(tcp) = tcp else { return Ok(()) };
    let tls = acceptor.accept(tcp).await?;
    session::Session::new(tls, post, true).run(tls_first).await.map(drop)
}
