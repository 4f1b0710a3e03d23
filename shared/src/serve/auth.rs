//! Who asks: a bearer token, or the same token as the password of Basic authentication, which browsers can send.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64ct::{Base64, Encoding};

use super::guard::refuse;

/// The answer to who brings no token that is known.
pub fn unknown(challenge: &'static str) -> Response {
    let mut response = refuse(StatusCode::UNAUTHORIZED, "a token is needed: Authorization: Bearer TOKEN");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// The token that a request brings.
pub fn token(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = (&value[..space], value[space..].trim_ascii());
    match scheme {
        scheme if scheme.eq_ignore_ascii_case(b"bearer") => Some(rest.to_vec()),
        scheme if scheme.eq_ignore_ascii_case(b"basic") => password(rest),
        _ => None,
    }
}

fn password(encoded: &[u8]) -> Option<Vec<u8>> {
    let decoded = Base64::decode_vec(std::str::from_utf8(encoded).ok()?).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some(decoded[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(value: &str) -> Option<Vec<u8>> {
        token(&HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]))
    }

    #[test]
    fn tokens_are_read_from_both_schemes() {
        assert_eq!(sent("Bearer abc"), Some(b"abc".to_vec()));
        assert_eq!(sent("bearer  abc "), Some(b"abc".to_vec()));
        // RFC 7617, section 2: Aladdin, "open sesame".
        assert_eq!(sent("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Some(b"open sesame".to_vec()));
        assert_eq!([sent("Digest x"), sent("Basic %%%"), sent("Bearer")], [None, None, None]);
    }
}
