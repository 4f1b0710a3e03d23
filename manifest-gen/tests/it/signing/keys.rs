//! Keys: what is read, what is refused and in which words, and that no secret shows.

use std::path::Path;

use manifest_gen::oms::{PrivateKey, PublicKey};

use super::folder::{hint, private_key, text};

#[test]
fn both_encodings_give_the_same_key_and_openssls_public_text() {
    for curve in ["p256", "p384", "p521"] {
        let (sec1, pkcs8) = (private_key(&format!("{curve}.sec1.pem")), private_key(&format!("{curve}.pem")));
        assert_eq!(sec1.public_key(), pkcs8.public_key());
        assert_eq!(sec1.public_key().to_pem().unwrap(), text(&format!("keys/{curve}.pub")));
        assert_eq!(sec1.public_key().hint().unwrap(), hint(curve));
        assert_eq!(PublicKey::from_pem(&text(&format!("keys/{curve}.pub"))).unwrap(), sec1.public_key());
    }
    // As the public client names the key of its example.
    let key = PublicKey::from_pem(&text("prime256v1.pub")).unwrap();
    assert_eq!(key.hint().unwrap(), "fc601d9447181e05855a0f339c371e3907c009014add02c4da3369bae3477ea2");
}

#[test]
fn the_secret_does_not_show() {
    let shown = format!("{:?} {:?}", private_key("p256.pem"), super::folder::key_signer("p521"));
    assert_eq!(shown, "PrivateKey(P-256, secret) Key(PrivateKey(P-521, secret))");
}

#[test]
fn other_private_keys_are_refused_by_name() {
    for (file, expected) in [
        ("rsa.pem", "an RSA key"),
        ("rsa.pkcs1.pem", "an RSA key"),
        ("ed25519.pem", "an Ed25519 key"),
        ("secp256k1.pem", "a key on the curve secp256k1"),
        ("encrypted.pem", "an encrypted key"),
        ("encrypted.sec1.pem", "an encrypted key"),
        ("explicit.pem", "explicit curve parameters"),
        ("p256.pub", "a public key"),
        ("leaf.crt.pem", "a PEM block `CERTIFICATE`"),
    ] {
        let error = PrivateKey::from_pem(&text(&format!("keys/{file}")), Path::new("private.pem")).unwrap_err();
        assert!(
            error.to_string().starts_with("private.pem: ") && error.to_string().contains(expected),
            "{file}: {error}"
        );
        assert!(error.help().unwrap().contains("openssl ecparam"));
        assert_eq!(error.exit().code(), 2);
    }
    for junk in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
        assert!(PrivateKey::from_pem(junk, Path::new("k")).is_err());
    }
}

#[test]
fn other_public_keys_are_refused_by_name() {
    for (file, expected) in [
        ("ed25519.pub", "an Ed25519 key"),
        ("secp256k1.pub", "a key on the curve secp256k1"),
        ("p256.pem", "a private key"),
        ("leaf.crt.pem", "a PEM block `CERTIFICATE`"),
    ] {
        let error = PublicKey::from_pem(&text(&format!("keys/{file}"))).unwrap_err();
        assert!(error.to_string().contains(expected), "{file}: {error}");
    }
}
