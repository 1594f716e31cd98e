//! Who may do what.

use super::{RUNS, of_acme, put_rules, service_of, use_runs};
use crate::support::{SECRET, TestApp, claims, post, service, sign, token, user_of};
use axum::body::Body;
use axum::http::Request;
use mec_http::{App, Claims, Role, Transport, router, rpc_routes};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn repair_03_no_function_reaches_an_account_of_another_namespace() {
    let app = TestApp::start();
    app.starter("acme").await;
    put_rules(&app.engine, "other", Vec::new()).await;
    for role in [Role::MecUser, Role::MecService, Role::MecAdmin] {
        let token = sign(&Claims {
            namespace_id: "other".to_owned(),
            ..claims(role)
        });
        let call = async |rpc: &str, more: Value| {
            let arguments = of_acme(RUNS, more).to_string();
            app.post(&format!("/api/rpc/{rpc}"), &token, arguments)
                .await
        };
        let told = call("check_entitlement", json!({})).await.ok();
        assert_eq!(told["code"], "account_not_found");
        let key = json!({"p_idempotency_key": "k", "p_quantity": 1});
        assert_eq!(
            call("consume", key.clone()).await.ok()["code"],
            "account_not_found"
        );
        call("meter_consumption", key)
            .await
            .error(404, "account_not_found");
        call("get_usage", json!({}))
            .await
            .error(404, "account_not_found");
    }
    assert_eq!(app.usage("acme").await, 0);
}

#[tokio::test]
async fn repair_03_the_header_of_a_namespace_opens_none() {
    let app = TestApp::start();
    app.starter("acme").await;
    let request =
        post("/api/rpc/get_usage", &service_of("other")).header("MEC-Namespace", "default");
    let body = of_acme(RUNS, json!({})).to_string();
    app.send(request.body(Body::from(body)).unwrap())
        .await
        .error(403, "insufficient_role");
}

#[tokio::test]
async fn repair_15_every_namespace_works_and_their_keys_do_not_collide() {
    let app = TestApp::start();
    for namespace in ["default", "a", "b"] {
        put_rules(&app.engine, namespace, Vec::new()).await;
        let token = service_of(namespace);
        let row = json!({"account_type_code": "organization", "external_id": "acme"});
        let made = app.post("/api/accounts", &token, row.to_string()).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.text);
        let call = async |rpc: &str, arguments: Value| {
            app.post(&format!("/api/rpc/{rpc}"), &token, arguments.to_string())
                .await
        };
        let plan = json!({"p_external_id": "acme", "p_plan_id": "starter"});
        assert_eq!(call("provision_plan", plan).await.ok(), 5);
        let used = call(
            "consume",
            of_acme(
                RUNS,
                json!({"p_idempotency_key": "one key", "p_quantity": 7}),
            ),
        )
        .await;
        assert_eq!(used.header("idempotency-replayed"), None);
        assert_eq!(used.ok()["quantity_used"], 7);
        assert_eq!(
            call(
                "acquire_lease",
                of_acme("concurrent_users", json!({"p_session_token": "s"}))
            )
            .await
            .ok()["fencing_token"],
            1
        );
        assert_eq!(call("get_usage", of_acme(RUNS, json!({}))).await.ok(), 7);
    }
}

#[tokio::test]
async fn repair_16_anonymous_callers_write_nothing() {
    let app = TestApp::start();
    app.starter("acme").await;
    let rpcs = rpc_routes().map(|route| format!("/api/rpc/{}", route.name));
    let resources = ["accounts", "entitlements"].map(|name| format!("/api/{name}"));
    let body = of_acme(RUNS, json!({"p_idempotency_key": "k", "p_quantity": 1})).to_string();
    for path in rpcs.chain(resources) {
        let told = app.post(&path, &token(Role::MecAnon), body.clone()).await;
        told.error(403, "insufficient_role");
        let bare = Request::builder()
            .method("POST")
            .uri(&path)
            .header("content-type", "application/json");
        let told = app.send(bare.body(Body::from(body.clone())).unwrap()).await;
        told.error(401, "missing_token");
    }
    assert_eq!(app.usage("acme").await, 0);
}

/// One answer from a connection that goes on.
async fn exchange(connection: &mut TcpStream, token: Option<&str>, body: &str) -> (String, Value) {
    let token = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "POST /api/rpc/get_usage HTTP/1.1\r\nHost: x\r\n{token}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8(read.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return (head.to_owned(), serde_json::from_str(body).unwrap());
            }
        }
        read.push(connection.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn repair_18_a_connection_carries_no_callers_claims_to_the_next() {
    let app = TestApp::start();
    let (acme, globex) = (app.starter("acme").await, app.starter("globex").await);
    use_runs(&app, "consume", "k", 7).await.ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let application = App::new(app.engine.clone(), SECRET.to_owned().into());
    tokio::spawn(mec_http::serve(
        vec![listener.into()],
        router(application),
        Transport::default(),
        std::future::pending(),
    ));
    let mut connection = TcpStream::connect(address).await.unwrap();
    let asked = of_acme(RUNS, json!({})).to_string();
    for _ in 0..3 {
        let (_, told) = exchange(&mut connection, Some(&user_of(acme)), &asked).await;
        assert_eq!(told, 7);
        let (_, told) = exchange(&mut connection, Some(&user_of(globex)), &asked).await;
        assert_eq!(told["code"], "account_not_found");
        let (_, told) = exchange(&mut connection, Some(&service_of("other")), &asked).await;
        assert_eq!(told["code"], "account_not_found");
        let (head, told) = exchange(&mut connection, None, &asked).await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert_eq!(told["code"], "missing_token");
        let (_, told) = exchange(&mut connection, Some(&service()), &asked).await;
        assert_eq!(told, 7);
    }
}
