//! Where and how the server is reached.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use mec_http::{Cors, CorsOrigin, ListenAddress, Tls};

use super::whole;

/// Where the server listens, and how it holds connections.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Transport")]
pub struct Transport {
    /// Where to listen: TCP addresses and unix sockets such as unix:/run/mec/mec.sock, with commas between
    #[arg(
        long,
        env = "MEC_LISTEN",
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = "127.0.0.1:8000",
        value_parser = address
    )]
    pub listen: Vec<ListenAddress>,
    /// The mode of unix sockets, in octal: who may connect
    #[arg(
        long,
        env = "MEC_SOCKET_MODE",
        value_name = "MODE",
        default_value = "0660",
        value_parser = mode
    )]
    pub socket_mode: u32,
    /// The certificate chain of TLS, a PEM file; with it all TCP addresses speak TLS. It is looked at every
    /// few seconds, and taken over when it was renewed
    #[arg(long, env = "MEC_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, a PEM file
    #[arg(long, env = "MEC_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// How often certificate and key are looked at; 1 to 86,400 seconds
    #[arg(
        long,
        env = "MEC_TLS_LOOK_SECONDS",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = whole("MEC_TLS_LOOK_SECONDS", 1..=86_400, "seconds")
    )]
    tls_look_seconds: u64,
    /// The origins of pages whose scripts may call the API, such as https://app.example.com, with commas
    /// between; * for all, which lets every page that a user opens read what the user's token may
    #[arg(
        long,
        env = "MEC_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    cors_origins: Vec<CorsOrigin>,
    /// How many connections are held at the same time; 1 to 1,000,000. Further ones wait
    #[arg(
        long,
        env = "MEC_MAX_CONNECTIONS",
        value_name = "NUMBER",
        default_value = "16000",
        value_parser = whole("MEC_MAX_CONNECTIONS", 1..=1_000_000, "connections"),
        hide_short_help = true
    )]
    max_connections: u64,
    /// How many requests a connection of HTTP/2 may have in flight; 1 to 10,000
    #[arg(
        long,
        env = "MEC_MAX_STREAMS",
        value_name = "NUMBER",
        default_value = "128",
        value_parser = whole("MEC_MAX_STREAMS", 1..=10_000, "requests"),
        hide_short_help = true
    )]
    max_streams: u64,
    /// The longest head of a request; 8,192 to 1,048,576 bytes
    #[arg(
        long,
        env = "MEC_MAX_HEADER_BYTES",
        value_name = "BYTES",
        default_value = "32768",
        value_parser = whole("MEC_MAX_HEADER_BYTES", 8_192..=1_048_576, "bytes"),
        hide_short_help = true
    )]
    max_header_bytes: u64,
    /// How long the handshake of TLS may take; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_HANDSHAKE_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "10000",
        value_parser = timeout("MEC_HANDSHAKE_TIMEOUT_MS"),
        hide_short_help = true
    )]
    handshake_timeout_ms: u64,
    /// How long the head of a request may take from its first byte on; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_HEADER_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "10000",
        value_parser = timeout("MEC_HEADER_TIMEOUT_MS"),
        hide_short_help = true
    )]
    header_timeout_ms: u64,
    /// How long a connection is kept without a request; 100 to 86,400,000 milliseconds. Longer than that of
    /// a proxy before MEC, so that the proxy is the one who closes
    #[arg(
        long,
        env = "MEC_IDLE_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "75000",
        value_parser = whole("MEC_IDLE_TIMEOUT_MS", 100..=86_400_000, "milliseconds"),
        hide_short_help = true
    )]
    idle_timeout_ms: u64,
    /// How long a client may take nothing of its answer before it is cut off; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_WRITE_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "30000",
        value_parser = timeout("MEC_WRITE_TIMEOUT_MS"),
        hide_short_help = true
    )]
    write_timeout_ms: u64,
    /// How long requests in flight may take to finish when the server stops; 0 to 3,600 seconds
    #[arg(
        long,
        env = "MEC_SHUTDOWN_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value = "30",
        value_parser = whole("MEC_SHUTDOWN_TIMEOUT_SECONDS", 0..=3_600, "seconds")
    )]
    shutdown_timeout_seconds: u64,
    /// How long the server goes on as before once it is told to stop, while /ready says that it stops, so
    /// that a load balancer sends it nothing more; 0 to 3,600 seconds
    #[arg(
        long,
        env = "MEC_SHUTDOWN_DELAY_SECONDS",
        value_name = "SECONDS",
        default_value = "0",
        value_parser = whole("MEC_SHUTDOWN_DELAY_SECONDS", 0..=3_600, "seconds")
    )]
    shutdown_delay_seconds: u64,
}

