//! What answers tell browsers and caches, and how large ones are sent.

use serde_json::json;

use crate::raw::{Answer, ask, curl, curled, get};
use crate::support::Server;

const PAGE: &str = "https://app.example.com";

fn server(folder: &tempfile::TempDir) -> Server {
    let origins = format!("--cors-origins={PAGE},http://localhost:3000");
    Server::with(folder.path(), &["--listen=127.0.0.1:0", &origins])
}

fn options(server: &Server, headers: &str) -> Answer {
    let request = get(server, "/api/rpc/consume", headers);
    ask(server, &request.replacen("GET", "OPTIONS", 1))
}

#[test]
fn pages_of_named_origins_may_call_and_no_others() {
    const ORIGIN: &str = "access-control-allow-origin";
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    let asks =
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
    let told = options(&server, &format!("Origin: {PAGE}\r\n{asks}"));
    assert_eq!((told.status, told.header(ORIGIN)), (204, Some(PAGE)));
    let methods = told.header("access-control-allow-methods").unwrap();
    assert!(
        methods.contains("POST") && methods.contains("PATCH"),
        "{methods}"
    );
    let headers = told.header("access-control-allow-headers").unwrap();
    assert!(
        headers.contains("Authorization") && headers.contains("Prefer"),
        "{headers}"
    );
    assert_eq!(told.header("access-control-allow-credentials"), None);

    // OPTIONS of others is about the path, with an origin or without.
    for headers in [
        String::new(),
        format!("Origin: {PAGE}\r\n"),
        format!("Origin: https://evil.example\r\n{asks}"),
    ] {
        let told = options(&server, &headers);
        assert_eq!(
            (told.status, told.header("allow")),
            (200, Some("OPTIONS,POST")),
            "{headers}"
        );
        assert_eq!(
            told.header(ORIGIN).is_some(),
            headers.contains(PAGE),
            "{headers}"
        );
    }
    for (origin, allowed) in [
        (PAGE, true),
        ("http://localhost:3000", true),
        ("https://app.example.com.evil.example", false),
        ("http://app.example.com", false),
        ("null", false),
    ] {
        let told = ask(
            &server,
            &get(&server, "/api/plans", &format!("Origin: {origin}\r\n")),
        );
        assert_eq!(told.header(ORIGIN), allowed.then_some(origin));
        assert!(told.all("vary").contains(&"Origin"));
        let exposed = told
            .header("access-control-expose-headers")
            .unwrap_or_default();
        assert_eq!(
            exposed.contains("X-Request-Id") && exposed.contains("RateLimit"),
            allowed
        );
    }
    // A refusal can be read by the page, too.
    let refused = ask(
        &server,
        &get(&server, "/api/none", &format!("Origin: {PAGE}\r\n")),
    );
    assert_eq!((refused.status, refused.header(ORIGIN)), (404, Some(PAGE)));

    let folder = tempfile::tempdir().unwrap();
    let any = Server::with(folder.path(), &["--listen=127.0.0.1:0", "--cors-origins=*"]);
    let told = ask(
        &any,
        &get(&any, "/api/plans", "Origin: https://any.example\r\n"),
    );
    assert_eq!(told.header(ORIGIN), Some("*"));
    let folder = tempfile::tempdir().unwrap();
    let none = Server::with(folder.path(), &["--listen=127.0.0.1:0"]);
    let told = ask(
        &none,
        &get(&none, "/api/plans", &format!("Origin: {PAGE}\r\n")),
    );
    assert_eq!((told.status, told.header(ORIGIN)), (200, None));
}

