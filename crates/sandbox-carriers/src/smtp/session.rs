//! The dialogue with one client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::command::Command;
use super::line::{Content, Line, NoCommand};
use super::login;
use super::post::{Envelope, Post};
use super::users::User;
use crate::outside::{Fault, Target};

/// How long a client waits that gets no answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Recipients of one mail.
const MOST_RECIPIENTS: usize = 100;

pub(super) struct Session<S> {
    post: Arc<Post>,
    line: Line<S>,
    secured: bool,
    greeted: bool,
    user: Option<User>,
    mail: Option<Begun>,
}

/// A mail whose content did not come yet.
struct Begun {
    envelope: Envelope,
    international: bool,
    fault: Option<Fault>,
}

/// What follows a command.
#[derive(PartialEq, Eq)]
enum Next {
    Command,
    Tls,
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn new(stream: S, post: Arc<Post>, secured: bool) -> Self {
        Self { post, line: Line::new(stream), secured, greeted: false, user: None, mail: None }
    }

    /// Until the client goes, or wants TLS: then with what is to be put under it.
    pub(super) async fn run(mut self, greet: bool) -> io::Result<Option<S>> {
        if greet {
            self.line.say("220 localhost ESMTP");
        }
        loop {
            let next = match self.line.command().await? {
                Ok(line) => self.obey(&line).await?,
                Err(NoCommand::Gone) => return Ok(None),
                Err(NoCommand::TooLong) => self.then(Next::End, "500 5.5.2 The line is too long"),
                Err(NoCommand::Garbled) => self.say("500 5.5.2 The line is not UTF-8"),
            };
            match next {
                Next::Command => {}
                Next::End => return self.line.flush().await.map(|()| None),
                Next::Tls => return self.line.flush().await.map(|()| Some(self.line.into_inner())),
            }
        }
    }

