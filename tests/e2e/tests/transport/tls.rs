//! TLS as curl and openssl meet it, and certificates that are renewed.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::raw::{curl, curled, program, read_answer, rest};
use crate::support::{Server, command, mec, ran};

/// A folder with a certificate, and a server that shows it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        place.renew();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a new certificate and key in place, and gives the certificate.
    fn renew(&self) -> String {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let chain = made.cert.pem();
        fs::write(self.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(self.path("cert.pem"), &chain).unwrap();
        chain
    }

    fn serve(&self, settings: &[&str]) -> Server {
        let path = |name| self.path(name).display().to_string();
        let (certificate, key) = (path("cert.pem"), path("key.pem"));
        let own = [
            "--listen=127.0.0.1:0",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ];
        Server::with(&self.path("data"), &[&own, settings].concat())
    }
}

fn port(server: &Server) -> &str {
    server.address.strip_prefix("https://").unwrap()
}

/// What openssl's client tells of a handshake.
fn s_client(server: &Server, args: &[&str]) -> String {
    let output = program("openssl")
        .args(["s_client", "-connect", port(server)])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (output.stdout, output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&err)
    )
}

/// The certificate that a new connection is shown.
fn shown(server: &Server) -> String {
    let told = s_client(server, &[]);
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let start = told.find(begin).unwrap_or_else(|| panic!("{told}"));
    let length = told[start..].find(end).unwrap() + end.len();
    told[start..start + length].to_owned()
}

fn same(shown: &str, file: &str) -> bool {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    bare(shown) == bare(file)
}

#[test]
fn both_versions_of_http_are_spoken_over_tls_1_2_and_1_3_and_nothing_older() {
    let place = Place::new();
    let server = place.serve(&[]);
    let certificate = place.path("cert.pem").display().to_string();
    let health = format!("{}/health", server.address);
    for (version, expected) in [("--http1.1", "1.1"), ("--http2", "2")] {
        for tls in ["1.2", "1.3"] {
            let least = format!("--tlsv{tls}");
            let told = curled(&[
                version,
                &least,
                "--tls-max",
                tls,
                "--cacert",
                &certificate,
                "--write-out",
                "%{http_version} %header{strict-transport-security}",
                &health,
            ]);
            let expected = format!("{{\"status\":\"up\"}}{expected} max-age=31536000");
            assert_eq!(told, expected, "{version} {tls}");
        }
    }
    let told = s_client(&server, &["-tls1_2", "-alpn", "h2"]);
    assert!(
        told.contains("ALPN protocol: h2") && told.contains("TLSv1.2"),
        "{told}"
    );
    // The client is told to speak what it is too careful for by itself.
    for old in ["-tls1_1", "-tls1"] {
        let told = s_client(&server, &[old, "-cipher", "DEFAULT@SECLEVEL=0"]);
        assert!(told.contains(" alert "), "{told}");
        assert!(told.contains("no peer certificate available"), "{told}");
    }
    // Who does not know the certificate, and who speaks without TLS, get nothing.
    assert!(!curl(&[&health]).status.success());
    assert!(!curl(&[&health.replace("https", "http")]).status.success());
}

/// A connection that openssl holds.
struct Held(Child);

impl Held {
    fn open(server: &Server) -> Self {
        let child = program("openssl")
            .args(["s_client", "-quiet", "-connect", port(server)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn is_served(&mut self) -> bool {
        let request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
        self.0.stdin.as_mut().unwrap().write_all(request).unwrap();
        read_answer(self.0.stdout.as_mut().unwrap()).status == 200
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have ended with the server.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_renewed_certificate_is_shown_to_new_connections_and_old_ones_go_on() {
    let place = Place::new();
    let first = fs::read_to_string(place.path("cert.pem")).unwrap();
    let mut server = place.serve(&["--tls-look-seconds=1"]);
    let mut errors = server.errors();
    let mut old = Held::open(&server);
    assert!(old.is_served() && same(&shown(&server), &first));

    let second = place.renew();
    while !same(&shown(&server), &second) {}
    assert!(old.is_served());

    // A renewal that went wrong: the key is not the certificate's.
    fs::write(place.path("cert.pem"), &first).unwrap();
    let warning = errors.find(|line| line.contains("the certificate is not renewed"));
    assert!(warning.is_some_and(|line| line.contains("cert.pem")));
    assert!(same(&shown(&server), &second));

    let third = place.renew();
    while !same(&shown(&server), &third) {}
    assert!(old.is_served());
    server.stop();
}

#[test]
fn what_cannot_be_used_stops_the_start() {
    let place = Place::new();
    let start = |certificate: &Path, key: &Path| {
        let args = ["serve", "--listen=127.0.0.1:0"];
        let mut serve = command(&place.path("data"), &args);
        let serve = serve.arg("--tls-cert").arg(certificate);
        ran(serve.arg("--tls-key").arg(key))
    };
    let (certificate, key) = (place.path("cert.pem"), place.path("key.pem"));
    for (certificate, key, told) in [
        (
            &place.path("none.pem"),
            &key,
            "none.pem: the certificate cannot be read",
        ),
        (
            &certificate,
            &certificate,
            "cert.pem: the private key cannot be read",
        ),
        (&key, &key, "key.pem: there is no certificate in it"),
    ] {
        let ran = start(certificate, key);
        assert!(ran.code == Some(2) && ran.err.contains(told), "{ran:?}");
    }
    let half = mec(&place.path("data"), &["serve", "--tls-cert=cert.pem"]);
    assert!(
        half.code == Some(2) && half.err.contains("MEC_TLS_KEY"),
        "{half:?}"
    );
}

#[test]
fn a_handshake_that_does_not_end_is_cut_off() {
    let place = Place::new();
    let server = place.serve(&["--handshake-timeout-ms=200"]);
    let mut stalled = TcpStream::connect(port(&server)).unwrap();
    // The first bytes of a handshake, and no more.
    stalled.write_all(&[22, 3, 1]).unwrap();
    assert_eq!(rest(&mut stalled), b"");
}

#[test]
fn commands_need_no_certificate_where_the_server_runs_and_the_authority_elsewhere() {
    let place = Place::new();
    let server = place.serve(&[]);
    let folder = place.path("data");
    mec(&folder, &["account", "create", "--external-id=acme"]).ok();
    let doctor = mec(&folder, &["doctor"]).ok();
    let up = format!("server: {} is up", server.address);
    assert!(doctor.out.contains(&up), "{doctor:?}");

    let elsewhere = tempfile::tempdir().unwrap();
    let args = ["catalogue", "show", "--server", &server.address];
    let mut show = command(elsewhere.path(), &args);
    let token = fs::read_to_string(folder.join("mec.token")).unwrap();
    show.env("MEC_TOKEN", token);
    let ran_without = ran(show.env("SSL_CERT_FILE", place.path("key.pem")));
    assert_eq!(ran_without.code, Some(1), "{ran_without:?}");
    let shown = ran(show.env("SSL_CERT_FILE", place.path("cert.pem"))).ok();
    assert!(shown.out.contains("benchmark_runs"), "{shown:?}");
}