fn timeout(
    setting: &'static str,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    whole(setting, 100..=600_000, "milliseconds")
}

fn mode(text: &str) -> Result<u32, &'static str> {
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| (0o100..=0o777).contains(mode) && text.len() <= 4)
        .ok_or("MEC_SOCKET_MODE is a mode in octal such as 0660")
}

impl Transport {
    /// How connections are held.
    pub fn connections(&self) -> mec_http::Transport {
        let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let width = |number| u32::try_from(number).unwrap_or(u32::MAX);
        mec_http::Transport {
            max_connections: size(self.max_connections),
            handshake_timeout: Duration::from_millis(self.handshake_timeout_ms),
            header_timeout: Duration::from_millis(self.header_timeout_ms),
            idle_timeout: Duration::from_millis(self.idle_timeout_ms),
            write_timeout: Duration::from_millis(self.write_timeout_ms),
            shutdown_timeout: Duration::from_secs(self.shutdown_timeout_seconds),
            max_header_bytes: width(self.max_header_bytes),
            max_streams: width(self.max_streams),
        }
    }

    /// The certificate, read from its files; none where the server speaks no TLS.
    pub fn tls(&self) -> Result<Option<Tls>> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(Some(Tls::load(certificate.clone(), key.clone())?))
            }
            (None, None) => Ok(None),
            // The command line says so itself; a setting may still be empty.
            _ => bail!("MEC_TLS_CERT and MEC_TLS_KEY belong together"),
        }
    }

    /// How often the certificate's files are looked at.
    pub fn tls_look(&self) -> Duration {
        Duration::from_secs(self.tls_look_seconds)
    }

    /// The pages whose scripts may read answers.
    pub fn cors(&self) -> Cors {
        Cors::new(self.cors_origins.clone())
    }

    /// How long the server goes on once it is told to stop.
    pub fn shutdown_delay(&self) -> Duration {
        Duration::from_secs(self.shutdown_delay_seconds)
    }
}

fn address(text: &str) -> Result<ListenAddress, &'static str> {
    let wrong = "MEC_LISTEN has addresses such as 127.0.0.1:8000 or unix:/run/mec.sock";
    text.parse().map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    #[test]
    fn what_is_said_is_what_the_server_goes_by() {
        let default = parsed::<Transport>(&[]).unwrap();
        assert_eq!(default.connections(), mec_http::Transport::default());
        assert_eq!(default.listen, ["127.0.0.1:8000".parse().unwrap()]);
        assert_eq!(default.socket_mode, 0o660);
        let said = parsed::<Transport>(&[
            "--listen=[::1]:1,unix:/run/mec.sock",
            "--socket-mode=600",
            "--max-connections=1",
            "--max-streams=2",
            "--max-header-bytes=8192",
            "--handshake-timeout-ms=100",
            "--header-timeout-ms=101",
            "--idle-timeout-ms=102",
            "--write-timeout-ms=103",
            "--shutdown-timeout-seconds=0",
            "--shutdown-delay-seconds=5",
        ])
        .unwrap();
        let connections = mec_http::Transport {
            max_connections: 1,
            max_streams: 2,
            max_header_bytes: 8_192,
            handshake_timeout: Duration::from_millis(100),
            header_timeout: Duration::from_millis(101),
            idle_timeout: Duration::from_millis(102),
            write_timeout: Duration::from_millis(103),
            shutdown_timeout: Duration::ZERO,
        };
        assert_eq!(said.connections(), connections);
        let listen = ["[::1]:1", "unix:/run/mec.sock"].map(|text| text.parse().unwrap());
        assert_eq!(said.listen, listen);
        assert_eq!(
            (said.socket_mode, said.shutdown_delay().as_secs()),
            (0o600, 5)
        );
    }

    #[test]
    fn what_is_wrong_is_refused_by_name() {
        let check = |flag: &str, told: &str| {
            let error = parsed::<Transport>(&[flag]).unwrap_err();
            assert!(error.contains(told), "{error}");
        };
        check(
            "--listen=localhost",
            "MEC_LISTEN has addresses such as 127.0.0.1:8000",
        );
        check("--socket-mode=0888", "MEC_SOCKET_MODE is a mode in octal");
        check("--tls-cert=cert.pem", "--tls-key");
        check("--cors-origins=app.example.com", "is no origin such as");
        check(
            "--max-connections=0",
            "MEC_MAX_CONNECTIONS is a whole number of connections from 1 to 1000000",
        );
        for kind in ["handshake", "header", "write"] {
            let setting = format!("MEC_{}_TIMEOUT_MS is a whole number", kind.to_uppercase());
            check(&format!("--{kind}-timeout-ms=99"), &setting);
            check(&format!("--{kind}-timeout-ms=600001"), &setting);
        }
    }
}
