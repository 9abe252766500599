//! Codes that prove that an address is somebody's: asked for, carried, checked.
//!
//! Who asks ([`start`]) commits a verification together with the message that carries its code. The code itself stands
//! in neither: the verification has a keyed hash of it to compare answers with, and the code sealed for as long as it may
//! have to be sent; the message has a mask in its place, which a lane fills in when it hands the message over
//! (`carried`). So no list, event or story can tell it.
//!
//! What becomes of a message is learned where its status is written down, and what follows is in that same commit
//! (`moved`): another way when the first one failed at once, or the end of the verification. Killed before it, the report
//! comes again; after it, the second message waits like any other.
//!
//! A check locks the verification. However many give the right answer at a time, one is told so.

mod carried;
mod check;
mod code;
mod start;
mod wording;

use serde::{Deserialize, Serialize};
pub use store::verifications::Verification;
use store::{Id, Result, Tx};

use crate::content::Content;

pub(crate) use carried::{moved, with_code};
pub use check::{Check, Checked, Whose};
pub use code::{generate, mask, spelled};
pub use start::{Begun, New, Start, Taken, Way, start};
pub use wording::text;

/// It waits for its code.
pub const PENDING: &str = "pending";
/// The code was given.
pub const APPROVED: &str = "approved";
/// Its time is over, or its tries.
pub const EXPIRED: &str = "expired";
/// No message brought the code.
pub const UNDELIVERED: &str = "undelivered";
/// Nothing was sent: somebody does not want it, or too many were sent to numbers like this.
pub const BLOCKED: &str = "blocked";

/// What is kept with a verification.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Options {
    request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// How the code goes when the first message failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fallback: Option<Fallback>,
}

/// Another way for a code.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fallback {
    /// Our sender, 24 hexadecimal digits.
    sender: String,
    /// With the code masked.
    content: Content,
}

impl Options {
    fn of(it: &Verification) -> Self {
        serde_json::from_str(&it.options).unwrap_or_default()
    }
}

/// It has ended: nobody needs the code any more.
async fn end(tx: &mut Tx, it: &mut Verification, status: &str, now: i64) -> Result<()> {
    (it.status, it.sealed, it.updated_at) = (status.to_owned(), None, now);
    store::verifications::update(tx, it).await
}

/// Binds a sealed code to its row.
fn purpose(id: &Id) -> String {
    format!("verification/{}", id.hex24())
}
