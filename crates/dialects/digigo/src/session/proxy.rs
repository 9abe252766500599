//! The way a connection takes.

use base64::Engine as _;
use engine::senders::{Sender, Update};
use serde_json::json;
use web_wire::config::{Config, proxy_purpose};

use crate::answer::Answer;
use crate::call::{Call, Handled};
use crate::errors::Error;
use crate::service::Digigo;

/// Kept at once, used from the next connect on (notes §24).
pub(crate) async fn set(call: Call) -> Handled {
    let enable = call.body.flag(&["enable", "enabled"])?.unwrap_or(true);
    let address = call.body.text(&["proxy_url", "ProxyURL"])?.unwrap_or_default();
    if !enable {
        keep(&call.digigo, &call.user.sender, None).await?;
        return Ok(Answer::of(json!({ "Details": "Proxy disabled successfully", "ProxyURL": "" })));
    }
    if address.is_empty() {
        return Err(Error::bad("missing proxy_url in payload"));
    }
    check(&address)?;
    keep(&call.digigo, &call.user.sender, Some(&address)).await?;
    Ok(Answer::of(json!({ "Details": "Proxy configured successfully", "ProxyURL": address })))
}

/// An address of a proxy we can go through.
pub(crate) fn check(address: &str) -> Result<(), Error> {
    let wrong = || Error::bad("invalid proxy_url, must be http://host:port or socks5://user:pass@host:port");
    let url: url::Url = address.parse().map_err(|_| wrong())?;
    let known = matches!(url.scheme(), "http" | "socks5") && url.has_host() && address.len() <= 512;
    if known && matches!(url.path(), "" | "/") && url.query().is_none() { Ok(()) } else { Err(wrong()) }
}

/// Keeps it sealed with the account.
pub(crate) async fn keep(digigo: &Digigo, sender: &Sender, address: Option<&str>) -> Result<(), Error> {
    let mut config = Config::read(&sender.config);
    let seal = |address: &str| digigo.engine.key.seal(&proxy_purpose(sender.id), address.as_bytes());
    let sealed = address.map(seal).transpose()?;
    config.proxy = sealed.map(|sealed| base64::engine::general_purpose::STANDARD.encode(sealed));
    change_config(digigo, sender, &config).await
}

pub(crate) async fn change_config(digigo: &Digigo, sender: &Sender, config: &Config) -> Result<(), Error> {
    let config = serde_json::to_string(config).map_err(|error| Error::failed(error.to_string()))?;
    let update = Update { config: Some(config), ..Update::new(&digigo.engine, sender.id) };
    digigo.engine.perform(update).await?.map_err(|refusal| Error::failed(refusal.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_proxies_we_can_use_are_taken() {
        for good in ["http://proxy.example:3128", "socks5://user:pass@proxy.example:1080", "http://127.0.0.1:1/"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in
            ["", "proxy.example:1", "ftp://proxy.example", "http://", "http://proxy.example/path", "socks4://a:1"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
