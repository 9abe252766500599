//! `hermod doctor`: what is wrong with a configuration or a database, in plain words.

use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;

use engine::sessions::State;
use engine::{Engine, clock, senders};
use media::Blobs;
use secrecy::ExposeSecret;

use crate::cli::Failure;
use crate::digigo;
use crate::opening::{Purpose, open};
use crate::settings::Settings;
use crate::wiring::{Surroundings, Wired, wire};

/// Work that has been due for longer than this is stuck.
const STUCK_MS: i64 = 5 * 60 * 1000;
/// A provider that has been silent for longer may not reach us.
const SILENT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// What was found, told line by line.
#[derive(Default)]
struct Report {
    wrong: usize,
}

impl Report {
    fn fine(&self, text: impl AsRef<str>) {
        println!("ok     {}", text.as_ref());
    }

    fn wrong(&mut self, text: impl AsRef<str>) {
        self.wrong += 1;
        println!("WRONG  {}", text.as_ref());
    }

    fn note(&self, text: impl AsRef<str>) {
        println!("note   {}", text.as_ref());
    }
}

/// Looks at everything; fails when something is wrong.
pub async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    configuration(settings, &mut report);
    match open(settings, Purpose::Command).await {
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            report.wrong(format!("{error}{cause}"));
        }
        Ok(opened) => {
            report.fine(format!(
                "the database opens, its schema is {}, and the secret key is its own",
                store::latest_schema()
            ));
            let Wired { engine, blobs, .. } = wire(settings, &opened, Surroundings::of_a_command(settings))?;
            tenants(&engine, settings, &mut report).await?;
            accounts(&engine, &mut report).await?;
            sessions(&engine, &mut report).await?;
            work(&engine, &mut report).await?;
            files(&blobs, &mut report).await;
        }
    }
    match report.wrong {
        0 => println!("\nNothing is wrong."),
        1 => println!("\nOne thing is wrong."),
        count => println!("\n{count} things are wrong."),
    }
    Ok(if report.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(settings: &Settings, report: &mut Report) {
    match settings.server.public_url.as_str() {
        "" => report.note("server.public_url is empty: links and callbacks will carry the listening address"),
        url if url.starts_with("https://") => report.fine(format!("links begin with {url}")),
        url => report.note(format!("server.public_url is {url}: providers push to https only")),
    }
    if !settings.outbound.allowed_networks.is_empty() {
        report.note("outbound.allowed_networks is not empty: webhooks may lead into these private networks");
    }
    if cfg!(feature = "web-sandbox") {
        report.note("this build is for the sandbox: linked accounts reach WhatsApp Web servers on this machine only");
    }
    let key = settings.server.data_dir.join("secret.key");
    if let Ok(metadata) = std::fs::metadata(&key) {
        match metadata.permissions().mode() & 0o077 {
            0 => report.fine("the secret key can be read by its owner only"),
            _ => report.wrong(format!("{} can be read by others: chmod 600 it", key.display())),
        }
    }
}

async fn tenants(engine: &Engine, settings: &Settings, report: &mut Report) -> Result<(), Failure> {
    let (organizations, keys) = (engine.organizations().await?, engine.keys(None).await?);
    if organizations.is_empty() {
        report.note("there is no organization yet: hermod org create NAME");
    }
    let good = keys.iter().filter(|key| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > engine.now()));
    report.fine(format!("{} organizations, {} good API keys", organizations.len(), good.count()));
    if !settings.digigo.admin_token.expose_secret().is_empty() {
        match digigo::organization(engine, &settings.digigo.organization, false).await {
            Ok(id) => report.fine(format!("digigo.admin_token is for organization {id}")),
            Err(error) => report.wrong(error.to_string()),
        }
    }
    Ok(())
}

async fn accounts(engine: &Engine, report: &mut Report) -> Result<(), Failure> {
    for row in engine.account_rows().await? {
        let name = format!("account {} ({} {})", row.name, row.provider, row.external_id);
        let heard = row.heard_at.map_or("never".to_owned(), clock::rfc3339);
        match row.status.as_str() {
            engine::accounts::ACTIVE => report.fine(format!("{name} works; last heard from: {heard}")),
            engine::accounts::REMOVED => report.note(format!("{name} was removed")),
            _ => report.wrong(format!("{name} is stopped: {}", row.status_reason.unwrap_or_default())),
        }
        if row.status == engine::accounts::ACTIVE
            && let Some(account) = engine.account(&row.id).await?
            && let Some(Err(error)) = provider_telecom::http::check(&row.provider, &account.config, &account.secrets)
        {
            report.wrong(format!("{name}: {error}"));
        }
        let silent = row.heard_at.is_none_or(|at| engine.now() - at > SILENT_MS);
        let pushes = engine.provider(&row.provider).is_some_and(|provider| provider.push().is_some());
        if silent && pushes && row.status == engine::accounts::ACTIVE {
            report.note(format!("{name} has not pushed anything for a week: is its webhook set to our callback URL?"));
        }
    }
    for sender in engine.all_senders().await? {
        if sender.status != senders::CONNECTED {
            let why = sender.status_reason.map(|why| format!(": {why}")).unwrap_or_default();
            report.note(format!("sender {} is {}{why}", sender.address, sender.status));
        }
    }
    for (sender, until, reason) in engine.held_senders().await? {
        report.wrong(format!(
            "sender {sender} is held until {}: {}",
            clock::rfc3339(until),
            reason.unwrap_or_default()
        ));
    }
    Ok(())
}

async fn sessions(engine: &Engine, report: &mut Report) -> Result<(), Failure> {
    let counts = engine.session_counts().await?;
    for state in State::ALL {
        let text = format!("sessions {}: {}", state.as_str(), counts.of(state));
        match state {
            _ if counts.of(state) == 0 => {}
            State::Off | State::Connected => report.fine(text),
            State::Deaf | State::Outdated | State::Failed => report.wrong(text),
            _ => report.note(text),
        }
    }
    Ok(())
}

async fn work(engine: &Engine, report: &mut Report) -> Result<(), Failure> {
    for backlog in engine.backlogs().await? {
        let text = format!(
            "queue {}: {} waiting, the first due for {} s",
            backlog.queue,
            backlog.depth,
            backlog.age_ms / 1000
        );
        match backlog.age_ms > STUCK_MS {
            true => report.wrong(format!("{text}: is a server running?")),
            false => report.fine(text),
        }
    }
    for subscription in engine.disabled_subscriptions().await? {
        let why = subscription.disabled_reason.unwrap_or_default();
        report.wrong(format!("webhooks to {} are disabled: {why}", subscription.url));
    }
    Ok(())
}

/// What comes in when the quota is reached is not kept.
async fn files(blobs: &Blobs, report: &mut Report) {
    if let Err(error) = blobs.recount().await {
        return report.wrong(format!("the files cannot be counted: {error}"));
    }
    let (used, quota) = (blobs.usage(), blobs.quota());
    let text = format!("files take {} of {} MiB (media.quota)", used >> 20, quota >> 20);
    if used / 9 >= quota / 10 { report.wrong(text) } else { report.fine(text) }
}
