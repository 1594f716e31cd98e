//! Bad tokens as data: each is refused, wherever it is shown.

use crate::issuer::Keys;
use crate::signing::{key_set, token};
use crate::support::{TestApp, get};

const BAD_TOKENS: &str = include_str!("../data/bad_tokens.txt");

#[tokio::test]
async fn each_is_refused() {
    let keys = Keys::serving(key_set());
    let app = TestApp::start_behind(keys.front());
    let mut rows = 0;
    let lines = BAD_TOKENS.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let cells: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [_, by, head, claims] = cells[..] else {
            panic!("not four cells: {line}")
        };
        let token = token(by, head, claims);
        for path in [
            "/api/plans",
            "/admin/catalogue",
            "/api/rpc/get_window_boundaries",
        ] {
            let answer = app.send(get(path, &token)).await;
            let challenge = answer.header("www-authenticate");
            assert_eq!(challenge, Some(r#"Bearer error="invalid_token""#), "{line}");
            let told = answer.error(401, "invalid_token");
            assert!(
                token.len() < 8 || !told.to_string().contains(&token),
                "{line}: {told}"
            );
        }
        rows += 1;
    }
    assert!(rows >= 100, "only {rows} rows");
}

#[tokio::test]
async fn what_they_were_made_from_is_taken() {
    let keys = Keys::serving(key_set());
    let app = TestApp::start_behind(keys.front());
    let check = async |by: &str, head: &str, claims: &str| {
        let answer = app.send(get("/api/plans", &token(by, head, claims))).await;
        assert_eq!(answer.status, 200, "{by} {head} {claims}: {}", answer.text);
    };
    for by in ["secret", "rsa", "p256"] {
        check(by, "", "").await;
        check(by, "", r#"{"exp":@-20}"#).await;
        check(by, "", r#"{"exp":@+600.5}"#).await;
        check(by, "", r#"{"nbf":@+20}"#).await;
    }
    check("secret", "", r#"{"aud":["another-service","mec-service"]}"#).await;
    // There is one key for ES256, which need not be named.
    check("p256", r#"{"kid":null}"#, "").await;
}
