//! Keys and tokens of the tests' own issuer.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    PublicKeyData, RsaKeySize,
};
use serde_json::{Map, Value, json};

use crate::support::{SECRET, unix_seconds};

/// The issuer that the service is told of.
pub const ISSUER: &str = "https://issuer.test/";
/// The audience that its tokens have.
pub const AUDIENCE: &str = "https://mec.example/";

/// A pair of keys.
pub struct Pair {
    pub algorithm: Algorithm,
    pub private: EncodingKey,
    pair: KeyPair,
}

impl Pair {
    /// The public key as an issuer tells it.
    pub fn jwk(&self, name: &str) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(name.to_owned());
        serde_json::to_value(jwk).unwrap()
    }
}

/// A new pair for ES256.
pub fn p256() -> Pair {
    ec(Algorithm::ES256, &PKCS_ECDSA_P256_SHA256)
}

fn ec(algorithm: Algorithm, kind: &'static rcgen::SignatureAlgorithm) -> Pair {
    let pair = KeyPair::generate_for(kind).unwrap();
    let private = EncodingKey::from_ec_der(&pair.serialize_der());
    Pair {
        algorithm,
        private,
        pair,
    }
}

fn rsa() -> Pair {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    // What PKCS #8 puts before the key of PKCS #1 has 26 bytes for a key of this size.
    let private = EncodingKey::from_rsa_der(&pair.serialize_der()[26..]);
    Pair {
        algorithm: Algorithm::RS256,
        private,
        pair,
    }
}

/// The pairs by their names.
pub static PAIRS: LazyLock<BTreeMap<&str, Pair>> = LazyLock::new(|| {
    let ed = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let ed = Pair {
        algorithm: Algorithm::EdDSA,
        private: EncodingKey::from_ed_der(&ed.serialize_der()),
        pair: ed,
    };
    BTreeMap::from([
        ("rsa", rsa()),
        ("other-rsa", rsa()),
        ("p256", p256()),
        ("p384", ec(Algorithm::ES384, &PKCS_ECDSA_P384_SHA384)),
        ("ed25519", ed),
    ])
});

/// The set of the issuer's keys, of which two are for RS256.
pub fn key_set() -> Value {
    let named = |name: &str, as_name: &str| PAIRS[name].jwk(as_name);
    json!({"keys": [named("rsa", "rsa"), named("p256", "p256"), rsa().jwk("spare")]})
}

/// The claims of a good token of the issuer's.
pub fn claims_of_issuer() -> Value {
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, "https://issuer.test/userinfo"], "sub": "auth0|7",
        "exp": unix_seconds() + 600, "https://mec.example/role": "mec_service",
        "app_metadata": {"namespace": "default"},
    })
}

/// A token of the issuer's under a key's name.
pub fn of_issuer(pair: &Pair, name: &str, claims: &Value) -> String {
    let algorithm = serde_json::to_value(pair.algorithm).unwrap();
    let head = json!({"typ": "JWT", "alg": algorithm, "kid": name});
    signed(&head.to_string(), &claims.to_string(), |message| {
        sign(message, &pair.private, pair.algorithm).unwrap()
    })
}

fn signed(head: &str, claims: &str, sign: impl Fn(&[u8]) -> String) -> String {
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(head), encode(claims));
    let signature = sign(message.as_bytes());
    format!("{message}.{signature}")
}

/// The token of a row of `bad_tokens.txt`, or, where nothing in it is changed, a good one.
pub fn token(by: &str, head: &str, claims: &str) -> String {
    let claims = with_times(claims).replace("LONG", &"x".repeat(9_000));
    if by == "raw" {
        return claims;
    }
    let pair = PAIRS.get(by);
    let (algorithm, name) = match (by, pair) {
        ("other-rsa", Some(_)) => (Algorithm::RS256, Some("rsa")),
        (name, Some(pair)) => (pair.algorithm, Some(name)),
        (_, None) => (Algorithm::HS256, None),
    };
    let mut good_head = json!({"typ": "JWT", "alg": serde_json::to_value(algorithm).unwrap()});
    let good_claims = match name {
        Some(name) => {
            good_head["kid"] = name.into();
            claims_of_issuer()
        }
        None => json!({
            "sub": "tester", "role": "mec_service", "namespace_id": "default",
            "aud": "mec-service", "exp": unix_seconds() + 600,
        }),
    };
    let public_der = || PAIRS["rsa"].pair.der_bytes().to_vec();
    let hmac = |secret: &[u8], message: &[u8]| {
        sign(message, &EncodingKey::from_secret(secret), Algorithm::HS256).unwrap()
    };
    signed(
        &changed(good_head, head),
        &changed(good_claims, &claims),
        |message| match (by, pair) {
            (_, Some(pair)) => sign(message, &pair.private, pair.algorithm).unwrap(),
            ("secret", _) => hmac(SECRET.as_bytes(), message),
            ("other-secret", _) => hmac(b"another secret of 32 bytes or more", message),
            ("rsa-as-secret", _) => hmac(&public_der(), message),
            ("rsa-as-pem-secret", _) => {
                hmac(PAIRS["rsa"].pair.public_key_pem().as_bytes(), message)
            }
            ("cut", _) => hmac(SECRET.as_bytes(), message)[..20].to_owned(),
            ("zeros", _) => BASE64_URL_SAFE_NO_PAD.encode([0; 32]),
            ("nobody", _) => String::new(),
            _ => panic!("nobody signs as {by}"),
        },
    )
}

/// A JSON object with members replaced, or another text in its place.
fn changed(good: Value, change: &str) -> String {
    if let Some(whole) = change.strip_prefix('!') {
        return whole.to_owned();
    }
    let mut good = good;
    let changes: Map<String, Value> = match change {
        "" => Map::new(),
        change => serde_json::from_str(change).unwrap_or_else(|_| panic!("not JSON: {change}")),
    };
    let members = good.as_object_mut().unwrap();
    for (name, value) in changes {
        if value.is_null() {
            members
                .remove(&name)
                .unwrap_or_else(|| panic!("{name} is not there"));
        } else {
            members.insert(name, value);
        }
    }
    good.to_string()
}

/// Puts seconds since 1970 in the place of `@+60` and `@-60`.
fn with_times(text: &str) -> String {
    let mut parts = text.split('@');
    let mut told = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part[1..]
            .find(|c: char| !c.is_ascii_digit())
            .map_or(part.len(), |at| at + 1);
        let ahead: i64 = part[..end].parse().unwrap();
        told += &(i64::try_from(unix_seconds()).unwrap() + ahead).to_string();
        told += &part[end..];
    }
    told
}
