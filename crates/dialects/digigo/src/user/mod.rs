//! `/user`: people, and the account itself.

mod business;
mod check;
mod contact;
mod contacts;
mod info;
mod lid;
mod photo;
mod profile;
mod update;

use axum::Router;
use axum::routing::MethodFilter;

use crate::call::{A, B, C, E, user};
use crate::errors::Shape;
use crate::files::LARGEST_IMAGE;
use crate::service::Digigo;

pub(crate) fn routes() -> Router<Digigo> {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    Router::new()
        .route("/user/info", user(POST, A, info::info))
        .route("/user/check", user(POST, A, check::check))
        .route("/user/avatar", user(POST, A, photo::avatar))
        .route("/user/photo", user(POST, E.with_files(LARGEST_IMAGE), photo::set))
        .route("/user/photo/remove", user(POST, E, photo::remove))
        .route("/user/contact/info", user(POST, B, contact::info))
        .route("/user/contact/add", user(POST, B, contacts::add))
        .route("/user/contact/remove", user(POST, B, contacts::remove))
        .route("/user/contacts", user(GET, A, contacts::list))
        .route("/user/status", user(GET, B, profile::about).merge(user(POST, B, profile::set_about)))
        .route("/user/pushname", user(POST, B, profile::set_push_name))
        .route("/user/presence", user(POST, A, profile::presence))
        .route("/user/privacy/settings", user(GET, B, profile::privacy))
        .route("/user/business/profile", user(POST, B, business::profile))
        .route("/user/update", user(POST, A.refusing(Shape::B).unreadable("Invalid JSON"), update::update))
        .route("/user/lid/get", user(GET, C, lid::of_phone).merge(user(POST, C, lid::of_phone)))
        .route("/user/lid/from-lid", user(GET, C, lid::of_lid).merge(user(POST, C, lid::of_lid)))
        .route("/user/lid/mappings", user(GET, C, lid::mappings))
}
