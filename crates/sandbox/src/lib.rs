//! The sandbox: a stand-in for Meta's Graph API, WhatsApp Web and the phones of customers, so that a platform can be tried and tested whole, without
//! an account, a contract or a network.
//!
//! Two HTTP servers run here. `graph` answers as Meta's Cloud API does, with its checks, its error codes and its signed webhooks. `control`
//! is for people and tests: a platform introduces itself there and is given accounts (`accounts`), a customer's phone writes, reads,
//! goes offline (`phones`), the clock moves (`clock`), things go wrong on demand (`faults`), limits are switched on (`limits`), and `GET /` is a page
//! on which a person plays the customer. A third server, in builds with the feature `web-sandbox`, is WhatsApp Web's (`web`): linked
//! accounts and all phones live in one world. Carriers for SMS, calls and mail, and a till, stand beside (`carriers`).
//!
//! One message's way: `graph::messages` checks the body as Meta would, `delivery` decides what becomes of it (failed, sent, delivered), puts it on the
//! phone and hands the statuses to `webhooks`, which owes each of them to the platform until it answers 200.
//!
//! Everything lives in memory under one lock (`state`), and survives a restart in the data directory: a snapshot for what changes rarely
//! (`saved`), a journal for messages and owed webhooks (`journal`), files for media. Ids and secrets derive from the directory's seed (`ids`), so the
//! same platform is given the same ones again.
//!
//! All listeners are on loopback, or the sandbox is exposed: then control API, page and clocks ask for a token
//! (`exposure`).
//!
//! # What Graph does not do here
//!
//! `graph` has one table of all edges that are there. What is not there is answered as an id that names nothing is
//! (code 100, subcode 33), among it:
//!
//! | Edge | For |
//! | --- | --- |
//! | `GET`, `POST`, `DELETE /{phone}/username`, `GET /{phone}/username_suggestions` | usernames |
//! | `GET /{waba}/message_template_previews` | how authentication templates look in each language |
//! | `GET /{template}/compare` | how two templates fare |
//! | `POST /{waba}/migrate_message_templates` | templates of another account |
//! | `POST /{waba}/message_templates/archive`, `/unarchive`, on a host of their own | putting templates away |
//! | `POST`, `DELETE /…/share_preverified_numbers` | lending pre-verified numbers to a partner |
//! | `GET`, `POST`, `DELETE /{waba}/assigned_users` | who may work with an account |
//! | `/{phone}/groups`, `/{phone}/calls`, `/{waba}/flows` | groups, calls, flows |
//! | `/{phone}/message_qrdls`, `/whatsapp_business_encryption`, `/conversational_automation` | links, keys, greetings |
//!
//! A WABA has no `analytics` among its `fields` (code 100). Taken on trust: what bytes are (but for whether a sticker
//! moves), and a template's `header_handle`, which may be of an upload that was not made here. How many wrong PINs are too
//! many Meta does not tell; `graph::registration` has its own numbers.

mod accounts;
mod carriers;
mod clock;
mod control;
mod delivery;
mod exposure;
mod faults;
mod graph;
mod ids;
mod journal;
mod limits;
mod media;
mod outbound;
mod phones;
mod saved;
mod state;
mod templates;
mod text;
#[cfg_attr(not(feature = "web-sandbox"), path = "no_web.rs")]
mod web;
mod webhooks;
mod world;

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

pub use clock::Source;
pub use exposure::{control_address, shows_token};
use ids::Seed;
use sandbox_carriers::serve;
pub use saved::Error as SavedError;
use state::State;
use world::{Parts, Shared, World};

/// What a sandbox is started with.
pub struct Options {
    pub control_listen: SocketAddr,
    pub graph_listen: SocketAddr,
    /// Where WhatsApp Web clients connect: loopback. Needs the feature `web-sandbox`.
    pub web_listen: SocketAddr,
    /// Where the SMSC takes binds.
    pub smsc_listen: SocketAddr,
    /// Where carriers with HTTP APIs are.
    pub carriers_listen: SocketAddr,
    /// Where the mail server is.
    pub smtp_listen: SocketAddr,
    /// Where the till is.
    pub stripe_listen: SocketAddr,
    /// Where everything is kept; without it all is forgotten at the end.
    pub data_dir: Option<PathBuf>,
    /// Control API, clock and page ask for a token (see [`Handle::token`]). Without it nothing listens beyond loopback.
    pub expose: bool,
    /// Networks to which media links and override URLs may lead although they are private; plain http leads to these only.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// Instead of a random seed when the data directory is new, for the same ids in every run.
    pub seed: Option<u64>,
    /// Where real time comes from.
    pub time: Source,
}

