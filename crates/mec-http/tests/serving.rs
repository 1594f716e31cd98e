//! The real listener: it serves, stops taking connections, and finishes what is in flight.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use mec_http::{App, Listener, Transport, router};
use support::{SECRET, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

async fn listening(app: &TestApp) -> (std::net::SocketAddr, impl Future<Output = ()> + use<>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let application = App::new(app.engine.clone(), SECRET.to_owned().into());
    let (stop, stopped) = oneshot::channel::<()>();
    let listeners = vec![Listener::from(listener)];
    let transport = Transport::default();
    let stopped = async move { stopped.await.unwrap() };
    let serving = mec_http::serve(listeners, router(application), transport, stopped);
    let serving = tokio::spawn(serving);
    (address, async move {
        stop.send(()).unwrap();
        serving.await.unwrap();
    })
}

fn head(rest: &str) -> String {
    let token = support::service();
    format!(
        "POST /api/rpc/get_window_boundaries HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{rest}\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_too_much_still_reads_the_answer() {
    let app = TestApp::start();
    let (address, stop) = listening(&app).await;
    let body = vec![b' '; 15_000_000];
    for announced in [true, false] {
        let rest = match announced {
            true => format!("Content-Length: {}", body.len()),
            false => "Transfer-Encoding: chunked".to_owned(),
        };
        for _ in 0..20 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(head(&rest).as_bytes()).await.unwrap();
            if !announced {
                let size = format!("{:x}\r\n", body.len());
                client.write_all(size.as_bytes()).await.unwrap();
            }
            client.write_all(&body).await.unwrap();
            if !announced {
                client.write_all(b"\r\n0\r\n\r\n").await.unwrap();
            }
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert!(answer.contains("payload_too_large"), "{answer}");
        }
    }
    // Who asks first is told before sending anything.
    let rest = "Content-Length: 4000000\r\nExpect: 100-continue";
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head(rest).as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    stop.await;
}

#[tokio::test]
async fn a_body_in_pieces_is_one_body() {
    let app = TestApp::start();
    let (address, stop) = listening(&app).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let start = head("Transfer-Encoding: chunked");
    client.write_all(start.as_bytes()).await.unwrap();
    for piece in ["{\"p_win", "dow_type\":", "\"none\"", "}"] {
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        client.write_all(chunk.as_bytes()).await.unwrap();
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stop.await;
}

#[tokio::test]
async fn a_request_in_flight_is_finished_after_the_stop() {
    let app = TestApp::start();
    let (address, stop) = listening(&app).await;
    let body = r#"{"p_window_type":"none"}"#;
    let head = head(&format!(
        "Content-Length: {}\r\nExpect: 100-continue",
        body.len()
    ));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the handler is at work.
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    // Polled once, the stop is told; it ends when the request has ended.
    let stopping = tokio::spawn(stop);
    tokio::task::yield_now().await;
    client.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.ends_with(r#"{"window_start":null,"window_end":null}"#),
        "{answer}"
    );
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
