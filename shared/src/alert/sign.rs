//! Signatures of webhooks after the Standard Webhooks specification, version 1: HMAC-SHA256 over `id.timestamp.body`.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// What a secret begins with whose rest is base64.
const PREFIX: &str = "whsec_";

/// The key that receiver and sender share.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

/// The three headers of a signed webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `webhook-id`: the same at each attempt, so that the receiver knows a repetition.
    pub id: String,
    /// `webhook-timestamp`: seconds since 1970 at this attempt; the receiver refuses old ones.
    pub timestamp: String,
    /// `webhook-signature`: `v1,` and base64.
    pub signature: String,
}

impl SigningKey {
    /// The key of a secret: base64 after `whsec_`, else the bytes of the text as they are.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is empty or what follows `whsec_` is no base64.
    pub fn new(secret: &Secret) -> Result<Self> {
        let text = secret.expose();
        let key = match text.strip_prefix(PREFIX) {
            None => text.as_bytes().to_vec(),
            Some(encoded) => Base64::decode_vec(encoded)
                .map_err(|_| Error::usage("a signing secret with whsec_ and something else", "base64 after whsec_"))?,
        };
        match key.is_empty() {
            true => Err(Error::usage("an empty signing secret", "24 to 64 random bytes, in base64 after whsec_")),
            false => Ok(Self(key)),
        }
    }

    /// Signs a body.
    ///
    /// # Errors
    /// None in practice: HMAC takes keys of any length.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> Result<Signature> {
        let timestamp = at.as_second().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .map_err(|error| Error::usage(format!("the signing secret cannot be used: {error}"), "another one"))?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        let signature = format!("v1,{}", Base64::encode_string(&mac.finalize().into_bytes()));
        Ok(Signature { id: id.to_owned(), timestamp, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(secret: &str) -> String {
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let key = SigningKey::new(&Secret::new(secret)).unwrap();
        key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#).unwrap().signature
    }

    #[test]
    fn agrees_with_python() {
        // python3 -c 'import base64,hashlib,hmac,sys; k=sys.argv[1]; k=base64.b64decode(k[6:]) if k[:6]=="whsec_" else k.encode()
        // print(base64.b64encode(hmac.new(k, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}",
        //                                 hashlib.sha256).digest()).decode())' SECRET
        assert_eq!(
            signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(signature("plain secret"), "v1,gke7k785FD6W2FuaDcrvG3sQcmFE9YVaaAmarK4oi68=");
    }

    #[test]
    fn unusable_secrets_are_refused_without_showing_them() {
        for bad in ["", "whsec_", "whsec_not base64!"] {
            let error = SigningKey::new(&Secret::new(bad)).err().unwrap_or_else(|| panic!("{bad:?} is a key"));
            assert!(!error.to_string().contains("not base64!"));
        }
    }
}
