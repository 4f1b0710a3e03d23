//! Where a server may listen.

use std::net::SocketAddr;

use crate::error::{Error, Result};

/// Whether the server may listen on the address: on the loopback always, elsewhere only with a token.
///
/// # Errors
/// [`Error::Usage`] with what would be right.
pub fn check_bind(address: SocketAddr, has_token: bool) -> Result<()> {
    if has_token || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let found = format!("the address {address} can be reached from other machines and no token is set");
    let help =
        "set a token file for reading or for sending, or listen on 127.0.0.1 behind a proxy that asks who is there";
    Err(Error::usage(found, "a loopback address, as 127.0.0.1:9464").with_help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_token_opens_other_addresses() {
        for loopback in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:9464", "[::ffff:127.0.0.1]:1"] {
            assert!(check_bind(address(loopback), false).is_ok(), "{loopback}");
        }
        for open in ["0.0.0.0:9464", "[::]:9464", "192.168.0.4:80", "[::ffff:10.0.0.1]:1"] {
            assert!(check_bind(address(open), false).is_err(), "{open}");
            assert!(check_bind(address(open), true).is_ok(), "{open}");
        }
    }
}
