//! An account's way to its carrier: connected, bound and, when it breaks, connected again.
//!
//! Pauses between attempts grow from about a second to a minute, each drawn from half to one and a half times that. Messages
//! wait a moment for a connection that is being made and learn at once when there is none, so that another carrier can take
//! them. A crash loses nothing: what was on its way is the engine's to know.

use std::sync::Arc;
use std::time::Duration;

use engine::failure::{Code, Retry, SendError};
use engine::provider::Account;
use engine::{Clock, Engine};
use rusmpp::pdus::{BindTransceiver, SubmitSm};
use rusmpp::values::{InterfaceVersion, Npi, Ton};
use rusmpp::{Pdu, types::COctetString};
use secrecy::ExposeSecret;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::account::{Config, Secrets, Unusable};
use super::dial::{self, Line};
use super::failure;
use super::intake::{self, Seen};
use super::room::Room;
use super::session::{Ended, Ends, Lost, Session};
use super::{Options, wire::Answer};

/// To connect, and to be let in.
const BIND: Duration = Duration::from_secs(15);
/// For the carrier to answer a submission.
const ANSWER: Duration = Duration::from_secs(20);
/// For all parts of a message, so that its claim does not run out. Milliseconds.
const MESSAGE_MS: i64 = 50_000;
/// For a connection that is just being made. Milliseconds.
const CONNECTING_MS: i64 = 5_000;
/// For answers that are on their way when we say goodbye, and for the goodbye.
const FAREWELL: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a message that is too much is tried again before it goes back to the queue.
const TRIES: u32 = 6;
/// Deliveries that may wait to be taken in.
const INBOX: usize = 256;

pub(super) struct Link {
    pub(super) account: Arc<Account>,
    pub(super) config: Config,
    secrets: Secrets,
    options: Options,
    room: Room,
    standing: watch::Sender<Standing>,
    pub(super) seen: Seen,
}

