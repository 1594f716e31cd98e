//! A real Prometheus on a folder and port of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long an alert may take to fire. It takes two or three rounds of a second, unless the machine is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the rules and their example stand.
pub fn deployed() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus");
    root.canonicalize().unwrap()
}

/// Runs promtool beside the rules; it must succeed.
pub fn promtool(arguments: &[&str]) {
    let ran = Command::new("promtool")
        .args(arguments)
        .current_dir(deployed())
        .output()
        .unwrap_or_else(|error| panic!("promtool does not run ({error}); {INSTALL}"));
    assert!(ran.status.success(), "{ran:?}");
}

/// Whether a text is a query: promtool reads it as the expression of a rule.
pub fn is_query(text: &str) {
    // A dashboard names what whoever looks at it has chosen.
    let text = text
        .replace("$instance", ".*")
        .replace("$__rate_interval", "5m");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rule.yml");
    let rule =
        serde_json::json!({"groups": [{"name": "g", "rules": [{"record": "r", "expr": text}]}]});
    std::fs::write(&file, rule.to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

const INSTALL: &str =
    "install the package prometheus, as in `apt-get install --no-install-recommends prometheus`";

/// The server; gone when this is dropped.
pub struct Prometheus {
    child: Child,
    address: String,
    agent: ureq::Agent,
    _folder: TempDir,
}

impl Prometheus {
    /// Scrapes a target twice a second and evaluates the rules as often. What must hold for some time need
    /// hold for one evaluation only.
    pub fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = std::fs::read_to_string(deployed().join("mec.rules.yml")).unwrap();
        let hasty = rules.lines().map(|line| match line.trim_start() {
            wait if wait.starts_with("for: ") => "        for: 0s",
            _ => line,
        });
        let hasty = hasty.collect::<Vec<_>>().join("\n");
        assert_ne!(hasty, rules);
        std::fs::write(folder.path().join("mec.rules.yml"), hasty).unwrap();
        let config = std::fs::read_to_string(deployed().join("prometheus.yml")).unwrap();
        let config = config
            .replace("15s", "500ms")
            .replace("127.0.0.1:8000", target);
        assert!(config.contains(target) && config.contains("500ms"));
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let mut child = Command::new("prometheus")
            .arg("--config.file")
            .arg(file)
            .arg("--storage.tsdb.path")
            .arg(folder.path().join("data"))
            .arg("--web.listen-address=127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus does not run ({error}); {INSTALL}"));
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = |line: &String| {
            Some(
                line.split_once(r#"msg="Listening on" address="#)?
                    .1
                    .to_owned(),
            )
        };
        let address = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| said(&line));
        let address = format!(
            "http://{}",
            address.expect("prometheus does not listen").trim()
        );
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            agent: ureq::Agent::new_with_defaults(),
            _folder: folder,
        }
    }

    fn get(&self, path: &str) -> Option<Value> {
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.address))
            .call()
            .ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    /// The alerts that fire, by name.
    pub fn firing(&self) -> Vec<String> {
        let told = self.get("/api/v1/alerts").unwrap_or_default();
        let alerts = told["data"]["alerts"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap().to_owned();
        firing.map(name).collect()
    }

    /// Waits until it has an answer to a query.
    pub fn wait_for(&self, query: &str) {
        wait(query, || {
            let told = self.get(&format!("/api/v1/query?query={query}"));
            let told = told.unwrap_or_default();
            told["data"]["result"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty())
        });
    }
}

/// Asks again and again until it is so. Each question is a request, so that this waits for answers.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
