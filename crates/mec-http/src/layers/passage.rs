//! What is known of a request on its way.

use std::net::IpAddr;
use std::sync::Arc;

use mec_core::Namespace;
use parking_lot::Mutex;

use super::budgets::{Budgets, Permit, Work};
use super::trace::Trace;
use crate::auth::Identity;
use crate::error::ApiError;

/// What is known of a request, for extractors, handlers and logs. It stands in the request's extensions.
#[derive(Debug)]
pub struct Passage {
    /// The request's id.
    pub id: Arc<str>,
    /// The trace that it belongs to.
    pub trace: Trace,
    /// Where it comes from; none for a client by a unix socket.
    pub address: Option<IpAddr>,
    /// Who its token says it is, or why the token proves nothing; none where it shows none.
    pub(crate) who: Option<Result<Arc<Identity>, ApiError>>,
    /// The namespace that an administrator of all of them names.
    pub(crate) acts_in: Option<Namespace>,
    /// What it costs, and its place among those that are worked on.
    pub(crate) place: Place,
}

impl Passage {
    /// Who calls, where a token proves it.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.who.as_ref()?.as_ref().ok().map(Arc::as_ref)
    }
}

/// A request's place among those that are worked on.
#[derive(Debug)]
pub struct Place {
    work: Option<Work>,
    permit: Mutex<Option<Permit>>,
}

impl Place {
    pub(super) fn of(work: Option<Work>) -> Self {
        Self {
            work,
            permit: Mutex::default(),
        }
    }

    /// Takes the place, if the request needs one and has not got it.
    pub(crate) async fn take(&self, budgets: &Budgets) -> Result<(), ApiError> {
        let Some(work) = self.work else {
            return Ok(());
        };
        if self.permit.lock().is_none() {
            let permit = budgets.enter(work).await?;
            *self.permit.lock() = Some(permit);
        }
        Ok(())
    }

    /// Leaves it to another.
    pub(super) fn leave(&self) {
        self.permit.lock().take();
    }
}
