//! What the HTTP servers of daemons have in common: where they may listen, who may ask, connections, the text of metrics.

mod auth;
mod bind;
mod connection;
mod exposition;
mod guard;
mod histogram;
mod receivers;
mod token;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

pub use auth::{token, unknown};
pub use bind::check_bind;
pub use connection::accept;
pub use exposition::{Exposition, Labels, Sample};
pub use guard::{foreign, guarded, refuse};
pub use histogram::Histogram;
pub use receivers::receivers;
pub use token::Secret;

/// The media type of the text format of Prometheus, as [`Exposition`] writes it.
pub const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// An answer of this type.
pub fn typed(media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
