//! Connections are encrypted as the address says, and go only to the database that is meant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::LazyLock;

use mec_core::IdSource;
use mec_store::Store;
use mec_store_postgres::{Passwords, PostgresConfig, PostgresStore, migrate, verify_since};
use mec_test_postgres::{Identity, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use uuid::Uuid;

/// The host that the server's certificate is for.
const HOST: &str = "db.test";

struct Ids;

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        Uuid::new_v4()
    }
}

/// A server that demands TLS, and the files of the authority that issued its certificate and of another.
struct World {
    server: Server,
    ours: PathBuf,
    theirs: PathBuf,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([HOST.to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &ours).unwrap();
    let identity = Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    };
    let server = Server::start_encrypted(&identity).unwrap();
    server.psql("postgres", "CREATE DATABASE mec").unwrap();
    let keep = |name: &str, text: String| {
        let path = server.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ours = keep("ours.pem", ours.pem());
    let theirs = keep("theirs.pem", theirs.pem());
    let world = World {
        server,
        ours,
        theirs,
    };
    let admin = world.config("postgres", HOST, "sslmode=require");
    run(migrate(&admin, &Passwords::default())).unwrap();
    world
});

impl World {
    /// The address over the network, whatever the host is called.
    fn config(&self, user: &str, host: &str, encryption: &str) -> PostgresConfig {
        let port = self.server.port();
        let address = format!(
            "host={host} hostaddr=127.0.0.1 port={port} user={user} dbname=mec {encryption}"
        );
        PostgresConfig::new(address.into())
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// What is said of an address that leads nowhere; None of one that leads to the database.
fn told(config: &PostgresConfig) -> Option<String> {
    let done = run(verify_since(config, &[], &mut |_| ()));
    done.err().map(|error| error.to_string())
}

#[track_caller]
fn check(host: &str, encryption: &str, said: Option<&str>) {
    let told = told(&WORLD.config("mec_engine", host, encryption));
    match (&told, said) {
        (None, None) => {}
        (Some(told), Some(said)) if told.contains(said) => {}
        _ => panic!("{host} {encryption}: {told:?}, not {said:?}"),
    }
}

#[test]
fn every_connection_of_a_store_is_encrypted() {
    let roots = format!("sslmode=verify-full sslrootcert={}", WORLD.ours.display());
    for encryption in ["", "sslmode=prefer", "sslmode=require", &roots] {
        let config = WORLD.config("mec_engine", HOST, encryption);
        run(async {
            let store = PostgresStore::open(&config, &mut Ids).await.unwrap();
            let batch = store.begin(0, &[], &[]).await.unwrap();
            store.health().await.unwrap();
            // Beside these there may be those of another test over the socket.
            let sessions = "SELECT count(*) > 1, bool_and(ssl), min(version) FROM pg_stat_ssl \
                            JOIN pg_stat_activity USING (pid) \
                            WHERE application_name = 'mec' AND client_addr IS NOT NULL";
            let sessions = WORLD.server.psql("mec", sessions).unwrap();
            drop(batch);
            assert_eq!(sessions, "t|t|TLSv1.3", "{encryption}");
        });
    }
}

#[test]
fn who_verifies_goes_only_to_the_database_that_is_meant() {
    let (ours, theirs) = (WORLD.ours.display(), WORLD.theirs.display());
    let full = |file: &dyn std::fmt::Display| format!("sslmode=verify-full sslrootcert={file}");
    let chain = |file: &dyn std::fmt::Display| format!("sslmode=verify-ca sslrootcert={file}");
    let issuer = Some("invalid peer certificate: UnknownIssuer");
    check(HOST, &full(&ours), None);
    check(HOST, &full(&theirs), issuer);
    check(
        "other.test",
        &full(&ours),
        Some("certificate not valid for name \"other.test\""),
    );
    check("other.test", &chain(&ours), None);
    check(HOST, &chain(&theirs), issuer);
    // No authority that the system trusts has issued it.
    check(HOST, "sslmode=verify-full", issuer);
    check(HOST, "sslmode=verify-ca", issuer);
    // Who names an authority wants it to be asked.
    check(
        HOST,
        &format!("sslmode=require sslrootcert={theirs}"),
        issuer,
    );
    check("other.test", "sslmode=require", None);
    check(
        HOST,
        "sslmode=verify-full sslrootcert=/nowhere.pem",
        Some("sslrootcert=/nowhere.pem: cannot be read: No such file"),
    );
}

#[test]
fn a_server_that_demands_encryption_says_so_to_who_does_not() {
    check(
        HOST,
        "sslmode=disable",
        Some("the database does not accept the user, or not without TLS (sslmode=disable)"),
    );
    check(
        HOST,
        "sslmode=full",
        Some("sslmode=full is none of disable, prefer"),
    );
}

/// Over its socket a server encrypts nothing, so that whatever the address says is left alone there.
#[test]
fn over_a_socket_nothing_is_encrypted() {
    let server = &WORLD.server;
    for mode in ["require", "verify-full"] {
        let url = format!("{}?sslmode={mode}", server.url("mec_engine", "mec"));
        assert_eq!(told(&PostgresConfig::new(url.into())), None, "{mode}");
    }
}

#[test]
fn who_demands_encryption_of_a_server_without_it_is_told() {
    // Whatever answers a demand for TLS as a server does that has none.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut demand = [0; 8];
        stream.read_exact(&mut demand).unwrap();
        stream.write_all(b"N").unwrap();
        assert_eq!(
            stream.read(&mut demand).unwrap(),
            0,
            "it went on in the clear"
        );
    });
    let address = format!("postgresql://u@127.0.0.1:{port}/d?sslmode=require");
    let told = told(&PostgresConfig::new(address.into())).unwrap();
    let said = "the database cannot be reached with sslmode=require: server does not support TLS";
    assert!(told.contains(said), "{told}");
    answering.join().unwrap();
}
