//! Requests made of the schema table and of the rows that are there, by a seeded generator: the same seed makes
//! the same kinds of requests.

use mec_query::schema::{Column, FOREIGN_KEYS, ForeignKey, Kind, RESOURCES, Resource, Source};
use serde_json::Value;

use crate::filters::{bad, good};
use crate::request::{Ask, Who};

/// Numbers that look random; splitmix64.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The resources that PostgREST has too.
pub fn resources() -> impl Iterator<Item = &'static Resource> {
    let resources = RESOURCES.iter();
    resources.filter(|resource| resource.source != Source::Engine)
}

/// What requests are made of.
pub struct Generator<'a> {
    pub random: Random,
    /// Some rows of a resource.
    pub rows: &'a dyn Fn(&Resource) -> Vec<Value>,
    /// Whether the database declares a foreign key.
    pub is_declared: &'a dyn Fn(&ForeignKey) -> bool,
}

impl Generator<'_> {
    /// Some requests of every resource.
    pub fn all(&mut self, each: usize) -> Vec<Ask> {
        let mut asks = Vec::new();
        for resource in resources() {
            let rows = (self.rows)(resource);
            for _ in 0..each {
                asks.push(self.one(resource, &rows));
            }
            asks.push(self.mistaken(resource));
        }
        for key in FOREIGN_KEYS {
            asks.push(self.along(key, true));
            asks.push(self.along(key, false));
        }
        asks
    }

    fn one(&mut self, resource: &'static Resource, rows: &[Value]) -> Ask {
        let mut ask = Ask::new(self.who(), resource.name);
        let mut select = self.select(resource);
        if self.random.one_in(3) {
            select.extend(self.embedding(resource, &mut ask));
        }
        if !select.is_empty() {
            ask = ask.with("select", select.join(","));
        }
        for _ in 0..self.random.below(3) {
            let (name, value) = self.filter(resource, rows);
            ask = ask.with(&name, value);
        }
        if self.random.one_in(4) {
            ask = self.logic(ask, resource, rows);
        }
        if !self.random.one_in(3) {
            let order = self.order(resource);
            ask = self.page(ask.with("order", order));
        }
        self.decorated(ask)
    }

    fn who(&mut self) -> Who {
        match self.random.below(20) {
            0 => Who::Nobody,
            1 => Who::Elsewhere,
            2..5 => Who::User,
            5 => Who::Member,
            6..8 => Who::Admin,
            _ => Who::Service,
        }
    }

    fn column(&mut self, resource: &'static Resource) -> &'static Column {
        loop {
            let column = self.random.pick(resource.columns);
            // One is another every second, and one is JSON here and text there.
            if !matches!(column.name, "seconds_until_expiry" | "session_metadata") {
                return column;
            }
        }
    }

    fn select(&mut self, resource: &'static Resource) -> Vec<String> {
        let mut items = Vec::new();
        if self.random.one_in(4) {
            return vec!["*".to_owned()];
        }
        for n in 0..=self.random.below(4) {
            let column = self.column(resource);
            let item = match self.random.below(8) {
                0 => format!("as_{n}:{}", column.name),
                // A text of JSON or of a decimal has another look at each door.
                1 if !matches!(column.kind, Kind::Json | Kind::Quantity | Kind::Amount) => {
                    format!("t{n}:{}::text", column.name)
                }
                2 if column.name == "metadata" => "metadata->tier".to_owned(),
                3 if column.name == "metadata" => "r:metadata->>region".to_owned(),
                _ => column.name.to_owned(),
            };
            let named = item.split(':').next().unwrap().to_owned();
            let is_new = |held: &String| held.split(':').next() != Some(&named);
            if items.iter().all(is_new) {
                items.push(item);
            }
        }
        items
    }

    /// An embedding along one of the declared keys, in either direction.
    fn embedding(&mut self, resource: &'static Resource, ask: &mut Ask) -> Option<String> {
        let keys = FOREIGN_KEYS.iter().filter(|key| {
            let touches = key.of == resource.name || key.to == resource.name;
            // For PostgREST resource types and units have two ways to each other.
            let is_plain = !key.is_hinted && key.of != key.to && key.column != "default_unit_code";
            touches && is_plain && (self.is_declared)(key)
        });
        let keys: Vec<_> = keys.collect();
        if keys.is_empty() {
            return None;
        }
        let key = *self.random.pick(&keys);
        let other = if key.of == resource.name {
            key.to
        } else {
            key.of
        };
        let other = Resource::find(other)?;
        let alias = if self.random.one_in(3) { "near:" } else { "" };
        let called = if alias.is_empty() { other.name } else { "near" };
        let inner = if self.random.one_in(4) { "!inner" } else { "" };
        let select = self.select(other).join(",");
        let rows = (self.rows)(other);
        if self.random.one_in(3) {
            let (name, value) = self.filter(other, &rows);
            ask.pairs.push((format!("{called}.{name}"), value));
        }
        if self.random.one_in(3) {
            let order = self.order(other);
            ask.pairs.push((format!("{called}.order"), order));
            // PostgREST counts what an inner embedding's limit leaves out.
            if self.random.one_in(2) && key.of != resource.name && inner.is_empty() {
                let limit = self.random.below(4).to_string();
                ask.pairs.push((format!("{called}.limit"), limit));
            }
        }
        Some(format!("{alias}{}{inner}({select})", other.name))
    }

    fn filter(&mut self, resource: &'static Resource, rows: &[Value]) -> (String, String) {
        let column = self.column(resource);
        if column.name == "metadata" {
            let key = *self.random.pick(&["tier", "region", "n", "even", "absent"]);
            let held = *self.random.pick(&["gold", "eu", "3", "true"]);
            let operator = *self.random.pick(&["eq", "neq", "gt", "like", "not.ilike"]);
            return (format!("metadata->>{key}"), format!("{operator}.{held}"));
        }
        let held = rows.iter().map(|row| &row[column.name]);
        let held: Vec<_> = held.filter(|value| !value.is_null()).collect();
        let value = (!held.is_empty()).then(|| *self.random.pick(&held));
        let negated = if self.random.one_in(5) { "not." } else { "" };
        let test = good(&mut self.random, column.kind, value, column.is_nullable);
        (column.name.to_owned(), format!("{negated}{test}"))
    }

    fn logic(&mut self, ask: Ask, resource: &'static Resource, rows: &[Value]) -> Ask {
        let term = |generator: &mut Self| {
            let (name, value) = generator.filter(resource, rows);
            // Within a list what is not quoted ends at a comma, and a quoted word keeps all.
            match value.rsplit_once('.') {
                _ if value.contains("in.(") || value.contains('{') => format!("{name}.{value}"),
                Some(_) => {
                    let (operator, operand) = split(&value);
                    let operand = operand.replace('\\', "\\\\").replace('"', "\\\"");
                    match operator.trim_start_matches("not.") {
                        "is" => format!("{name}.{value}"),
                        _ => format!("{name}.{operator}.\"{operand}\""),
                    }
                }
                None => format!("{name}.{value}"),
            }
        };
        let terms = [term(self), term(self), term(self)];
        let key = *self.random.pick(&["or", "and", "not.or", "not.and"]);
        let inner = *self.random.pick(&["and", "or", "not.and"]);
        let [first, second, third] = terms;
        ask.with(key, format!("({first},{inner}({second},{third}))"))
    }

    /// An order that leaves no two rows equal.
    fn order(&mut self, resource: &'static Resource) -> String {
        let mut terms = Vec::new();
        for _ in 0..self.random.below(3) {
            let column = self.column(resource);
            let way = *self.random.pick(&["", ".asc", ".desc"]);
            let nulls = *self.random.pick(&["", "", ".nullsfirst", ".nullslast"]);
            if column.kind != Kind::Json {
                terms.push(format!("{}{way}{nulls}", column.name));
            }
        }
        terms.extend(resource.key.iter().map(|name| (*name).to_owned()));
        terms.join(",")
    }

    fn page(&mut self, mut ask: Ask) -> Ask {
        if self.random.one_in(3) {
            ask = ask.with("limit", self.random.below(9).to_string());
        }
        if self.random.one_in(4) {
            ask = ask.with("offset", self.random.below(9).to_string());
        }
        if self.random.one_in(8) {
            let first = self.random.below(6);
            let range = format!("{first}-{}", first + self.random.below(6));
            ask = ask.header("Range", &range);
        }
        ask
    }

    fn decorated(&mut self, mut ask: Ask) -> Ask {
        if self.random.one_in(3) {
            ask = ask.header("Prefer", "count=exact");
        }
        let accept = match self.random.below(10) {
            0 if self.suits_csv(&ask) => "text/csv",
            1 => "application/vnd.pgrst.object+json",
            2 => "application/vnd.pgrst.array+json;nulls=stripped",
            _ => return ask,
        };
        ask.header("Accept", accept)
    }

    /// Whether its lines can be compared: one of a single null is empty, and PostgREST doubles backslashes,
    /// which accounts and the hashes of the ledger have.
    fn suits_csv(&self, ask: &Ask) -> bool {
        let embeds = ask
            .pairs
            .iter()
            .any(|(name, value)| name == "select" && value.contains('('));
        let columns = ask.pairs.iter().find(|(name, _)| name == "select");
        let has_many = columns.is_none_or(|(_, value)| value == "*" || value.contains(','));
        !embeds && has_many && ask.relation != "accounts" && ask.relation != "consumption"
    }

    /// A request with one mistake.
    fn mistaken(&mut self, resource: &'static Resource) -> Ask {
        let ask = Ask::new(Who::Service, resource.name);
        let column = self.column(resource);
        match self.random.below(7) {
            0 => ask.with("select", "nothing_such"),
            1 => ask.with("order", "nothing_such.desc"),
            2 => ask.with("nothing_such", "eq.1"),
            3 => ask.with("select", "*,nothing_such(*)"),
            4 => ask.with(column.name, "like_this.1"),
            _ => {
                let test = bad(&mut self.random, column.kind);
                ask.with(column.name, test)
            }
        }
    }

    /// The rows of one side of a foreign key with those of the other.
    fn along(&mut self, key: &'static ForeignKey, to_one: bool) -> Ask {
        let (from, other) = if to_one {
            (key.of, key.to)
        } else {
            (key.to, key.of)
        };
        let columns = |name: &str| Resource::find(name).unwrap().key.join(",");
        let hint = if key.is_hinted || key.of == key.to {
            format!("!{}", key.column)
        } else {
            String::new()
        };
        let select = format!("{},{other}{hint}({})", columns(from), columns(other));
        let mut ask = Ask::new(Who::Service, from).with("select", select);
        ask.tags.push(if (self.is_declared)(key) {
            "#declared"
        } else {
            "#undeclared"
        });
        ask
    }
}

/// A test's operator, with what stands before it, and its operand.
fn split(test: &str) -> (&str, &str) {
    let begin = if test.starts_with("not.") { 4 } else { 0 };
    let end = test[begin..].find('.').map_or(test.len(), |at| begin + at);
    (&test[..end], test.get(end + 1..).unwrap_or_default())
}
