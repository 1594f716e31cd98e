//! What the referee asks of MEC: checks, consumes and batches of metered events.

use super::mec::{CHECK_PATH, Mec, RESOURCE, SPREAD, check_body};
use super::record::Figures;
use crate::load::{self, Client, HttpCaller};
use anyhow::Result;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Events in one `meter_consumptions` request.
const EVENTS_A_REQUEST: u32 = 100;

impl Mec {
    /// Checks over all accounts.
    pub async fn check(&self, callers: usize, duration: Duration) -> Result<Figures> {
        let bodies: Arc<[Bytes]> = self.accounts.iter().map(|id| check_body(id)).collect();
        let body = |caller: usize| {
            let bodies = bodies.clone();
            let mut next = caller * bodies.len() / callers;
            move || {
                next += 1;
                bodies.get(next % bodies.len()).cloned().unwrap_or_default()
            }
        };
        self.run(CHECK_PATH, callers, duration, body, is_allowed, 1)
            .await
    }

    /// Consumes one unit a request, over the first `accounts` accounts; one is the hot one.
    pub async fn consume(
        &self,
        accounts: usize,
        callers: usize,
        duration: Duration,
    ) -> Result<Figures> {
        let body = |caller: usize| {
            let mut events = self.events(accounts, caller, callers);
            move || Bytes::from(events())
        };
        self.run("/api/rpc/consume", callers, duration, body, is_allowed, 1)
            .await
    }

    /// Meters a hundred events a request, spread over accounts, and counts the events.
    pub async fn meter(&self, callers: usize, duration: Duration) -> Result<Figures> {
        let body = |caller: usize| {
            let mut events = self.events(SPREAD, caller, callers);
            move || {
                let batch: Vec<String> = (0..EVENTS_A_REQUEST).map(|_| events()).collect();
                Bytes::from(format!("{{\"p_events\":[{}]}}", batch.join(",")))
            }
        };
        let path = "/api/rpc/meter_consumptions";
        self.run(
            path,
            callers,
            duration,
            body,
            has_no_error,
            EVENTS_A_REQUEST,
        )
        .await
    }

    /// Makes the arguments of one event after another, each with a key of its own.
    fn events(
        &self,
        accounts: usize,
        caller: usize,
        callers: usize,
    ) -> impl FnMut() -> String + Send + 'static {
        let ids = self.accounts.clone();
        let accounts = accounts.clamp(1, ids.len().max(1));
        let run = self.runs.load(Ordering::Relaxed);
        let first = caller * accounts / callers;
        let mut number = 0_usize;
        move || {
            number += 1;
            let id = ids
                .get((first + number) % accounts)
                .map_or("", String::as_str);
            format!(
                "{{\"p_idempotency_key\":\"ref-{run}-{caller}-{number}\",\"p_account_id\":\"{id}\",\
                 \"p_resource_type\":\"{RESOURCE}\",\"p_quantity\":1}}"
            )
        }
    }

    async fn run<B: FnMut() -> Bytes + Send + 'static>(
        &self,
        path: &str,
        callers: usize,
        duration: Duration,
        body: impl Fn(usize) -> B,
        accept: fn(&[u8]) -> bool,
        weight: u32,
    ) -> Result<Figures> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let template = self.template(path)?;
        let mut all = Vec::new();
        for caller in 0..callers {
            let client = Client::connect(self.address).await?;
            all.push(HttpCaller {
                client,
                template: template.clone(),
                body: body(caller),
                accept,
            });
        }
        Ok(Figures::of(&load::run(all, duration).await?, weight))
    }
}

/// Looks for the word only: parsing every answer would measure the parser.
pub fn is_allowed(answer: &[u8]) -> bool {
    contains(answer, b"\"allow\"")
}

fn has_no_error(answer: &[u8]) -> bool {
    !contains(answer, b"\"error\"")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::{has_no_error, is_allowed};

    #[test]
    fn answers_are_judged_by_their_words() {
        assert!(is_allowed(br#"{"decision":"allow"}"#));
        assert!(!is_allowed(br#"{"decision":"deny"}"#));
        assert!(has_no_error(br#"[{"status":200}]"#));
        assert!(!has_no_error(br#"[{"status":404,"error":{}}]"#));
    }
}
