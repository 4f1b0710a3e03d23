//! Who asks: a bearer token, or the same token as the password of Basic authentication, which browsers can send.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use shared::serve::{refuse, token, unknown};

use super::app::App;
use super::options::IngestToken;

/// The challenge of the pages: a browser asks for a password, any client may send a bearer token.
const READ_CHALLENGE: &str = r#"Basic realm="drift-watch: any name, the read token as password", charset="UTF-8""#;
/// The challenge of ingest.
const INGEST_CHALLENGE: &str = r#"Bearer realm="drift-watch""#;

/// Lets those through that may read.
pub(super) async fn readers_only(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match may_read(&app, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => *refused,
    }
}

fn may_read(app: &App, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let Some(wanted) = &app.options.read_token else {
        return closed_if(
            app.exposed,
            "no read token is configured, and this address can be reached from other machines",
        );
    };
    let token = token(headers).ok_or_else(|| Box::new(unknown(READ_CHALLENGE)))?;
    let may_send = known(&app.options.ingest_tokens, &token).is_some();
    match wanted.is(&token) {
        true => Ok(()),
        false if may_send => Err(Box::new(refuse(StatusCode::FORBIDDEN, "this token may send records, not read"))),
        false => Err(Box::new(unknown(READ_CHALLENGE))),
    }
}

/// The models whose predictions the client may send; `None` for all.
pub(super) fn may_send(app: &App, headers: &HeaderMap) -> Result<Option<Vec<String>>, Box<Response>> {
    if app.options.ingest_tokens.is_empty() {
        let text = "no token for sending is configured, and this address can be reached from other machines";
        return closed_if(app.exposed, text).map(|()| None);
    }
    let token = token(headers).ok_or_else(|| Box::new(unknown(INGEST_CHALLENGE)))?;
    let reads = app.options.read_token.as_ref().is_some_and(|wanted| wanted.is(&token));
    match known(&app.options.ingest_tokens, &token) {
        Some(found) => Ok(found.models.clone()),
        None if reads => Err(Box::new(refuse(StatusCode::FORBIDDEN, "this token may read, not send records"))),
        None => Err(Box::new(unknown(INGEST_CHALLENGE))),
    }
}

fn closed_if(closed: bool, text: &str) -> Result<(), Box<Response>> {
    if closed { Err(Box::new(refuse(StatusCode::FORBIDDEN, text))) } else { Ok(()) }
}

/// Compares with all, so that the time tells nothing of which.
fn known<'a>(tokens: &'a [IngestToken], token: &[u8]) -> Option<&'a IngestToken> {
    tokens.iter().fold(None, |found, one| if one.token.is(token) { found.or(Some(one)) } else { found })
}
