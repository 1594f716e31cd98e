//! What the caller may see: of a namespace, and where it is bound to an account, of that one's subtree.

use super::writer::Writer;
use crate::plan::Value;
use crate::schema::{Belongs, Kind, Resource};

/// The accounts that the caller sees, as a table of the statement.
pub(super) const REACH: &str = "seen";

impl Writer<'_> {
    /// The accounts from the caller's own downwards, where it is bound to one.
    pub(super) fn reach(&mut self) -> String {
        let (Some(account), Some(accounts)) = (self.plan.reach.account, Resource::find("accounts"))
        else {
            return String::new();
        };
        let relation = self.dialect.relation(accounts);
        let namespace = self.namespace();
        let own = self
            .dialect
            .place(&mut self.values, &Value::Uuid(account), Kind::Uuid);
        format!(
            "WITH RECURSIVE {REACH} (account_id) AS (\
             SELECT a.account_id FROM {relation} a \
             WHERE a.namespace_id = {namespace} AND a.account_id = {own} \
             UNION SELECT a.account_id FROM {REACH} s JOIN {relation} a \
             ON a.namespace_id = {namespace} AND a.parent_account_id = s.account_id) "
        )
    }

    pub(super) fn namespace(&mut self) -> String {
        // Without a namespace no row of one is seen: none has an empty name.
        let name = self.plan.reach.namespace.as_ref();
        let name = name.map_or("", |namespace| namespace.as_str()).to_owned();
        self.dialect
            .place(&mut self.values, &Value::Text(name), Kind::Text)
    }

    /// What the caller may see of a resource.
    pub(super) fn seen(&mut self, table: &str, resource: &'static Resource) -> Vec<String> {
        let mut terms = Vec::new();
        if !resource.has_namespace() {
            return terms;
        }
        let namespace = self.namespace();
        terms.push(format!("{table}.namespace_id = {namespace}"));
        if self.plan.reach.account.is_none() {
            return terms;
        }
        match resource.belongs {
            Belongs::All | Belongs::Namespace => {}
            Belongs::Account(column) => {
                terms.push(format!(
                    "{table}.{column} IN (SELECT account_id FROM {REACH})"
                ));
            }
            Belongs::Row { column, of } => {
                if let Some(of) = Resource::find(of) {
                    let other = self.table();
                    let relation = self.dialect.relation(of);
                    let mut join = vec![format!("{other}.{column} = {table}.{column}")];
                    join.extend(self.seen(&other, of));
                    let join = join.join(" AND ");
                    terms.push(format!(
                        "EXISTS (SELECT 1 FROM {relation} {other} WHERE {join})"
                    ));
                }
            }
        }
        terms
    }
}
