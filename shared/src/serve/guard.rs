//! What every request passes: the name by which the server is called, and where a form comes from; and what every answer carries.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

const ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The answer to a request that a page of another site may have led here. A server that is not `exposed` listens on the loopback,
/// and is called by the names of that or by one of `names`.
pub fn foreign(method: &Method, headers: &HeaderMap, exposed: bool, names: &[String]) -> Option<Response> {
    let host = host(headers);
    if !exposed && !host.is_some_and(|host| is_ours(host, names)) {
        let text = "this server listens on the loopback and is not called by that name; use http://localhost or \
                    http://127.0.0.1, or add the name to the configured host names";
        return Some(refuse(StatusCode::FORBIDDEN, text));
    }
    if method != Method::GET && !same_origin(headers, host) {
        return Some(refuse(StatusCode::FORBIDDEN, "the request was made by a page of another site"));
    }
    None
}

/// The answer with what every answer carries.
pub fn guarded(mut response: Response) -> Response {
    for (name, value) in ALWAYS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// The one `Host` header, as sent.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    all.next().filter(|_| all.next().is_none())?.to_str().ok()
}

/// Whether a browser that was led here by another site's name would not send this: against DNS rebinding.
fn is_ours(host: &str, names: &[String]) -> bool {
    let name = without_port(host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Browsers say where a form or script comes from; other clients say nothing.
fn same_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    headers.get(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().ok().and_then(|text| text.split_once("://"));
        origin.zip(host).is_some_and(|((_, from), host)| from.eq_ignore_ascii_case(host))
    })
}

/// An answer that is one line of text.
pub fn refuse(status: StatusCode, text: impl AsRef<str>) -> Response {
    (status, format!("{}\n", text.as_ref())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_and_configured_ones_are_ours() {
        let names = ["watch.internal".to_owned()];
        for ours in
            ["localhost", "LOCALHOST:9464", "127.0.0.1:1", "127.0.0.1", "[::1]:9464", "[::1]", "watch.internal:80"]
        {
            assert!(is_ours(ours, &names), "{ours}");
        }
        for other in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9464", "10.0.0.1", "", ":80", "[::2]"]
        {
            assert!(!is_ours(other, &names), "{other}");
        }
    }

    #[test]
    fn forms_of_other_sites_are_seen() {
        let origin = |text: &str| HeaderMap::from_iter([(header::ORIGIN, text.parse().unwrap())]);
        assert!(same_origin(&HeaderMap::new(), Some("localhost:1")));
        assert!(same_origin(&origin("http://localhost:1"), Some("localhost:1")));
        for other in ["http://evil.example", "null", "http://localhost:2"] {
            assert!(!same_origin(&origin(other), Some("localhost:1")), "{other}");
        }
    }
}
