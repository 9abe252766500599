//! DIGIGO's own variables and wuzapi's, for what exists here: whoever comes from there keeps his environment. They win over the
//! file, `HERMOD_*` wins over them. One that is set to nothing is not set (reference: digigo-events §4, digigo-notes §3).

use std::net::SocketAddr;

use dialect_digigo::Zone;
use figment::Figment;
use figment::value::Value;
use url::Url;

use super::variables::Variable;
use super::{Environment, Error};

/// How a variable's text becomes a setting's value. `None`: it was not meant for us.
type Read = fn(&str, &Figment) -> Result<Option<Value>, &'static str>;

/// Variable, setting, and how it is read. Where two name one setting, the later wins.
const ALIASES: &[(&str, &str, Read)] = &[
    ("ADDRESS", "server.public_url", origin),
    ("DIGIGO_ADDRESS", "server.public_url", origin),
    ("PORT", "server.listen", port),
    ("DIGIGO_PORT", "server.listen", port),
    ("LOG_LEVEL", "log.filter", level),
    ("DIGIGO_LOG_LEVEL", "log.filter", level),
    ("LOG_TYPE", "log.format", format),
    ("SHUTDOWN_GRACE_PERIOD", "server.stop_timeout", span),
    ("WUZAPI_ADMIN_TOKEN", "digigo.admin_token", text),
    ("DIGIGO_ADMIN_TOKEN", "digigo.admin_token", text),
    ("ECHO_API_MESSAGES_ENABLED", "digigo.echo", switch),
    ("GLOBAL_SKIP_MEDIA_DOWNLOAD", "digigo.skip_media", switch),
    ("GLOBAL_SKIP_GROUPS", "digigo.users.skip_groups", switch),
    ("GLOBAL_SKIP_NEWSLETTERS", "digigo.users.skip_newsletters", switch),
    ("GLOBAL_SKIP_BROADCASTS", "digigo.users.skip_broadcasts", switch),
    ("GLOBAL_SKIP_OWN_MESSAGES", "digigo.users.skip_own_messages", switch),
    ("GLOBAL_SKIP_CALLS", "digigo.users.skip_calls", switch),
    ("GLOBAL_CALL_REJECT_MESSAGE", "digigo.users.call_reject_message", text),
    ("GLOBAL_CALL_REJECT_TYPE", "digigo.users.call_reject_type", text),
    ("APP_ENV", "digigo.environment", text),
    ("APP_REGION", "digigo.region", text),
    ("TZ", "digigo.time_zone", zone),
    ("SESSION_DEVICE_NAME", "web.device_name", text),
    ("WA_VERSION", "web.version", text),
    ("WEBHOOK_FORMAT", "webhooks.digigo.encoding", text),
    ("WEBHOOK_TIMEOUT", "webhooks.digigo.timeout", span),
    ("WUZAPI_GLOBAL_HMAC_KEY", "webhooks.digigo.hmac_key", text),
    ("GLOBAL_WEBHOOK_EVENTS", "webhooks.digigo.global_events", text),
];

pub(super) fn merge(mut figment: Figment, environment: &Environment) -> Result<Figment, Error> {
    for (name, key, read) in ALIASES {
        let Some(text) = given(environment, name) else { continue };
        let value = read(text, &figment).map_err(|why| Error::Variable { name, why })?;
        figment = set(figment, name, key, value);
    }
    let webhook = webhook(environment).map_err(|why| Error::Variable { name: "GLOBAL_WEBHOOK_ENABLED", why })?;
    figment = set(figment, "GLOBAL_WEBHOOK_URL", "webhooks.digigo.global_url", webhook);
    let database = database(environment).map_err(|why| Error::Variable { name: "DB_TYPE", why })?;
    Ok(set(figment, "DB_TYPE", "database.url", database))
}

fn set(figment: Figment, name: &str, key: &str, value: Option<Value>) -> Figment {
    match value {
        Some(value) => figment.merge(Variable { name: name.to_owned(), key: key.to_owned(), value }),
        None => figment,
    }
}

fn given<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn text(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    Ok(Some(Value::from(text)))
}

/// A name as general as `ADDRESS` may well hold something else than a URL.
fn origin(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    Ok(is_url.then(|| Value::from(text)))
}

/// Systems set this one, too, and in more ways than by a zone's name.
fn zone(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    Ok(text.parse::<Zone>().is_ok().then(|| Value::from(text)))
}

/// Another port of the address that is listened on anyway.
fn port(text: &str, figment: &Figment) -> Result<Option<Value>, &'static str> {
    let port = text.parse().map_err(|_| "it is no port")?;
    let mut listen: SocketAddr = figment.extract_inner("server.listen").map_err(|_| "server.listen is no address")?;
    listen.set_port(port);
    Ok(Some(Value::from(listen.to_string())))
}

fn level(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    let filter = match text.to_ascii_lowercase().as_str() {
        "trace" => "trace",
        "debug" => "debug",
        "info" => "info",
        "warn" | "warning" => "warn",
        "error" | "fatal" | "panic" => "error",
        _ => return Err("it is none of debug, info, warn and error"),
    };
    Ok(Some(Value::from(filter)))
}

