//! What administrators do: users, their connections, the licence.

pub(crate) mod create;
mod device;
mod instances;
mod license;
mod users;
mod view;

use axum::Router;
use axum::routing::MethodFilter;

use crate::call::{ADMIN, RAW, admin};
use crate::service::Digigo;
pub(crate) use view::{Shown, shown};

pub(crate) fn routes() -> Router<Digigo> {
    const GET: MethodFilter = MethodFilter::GET;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    Router::new()
        .route("/admin/users", admin(GET, ADMIN, users::list).merge(admin(MethodFilter::POST, ADMIN, create::create)))
        .route("/admin/users/{id}", admin(GET, ADMIN, users::show).merge(admin(DELETE, ADMIN, users::delete)))
        .route("/admin/users/{id}/full", admin(DELETE, ADMIN, users::delete_whole))
        .route("/admin/instances/status", admin(GET, ADMIN, instances::status))
        .route("/admin/license/info", admin(GET, RAW, license::info))
}