#[test]
fn every_answer_is_careful() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    for (path, cache) in [
        ("/api/plans", Some("no-store")),
        ("/api/none", Some("no-store")),
        (
            "/api/rpc/get_window_boundaries?p_window_type=none",
            Some("no-store"),
        ),
        ("/admin/catalogue", Some("no-store")),
        ("/health", None),
        ("/none", None),
        ("/docs", Some("no-cache")),
        ("/openapi.json", Some("no-cache")),
    ] {
        let told = ask(&server, &get(&server, path, ""));
        assert_eq!(
            told.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            told.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert_eq!(told.header("cache-control"), cache, "{path}");
        // It came without TLS, and whoever ends TLS before this server says it for itself.
        assert_eq!(told.header("strict-transport-security"), None, "{path}");
    }
    let docs = ask(&server, &get(&server, "/docs", ""));
    assert_eq!(docs.header("x-frame-options"), Some("DENY"));
    let policy = docs.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[test]
fn what_a_client_holds_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    for path in ["/openapi.json", "/docs", "/api/"] {
        let whole = ask(&server, &get(&server, path, ""));
        let tag = whole.header("etag").unwrap();
        assert!(whole.status == 200 && whole.body.len() > 1_000, "{path}");
        for held in [tag.to_owned(), format!("W/{tag}")] {
            let told = ask(
                &server,
                &get(&server, path, &format!("If-None-Match: {held}\r\n")),
            );
            assert_eq!(
                (told.status, told.header("etag")),
                (304, Some(tag)),
                "{path}"
            );
            assert!(told.body.is_empty());
        }
        let other = ask(&server, &get(&server, path, "If-None-Match: \"other\"\r\n"));
        assert_eq!(other.body, whole.body);
    }
}

#[test]
fn large_answers_are_compressed_for_who_takes_it_and_small_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    server.organization("acme", None);
    let bearer = format!("Authorization: Bearer {}", server.token);
    let url = |path: &str| format!("{}{path}", server.address);
    for path in ["/openapi.json", "/docs", "/api/resource_types?limit=1000"] {
        let plain = curled(&["-H", &bearer, &url(path)]);
        for coding in ["gzip", "br", "zstd"] {
            let takes = format!("Accept-Encoding: {coding}");
            let shown = "%{stderr}%{size_download} %header{content-encoding} %header{vary}";
            let url = url(path);
            let output = curl(&[
                "-H",
                &bearer,
                "-H",
                &takes,
                "--compressed",
                "-w",
                shown,
                &url,
            ]);
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                plain,
                "{path} {coding}"
            );
            let told = String::from_utf8(output.stderr).unwrap();
            let mut told = told.split(' ');
            let sent: usize = told.next().unwrap().parse().unwrap();
            assert!(
                sent * 2 < plain.len(),
                "{path} {coding}: {sent} of {}",
                plain.len()
            );
            assert_eq!(told.next(), Some(coding), "{path}");
        }
    }
    let check = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" });
    let takes = "Accept-Encoding: gzip, br, zstd\r\n";
    let query = "/api/rpc/check_entitlement?p_external_id=acme&p_resource_type=benchmark_runs";
    for path in [query, "/health", "/api/account_types?limit=1"] {
        let small = ask(&server, &get(&server, path, takes));
        assert_eq!(
            (small.status, small.header("content-encoding")),
            (200, None),
            "{path}"
        );
    }
    let checks = json!({ "p_checks": vec![check; 100] }).to_string();
    let url = url("/api/rpc/check_entitlements");
    let args = [
        "-H",
        &bearer,
        "-H",
        "Content-Type: application/json",
        "-d",
        &checks,
    ];
    let coded = [
        "-H",
        "Accept-Encoding: zstd",
        "-o",
        "/dev/null",
        "-w",
        "%header{content-encoding}",
        &url,
    ];
    assert_eq!(curled(&[&args[..], &coded].concat()), "zstd");
    // Bodies of requests are taken as they are only.
    let args = [
        "-H",
        &bearer,
        "-H",
        "Content-Type: application/json",
        "-H",
        "Content-Encoding: gzip",
    ];
    let refused = ["-d", "{}", "-o", "/dev/null", "-w", "%{http_code}", &url];
    assert_eq!(curled(&[&args[..], &refused].concat()), "415");
}

#[test]
fn a_head_that_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["--listen=127.0.0.1:0", "--max-header-bytes=8192"];
    let server = Server::with(folder.path(), &settings);
    let long = |bytes| format!("X-Long: {}\r\n", "x".repeat(bytes));
    assert_eq!(
        ask(&server, &get(&server, "/health", &long(7_000))).status,
        200
    );
    assert_eq!(
        ask(&server, &get(&server, "/health", &long(9_000))).status,
        431
    );
    let long = format!("X-Long: {}", "x".repeat(9_000));
    let url = format!("{}/health", server.address);
    let args = [
        "--http2-prior-knowledge",
        "-H",
        &long,
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        &url,
    ];
    let told = curl(&args);
    assert_ne!(String::from_utf8(told.stdout).unwrap(), "200");
}
