//! The public keys of an issuer (RFC 7517), each good for one algorithm.

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The largest set, in bytes.
pub const MAX_SET_BYTES: usize = 256 * 1024;
/// So many keys are taken of a set at the most.
const MAX_KEYS: usize = 100;

/// One key.
#[derive(Debug)]
pub struct PublicKey {
    jwk: Jwk,
    algorithm: Algorithm,
    pub key: DecodingKey,
}

/// The keys of an issuer that tokens may be signed with.
#[derive(Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

/// A set that cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadKeySet {
    /// It is too large.
    #[error("it is larger than 256 KiB")]
    TooLarge,
    /// It is no set.
    #[error("it is no JSON object with an array named keys")]
    Malformed,
    /// It holds no key that MEC takes.
    #[error("it holds no RSA key for RS256 and no P-256 key for ES256")]
    NoKey,
}

#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a set. Keys of other kinds and for other uses are passed over, as RFC 7517 asks.
    ///
    /// # Errors
    /// Where it cannot be read, or holds no key that is of use.
    pub fn parse(text: &[u8]) -> Result<Self, BadKeySet> {
        if text.len() > MAX_SET_BYTES {
            return Err(BadKeySet::TooLarge);
        }
        let Keys { keys } = serde_json::from_slice(text).map_err(|_| BadKeySet::Malformed)?;
        let keys = keys.into_iter();
        let usable = keys.filter_map(|key| PublicKey::of(serde_json::from_str(key.get()).ok()?));
        let usable: Vec<PublicKey> = usable.take(MAX_KEYS).collect();
        if usable.is_empty() {
            return Err(BadKeySet::NoKey);
        }
        Ok(Self(usable))
    }

    /// The key that a token names and that is for its algorithm. A token that names none is taken where
    /// there is only one.
    pub fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Option<&PublicKey> {
        let mut fitting = self.0.iter().filter(|key| {
            key.algorithm == algorithm
                && (name.is_none() || key.jwk.common.key_id.as_deref() == name)
        });
        let found = fitting.next()?;
        (name.is_some() || fitting.next().is_none()).then_some(found)
    }

    /// Whether a key of that name is there, whatever it is for.
    pub fn knows(&self, name: &str) -> bool {
        let mut keys = self.0.iter();
        keys.any(|key| key.jwk.common.key_id.as_deref() == Some(name))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is another set's equal.
    pub fn is_same(&self, other: &Self) -> bool {
        let jwks = |set: &Self| set.0.iter().map(|key| key.jwk.clone()).collect::<Vec<_>>();
        jwks(self) == jwks(other)
    }
}

impl PublicKey {
    /// A key, where it is one to verify signatures with; its kind decides for which algorithm.
    fn of(jwk: Jwk) -> Option<Self> {
        let common = &jwk.common;
        let is_for_signatures =
            matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let may_verify = common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        let (algorithm, named) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
            AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            _ => return None,
        };
        let is_for_it = common.key_algorithm.is_none_or(|told| told == named);
        if !is_for_signatures || !may_verify || !is_for_it {
            return None;
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self {
            jwk,
            algorithm,
            key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA: &str = r#""kty":"RSA","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy_c4gs_7svlJJQ4H9_NxsiIoLwAEk7-Q3UXERGYw_75IDrGA84-lA_-Ct4eTlXHBIY2EaV7t7LjJaynVJCpkv4LKjTTAumiGUIuQhrNhZLuF_RJLqHpM2kgWFLU7-VTdL1VbC2tejvcI2BlMkEpk1BzBZI0KQB0GaDWFLN-aEAw3vRw","e":"AQAB""#;
    const EC: &str = r#""kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;

    fn set(keys: &[String]) -> Result<KeySet, BadKeySet> {
        KeySet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes())
    }

    fn key(parts: &str, rest: &str) -> String {
        format!("{{{parts}{rest}}}")
    }

    #[test]
    fn a_key_is_for_the_algorithm_of_its_kind_alone() {
        let set = set(&[
            key(RSA, r#","kid":"r","use":"sig""#),
            key(EC, r#","kid":"e","key_ops":["verify"]"#),
        ])
        .unwrap();
        assert!(set.find(Some("r"), Algorithm::RS256).is_some());
        assert!(set.find(Some("e"), Algorithm::ES256).is_some());
        assert!(set.find(None, Algorithm::ES256).is_some());
        for (name, algorithm) in [
            ("r", Algorithm::ES256),
            ("r", Algorithm::HS256),
            ("r", Algorithm::RS384),
            ("e", Algorithm::RS256),
            ("x", Algorithm::RS256),
        ] {
            assert!(
                set.find(Some(name), algorithm).is_none(),
                "{name} {algorithm:?}"
            );
        }
        assert!(set.knows("r") && !set.knows("x"));
    }

    #[test]
    fn a_token_without_a_key_name_is_taken_where_there_is_one_key() {
        let two = set(&[key(EC, r#","kid":"a""#), key(EC, r#","kid":"b""#)]).unwrap();
        assert!(two.find(None, Algorithm::ES256).is_none());
    }

    #[test]
    fn keys_for_other_ends_are_passed_over() {
        let bad = [
            key(RSA, r#","use":"enc""#),
            key(RSA, r#","alg":"RS512""#),
            key(RSA, r#","key_ops":["sign"]"#),
            key(EC, r#","alg":"ES384""#),
            r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(),
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
                .to_owned(),
            r#"{"kty":"new"}"#.to_owned(),
            "7".to_owned(),
        ];
        assert_eq!(set(&bad).err(), Some(BadKeySet::NoKey));
        let with_one = [&bad[..], &[key(EC, "")]].concat();
        assert!(
            set(&with_one)
                .unwrap()
                .find(None, Algorithm::ES256)
                .is_some()
        );
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in ["", "[]", "{}", r#"{"keys":7}"#, "<html>"] {
            assert_eq!(
                KeySet::parse(bad.as_bytes()).err(),
                Some(BadKeySet::Malformed),
                "{bad}"
            );
        }
        let large = vec![b' '; MAX_SET_BYTES + 1];
        assert_eq!(KeySet::parse(&large).err(), Some(BadKeySet::TooLarge));
    }
}
