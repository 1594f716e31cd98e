//! `mec check`: may this account do this?

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use serde_json::{Map, Value, json};

use crate::door::{Call, Door, Reach};
use crate::output;
use crate::place::Place;

/// The exit code of a deny.
const DENIED: u8 = 3;

#[derive(clap::Args)]
pub struct CheckArgs {
    /// The account, by the product's own id of it
    account: String,
    /// The resource type
    resource_type: String,
    /// The account is named by MEC's id, not by the product's
    #[arg(long)]
    by_id: bool,
    /// How much is asked for
    #[arg(long, default_value = "1")]
    quantity: String,
    /// In which unit; the resource type's own where none is named
    #[arg(long)]
    unit: Option<String>,
    /// For which scope
    #[arg(long)]
    scope: Option<String>,
    /// A fact for conditions, as key=value; may be given more than once
    #[arg(long = "context", value_parser = pair)]
    context: Vec<(String, String)>,
    /// Say what each limit saw
    #[arg(long)]
    explain: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("key=value is expected")?;
    Ok((key.to_owned(), value.to_owned()))
}

pub fn check(place: &Place, args: &CheckArgs) -> Result<ExitCode> {
    let account = if args.by_id {
        "p_account_id"
    } else {
        "p_external_id"
    };
    let context: Map<String, Value> = args
        .context
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()))
        .collect();
    let mut body = json!({
        "p_resource_type": args.resource_type,
        "p_requested_qty": args.quantity,
        "p_unit_code": args.unit,
        "p_resource_scope": args.scope,
        "p_context": context,
        "p_explain": args.explain,
    });
    if let Some(body) = body.as_object_mut() {
        body.insert(account.to_owned(), args.account.as_str().into());
    }
    let door = Door::open(place, &args.reach)?;
    let call = Call::post("/api/rpc/check_entitlement", body.to_string());
    let text = door.send(&call)?.success()?;
    let answer: Map<String, Value> = serde_json::from_str(&text)?;
    if args.json {
        output::print(&text)?;
    } else {
        output::print(&screen(&answer))?;
    }
    let decision = answer.get("decision").and_then(Value::as_str);
    match decision.ok_or_else(|| anyhow!("the server answered without a decision"))? {
        "deny" => Ok(ExitCode::from(DENIED)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn screen(answer: &Map<String, Value>) -> String {
    let shown = |key: &str| output::shown(answer.get(key).unwrap_or(&Value::Null));
    let mut screen = format!(
        "{} ({}): {}",
        shown("decision"),
        shown("code"),
        shown("reason")
    );
    let told = ["decision", "code", "reason", "limits"];
    let rows = answer
        .iter()
        .filter(|(key, value)| !told.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| [key.clone(), output::shown(value)]);
    let mut rows = rows.peekable();
    if rows.peek().is_some() {
        screen.push('\n');
        screen.push_str(&output::table(["figure", "value"], rows));
    }
    if let Some(limits) = answer.get("limits").and_then(Value::as_array) {
        for (index, limit) in limits.iter().enumerate() {
            let figures = limit.as_object().into_iter().flatten();
            let rows = figures
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| [key.clone(), output::shown(value)]);
            let table = output::table(["limit", &(index + 1).to_string()], rows);
            screen.push('\n');
            screen.push_str(&table);
        }
    }
    screen
}
