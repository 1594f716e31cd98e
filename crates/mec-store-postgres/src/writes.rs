//! The statements of a batch, sent at once with its commit.

use postgres_types::ToSql;
use serde_json::Value as Json;

use crate::connection::Connection;
use crate::error::Fault;

/// A statement with its values.
struct Write {
    sql: &'static str,
    values: Vec<Box<dyn ToSql + Send + Sync>>,
}

/// The statements of a batch, in the order in which they are done.
#[derive(Default)]
pub(crate) struct Writes(Vec<Write>);

impl Writes {
    pub(crate) fn push(&mut self, sql: &'static str, values: Vec<Box<dyn ToSql + Send + Sync>>) {
        self.0.push(Write { sql, values });
    }

    /// Rows as one array of JSON, which PostgreSQL reads by the columns of the table.
    pub(crate) fn json(&mut self, sql: &'static str, rows: Vec<Json>) {
        if !rows.is_empty() {
            self.push(sql, vec![Box::new(Json::Array(rows).to_string())]);
        }
    }

    /// Sends all statements and the commit without waiting in between. The first fault is told; those
    /// after it only say that there was one.
    pub(crate) async fn send(&self, connection: &Connection) -> Result<(), Fault> {
        let writes = &self.0;
        let mut prepared = Vec::with_capacity(writes.len());
        for write in writes {
            prepared.push(connection.statement(write.sql).await?);
        }
        let client = &connection.client;
        let run = |at: usize| {
            let statement = prepared.get(at).cloned();
            let write = writes.get(at);
            async move {
                let (Some(statement), Some(write)) = (statement, write) else {
                    return Ok(());
                };
                let values = write.values.iter().map(|value| &**value as _);
                let values: Vec<&(dyn ToSql + Sync)> = values.collect();
                client.execute(&statement, &values).await.map(drop)
            }
        };
        // Each is sent when it is first polled, so that they go out in their order.
        let mut sent: Vec<_> = (0..writes.len()).map(|at| Box::pin(run(at))).collect();
        let mut commit = Box::pin(client.batch_execute("COMMIT"));
        let mut done: Vec<Option<Result<(), tokio_postgres::Error>>> = Vec::new();
        done.resize_with(sent.len() + 1, || None);
        std::future::poll_fn(|context| {
            use std::future::Future;
            use std::task::Poll;
            let (last, firsts) = match done.split_last_mut() {
                Some(split) => split,
                None => return Poll::Ready(()),
            };
            for (slot, one) in firsts.iter_mut().zip(&mut sent) {
                if slot.is_none()
                    && let Poll::Ready(result) = one.as_mut().poll(context)
                {
                    *slot = Some(result);
                }
            }
            if last.is_none()
                && let Poll::Ready(result) = commit.as_mut().poll(context)
            {
                *last = Some(result);
            }
            if done.iter().all(Option::is_some) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let faults = done.into_iter().flatten().filter_map(Result::err);
        let (echoes, causes): (Vec<_>, Vec<_>) = faults.map(Fault::from).partition(Fault::is_echo);
        // A transaction that had failed before answers its commit, too, with no error.
        causes.into_iter().chain(echoes).next().map_or(Ok(()), Err)
    }
}