fn format(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    match text {
        "console" => Ok(Some(Value::from("human"))),
        "json" => Ok(Some(Value::from("json"))),
        _ => Err("it is neither console nor json"),
    }
}

fn switch(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    Ok(Some(Value::from(go_bool(text)?)))
}

/// As Go's `strconv.ParseBool` reads it.
fn go_bool(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is neither true nor false"),
    }
}

fn span(text: &str, _: &Figment) -> Result<Option<Value>, &'static str> {
    let millis = go_millis(text).ok_or("it is no length of time, as in 30s or 1h30m")?;
    Ok(Some(Value::from(format!("{millis}ms"))))
}

/// A length of time as Go writes it, with fractions and compounds: `1.5h`, `1h0m0s`, `500ms`.
fn go_millis(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let unit_at = rest.find(|letter: char| letter != '.' && !letter.is_ascii_digit())?;
        let (number, after) = rest.split_at(unit_at);
        let end = after.find(|letter: char| letter == '.' || letter.is_ascii_digit()).unwrap_or(after.len());
        let millis = match &after[..end] {
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1000.0,
            "ms" => 1.0,
            "us" | "µs" => 0.001,
            "ns" => 0.000_001,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * millis;
        rest = &after[end..];
    }
    (!text.is_empty() && sum < 1e15).then_some(sum as u64)
}

/// The global webhook's address counts only while it is switched on.
fn webhook(environment: &Environment) -> Result<Option<Value>, &'static str> {
    match given(environment, "GLOBAL_WEBHOOK_ENABLED").map(go_bool).transpose()? {
        Some(true) => {
            let url = given(environment, "GLOBAL_WEBHOOK_URL").ok_or("it needs GLOBAL_WEBHOOK_URL")?;
            Ok(Some(Value::from(url)))
        }
        _ => Ok(None),
    }
}

