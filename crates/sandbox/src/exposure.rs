//! Who reaches the sandbox. It hands out secrets and does as it is told, so it is for its own machine; exposed, it is for
//! whoever shows its token.

use std::net::{Ipv4Addr, SocketAddr};

use http::header;
use http::request::Parts;
use subtle::ConstantTimeEq;

use crate::{Error, Options};

/// Where the control API listens unless somebody says otherwise: on any port, and beyond loopback if it is exposed.
#[must_use]
pub fn control_address(expose: bool) -> SocketAddr {
    let ip = if expose { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    SocketAddr::from((ip, 0))
}

/// Whether a request shows the token of an exposed sandbox, as a bearer or as `token` in its address.
#[must_use]
pub fn shows_token(request: &Parts, token: &str) -> bool {
    let header = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let shown = bearer.or_else(|| in_query(request.uri.query().unwrap_or_default()));
    shown.is_some_and(|shown| same(&shown, token))
}

fn in_query(query: &str) -> Option<String> {
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token");
    found.map(|(_, value)| value.into_owned())
}

/// Compares in a time that tells nothing.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// Without exposure every listener stays on loopback.
pub(crate) fn check(options: &Options) -> Result<(), Error> {
    let all = [
        options.control_listen,
        options.graph_listen,
        options.smsc_listen,
        options.carriers_listen,
        options.smtp_listen,
        options.stripe_listen,
    ];
    match all.into_iter().find(|address| !options.expose && !address.ip().to_canonical().is_loopback()) {
        Some(address) => Err(Error::NotExposed(address)),
        None => Ok(()),
    }
}
