//! Rows for the judge: of every kind of value, with nulls, letters beyond ASCII, and what means something in
//! patterns and query strings.

use mec_core::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::database::Literal;
use super::world::{Caller, World};

pub const ROWS: u32 = 60;
pub const ACCOUNT: Uuid = Uuid::from_u128(0x10);

pub const TEXTS: [&str; 30] = [
    "", "a", "A", "b", "ab", "AB", "aab", "a%", "a_b", "a\\b", "é", "É", "aé", "ß", "straße",
    "日本", "a b", "a,b", "(x)", "\"q\"", "null", "0", "Ω", "ω", "x.y", "a*c", "+1", "&=", "%",
    "_",
];
/// In millionths.
pub const QUANTITIES: [i64; 12] = [
    1,
    499_999,
    500_000,
    1_000_000,
    1_500_000,
    2_500_000,
    1_234_567,
    -1,
    -500_000,
    -1_500_000,
    1_000_000_000_000,
    999_999_999_999_999_999,
];
/// In microseconds.
pub const TIMES: [i64; 7] = [
    1_779_999_999_999_999,
    1_780_000_000_000_000,
    1_780_000_000_000_001,
    1_780_000_000_120_000,
    1_780_003_600_000_000,
    1_790_000_000_000_000,
    -1_000_001,
];
pub const JSONS: [&str; 12] = [
    r#"{"a":1,"b":"x"}"#,
    r#"{"a":null}"#,
    r#"{"a":{"b":[1,2,"x"],"c":{}}}"#,
    r#"{"b":"a%","a":"x"}"#,
    r#"{"a":true,"b":"é"}"#,
    r#"{"a":[1,{"b":"x"}],"b":null}"#,
    r#"[1,"x",null,[2]]"#,
    r#""x""#,
    "5",
    "true",
    "{}",
    r#"{"longer":1,"b":2,"a":{}}"#,
];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn text(&mut self) -> Literal {
        Literal::Text(self.of(&TEXTS).to_owned())
    }

    fn quantity(&mut self) -> Literal {
        Literal::Quantity(self.of(&QUANTITIES))
    }

    fn time(&mut self) -> Literal {
        Literal::Time(self.of(&TIMES))
    }

    fn or_null(&mut self, value: fn(&mut Self) -> Literal) -> Literal {
        let value = value(self);
        if self.below(4) == 0 {
            Literal::Null
        } else {
            value
        }
    }
}

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

/// Puts the same rows into a store.
pub async fn fill(world: &World) {
    let service = Caller::service("default");
    let account = json!({"account_id": ACCOUNT, "account_type_code": "team"});
    world.call(&service, "/api/accounts", account).await;
    let mut dice = Dice(7);
    let (mut grants, mut leases, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROWS {
        let id = || {
            Literal::Uuid(Uuid::from_u128(
                (u128::from(number % 7) << 64) + u128::from(number),
            ))
        };
        let begin = || {
            vec![
                text("default"),
                id(),
                Literal::Uuid(ACCOUNT),
                text("benchmark_runs"),
            ]
        };
        let mut grant = begin();
        grant.extend([
            dice.or_null(Dice::text),
            text("none"),
            dice.quantity(),
            text("count"),
        ]);
        grant.extend(remaining(world, dice.below(5)));
        let priority = i64::try_from(dice.below(5)).unwrap() - 2;
        grant.extend([
            Literal::Integer(priority),
            dice.or_null(Dice::time),
            dice.or_null(Dice::text),
        ]);
        grant.extend([dice.or_null(Dice::time), dice.time()]);
        grants.push(grant);
        let mut lease = begin();
        lease.extend([
            dice.or_null(Dice::text),
            Literal::Integer(1),
            Literal::Integer(number.into()),
        ]);
        lease.extend([
            dice.time(),
            dice.time(),
            dice.time(),
            dice.or_null(Dice::time),
        ]);
        lease.extend([
            dice.or_null(Dice::text),
            dice.or_null(|dice| text(dice.of(&JSONS))),
        ]);
        lease.extend([Literal::Integer(1), text(""), dice.time()]);
        leases.push(lease);
        let corrects = dice.or_null(|dice| Literal::Uuid(Uuid::from_u128(dice.below(3) as u128)));
        let is_correction = !matches!(corrects, Literal::Null);
        let mut event = begin();
        event.extend([
            dice.or_null(Dice::text),
            dice.or_null(Dice::text),
            dice.quantity(),
            text("count"),
        ]);
        event.extend([
            dice.time(),
            dice.or_null(Dice::time),
            Literal::Boolean(is_correction),
            corrects,
        ]);
        event.extend([dice.time(), Literal::Uuid(ACCOUNT), Literal::Uuid(ACCOUNT)]);
        event.extend([
            Literal::Integer(i64::from(number) + 1),
            Literal::Bytes(vec![u8::try_from(dice.below(3)).unwrap(); 32]),
        ]);
        events.push(event);
    }
    let remaining = match world.database {
        super::database::Database::Sqlite(_) => "remaining_whole, remaining_micros",
        super::database::Database::Postgres(_) => "remaining",
    };
    world.database.insert(
        "grants",
        &format!(
            "namespace_id, grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, \
             unit_code, {remaining}, priority, expires_at, reason, voided_at, created_at"
        ),
        &grants,
    );
    world.database.insert(
        "concurrency_leases",
        "namespace_id, lease_id, account_id, resource_type_code, resource_scope, slots, fencing_token, acquired_at, \
         expires_at, last_heartbeat, released_at, session_token, session_metadata, ttl_seconds, decision, created_at",
        &leases,
    );
    let under = match world.database {
        super::database::Database::Sqlite(_) => "x''",
        super::database::Database::Postgres(_) => "'{}'",
    };
    for event in &mut events {
        event.push(Literal::Raw(under));
    }
    world.database.insert(
        "consumption_ledger",
        "namespace_id, event_id, account_id, resource_type_code, resource_scope, idempotency_key, quantity, unit_code, \
         occurred_at, period_start, is_correction, corrects_event_id, created_at, owner_account_id, chain_id, \
         chain_seq, chain_hash, recorded_under",
        &events,
    );
}

/// What is left of a grant: beyond what a quantity may be, too.
fn remaining(world: &World, which: usize) -> Vec<Literal> {
    let (whole, micros) = [
        (0, 0),
        (0, 1),
        (7, 500_000),
        (2, 500_001),
        (4_000_000_000_000, 5),
    ][which];
    match world.database {
        super::database::Database::Sqlite(_) => {
            vec![Literal::Integer(whole), Literal::Integer(micros)]
        }
        super::database::Database::Postgres(_) => {
            vec![Literal::Text(format!("{whole}.{micros:06}"))]
        }
    }
}

/// A moment as a request may write it, in a zone of so many minutes.
pub fn written(micros: i64, zone: i64) -> String {
    let local = Timestamp::from_micros(micros + zone * 60_000_000).to_string();
    let local = local.trim_end_matches("+00:00");
    let sign = if zone < 0 { '-' } else { '+' };
    format!("{local}{sign}{:02}:{:02}", zone.abs() / 60, zone.abs() % 60)
}
