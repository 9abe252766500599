//! Starting and stopping: one port on loopback, plain and TLS alike.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{get, post};
use rand_10::RngExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::handle::Handle;
use crate::phone::entropy;
use crate::saved::{self, Saved};
use crate::socket::{self, Parcel, noise};
use crate::state::World;
use crate::tls::{Door, TlsError};
use crate::{admin, media};

/// Bytes; frames are at most 16 MiB.
const LARGEST_MESSAGE: usize = 32 << 20;
/// How long a stop waits for those who are still being answered.
const FAREWELL: Duration = Duration::from_secs(3);

/// How to start.
#[derive(Clone)]
pub struct Options {
    /// Where to listen: a loopback address, port 0 for any.
    pub listen: SocketAddr,
    /// How long a hello waits for its answer, and what follows the handshake once more: a real server is never faster than some
    /// milliseconds, and there are clients that need them to take up their new keys.
    pub handshake_delay: Duration,
    /// Where accounts, groups and the server's keys are kept; nothing is kept otherwise.
    pub data_dir: Option<PathBuf>,
    /// The time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            handshake_delay: Duration::from_millis(20),
            data_dir: None,
            clock: Clock::default(),
        }
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This server is for one machine only.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The port is taken, or the like.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// No certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Saved(#[from] saved::Error),
    /// The kept key is none.
    #[error("the server's key cannot be used")]
    Key,
}

/// What all connections share.
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) identity: noise::Identity,
    pub(crate) handshake_delay: Duration,
}

impl Shared {
    /// The world; whoever panicked in it left it as it was.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server; dropping it leaves it running until the runtime ends, [`WebServer::stop`] ends it.
pub struct WebServer {
    address: SocketAddr,
    certificate: Vec<u8>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl WebServer {
    /// Starts; answers when connections are accepted.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if !options.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(options.listen));
        }
        let refused = |source| StartError::Listen(options.listen, source);
        let listener = TcpListener::bind(options.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let mut random = entropy();
        let saved = options.data_dir.map(Saved::open).transpose()?.map(Arc::new);
        let keys = match &saved {
            Some(saved) => saved.keys(&mut random)?,
            None => saved::ServerKeys::make(&mut random)?,
        };
        let identity = noise::Identity::new(keys.noise()?, options.clock.seconds()).map_err(|_| StartError::Key)?;
        let mut world = World::new(options.clock, random, address.to_string());
        world.blobs.auth = hex::encode(world.random.random::<[u8; 16]>());
        if let Some(saved) = &saved {
            saved.load(&mut world)?;
        }
        world.saved.clone_from(&saved);
        let shared = Arc::new(Shared { world: Mutex::new(world), identity, handshake_delay: options.handshake_delay });
        let (door, doorman) = Door::open(listener, &keys.certificate)?;
        let (stop, stopping) = watch::channel(false);
        let mut tasks = vec![tokio::spawn(serve(door, routes(&shared), stopping.clone())), doorman];
        tasks.extend(saved.map(|saved| tokio::spawn(saved.keep(Arc::clone(&shared), stopping))));
        Ok(Self { address, certificate: keys.certificate.certificate.0, shared, stop, tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("wss://{}/ws/chat", self.address)
    }

    /// The same without TLS.
    pub fn plain_url(&self) -> String {
        format!("ws://{}/ws/chat", self.address)
    }

    /// The root of the calls for whoever plays the phones.
    pub fn admin_url(&self) -> String {
        format!("https://{}/admin", self.address)
    }

    /// The certificate, DER; it is its own root, so a client that trusts it trusts this server alone.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// The key that the server's Noise certificates are signed with, instead of WhatsApp's; the same after a restart.
    pub fn root_key(&self) -> [u8; 32] {
        self.shared.identity.root()
    }

    /// For acting on the server; cheap to clone.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Ends all connections and keeps what is to be kept.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.shared.world().disconnect_all();
        for task in self.tasks {
            // Who does not finish in time is ended with the runtime.
            let _ = tokio::time::timeout(FAREWELL, task).await;
        }
    }
}

impl World {
    fn disconnect_all(&mut self) {
        for address in self.connected() {
            if let Some(line) = self.companion(&address).and_then(|device| device.line.as_ref()) {
                line.outbox.put(Parcel::Close);
            }
        }
    }
}

fn routes(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(async || "ready\n"))
        .route("/ws/chat", get(upgrade))
        .route("/admin/mock-phone/scan-qr", post(admin::scan_qr))
        .fallback(media::serve)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(shared))
}

async fn upgrade(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE)
        .on_upgrade(move |socket| socket::serve(shared, socket))
}

async fn serve(door: Door, routes: Router, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        // An error says that the server was dropped, which is as good as a stop.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(door, routes).with_graceful_shutdown(stopped).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the server ended");
    }
}