impl Default for Options {
    /// Loopback, free ports, nothing kept, links to loopback allowed.
    fn default() -> Self {
        let any = control_address(false);
        Self {
            control_listen: any,
            graph_listen: any,
            web_listen: any,
            smsc_listen: any,
            carriers_listen: any,
            smtp_listen: any,
            stripe_listen: any,
            data_dir: None,
            expose: false,
            allowed_networks: vec![
                ipnet::IpNet::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0).into(), 8),
                ipnet::IpNet::new_assert(std::net::Ipv6Addr::LOCALHOST.into(), 128),
            ],
            seed: None,
            time: Source::System,
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the sandbox listens on loopback only unless it is exposed (--sandbox-expose), and {0} is not loopback")]
    NotExposed(SocketAddr),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the data directory cannot be used")]
    Data(#[from] SavedError),
    #[error("the HTTP client cannot be made")]
    Client(#[from] net::Error),
    #[error("the carriers cannot be started")]
    Carriers(#[from] sandbox_carriers::StartError),
    #[cfg(feature = "web-sandbox")]
    #[error("the WhatsApp Web server cannot be started")]
    Web(#[from] sandbox_web::StartError),
}

/// A running sandbox. Dropping it stops it without waiting; [`Handle::stop`] saves first.
pub struct Handle {
    world: Shared,
    journal_thread: Option<JoinHandle<()>>,
    _lock: Option<File>,
}

/// Opens the data directory, binds all servers and serves.
pub async fn start(options: Options) -> Result<Handle, Error> {
    exposure::check(&options)?;
    let (control, control_url) = listen(options.control_listen).await?;
    let (graph, graph_url) = listen(options.graph_listen).await?;
    let mut opened = open(&options)?;
    opened.state.run += 1;
    opened.state.next_number = opened.state.next_number.max(accounts::FIRST_NUMBER);
    opened.state.index();
    let token = options.expose.then(|| opened.seed.token("control"));
    let carriers = carriers_of(&options);
    let clock = clock::Clock::new(options.time, opened.state.offset_ms);
    let web_dir = options.data_dir.as_ref().map(|dir| dir.join("web"));
    let parts = Parts {
        web: web::Web::start(options.web_listen, web_dir, clock.clone()).await?,
        clock,
        seed: opened.seed,
        outbound: outbound::Outbound::new(options.allowed_networks)?,
        files: opened.files,
        journal: opened.journal,
        control_url,
        graph_url,
        token,
        dir: options.data_dir,
    };
    let world = World::new(parts, opened.state);
    carriers::start(&world, carriers).await?;
    world.save()?;
    webhooks::resume(&world, opened.owed);
    templates::review::resume(&world);
    world::keep(&world);
    web::follow(&world);
    for (listener, router) in [(control, control::router(&world)), (graph, graph::router(&world))] {
        world.tasks.spawn(serve::run(listener, router, world.stop.clone(), world.tasks.clone()));
    }
    Ok(Handle { world, journal_thread: opened.thread, _lock: opened.lock })
}

/// Only those who introduced themselves may bind and log in.
fn carriers_of(options: &Options) -> sandbox_carriers::Options {
    let (smsc, http, smtp) = (options.smsc_listen, options.carriers_listen, options.smtp_listen);
    sandbox_carriers::Options {
        smsc: sandbox_carriers::smsc::Options { listen: smsc, systems: Vec::new(), ..Default::default() },
        http: sandbox_carriers::http::Options { listen: http, ..Default::default() },
        smtp: sandbox_carriers::smtp::Options { listen: smtp, ..Default::default() },
        stripe: sandbox_carriers::stripe::Options { listen: options.stripe_listen },
    }
}

async fn listen(address: SocketAddr) -> Result<(tokio::net::TcpListener, String), Error> {
    serve::bind(address).await.map_err(|source| Error::Listen { address, source })
}

struct Opened {
    seed: Seed,
    state: State,
    files: media::Files,
    journal: journal::Journal,
    owed: journal::Owed,
    thread: Option<JoinHandle<()>>,
    lock: Option<File>,
}

fn open(options: &Options) -> Result<Opened, Error> {
    let Some(dir) = &options.data_dir else {
        let seed = options.seed.map_or_else(|| Seed::new(rand::random()), Seed::from_number);
        let dir = std::env::temp_dir().join(format!("hermod-sandbox-{:032x}", rand::random::<u128>()));
        let files = media::Files::open(dir.clone(), true).map_err(saved::io(&dir))?;
        return Ok(Opened {
            seed,
            state: State::default(),
            files,
            journal: journal::Journal::none(),
            owed: journal::Owed::new(),
            thread: None,
            lock: None,
        });
    };
    std::fs::create_dir_all(dir).map_err(saved::io(dir))?;
    let lock = saved::lock(dir)?;
    let seed = saved::seed(dir, options.seed)?;
    let mut state = saved::load(dir)?;
    let (journal, owed, thread) = journal::open(dir, &mut state)?;
    let files = media::Files::open(dir.join("media"), false).map_err(saved::io(dir))?;
    Ok(Opened { seed, state, files, journal, owed, thread: Some(thread), lock: Some(lock) })
}

impl Handle {
    /// Where the control API and the page are.
    pub fn control_url(&self) -> &str {
        &self.world.control_url
    }

    /// Where the Graph API is, without a version.
    pub fn graph_url(&self) -> &str {
        &self.world.graph_url
    }

    /// Where WhatsApp Web clients connect, in a build that has it.
    pub fn web_url(&self) -> Option<String> {
        self.world.web.as_ref().and_then(|web| web.urls()["server_url"].as_str().map(str::to_owned))
    }

    /// Where the carriers are: SMPP (host and port), HTTP (a URL) and SMTP (host and port).
    pub fn carriers(&self) -> Option<(SocketAddr, String, SocketAddr)> {
        let carriers = self.world.carriers.get()?;
        Some((carriers.smsc().address(), carriers.http().url().to_owned(), carriers.smtp().address()))
    }

    /// The token that the control API asks for, if it is exposed.
    pub fn token(&self) -> Option<&str> {
        self.world.token.as_deref()
    }

    /// Stops both servers and the pushes, and saves.
    pub async fn stop(mut self) {
        if let Some(web) = &self.world.web {
            web.stop().await;
        }
        self.world.stop.cancel();
        self.world.tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(3), self.world.tasks.wait()).await;
        if let Err(error) = self.world.save() {
            tracing::error!(%error, "the sandbox could not save its state");
        }
        self.world.journal.stop();
        if let Some(thread) = self.journal_thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.world.stop.cancel();
        self.world.journal.stop();
    }
}