#[derive(Clone)]
enum Standing {
    /// For the first time, or for the first time after it broke.
    Connecting,
    Up(Arc<Session>),
    Down(Box<SendError>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoLink {
    #[error("the carrier cannot be reached")]
    Dial(#[from] dial::Error),
    #[error("the carrier refused us: {}", .0.failure.message)]
    Refused(Box<SendError>),
    #[error("the connection ended before we were let in")]
    Ended(#[source] Ended),
    #[error("the carrier did not let us in in time")]
    Late,
}

impl Link {
    pub(super) fn new(account: Arc<Account>, options: Options) -> Result<Self, Unusable> {
        let (config, secrets) = (Config::of(&account)?, Secrets::of(&account)?);
        let room = Room::new(config.window, config.per_second);
        let (standing, seen) = (watch::Sender::new(Standing::Connecting), Seen::default());
        Ok(Self { account, config, secrets, options, room, standing, seen })
    }

    /// Keeps the connection up until `stop`.
    pub(super) async fn run(&self, engine: &Engine, stop: &CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let ended = self.connection(engine, stop).await;
            if stop.is_cancelled() {
                break;
            }
            failures = self.stand(ended, failures);
            tokio::select! {
                () = self.options.clock.sleep(pause(failures, (self.options.chance)())) => {}
                () = stop.cancelled() => {}
            }
        }
        self.standing.send_replace(Standing::Down(Box::new(SendError::unreached("We are being stopped."))));
    }

    /// Says how we stand without a connection; returns how many attempts in a row came to nothing.
    fn stand(&self, ended: Result<Ended, NoLink>, failures: u32) -> u32 {
        let account = &self.account.external_id;
        match ended {
            Ok(ended) => {
                tracing::warn!(%account, error = &ended as &dyn std::error::Error, "the connection to a carrier ended");
                self.standing.send_replace(Standing::Connecting);
                0
            }
            Err(none) => {
                tracing::warn!(%account, error = &none as &dyn std::error::Error, "no connection to a carrier");
                self.standing.send_replace(Standing::Down(none.means()));
                failures + 1
            }
        }
    }

    /// One connection from beginning to end; an error when we were never let in.
    async fn connection(&self, engine: &Engine, stop: &CancellationToken) -> Result<Ended, NoLink> {
        let line = self.dial().await?;
        let (arrivals, inbox) = mpsc::channel(INBOX);
        let (session, ends) = Session::new(self.options.clock.clone(), arrivals);
        let session = Arc::new(session);
        let mut running = Box::pin(self.running(engine, &session, (line, ends), inbox));
        tokio::select! {
            ended = &mut running => return Err(NoLink::Ended(ended)),
            bound = self.bind(&session) => bound?,
        }
        tracing::info!(account = %self.account.external_id, "connected to a carrier");
        self.standing.send_replace(Standing::Up(Arc::clone(&session)));
        let ended = tokio::select! {
            ended = &mut running => return Ok(ended),
            () = stop.cancelled() => Ended::Over,
        };
        self.standing.send_replace(Standing::Down(Box::new(SendError::unreached("We are being stopped."))));
        tokio::select! {
            _ = running => {}
            () = self.farewell(&session) => {}
        }
        Ok(ended)
    }

    async fn running(
        &self,
        engine: &Engine,
        session: &Session,
        (line, ends): (Line, Ends),
        inbox: mpsc::Receiver<intake::Arrived>,
    ) -> Ended {
        let every = Duration::from_secs(self.config.enquire_link_s.into());
        let ended = tokio::select! {
            ended = session.run(line, ends, every) => ended,
            () = intake::run(engine, self, session, inbox) => Ended::Over,
        };
        self.seen.doubt(session.heard());
        ended
    }

    async fn dial(&self) -> Result<Line, NoLink> {
        let (clock, config) = (&self.options.clock, &self.config);
        tokio::select! {
            line = dial::dial(&config.host, config.port, config.tls.then_some(&self.options.tls)) => Ok(line?),
            () = clock.sleep(BIND) => Err(NoLink::Late),
        }
    }

    async fn bind(&self, session: &Session) -> Result<(), NoLink> {
        let text = |text: &str| text.to_owned();
        let bind = BindTransceiver::builder()
            .system_id(short(text(&self.config.system_id)))
            .password(short(text(self.secrets.password.expose_secret())))
            .system_type(short(text(&self.config.system_type)))
            .interface_version(InterfaceVersion::Smpp3_4)
            .addr_ton(Ton::Unknown)
            .addr_npi(Npi::Unknown)
            .build();
        match session.ask(bind, BIND).await {
            Ok(Answer { status: 0, nack: false, .. }) => Ok(()),
            Ok(Answer { status, .. }) => Err(NoLink::Refused(Box::new(failure::of_bind(status)))),
            Err(Lost::Unsent) => Err(NoLink::Ended(Ended::Closed)),
            Err(Lost::Unanswered) => Err(NoLink::Late),
        }
    }

    /// Lets answers come in that are on their way, then says goodbye.
    async fn farewell(&self, session: &Session) {
        let clock = &self.options.clock;
        let until = clock.now() + i64::try_from(FAREWELL.as_millis()).unwrap_or(0);
        while !session.is_idle() && clock.now() < until {
            clock.sleep(Duration::from_millis(20)).await;
        }
        let _ = session.ask(Pdu::Unbind, FAREWELL).await;
        session.end();
    }

    /// Tries the account out: connects, is let in and says goodbye.
    pub(super) async fn try_out(&self) -> Result<(), NoLink> {
        let line = self.dial().await?;
        let (arrivals, _inbox) = mpsc::channel(1);
        let (session, ends) = Session::new(self.options.clock.clone(), arrivals);
        let tried = async {
            let bound = self.bind(&session).await;
            let _ = session.ask(Pdu::Unbind, FAREWELL).await;
            bound
        };
        tokio::select! {
            ended = session.run(line, ends, Duration::from_secs(3600)) => Err(NoLink::Ended(ended)),
            tried = tried => tried,
        }
    }

    /// Hands one part over; its name in receipts. `begun`: other parts of the message were taken before, which is
    /// worth waiting for a connection.
    pub(super) async fn submit(&self, part: &SubmitSm, until: i64, begun: bool) -> Result<String, SendError> {
        let mut tried = 0;
        loop {
            let answer = self.hand_over(part, until, begun).await?;
            match answer {
                Answer { status: 0, nack: false, message_id } => {
                    self.room.good();
                    return self.name(&message_id);
                }
                Answer { status, .. } if failure::is_too_much(status) && tried < TRIES => {
                    self.room.too_much();
                    self.calm_down(tried, until).await?;
                    tried += 1;
                }
                Answer { status, .. } => return Err(failure::of_submit(status)),
            }
        }
    }

    /// Until when a message that is begun now must be done, by the clock that connections wait by.
    pub(super) fn deadline(&self) -> i64 {
        self.options.clock.now() + MESSAGE_MS
    }

    fn name(&self, id: &str) -> Result<String, SendError> {
        match id {
            "" => Err(SendError::unknown("The carrier took the message and gave it no name.")),
            id => Ok(self.config.message_id.taken(id)),
        }
    }

    /// A pause that doubles with each refusal, beginning with a quarter of a second.
    async fn calm_down(&self, tried: u32, until: i64) -> Result<(), SendError> {
        let clock = &self.options.clock;
        let pause = Duration::from_millis(250 << tried).mul_f64(0.5 + (self.options.chance)());
        let at = clock.now() + i64::try_from(pause.as_millis()).unwrap_or(0);
        if at > until {
            return Err(busy());
        }
        clock.sleep_until(at).await;
        Ok(())
    }

    async fn hand_over(&self, part: &SubmitSm, until: i64, begun: bool) -> Result<Answer, SendError> {
        let clock = &self.options.clock;
        loop {
            let slot = tokio::select! {
                slot = self.room.enter(clock) => slot,
                () = clock.sleep_until(until) => return Err(busy()),
            };
            let session = self.session(until, begun).await?;
            let answer = session.ask(part.clone(), ANSWER).await;
            drop(slot);
            match answer {
                Ok(answer) => {
                    if failure::is_unbound(answer.status) {
                        session.end();
                    }
                    return Ok(answer);
                }
                Err(Lost::Unanswered) => return Err(SendError::unknown("The carrier did not answer.")),
                // It broke just before: the next one may take it.
                Err(Lost::Unsent) if clock.now() < until && session.is_over() => {
                    self.replaced(&session, until).await;
                }
                Err(Lost::Unsent) => return Err(unreached()),
            }
        }
    }

    /// The connection, once there is one.
    async fn session(&self, until: i64, begun: bool) -> Result<Arc<Session>, SendError> {
        let clock = &self.options.clock;
        let patience = if begun { until } else { until.min(clock.now() + CONNECTING_MS) };
        let mut standing = self.standing.subscribe();
        let settled = |standing: &Standing| match standing {
            Standing::Up(_) => true,
            Standing::Connecting => false,
            Standing::Down(_) => !begun,
        };
        let standing = tokio::select! {
            standing = standing.wait_for(settled) => standing.map(|standing| standing.clone()),
            () = clock.sleep_until(patience) => return Err(unreached()),
        };
        match standing {
            Ok(Standing::Up(session)) => Ok(session),
            Ok(Standing::Down(error)) => Err(*error),
            _ => Err(unreached()),
        }
    }

    /// Waits until a session that is over is not the one to use any more.
    async fn replaced(&self, session: &Arc<Session>, until: i64) {
        let mut standing = self.standing.subscribe();
        let other = |standing: &Standing| !matches!(standing, Standing::Up(up) if Arc::ptr_eq(up, session));
        tokio::select! {
            _ = standing.wait_for(other) => {}
            () = self.options.clock.sleep_until(until) => {}
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.options.clock
    }
}

impl NoLink {
    /// For messages that want to go now.
    fn means(&self) -> Box<SendError> {
        match self {
            Self::Refused(error) => error.clone(),
            _ => Box::new(unreached()),
        }
    }
}

/// The account was checked to fit.
fn short<const MAX: usize>(text: String) -> COctetString<1, MAX> {
    COctetString::from_string(text).unwrap_or_default()
}

fn unreached() -> SendError {
    SendError::unreached("There is no connection to the carrier.")
}

fn busy() -> SendError {
    let error = SendError::refused(Code::RateLimited, "The carrier cannot take more now.");
    SendError { retry: Retry::After(failure::REST), ..error }
}

/// Before the next attempt, after so many that failed in a row.
fn pause(failures: u32, chance: f64) -> Duration {
    let pause = Duration::from_secs(1 << failures.min(6)).min(LONGEST_PAUSE);
    pause.mul_f64(0.5 + chance)
}
