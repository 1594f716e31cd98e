//! A caller that may be answered by any node, or by none.

use std::time::Duration;

use serde_json::Value;

/// So long a caller waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a node answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub retry_after: bool,
    pub body: Value,
}

impl Reply {
    /// Whether the caller is to come again with the same key.
    pub fn is_later(&self) -> bool {
        self.status == 503
    }
}

pub struct Client {
    agent: ureq::Agent,
    token: String,
}

impl Client {
    pub fn new(token: &str) -> Self {
        Self::with_patience(token, PATIENCE)
    }

    pub fn with_patience(token: &str, patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .build();
        Self {
            agent: ureq::Agent::new_with_config(config),
            token: token.to_owned(),
        }
    }

    /// None where the connection broke, or no answer came in time: it may have happened or not.
    pub fn ask(&self, address: &str, rpc: &str, args: &Value) -> Option<Reply> {
        let request = self
            .agent
            .post(format!("{address}/api/rpc/{rpc}"))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.token));
        reply(request.send(args.to_string()).ok()?)
    }

    /// A page about a node itself.
    pub fn page(&self, address: &str, path: &str) -> Option<Reply> {
        reply(self.agent.get(format!("{address}{path}")).call().ok()?)
    }

    /// A number that a node tells of itself.
    pub fn metric(&self, address: &str, name: &str) -> Option<f64> {
        let mut answer = self.agent.get(format!("{address}/metrics")).call().ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

fn reply(mut answer: ureq::http::Response<ureq::Body>) -> Option<Reply> {
    let text = answer.body_mut().read_to_string().ok()?;
    Some(Reply {
        status: answer.status().as_u16(),
        retry_after: answer.headers().contains_key("Retry-After"),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}
