//! The rows that all namespaces share.

use std::sync::Arc;

use mec_core::Code;
use mec_core::catalogue::Lookups;
use mec_core::lookups::{LookupKind, LookupRef};

use super::state::{Space, State};
use crate::CommitError;

impl State {
    pub(super) fn put_lookups(&mut self, lookups: &Lookups) -> Result<Arc<Lookups>, CommitError> {
        let used = self.used_lookups(self.lookups.touched(lookups));
        if let Some(lost) = self.lookups.losses(&used, lookups).into_iter().next() {
            return Err(CommitError::Refused {
                command: None,
                reason: lost.sentence,
                overflow: false,
            });
        }
        let version = self.lookups.version + 1;
        self.lookups = Arc::new(Lookups {
            version,
            ..lookups.clone()
        });
        Ok(self.lookups.clone())
    }

    pub(super) fn used_lookups(&self, mut rows: Vec<LookupRef>) -> Vec<LookupRef> {
        rows.retain(|row| match row.kind {
            LookupKind::Unit => {
                let counting = self.lookups.units.values();
                let counting = counting.filter(|unit| unit.base_unit_code == row.code);
                self.names(&row.code, Space::names_unit)
                    || counting
                        .map(|unit| &unit.unit_code)
                        .any(|unit| self.names(unit, Space::names_unit))
            }
            LookupKind::WindowType => self.names(&row.code, Space::names_window_type),
            LookupKind::AccountType => self.names(&row.code, |space, code| {
                let mut accounts = space.accounts.values();
                accounts.any(|account| account.account_type_code == *code)
            }),
        });
        rows
    }

    fn names(&self, code: &Code, of_space: impl Fn(&Space, &Code) -> bool) -> bool {
        self.spaces.values().any(|space| of_space(space, code))
    }
}

impl Space {
    fn names_unit(&self, unit: &Code) -> bool {
        let templates = self.plans.iter().flat_map(|plan| &plan.templates);
        let reservations = self.reservations.values();
        let mut units = self
            .resource_types
            .iter()
            .flat_map(|resource| {
                resource
                    .allowed_units
                    .iter()
                    .chain([&resource.default_unit_code])
            })
            .chain(templates.map(|template| &template.unit_code))
            .chain(self.entitlements.values().map(|row| &row.unit_code))
            .chain(self.grants.values().map(|row| &row.unit_code))
            .chain(self.events.iter().map(|(event, _)| &event.unit_code))
            .chain(reservations.map(|(reservation, ..)| &reservation.unit_code));
        units.any(|named| named == unit)
    }

    fn names_window_type(&self, window_type: &Code) -> bool {
        let templates = self.plans.iter().flat_map(|plan| &plan.templates);
        let mut windows = templates
            .map(|template| &template.window_type_code)
            .chain(self.entitlements.values().map(|row| &row.window_type_code))
            .chain(self.grants.values().map(|row| &row.window_type_code));
        windows.any(|named| named == window_type)
    }
}
