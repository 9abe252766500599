//! The life of a serving process, from top to bottom.

use std::path::PathBuf;
use std::time::Duration;

use engine::{Clock, workers};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::http::{self, Control, Limits, Ready};
use crate::introduce::Given;
use crate::opening::{self, Opened, Purpose};
use crate::settings::Settings;
use crate::wiring::{self, Surroundings};
use crate::{digigo, introduce, logs, mounting, telemetry};

/// Which outside world to work with.
#[derive(Clone, PartialEq, Eq)]
pub enum World {
    /// The real one.
    Real,
    /// A sandbox of our own, in this process. `expose`: its control API listens everywhere and asks for a token.
    Inside { expose: bool },
    /// A sandbox that runs already, by the address of its control API.
    At { url: String, token: Option<String> },
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Opening(#[from] opening::Error),
    #[error(transparent)]
    Wiring(#[from] wiring::Error),
    #[error("cannot listen on {0}")]
    Listen(std::net::SocketAddr, #[source] std::io::Error),
    #[error("the sandbox cannot be started")]
    Sandbox(#[from] sandbox::Error),
    #[error(transparent)]
    Introduce(#[from] introduce::Error),
    #[error(transparent)]
    Digigo(#[from] digigo::Error),
    #[error("the database failed")]
    Store(#[from] store::Error),
    #[error("an HTTP client cannot be made")]
    Client(#[from] net::Error),
}

/// A process that serves. It works until it is stopped.
pub struct Serving {
    pub base_url: String,
    /// What stands in `sandbox.json`, in sandbox mode.
    pub sandbox: Option<serde_json::Value>,
    pub engine: engine::Engine,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    /// The providers' own connections, which work in flight still needs.
    services: (CancellationToken, Vec<JoinHandle<()>>),
    inside: Option<sandbox::Handle>,
    stop_timeout: Duration,
    _opened: Opened,
}

/// Starts everything; when it returns, `/readyz` answers 200 and `sandbox.json` is written.
pub async fn start(settings: Settings, world: World, clock: Clock) -> Result<Serving, Error> {
    logs::install(&settings.log);
    telemetry::install();
    net::install_crypto();
    let in_sandbox = world != World::Real;
    let opened = opening::open(&settings, Purpose::Serve { sandbox: in_sandbox }).await?;
    let listen = settings.server.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| Error::Listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| Error::Listen(listen, error))?;
    let base_url = match settings.server.public_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        url => url.to_owned(),
    };
    let (inside, control) = outside(&settings, world).await?;
    let given = match &control {
        Some(control) => {
            let platform = introduce::platform_id(&opened.db).await?;
            let given = introduce::introduce(control, &platform, &base_url).await?;
            clock.set_offset(given.clock.offset_ms);
            Some(given)
        }
        None => None,
    };
    let around = Surroundings {
        clock,
        public_url: base_url.clone(),
        sandbox: in_sandbox,
        graph_url: given.as_ref().map(|given| given.meta.graph_url.clone()),
        till: given.as_ref().and_then(|given| given.stripe.clone()),
        web: given.as_ref().map(Given::web_server).transpose()?.flatten(),
    };
    let mut wired = wiring::wire(&settings, &opened, around)?;
    if !opened.db.is_postgres() {
        // The lock on the data directory says that whoever held a claim is gone.
        workers::recover(&wired.engine).await?;
    }
    let (engine, ready, stop) = (wired.engine.clone(), Ready::default(), CancellationToken::new());
    let (upkeep, options) = (std::mem::take(&mut wired.upkeep), wired.digigo.clone());
    let origin = mounting::origin(&settings, wired, &ready, control.clone());
    let limits = Limits {
        connections_per_peer: settings.server.connections_per_peer,
        header_timeout: Duration::from_secs(15),
        header_bytes: 64 * 1024,
    };
    let mut tasks = vec![tokio::spawn(http::serve(listener, origin, limits, stop.clone()))];
    let sandbox = match (&given, &control) {
        (Some(given), Some(control)) => Some(introduce::settle(&engine, given, control, &base_url).await?),
        _ => None,
    };
    digigo::settle(&engine, &settings, &options, in_sandbox).await?;
    tasks.extend(upkeep.into_iter().map(|upkeep| tokio::spawn(until(stop.clone(), upkeep))));
    let services = services(&engine);
    tasks.push(tokio::spawn(workers::run(engine.clone(), stop.clone())));
    // First the file: whoever sees that we are ready may read it.
    if let Some(all) = &sandbox {
        introduce::write_down(&settings.server.data_dir, all)?;
    }
    ready.raise();
    tracing::info!(url = base_url, sandbox = in_sandbox, "hermod is ready");
    let stop_timeout = settings.server.stop_timeout.0;
    Ok(Serving { base_url, sandbox, engine, stop, tasks, services, inside, stop_timeout, _opened: opened })
}

/// Starts what providers keep up by themselves, each until the token says otherwise.
fn services(engine: &engine::Engine) -> (CancellationToken, Vec<JoinHandle<()>>) {
    let stop = CancellationToken::new();
    let serving = engine.providers.iter().filter(|provider| provider.service().is_some()).cloned();
    let tasks = serving.map(|provider| {
        let (engine, stop) = (engine.clone(), stop.clone());
        tokio::spawn(async move {
            if let Some(service) = provider.service() {
                service.run(&engine, stop).await;
            }
        })
    });
    let tasks = tasks.collect();
    (stop, tasks)
}

async fn until(stop: CancellationToken, upkeep: BoxFuture<'static, ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = upkeep => {}
    }
}

/// The sandbox, ours or another's.
async fn outside(settings: &Settings, world: World) -> Result<(Option<sandbox::Handle>, Option<Control>), Error> {
    let client = net::plain_client(&net::PlainSettings {
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        extra_roots: Vec::new(),
    })?;
    match world {
        World::Real => Ok((None, None)),
        World::At { url, token } => {
            Ok((None, Some(Control { url: url.trim_end_matches('/').to_owned(), client, token })))
        }
        World::Inside { expose } => {
            let handle = sandbox::start(sandbox_options(settings, expose)).await?;
            let (url, token) = (handle.control_url().to_owned(), handle.token().map(str::to_owned));
            Ok((Some(handle), Some(Control { url, client, token })))
        }
    }
}

fn sandbox_options(settings: &Settings, expose: bool) -> sandbox::Options {
    let data_dir: PathBuf = settings.server.data_dir.join("sandbox");
    sandbox::Options {
        control_listen: sandbox::control_address(expose),
        data_dir: Some(data_dir),
        expose,
        allowed_networks: settings.outbound.allowed_networks.clone(),
        ..sandbox::Options::default()
    }
}

impl Serving {
    /// Takes no more requests, lets what is in flight finish and be recorded, and stops the sandbox.
    pub async fn stop(self) {
        self.stop.cancel();
        let (stop_services, services) = self.services;
        let at_last = stop_services.clone();
        let finished = async {
            for task in self.tasks {
                let _ = task.await;
            }
            stop_services.cancel();
            for task in services {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(self.stop_timeout, finished).await.is_err() {
            tracing::warn!("work in flight did not finish in time; it will be taken up at the next start");
        }
        at_last.cancel();
        if let Some(inside) = self.inside {
            inside.stop().await;
        }
        tracing::info!("hermod has stopped");
    }
}
