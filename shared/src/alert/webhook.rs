//! Webhooks: one transition of one alert as one HTTP POST.
//!
//! An answer of 2xx is a delivery, whatever its body. 4xx is a refusal for good, but for 408 and 429. Everything else may be
//! mended by waiting or by a person, redirects included: they are not followed.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::endpoint::{Answer, Endpoint, Network};
use super::receiver::Outcome;
use super::sign::SigningKey;
use super::{Transition, formats};

/// Where `PagerDuty` takes events.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// What the body looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// The [`Transition`] as it is.
    Generic,
    /// Slack's `{text, blocks}`, which Mattermost and others take too.
    Slack,
    /// `PagerDuty`'s Events version 2, with the routing key of the service.
    PagerDuty {
        /// The integration key of the service.
        routing_key: Secret,
    },
}

/// A webhook.
#[derive(Clone)]
pub struct Webhook {
    endpoint: Endpoint,
    format: Format,
    signing: Option<SigningKey>,
}

impl Webhook {
    /// A webhook; nothing is sent yet. The address may be left out for `PagerDuty` only.
    ///
    /// # Errors
    /// [`Error::Usage`] if the address is none that may be used, or a secret is empty or malformed.
    pub fn new(url: Option<&Secret>, format: Format, signing: Option<&Secret>, network: Network) -> Result<Self> {
        let known = Secret::new(PAGERDUTY_URL);
        let url = match (&format, url) {
            (_, Some(url)) => url,
            (Format::PagerDuty { .. }, None) => &known,
            (_, None) => return Err(Error::usage("a webhook without an address", "url or url-file")),
        };
        if matches!(&format, Format::PagerDuty { routing_key } if routing_key.is_empty()) {
            return Err(Error::usage("an empty routing key", "the integration key of a PagerDuty service"));
        }
        let signing = signing.map(SigningKey::new).transpose()?;
        Ok(Self { endpoint: Endpoint::new("webhook", url, network)?, format, signing })
    }

    /// Scheme and host of its address, the only part that may be shown.
    pub fn origin(&self) -> &str {
        self.endpoint.origin()
    }

    /// The body that it sends.
    pub fn body(&self, transition: &Transition) -> Value {
        match &self.format {
            // A transition has string keys and finite numbers only.
            Format::Generic => serde_json::to_value(transition).unwrap_or_default(),
            Format::Slack => formats::slack(transition),
            Format::PagerDuty { routing_key } => formats::pagerduty(transition, routing_key),
        }
    }

    /// Sends a transition at `now`, which the signature states.
    pub fn send(&self, transition: &Transition, now: Timestamp) -> Outcome {
        match self.post(transition, now) {
            Ok(answer) => Outcome::of(&self.endpoint, &answer, &self.secrets()),
            Err(error) => Outcome::Later { error, after: None },
        }
    }

    fn post(&self, transition: &Transition, now: Timestamp) -> Result<Answer> {
        let body = self.body(transition).to_string().into_bytes();
        let key = transition.key();
        let signature = self.signing.as_ref().map(|signing| signing.sign(&key, now, &body)).transpose()?;
        self.endpoint.post(body, |request| match signature {
            None => request.header("webhook-id", key),
            Some(signature) => request
                .header("webhook-id", signature.id)
                .header("webhook-timestamp", signature.timestamp)
                .header("webhook-signature", signature.signature),
        })
    }

    fn secrets(&self) -> Vec<&Secret> {
        match &self.format {
            Format::PagerDuty { routing_key } => vec![routing_key],
            Format::Generic | Format::Slack => vec![],
        }
    }
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({})", self.origin())
    }
}
