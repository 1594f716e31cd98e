//! schemathesis over the description that the server gives of itself: nothing fails inside, and nothing is
//! answered that is not described. What it leaves out stands with its reason in
//! `tests/compat/schemathesis/schemathesis.toml`.

use std::process::{Output, Stdio};

use crate::support::{Server, command, ran};
use crate::{install, seed};

/// Whose tokens ask, and in which of its phases: one in the namespace where everything stands, and one that
/// has nothing.
const TENANTS: [(&[&str], &str); 2] = [
    (
        &["--role", "mec_admin", "--namespace", "default"],
        "examples,coverage,fuzzing,stateful",
    ),
    // What coverage tries one by one is about the shape of requests, which is the same for all.
    (
        &["--role", "mec_service", "--namespace", "other"],
        "examples,fuzzing,stateful",
    ),
];

#[test]
fn nothing_fails_inside_and_nothing_is_answered_that_is_not_described() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = command(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(&mut serve, None);
    seed::seed(&server);
    let asked = TENANTS.map(|(tenant, phases)| {
        let token = ran(command(folder.path(), &["token"]).args(tenant))
            .ok()
            .out;
        let address = server.address.clone();
        std::thread::spawn(move || schemathesis(&address, token.trim(), phases))
    });
    for (asked, (tenant, _)) in asked.into_iter().zip(TENANTS) {
        let output = asked.join().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{tenant:?}: {said}");
        // It asked about every operation that is described.
        assert!(said.contains("Tested: "), "{tenant:?}: {said}");
    }
    assert!(
        server
            .metrics()
            .contains(r#"route="/api/rpc/consume",method="POST",status="400""#)
    );
}

fn schemathesis(address: &str, token: &str, phases: &str) -> Output {
    install::schemathesis()
        .args(["run", &format!("{address}/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--phases", phases])
        // Few examples, the same in every run.
        .args(["--max-examples", "3", "--generation-deterministic"])
        .args(["--no-color", "--no-shrink", "--continue-on-failure"])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
