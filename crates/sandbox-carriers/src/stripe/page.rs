//! The page on which somebody pays, or goes away.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use http::StatusCode;

use super::Desk;
use super::books::{Session, Standing};
use super::calls::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/c/pay/{session}", get(show).post(pay))
}

async fn show(State(desk): State<Shared>, Path(id): Path<String>) -> Response {
    desk.close();
    answer(&desk, &id)
}

async fn pay(State(desk): State<Shared>, Path(id): Path<String>) -> Response {
    match desk.pay(&id) {
        // The browser goes there with GET.
        Ok(session) => Redirect::to(&session.success_url.replace("{CHECKOUT_SESSION_ID}", &session.id)).into_response(),
        Err(_) => answer(&desk, &id),
    }
}

fn answer(desk: &Desk, id: &str) -> Response {
    let session = desk.books().find(id).cloned();
    match session {
        Some(session) => Html(whole(&session)).into_response(),
        None => (StatusCode::NOT_FOUND, Html("<p>There is nothing to pay here.</p>")).into_response(),
    }
}

fn whole(session: &Session) -> String {
    let (title, currency) = (escaped(&session.title), escaped(&session.currency.to_uppercase()));
    let leave = session.cancel_url.as_deref().map(escaped);
    let leave = leave.map(|url| format!(r#"<p><a href="{url}">Go away without paying</a></p>"#)).unwrap_or_default();
    let below = match session.standing {
        Standing::Open => format!(r#"<form method="post"><button>Pay</button></form>{leave}"#),
        Standing::Expired => "<p>This session has expired: nothing can be paid here any more.</p>".to_owned(),
        Standing::Paid { .. } => "<p>This is paid.</p>".to_owned(),
        Standing::Declined { .. } => "<p>The bank did not pay.</p>".to_owned(),
    };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sandbox: pay</title><body style=\"font: 18px sans-serif; max-width: 28em; margin: 3em auto\">\
         <h1>{title}</h1><p>{} {currency}, in its smallest unit. No real money is taken.</p>{below}</body></html>",
        session.amount
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
