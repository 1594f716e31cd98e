//! Tokens of a real issuer, `oauth2-mock-server`, whose keys are fetched over HTTP: it makes new keys, and
//! goes away.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use super::install::Clients;
use super::support::Server;

const AUDIENCE: &str = "https://mec.example/";

struct Issuer {
    program: Child,
    told: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Issuer {
    fn run() -> Self {
        let mut program = Clients::shared()
            .issuer()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            told: program.stdin.take().unwrap(),
            says: BufReader::new(program.stdout.take().unwrap()).lines(),
            program,
        }
    }

    fn act(&mut self, act: Value) -> Value {
        writeln!(self.told, "{act}").unwrap();
        let said = self.says.next().expect("the issuer has ended").unwrap();
        serde_json::from_str(&said).unwrap()
    }

    fn key(&mut self, name: &str, algorithm: &str) {
        let made = self.act(json!({"act": "key", "kid": name, "alg": algorithm}));
        assert_eq!(made, name);
    }

    /// A token by a key; each is another one.
    fn token(&mut self, key: &str, number: usize) -> String {
        let claims = json!({
            "sub": format!("auth0|{number}"), "aud": [AUDIENCE], "https://mec.example/role": "mec_service",
            "app_metadata": {"mec": {"namespace": "default"}},
        });
        let token = self.act(json!({"act": "sign", "kid": key, "claims": claims}));
        token.as_str().unwrap().to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn tokens_of_an_issuer_are_taken_while_its_keys_change_and_while_it_is_away() {
    let mut issuer = Issuer::run();
    issuer.key("first", "RS256");
    let named = issuer.act(json!({"act": "start"}));
    let named = named.as_str().unwrap();
    let (_, port) = named.rsplit_once(':').unwrap();
    let address = format!("http://127.0.0.1:{port}/jwks");
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with_environment(
        folder.path(),
        &[
            ("JWT_JWKS_URL", &address),
            ("JWT_ISSUER", named),
            ("JWT_AUDIENCE", AUDIENCE),
            ("JWT_ROLE_CLAIM", "https://mec.example/role"),
            ("JWT_NAMESPACE_CLAIM", "/app_metadata/mec/namespace"),
        ],
    );
    let asked = |token: &str| {
        let body = json!({"p_window_type": "calendar_month"}).to_string();
        let (status, answer) = server.post(Some(token), "/api/rpc/get_window_boundaries", &body);
        (status, answer["code"].clone())
    };
    let taken = (200, Value::Null);
    assert_eq!(asked(&issuer.token("first", 0)), taken);

    // The new key signs as soon as it is there, and no request is refused.
    issuer.key("second", "ES256");
    let tokens: Vec<String> = (1..21)
        .map(|number| issuer.token(["first", "second"][number % 2], number))
        .collect();
    std::thread::scope(|scope| {
        for token in &tokens {
            scope.spawn(|| assert_eq!(asked(token), taken));
        }
    });

    // Tokens that the server has not seen before.
    let (first, second) = (issuer.token("first", 30), issuer.token("second", 31));
    issuer.act(json!({"act": "stop"}));
    assert_eq!(asked(&first), taken);
    assert_eq!(asked(&second), taken);
    // The server's own tokens are taken beside the issuer's.
    assert_eq!(asked(&server.token.clone()), taken);
    let mut forged = second.clone();
    forged.truncate(second.rfind('.').unwrap() + 1);
    assert_eq!(
        asked(&format!("{forged}AAAA")),
        (401, json!("invalid_token"))
    );
}