    async fn obey(&mut self, line: &str) -> io::Result<Next> {
        let command = match Command::parse(line) {
            Ok(command) => command,
            Err(bad) => return Ok(self.say(bad.0)),
        };
        Ok(match command {
            Command::Hello { extended } => self.hello(extended),
            Command::Starttls => self.starttls(),
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial).await?,
            Command::Mail { from, size, international } => self.begin(from, size, international),
            Command::Rcpt { to } => self.rcpt(to),
            Command::Data => self.data().await?,
            Command::Reset => {
                self.mail = None;
                self.say("250 2.0.0 Forgotten")
            }
            Command::Noop => self.say("250 2.0.0 Nothing done"),
            Command::Verify => self.say("252 2.5.0 Try and see"),
            Command::Quit => self.then(Next::End, "221 2.0.0 Good-bye"),
        })
    }

    fn say(&mut self, reply: &str) -> Next {
        self.then(Next::Command, reply)
    }

    fn then(&mut self, next: Next, reply: &str) -> Next {
        self.line.say(reply);
        next
    }

    fn hello(&mut self, extended: bool) -> Next {
        (self.greeted, self.mail) = (true, None);
        if !extended {
            return self.say("250 localhost");
        }
        let size = format!("SIZE {}", self.post.largest);
        let mut offers = vec!["localhost", "PIPELINING", &size, "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        if self.offers_tls() {
            offers.push("STARTTLS");
        }
        offers.into_iter().for_each(|offer| self.line.say(&format!("250-{offer}")));
        self.say("250 AUTH PLAIN LOGIN")
    }

    fn offers_tls(&self) -> bool {
        !self.secured && self.post.tls.is_some()
    }

    fn starttls(&mut self) -> Next {
        if !self.offers_tls() {
            return self.say("502 5.5.1 There is no TLS to start");
        }
        if self.line.has_more() {
            // What was said before TLS must not be taken for something said under it.
            return self.then(Next::End, "554 5.5.1 Nothing may follow STARTTLS");
        }
        self.then(Next::Tls, "220 2.0.0 Go on")
    }

    async fn auth(&mut self, mechanism: &str, initial: Option<String>) -> io::Result<Next> {
        if self.user.is_some() {
            return Ok(self.say("503 5.5.1 You are logged in"));
        }
        let shown = match mechanism {
            "PLAIN" => login::plain(&self.answer(initial, login::GO_ON).await?),
            "LOGIN" => {
                let name = self.answer(initial, login::NAME_PLEASE).await?;
                let password = self.answer(None, login::PASSWORD_PLEASE).await?;
                login::word(&name).zip(login::word(&password))
            }
            _ => return Ok(self.say("504 5.5.4 I do not know this way to log in")),
        };
        self.user = shown.and_then(|(name, password)| self.post.users.find(&name, &password));
        Ok(match self.user {
            Some(_) => self.say("235 2.7.0 Welcome"),
            None => self.say("535 5.7.8 Name or password is wrong"),
        })
    }

    /// What was given at once, or what is answered to a question.
    async fn answer(&mut self, initial: Option<String>, question: &str) -> io::Result<String> {
        if let Some(initial) = initial {
            return Ok(initial);
        }
        self.line.say(question);
        Ok(self.line.command().await?.unwrap_or_default())
    }

    fn begin(&mut self, from: String, size: usize, international: bool) -> Next {
        if !self.greeted {
            return self.say("503 5.5.1 Say hello first");
        }
        if self.mail.is_some() {
            return self.say("503 5.5.1 One mail at a time");
        }
        if self.user.is_none() && !self.post.users.is_open() {
            return self.say("530 5.7.0 Log in first");
        }
        if size > self.post.largest {
            return self.say("552 5.3.4 The mail is too large");
        }
        if !from.is_ascii() && !international {
            return self.say("553 5.6.7 This address needs SMTPUTF8");
        }
        let envelope = Envelope { from, to: Vec::new(), user: self.user.clone(), secured: self.secured };
        let fault = self.post.world.outside.fault(Target::Smtp);
        self.mail = Some(Begun { envelope, international, fault });
        self.say("250 2.1.0 Go on")
    }

    fn rcpt(&mut self, to: String) -> Next {
        let Some(mail) = &mut self.mail else { return self.say("503 5.5.1 Say from whom first") };
        if let Some(Fault::Status(code)) = mail.fault {
            let next = if code == 421 { Next::End } else { Next::Command };
            return self.then(next, &refusal(code));
        }
        if !to.is_ascii() && !mail.international {
            return self.say("553 5.6.7 This address needs SMTPUTF8");
        }
        if mail.envelope.to.len() >= MOST_RECIPIENTS {
            return self.say("452 4.5.3 Too many recipients");
        }
        mail.envelope.to.push(to);
        self.say("250 2.1.5 Go on")
    }

    async fn data(&mut self) -> io::Result<Next> {
        let Some(begun) = self.mail.take_if(|mail| !mail.envelope.to.is_empty()) else {
            return Ok(self.say("503 5.5.1 Say to whom first"));
        };
        self.line.say("354 Go on, a dot alone ends it");
        let Some(content) = self.line.content(self.post.largest).await? else { return Ok(Next::End) };
        let Content::Whole(mail) = content else { return Ok(self.say("552 5.3.4 The mail is too large")) };
        match begun.fault {
            Some(Fault::Timeout) => {
                self.post.world.pause(SILENCE).await;
                return Ok(Next::End);
            }
            Some(Fault::Delay(length)) => drop(self.post.world.pause(length).await),
            _ => {}
        }
        let id = self.post.take(&begun.envelope, &mail, begun.fault.as_ref()).await;
        Ok(match begun.fault {
            Some(Fault::Drop) => Next::End,
            _ => self.say(&format!("250 2.0.0 Taken as {id}")),
        })
    }
}

/// A reply that was ordered, with the enhanced status that usually comes with it.
fn refusal(code: u32) -> String {
    let words = match code {
        421 => "4.3.2 Not now, good-bye",
        450 => "4.2.1 The mailbox is busy",
        451 => "4.3.0 Something is broken here, try again later",
        452 => "4.3.1 There is no room left",
        550 => "5.1.1 There is no such mailbox",
        552 => "5.2.2 The mailbox is full",
        553 => "5.1.3 This mailbox cannot be",
        554 => "5.7.1 We do not want this mail",
        400..500 => "4.0.0 Not now",
        _ => "5.0.0 No",
    };
    format!("{code} {words}")
}