/// A PostgreSQL database, as a URL or in parts. Read only beside `DB_TYPE=postgres`: a `DATABASE_URL` alone may be
/// another program's.
fn database(environment: &Environment) -> Result<Option<Value>, &'static str> {
    match given(environment, "DB_TYPE") {
        Some("postgres" | "postgresql") => {}
        Some("mysql") => return Err("MySQL is not supported"),
        _ => return Ok(None),
    }
    if let Some(url) = given(environment, "DATABASE_URL") {
        return Ok(Some(Value::from(url)));
    }
    let part = |name, default| given(environment, name).unwrap_or(default);
    let mut url = Url::parse("postgres://localhost").map_err(|_| "no URL can be made of it")?;
    let made = url.set_host(Some(part("DB_HOST", "localhost"))).is_ok()
        && url.set_port(Some(part("DB_PORT", "5432").parse().map_err(|_| "DB_PORT is no port")?)).is_ok()
        && url.set_username(part("DB_USER", "digigo")).is_ok()
        && url.set_password(given(environment, "DB_PASSWORD")).is_ok();
    if !made {
        return Err("DB_HOST is no host");
    }
    url.set_path(part("DB_NAME", "digigo"));
    // Certificates are always verified where there is TLS at all.
    match given(environment, "DB_SSLMODE") {
        Some("disable") | None => url.set_query(Some("sslmode=disable")),
        Some("allow" | "prefer") => url.set_query(Some("sslmode=prefer")),
        Some("require" | "verify-ca" | "verify-full") => url.set_query(Some("sslmode=require")),
        Some(_) => return Err("DB_SSLMODE is unknown"),
    }
    Ok(Some(Value::from(String::from(url))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialect_digigo::RejectType;
    use secrecy::ExposeSecret;

    use super::super::{Encoding, LogFormat, Overrides, Settings, load_with};
    use super::*;

    fn load(set: &[(&str, &str)]) -> Result<Settings, Error> {
        let environment = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load_with(&Overrides::default(), &environment)
    }

    #[test]
    fn what_comes_from_digigo_keeps_its_environment() {
        let settings = load(&[
            ("ADDRESS", "0.0.0.0"),
            ("DIGIGO_ADDRESS", "https://wa.example.org"),
            ("PORT", "8081"),
            ("DIGIGO_LOG_LEVEL", "WARN"),
            ("LOG_TYPE", "json"),
            ("SHUTDOWN_GRACE_PERIOD", "1m30s"),
            ("DIGIGO_ADMIN_TOKEN", "0042"),
            ("ECHO_API_MESSAGES_ENABLED", "true"),
            ("GLOBAL_SKIP_MEDIA_DOWNLOAD", "1"),
            ("GLOBAL_SKIP_GROUPS", "true"),
            ("GLOBAL_SKIP_CALLS", "true"),
            ("GLOBAL_CALL_REJECT_MESSAGE", "Write to us"),
            ("GLOBAL_CALL_REJECT_TYPE", "decline"),
            ("APP_ENV", "production"),
            ("APP_REGION", "sa-east-1"),
            ("TZ", "America/Sao_Paulo"),
            ("SESSION_DEVICE_NAME", "Front desk"),
            ("WA_VERSION", "2.3000.7"),
            ("WEBHOOK_FORMAT", "form"),
            ("WEBHOOK_TIMEOUT", "1m0s"),
            ("WUZAPI_GLOBAL_HMAC_KEY", "0123456789abcdef0123456789abcdef"),
            ("GLOBAL_WEBHOOK_ENABLED", "true"),
            ("GLOBAL_WEBHOOK_URL", "https://hook.example.org/all"),
            ("GLOBAL_WEBHOOK_EVENTS", "Message, QR"),
        ]);
        let settings = settings.unwrap();
        assert_eq!(settings.server.public_url, "https://wa.example.org");
        assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8081");
        assert_eq!((settings.log.filter.as_str(), settings.log.format), ("warn", LogFormat::Json));
        assert_eq!(settings.server.stop_timeout.0, Duration::from_secs(90));
        assert_eq!(settings.digigo.admin_token.expose_secret(), "0042");
        assert!(settings.digigo.echo && settings.digigo.skip_media);
        let (digigo, users) = (&settings.digigo, &settings.digigo.users);
        assert_eq!((digigo.environment.as_str(), digigo.region.as_str()), ("production", "sa-east-1"));
        assert_eq!(digigo.time_zone, "America/Sao_Paulo".parse().unwrap());
        assert!(users.skip_groups && users.skip_calls && !users.skip_own_messages);
        assert_eq!((users.call_reject_message.as_str(), users.call_reject_type), ("Write to us", RejectType::Declined));
        assert_eq!((settings.web.device_name.as_str(), settings.web.version.as_str()), ("Front desk", "2.3000.7"));
        let webhooks = &settings.webhooks.digigo;
        assert_eq!((webhooks.encoding, webhooks.global_events.as_str()), (Encoding::Form, "Message, QR"));
        assert_eq!(webhooks.global_url, "https://hook.example.org/all");
        assert_eq!((webhooks.timeout.0, webhooks.hmac_key.get().is_some()), (Duration::from_secs(60), true));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("0042") && !shown.contains("0123456789abcdef"));
    }

    #[test]
    fn ours_win_nothing_is_not_set_and_nonsense_is_refused_by_name() {
        let settings = load(&[
            ("DIGIGO_PORT", "1"),
            ("HERMOD_SERVER_LISTEN", "127.0.0.1:2"),
            ("ADDRESS", "0.0.0.0:80"),
            ("WA_VERSION", " "),
            ("TZ", ":/etc/localtime"),
            ("GLOBAL_WEBHOOK_ENABLED", "false"),
            ("GLOBAL_WEBHOOK_URL", "https://hook.example.org/all"),
        ]);
        let settings = settings.unwrap();
        assert_eq!((settings.server.listen.port(), settings.webhooks.digigo.global_url.as_str()), (2, ""));
        assert_eq!((settings.server.public_url.as_str(), settings.web.version.as_str()), ("", ""));
        assert_eq!((settings.digigo.time_zone, settings.webhooks.digigo.hmac_key.get().is_none()), (Zone::UTC, true));
        assert_eq!(settings.digigo.users, dialect_digigo::NewUsers::default());
        for (name, value) in [
            ("PORT", "http"),
            ("PORT", "65536"),
            ("LOG_LEVEL", "loud"),
            ("ECHO_API_MESSAGES_ENABLED", "yes"),
            ("SHUTDOWN_GRACE_PERIOD", "30"),
            ("SHUTDOWN_GRACE_PERIOD", "m"),
            ("DB_TYPE", "mysql"),
            ("GLOBAL_WEBHOOK_ENABLED", "true"),
            ("GLOBAL_CALL_REJECT_TYPE", "rudely"),
            ("WUZAPI_GLOBAL_HMAC_KEY", "short"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_database_of_digigos_is_named_in_parts() {
        let url = |set: &[(&str, &str)]| load(set).unwrap().database.url;
        assert_eq!(url(&[("DATABASE_URL", "postgres://other")]), "");
        assert_eq!(url(&[("DB_TYPE", "sqlite"), ("DB_HOST", "db")]), "");
        assert_eq!(url(&[("DB_TYPE", "postgres"), ("DATABASE_URL", "postgres://u@db/n")]), "postgres://u@db/n");
        let parts = [
            ("DB_TYPE", "postgres"),
            ("DB_HOST", "db"),
            ("DB_USER", "me"),
            ("DB_PASSWORD", "p@ss/word"),
            ("DB_NAME", "wa"),
            ("DB_SSLMODE", "verify-full"),
        ];
        assert_eq!(url(&parts), "postgres://me:p%40ss%2Fword@db:5432/wa?sslmode=require");
    }

    #[test]
    fn lengths_of_time_are_read_as_go_writes_them() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("1.5h", Some(5_400_000)),
            ("1h0m0s", Some(3_600_000)),
            ("2m0.25s", Some(120_250)),
            ("", None),
            ("5", None),
            ("5d", None),
            ("s5", None),
            ("-5s", None),
            ("99999999999h", None),
        ] {
            assert_eq!(go_millis(text), millis, "{text}");
        }
    }
}
