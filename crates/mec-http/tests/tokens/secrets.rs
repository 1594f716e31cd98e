//! Several secrets at once, so that one is replaced by another.

use mec_http::{Front, FrontConfig, RatesConfig, Role, issue_token};
use secrecy::SecretString;

use crate::support::{TestApp, claims, get};

const OLD: &str = "the old secret, of 32 bytes or more";
const NEW: &str = "the new secret, of 32 bytes or more";

fn secrets(secrets: &[&str]) -> Vec<SecretString> {
    secrets.iter().map(|secret| (*secret).into()).collect()
}

#[tokio::test]
async fn a_rotation_refuses_no_request_and_ends_the_old_secret() {
    let front = Front::new(FrontConfig {
        secrets: secrets(&[OLD]),
        rates: RatesConfig::off(),
        ..FrontConfig::default()
    });
    let app = TestApp::start_behind(front.clone());
    let by = |secret: &str| issue_token(secret.as_bytes(), &claims(Role::MecService)).unwrap();
    let (old, new) = (by(OLD), by(NEW));
    let taken = async |token: &str| app.send(get("/api/accounts", token)).await.status == 200;
    assert!(taken(&old).await && !taken(&new).await);

    // The new one is known before it signs.
    front.reload_keys(&secrets(&[OLD, NEW]), None);
    assert!(taken(&old).await && taken(&new).await);
    front.reload_keys(&secrets(&[NEW, OLD]), None);
    assert!(taken(&old).await && taken(&new).await);

    // What was verified by the old one is not remembered beyond it.
    front.reload_keys(&secrets(&[NEW]), None);
    assert!(!taken(&old).await && taken(&new).await);
}
