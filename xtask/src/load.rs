//! The load generator: callers that each wait for an answer before they ask again.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How long the callers run before answers count.
const WARM_UP: Duration = Duration::from_millis(300);

/// The longest answer time that the histogram tells apart from longer ones.
const LONGEST_NS: u64 = 60_000_000_000;

/// One connection that asks one question after another.
pub trait Caller: Send + 'static {
    /// Asks once and waits for the answer; a wrong answer is an error and ends the run.
    fn call(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// What one run of all callers measured.
pub struct Measured {
    /// Answers that came inside the measured time.
    pub answers: u64,
    /// The measured time, without the warm-up.
    pub elapsed: Duration,
    /// Nanoseconds from question to answer.
    pub latency_ns: Histogram<u64>,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// The time in microseconds within which this share of the answers came.
    pub fn quantile_us(&self, share: f64) -> f64 {
        self.latency_ns.value_at_quantile(share) as f64 / 1_000.0
    }
}

/// An empty histogram of nanoseconds.
pub fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST_NS, 3).context("making the histogram")
}

/// Lets all callers run together for `duration` after a warm-up.
pub async fn run<C: Caller>(callers: Vec<C>, duration: Duration) -> Result<Measured> {
    let start = Arc::new(Barrier::new(callers.len()));
    let mut tasks = JoinSet::new();
    for caller in callers {
        tasks.spawn(run_one(caller, start.clone(), duration));
    }
    let mut measured = Measured {
        answers: 0,
        elapsed: duration,
        latency_ns: histogram()?,
    };
    while let Some(finished) = tasks.join_next().await {
        measured
            .latency_ns
            .add(finished??)
            .context("adding up the callers' histograms")?;
    }
    measured.answers = measured.latency_ns.len();
    Ok(measured)
}

async fn run_one<C: Caller>(
    mut caller: C,
    start: Arc<Barrier>,
    duration: Duration,
) -> Result<Histogram<u64>> {
    let mut latency = histogram()?;
    start.wait().await;
    let counted_from = Instant::now() + WARM_UP;
    let end = counted_from + duration;
    loop {
        let asked = Instant::now();
        caller.call().await?;
        let answered = Instant::now();
        if answered >= end {
            return Ok(latency);
        }
        if answered >= counted_from {
            let nanoseconds = answered
                .duration_since(asked)
                .as_nanos()
                .min(LONGEST_NS.into());
            latency.saturating_record(u64::try_from(nanoseconds)?);
        }
    }
}

/// The parts of a JSON request that stay the same from one to the next.
#[derive(Clone)]
pub struct Template {
    uri: Uri,
    headers: HeaderMap,
}

impl Template {
    /// A `POST` of JSON to `path`, with a bearer token if there is one.
    pub fn post(path: &str, token: Option<&str>) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            headers.insert(
                AUTHORIZATION,
                HeaderValue::from_str(&format!("Bearer {token}"))?,
            );
        }
        Ok(Self {
            uri: path.parse()?,
            headers,
        })
    }

    /// The same with another header.
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// One HTTP/1.1 connection that is kept open.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // The connection's end also ends the request in flight, which reports it.
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Sends one request and answers the body; a status other than 2xx is an error.
    pub async fn send(&mut self, template: &Template, body: Bytes) -> Result<Bytes> {
        self.sender.ready().await?;
        let response = self.sender.send_request(template.request(body)).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!(
                "{}: {status}: {}",
                template.uri,
                String::from_utf8_lossy(&answer)
            );
        }
        Ok(answer)
    }
}

/// A caller over HTTP: `body` makes the next request's body, `accept` judges the answer.
pub struct HttpCaller<B> {
    pub client: Client,
    pub template: Template,
    pub body: B,
    pub accept: fn(&[u8]) -> bool,
}

impl<B: FnMut() -> Bytes + Send + 'static> Caller for HttpCaller<B> {
    async fn call(&mut self) -> Result<()> {
        let answer = self.client.send(&self.template, (self.body)()).await?;
        if !(self.accept)(&answer) {
            bail!(
                "{}: unexpected: {}",
                self.template.uri,
                String::from_utf8_lossy(&answer)
            );
        }
        Ok(())
    }
}

/// Sends every body once over a few connections and answers the answers in the order of the bodies.
pub async fn send_all(
    address: SocketAddr,
    template: &Template,
    bodies: Vec<Bytes>,
    connections: usize,
) -> Result<Vec<Bytes>> {
    let share = bodies.len().div_ceil(connections).max(1);
    let mut tasks = Vec::new();
    for part in bodies.chunks(share) {
        let (part, template) = (part.to_vec(), template.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(address).await?;
            let mut answers = Vec::with_capacity(part.len());
            for body in part {
                answers.push(client.send(&template, body).await?);
            }
            anyhow::Ok(answers)
        }));
    }
    let mut answers = Vec::with_capacity(bodies.len());
    for task in tasks {
        answers.extend(task.await??);
    }
    Ok(answers)
}
