//! What must be free before it is given out: ids that callers choose, and external ids.

use mec_core::{AccountId, Command, Refusal};
use mec_store::{Batch, Locator};
use uuid::Uuid;

use crate::deciding::Run;
use crate::error::EngineError;
use crate::names::External;
use crate::request::Request;

impl<B: Batch> Run<'_, B> {
    /// Refuses to give out what is taken, by what is committed and by what the batch did before. The
    /// store's constraints hold the same between nodes.
    pub(crate) async fn refuse_taken(
        &mut self,
        request: &Request,
        account: AccountId,
    ) -> Result<(), EngineError> {
        match &request.command {
            Command::CreateAccount(create) => {
                let id = create.account_id;
                let is_here = (request.namespace.clone(), id);
                let is_here = self.places.contains_key(&is_here);
                if is_here || self.is_found(request, Locator::Account(id)).await? {
                    return Err(taken("account_id"));
                }
                let external = create.external_id.as_deref();
                self.refuse_external(request, external, None).await
            }
            Command::UpdateAccount(update) => {
                let external = update.external_id.as_ref().and_then(Option::as_deref);
                self.refuse_external(request, external, Some(account)).await
            }
            Command::CreateEntitlement(create) => {
                let locator = create.entitlement_id.map(Locator::Entitlement);
                let made = create.entitlement_id;
                self.refuse_made(request, made, locator, "entitlement_id")
                    .await
            }
            Command::GrantCredit(grant) => {
                let locator = grant.grant_id.map(Locator::Grant);
                self.refuse_made(request, grant.grant_id, locator, "grant_id")
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn refuse_made(
        &mut self,
        request: &Request,
        id: Option<Uuid>,
        locator: Option<Locator>,
        field: &'static str,
    ) -> Result<(), EngineError> {
        let (Some(id), Some(locator)) = (id, locator) else {
            return Ok(());
        };
        let is_here = self.names.made(&request.namespace, id).is_some();
        if is_here || self.is_found(request, locator).await? {
            return Err(taken(field));
        }
        Ok(())
    }

    /// An external id must name no other account, by whatever it would be found.
    async fn refuse_external(
        &mut self,
        request: &Request,
        external: Option<&str>,
        account: Option<AccountId>,
    ) -> Result<(), EngineError> {
        let Some(external) = external else {
            return Ok(());
        };
        let is_other = |id: AccountId| Some(id) != account;
        let left_by = match self.names.external(&request.namespace, external) {
            Some(External::Own((id, _)) | External::Found((id, _))) => {
                let refused = is_other(id).then(|| taken("external_id"));
                return refused.map_or(Ok(()), Err);
            }
            Some(External::Changed {
                linked_to: Some(id),
                ..
            }) if is_other(id) => return Err(taken("external_id")),
            Some(External::Changed { left_by, .. }) => left_by,
            None => None,
        };
        let locators = [Locator::External(external.to_owned())];
        let found = self.batch.locate(&request.namespace, &locators).await?;
        match found.first() {
            Some(Some(place)) if is_other(place.account) && Some(place.account) != left_by => {
                Err(taken("external_id"))
            }
            _ => Ok(()),
        }
    }

    async fn is_found(&mut self, request: &Request, locator: Locator) -> Result<bool, EngineError> {
        let found = self.batch.locate(&request.namespace, &[locator]).await?;
        Ok(found.first().is_some_and(Option::is_some))
    }
}

fn taken(field: &'static str) -> EngineError {
    Refusal::Taken { field }.into()
}
