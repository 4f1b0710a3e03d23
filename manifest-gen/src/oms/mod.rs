//! Model Signing v1.0 of the Open Source Security Foundation: a folder signed by an ECDSA key or a certificate chain,
//! verified offline.
//!
//! A signature is one JSON file (a Sigstore bundle) that lists every file below the folder with its digest, so that a
//! changed, missing or additional file shows. What the public client `model_signing` refuses is refused here too.
//!
//! # Stricter than the public client
//!
//! The following is refused here, and accepted by `model_signing` 1.1.1:
//!
//! 1. A file that is listed twice; a part that is listed twice.
//! 2. Names that are not the one spelling of a path below the folder: `./name`, absolute ones, `..`, empty components;
//!    `.`, which stands for a model that is one file and no folder.
//! 3. Statements of before version 1.0 (`https://model_signing/Digests/v0.1`), and the faulty encoding of that time.
//! 4. More than one signature in the envelope, even if the first one is good: Sigstore bundles hold exactly one.
//! 5. JSON with a byte order mark, a key twice in one object, `NaN`, or another encoding than UTF-8; nesting beyond 127.
//! 6. Base64 with characters that are not part of it, or without its padding; hexadecimal digits with spaces between.
//! 7. Fields of the bundle in another spelling (`media_type`); an empty `hint`; `rawBytes`, as the client wrote it up to
//!    1.0.1, of another key than the trusted one.
//! 8. Transparency-log entries and timestamps beside a key or a chain, since nothing here checks them.
//! 9. A signature that lists no file; `ignore_paths` that leave out everything; `allow_symlinks` that is not a boolean;
//!    `hash_type` `blake2`.
//! 10. Symbolic links even where the signature allows them.
//! 11. Certificates: validity is checked now and not only when the signer's certificate was issued; an issuer must be an
//!     authority by `basicConstraints`; RSA keys below 2048 or above 4096 bits, signatures other
//!     than ECDSA or RSA PKCS #1 v1.5 with SHA-2, name constraints, critical
//!     extensions that are not checked here, names that differ in case only; certificates that the signature carries
//!     for nothing.
//!
//! # More than its command line accepts
//!
//! Its library verifies BLAKE3 and shards, while its command line always hashes whole files with SHA-256 and then refuses
//! them. Here both are accepted, and so is `shard_size` as its library writes it (`4.0`), which it cannot read itself, and
//! the plain algorithm name `sha256` for shards.
//!
//! Keyless signatures are refused with a text that names the public client.

mod bundle;
mod certificate;
mod compare;
pub mod hash;
mod key;
mod paths;
mod pem;
mod sign;
mod statement;
mod verify;
mod walk;

pub use certificate::certificates_from_pem;
pub use key::{PrivateKey, PublicKey};
pub use sign::{Signer, sign};
pub use statement::Resource;
pub use verify::{Outcome, Trust, verify};

/// The file name that the specification gives a signature.
pub const DEFAULT_NAME: &str = "model.sig";
