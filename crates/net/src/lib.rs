//! Outgoing HTTP, and the rule about which addresses it may reach.
//!
//! Two kinds of destination exist. A host that the operator configured (a provider's API) is reached with
//! [`plain_client`]. A URL that a caller named (a webhook, a media link) goes through [`GuardedClient`], which connects
//! only to addresses that [`AddressPolicy`] permits: literal addresses are vetted before the request, names in the
//! resolver, and the connection uses exactly the vetted addresses, so a name cannot change its answer in between.
//! Neither client reads proxies from the environment or follows redirects.

mod client;
mod error;
mod guard;
mod lookup;
mod policy;
mod ranges;
mod tls;

pub use client::{PlainSettings, plain_client};
pub use error::Error;
pub use guard::{Answer, Download, GuardedClient, Request, Settings};
pub use lookup::{Looking, Lookup, SystemLookup, vetted};
pub use policy::{AddressPolicy, Refusal};
pub use tls::{BadCertificate, Certificate, install_crypto, roots_from_pem, tls_config};
