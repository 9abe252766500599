//! Calls by HTTP, for tests and tools that are not of this process.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::handle::Handle;
use crate::server::Shared;
use crate::state::pairings::LinkError;

/// `POST /admin/mock-phone/scan-qr`, the body is the text of a QR code: a phone of nobody in particular scans it. Clients
/// with the same push name share a phone.
pub(crate) async fn scan_qr(State(shared): State<Arc<Shared>>, text: String) -> Response {
    match Handle::new(shared).link_somebody(&text).await {
        Ok((number, _)) => (StatusCode::OK, format!("{number}\n")).into_response(),
        Err(error) => {
            let status = match error {
                LinkError::NobodyWaits => StatusCode::NOT_FOUND,
                LinkError::Refused(_) => StatusCode::BAD_REQUEST,
                LinkError::Gone | LinkError::Late => StatusCode::GATEWAY_TIMEOUT,
            };
            (status, format!("{error}\n")).into_response()
        }
    }
}
