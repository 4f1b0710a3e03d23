//! One address that is posted to: which addresses are allowed, how long an answer may take, what of it is read, and errors
//! that show no more of the address than its host, since the rest of it is often the password.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder, Response};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Url, retry};

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::text::capped;

/// How much of an answer is read, in bytes.
const MOST_ANSWER_BYTES: usize = 64 << 10;

/// How much of an answer an error quotes, in characters.
const QUOTED_CHARACTERS: usize = 200;

/// The longest pause that a server may ask for.
const MOST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How the network is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Longest time until an answer begins, and then until it ends.
    pub timeout: Duration,
    /// Longest time until there is a connection; `timeout` holds for it too.
    pub connect: Duration,
    /// Whether link-local addresses and those that cloud machines read their credentials from may be reached.
    pub allow_link_local: bool,
    /// Whether to ask the proxy that the environment names. It looks names up itself: only addresses that the URL states in
    /// digits are checked then.
    pub proxy: bool,
}

impl Default for Network {
    fn default() -> Self {
        let timeout = Duration::from_secs(10);
        Self { timeout, connect: timeout, allow_link_local: false, proxy: false }
    }
}

/// An address.
#[derive(Clone)]
pub(super) struct Endpoint {
    url: Url,
    network: Network,
    /// The only part of it that is shown.
    origin: String,
}

/// An answer of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// Its beginning; shorter than was announced if it broke off, since the status says all that matters.
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Endpoint {
    /// Checks an address; `what` says whose it is.
    pub(super) fn new(what: &str, url: &Secret, network: Network) -> Result<Self> {
        let expected = "http://… or https://… with a host";
        // The fault that the parser names does not repeat the address.
        let url = Url::parse(url.expose().trim())
            .map_err(|fault| Error::usage(format!("{what}: the address is no URL: {fault}"), expected))?;
        let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
            return Err(Error::usage(format!("{what}: an address of kind {:?}", url.scheme()), expected));
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let origin = format!("{}://{host}{port}", url.scheme());
        let stated = literal(host).filter(|ip| !network.allow_link_local && is_link_local(*ip));
        if let Some(ip) = stated {
            return Err(forbidden(&origin, ip));
        }
        Ok(Self { url, network, origin })
    }

    /// The same server, with `path` behind the path that the address has.
    pub(super) fn below(mut self, path: &str) -> Self {
        let path = format!("{}{path}", self.url.path().trim_end_matches('/'));
        self.url.set_path(&path);
        self.url.set_query(None);
        self
    }

    /// The same address with `path` behind its path and a further pair in its query.
    pub(super) fn extended(mut self, path: &str, (name, value): (&str, &str)) -> Self {
        let path = format!("{}{path}", self.url.path().trim_end_matches('/'));
        self.url.set_path(&path);
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path of the address.
    pub(super) fn path(&self) -> &str {
        self.url.path()
    }

    /// Posts JSON; `prepare` adds headers. An error says that nobody answered.
    pub(super) fn post(&self, body: Vec<u8>, prepare: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Result<Answer> {
        self.post_as("application/json", body, prepare)
    }

    /// Posts a body of this content type in the same way.
    pub(super) fn post_as(
        &self,
        content_type: &str,
        body: Vec<u8>,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer> {
        let client = self.client()?;
        let request = client.post(self.url.clone()).header("content-type", content_type).body(body);
        let response = prepare(request).send().map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| pause(text, Timestamp::now()));
        Ok(Answer { status, retry_after, body: beginning(response, self.network.timeout) })
    }

    /// A client for one request, tied to the addresses that were checked: a name cannot mean another one a moment later. It
    /// follows no redirect, which would lead around that check, and repeats nothing by itself.
    fn client(&self) -> Result<Client> {
        let builder = Client::builder()
            .redirect(Policy::none())
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(self.network.connect.min(self.network.timeout))
            .timeout(self.network.timeout)
            .user_agent(concat!("forecast-promotion/", env!("CARGO_PKG_VERSION")));
        let builder = if self.network.proxy { builder } else { self.tied(builder.no_proxy())? };
        builder.build().map_err(|error| self.failed(&format!("cannot set up HTTP: {}", chain(&error))))
    }

    fn tied(&self, builder: ClientBuilder) -> Result<ClientBuilder> {
        let host = self.url.host_str().unwrap_or_default();
        Ok(builder.resolve_to_addrs(host, &self.resolved(host)?))
    }

    /// The allowed addresses of the host.
    fn resolved(&self, host: &str) -> Result<Vec<SocketAddr>> {
        let port = self.url.port_or_known_default().unwrap_or_default();
        if let Some(ip) = literal(host) {
            return self.permitted(vec![SocketAddr::new(ip, port)]);
        }
        let found = (host, port).to_socket_addrs();
        self.permitted(found.map_err(|error| self.failed(&format!("the name cannot be looked up: {error}")))?.collect())
    }

    fn permitted(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>> {
        let allowed = |address: &&SocketAddr| self.network.allow_link_local || !is_link_local(address.ip());
        let some: Vec<SocketAddr> = found.iter().filter(allowed).copied().collect();
        match (some.is_empty(), found.first()) {
            (false, _) => Ok(some),
            (true, Some(address)) => Err(forbidden(&self.origin, address.ip())),
            (true, None) => Err(self.failed("the name has no address")),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        match error.is_timeout() && !error.is_connect() {
            true => self.failed(&format!("no answer within {} s", self.network.timeout.as_secs_f64())),
            false => self.failed(&format!("cannot be reached: {}", chain(&error))),
        }
    }

    /// An error that a retry may mend.
    pub(super) fn failed(&self, how: &str) -> Error {
        let help = "see whether the server runs and the address is right; it is tried again";
        Error::Environment { what: format!("{}: {how}", self.origin), help: Some(help.to_owned()) }
    }

    /// Status and beginning of an answer, on one line, without any secret that it echoes.
    pub(super) fn quoted(&self, answer: &Answer, secrets: &[&Secret]) -> String {
        let text = String::from_utf8_lossy(&answer.body);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let own = [self.url.path(), self.url.query().unwrap_or_default(), self.url.password().unwrap_or_default()];
        let secrets = secrets.iter().map(|secret| secret.expose()).chain(own).filter(|text| text.len() > 1);
        let line = secrets.fold(line, |line, secret| line.replace(secret, "***"));
        let printable: String = line.chars().filter(|c| !c.is_control()).collect();
        let quoted = capped(&printable, QUOTED_CHARACTERS);
        let colon = if quoted.is_empty() { "" } else { ": " };
        format!("{}: HTTP {}{colon}{quoted}", self.origin, answer.status)
    }
}

/// The beginning of the body, as far as it comes in time.
fn beginning(mut response: Response, timeout: Duration) -> Vec<u8> {
    let started = Instant::now();
    let (mut body, mut block) = (Vec::new(), [0; 4096]);
    while body.len() < MOST_ANSWER_BYTES && started.elapsed() < timeout {
        match response.read(&mut block) {
            Ok(0) | Err(_) => break,
            Ok(read) => body.extend_from_slice(&block[..read]),
        }
    }
    body
}

/// What `Retry-After` asks for: seconds, or a date.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let until = |date: jiff::Zoned| Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| rfc2822::parse(text).ok().map(until)).map(|pause| pause.min(MOST_RETRY_AFTER))
}

/// The address that a URL's host states in digits.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn forbidden(origin: &str, ip: IpAddr) -> Error {
    Error::usage(format!("{origin}: {ip} is link-local or gives out credentials"), "the address of a server")
        .with_help("set allow-link-local if it is really meant")
}

/// Whether only the neighbourhood answers under this address, or the service that gives cloud machines their credentials.
fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local() || v4 == Ipv4Addr::new(100, 100, 100, 200),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_link_local(v4.into()),
            None => v6.is_unicast_link_local() || METADATA_V6.contains(&v6),
        },
    }
}

