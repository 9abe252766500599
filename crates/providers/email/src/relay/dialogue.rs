//! One mail on an open connection.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};

use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};

use super::trouble::Trouble;
use crate::letter::Letter;
use crate::reply::Step;

/// `ended` becomes true just before the end mark goes out: from there on the mail may have been taken.
pub(super) async fn send(
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
    ended: &AtomicBool,
) -> Result<(), Trouble> {
    // A connection before this one may have come further.
    ended.store(false, Ordering::Relaxed);
    let parameters = parameters(connection, letter)?;
    let from = Mail::new(Some(letter.from.clone()), parameters);
    connection.command(from).await.map_err(Trouble::at(Step::Sender))?;
    connection.command(Rcpt::new(letter.to.clone(), Vec::new())).await.map_err(Trouble::at(Step::Recipient))?;
    connection.command(Data).await.map_err(Trouble::at(Step::Data))?;
    // The library asks for a next piece only after it has written the one before; then comes the end mark.
    let over = iter::from_fn(|| {
        ended.store(true, Ordering::Relaxed);
        None
    });
    let told = connection.message_iter(iter::once(letter.bytes.as_slice()).chain(over)).await;
    match told {
        Ok(_) => Ok(()),
        Err(error) if ended.load(Ordering::Relaxed) => Err(Trouble::at_the_end(error)),
        Err(error) => Err(Trouble::at(Step::Content)(error)),
    }
}

fn parameters(connection: &AsyncSmtpConnection, letter: &Letter) -> Result<Vec<MailParameter>, Trouble> {
    if !letter.international() {
        return Ok(Vec::new());
    }
    let relay = connection.server_info();
    if !relay.supports_feature(Extension::SmtpUtfEight) || !relay.supports_feature(Extension::EightBitMime) {
        return Err(Trouble::NoInternational);
    }
    Ok(vec![MailParameter::SmtpUtfEight, MailParameter::Body(MailBodyParameter::EightBitMime)])
}

/// After a refusal; whether the connection can take another mail.
pub(super) async fn begin_anew(connection: &mut AsyncSmtpConnection) -> bool {
    connection.command(Rset).await.is_ok()
}