/// Of Amazon's and Google's clouds; Alibaba's is above.
const METADATA_V6: [Ipv6Addr; 2] =
    [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// The IPv4 address that an IPv6 one stands for: `::ffff:a.b.c.d`, `::a.b.c.d`, and `64:ff9b::a.b.c.d` of NAT64 (RFC 6052).
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => v6.to_ipv4(),
    }
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, network: Network) -> Result<Endpoint> {
        Endpoint::new("webhook", &Secret::new(url), network)
    }

    #[test]
    fn neighbours_and_credentials_are_out_of_reach_however_they_are_spelt() {
        let open = Network { allow_link_local: true, ..Network::default() };
        // 2852039166 and 0xa9fea9fe are 169.254.169.254 in other spellings that URLs allow.
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://169.254.43518/",
            "http://[fe80::1]/",
            "http://[febf::1]:80/",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://100.100.100.200/",
        ] {
            let error = endpoint(url, Network::default()).err().unwrap_or_else(|| panic!("{url} is allowed"));
            assert!(error.to_string().contains("link-local"), "{error}");
            assert!(endpoint(url, open).is_ok(), "{url}");
        }
        for url in
            ["http://127.0.0.1:9093", "http://[::1]/", "https://10.0.0.1/x", "http://[fec0::1]/", "http://169.253.0.1/"]
        {
            assert!(endpoint(url, Network::default()).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_name_that_means_such_an_address_is_refused_when_it_is_looked_up() {
        let endpoint = endpoint("http://localhost/", Network::default()).unwrap();
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let error = endpoint.permitted(addresses(&["169.254.1.1:80", "[fe80::2]:80"])).unwrap_err();
        assert!(error.to_string().contains("169.254.1.1"));
        let mixed = endpoint.permitted(addresses(&["[fe80::2]:80", "10.0.0.1:80"])).unwrap();
        assert_eq!(mixed, addresses(&["10.0.0.1:80"]));
        assert!(endpoint.resolved("localhost").unwrap().iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn other_kinds_of_address_are_refused_without_showing_them() {
        for url in
            ["", "hooks/x", "ftp://u:hidden@h/", "file:///etc/passwd", "http://", "http://u:hidden@h:99999/hidden"]
        {
            let error = endpoint(url, Network::default()).err().unwrap_or_else(|| panic!("{url} is allowed"));
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn errors_show_the_host_only() {
        let endpoint = endpoint("https://ann:pw@h.example:8443/services/T0/B0/XyZ?key=k1", Network::default()).unwrap();
        assert_eq!(endpoint.origin(), "https://h.example:8443");
        let echo = b"no hook\n /services/T0/B0/XyZ at key=k1 for s3cret\x1b[31m".to_vec();
        let answer = Answer { status: 404, retry_after: None, body: echo };
        let quoted = endpoint.quoted(&answer, &[&Secret::new("s3cret")]);
        assert_eq!(quoted, "https://h.example:8443: HTTP 404: no hook *** at *** for ***[31m");
    }

    #[test]
    fn a_pause_is_seconds_or_a_date_and_has_an_end() {
        // The date of RFC 9110, section 10.2.3, minus half a minute.
        let now = "1999-12-31T23:59:29Z".parse().unwrap();
        let seconds = |text| pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), Some(30));
        assert_eq!(seconds("Thu, 30 Dec 1999 23:59:59 GMT"), Some(0));
        assert_eq!(seconds("99999999999999"), Some(3600));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
    }
}
