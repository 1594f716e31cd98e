//! The engine's errors as a client sees them.

use mec_core::Refusal;
use mec_engine::EngineError;
use mec_store::StoreError;

use super::ApiError;

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(refusal.code(), refusal.to_string()).with_hint(refusal.hint());
        match refusal {
            Refusal::BadValue { field, .. }
            | Refusal::NotPositive { field }
            | Refusal::TooManyDecimals { field, .. }
            | Refusal::UnknownCode { field, .. }
            | Refusal::Taken { field } => error.with_details(field),
            Refusal::UnitNotAllowed { .. } => error.with_details("p_unit_code"),
            Refusal::OccurredAtOutOfRange => error.with_details("p_occurred_at"),
            Refusal::IdempotencyConflict => error.with_details("p_idempotency_key"),
            _ => error,
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Store(error) => error.into(),
            EngineError::Busy => Self::new("busy", "too many calls wait"),
            EngineError::Closed => Self::new("shutting_down", "this node is stopping"),
            EngineError::Internal(cause) => {
                tracing::error!(%cause, "the engine failed");
                Self::internal()
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let cause: &dyn std::error::Error = &error;
        match &error {
            StoreError::Unavailable(..) | StoreError::Again(_) => {
                tracing::warn!(cause, "the store is not available");
                Self::new(
                    "store_unavailable",
                    "the store cannot be reached or written to",
                )
            }
            // These do not pass by waiting, so that a client must not be told to try again.
            StoreError::Damaged(_) | StoreError::Owned(_) | StoreError::Internal(..) => {
                tracing::error!(cause, "the store failed");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    /// One of each; the match makes a new variant fail to compile until it stands here.
    fn refusals() -> Vec<Refusal> {
        use Refusal::*;
        let text = || "x".to_owned();
        let field = "f";
        let all = vec![
            Refusal::bad_value(field, "x"),
            NotPositive { field },
            TooManyDecimals {
                field,
                unit: text(),
                scale: 0,
            },
            UnitNotAllowed {
                unit: text(),
                resource: text(),
                allowed: text(),
            },
            AccountNotFound,
            ParentNotFound,
            UnknownResourceType(text()),
            EventNotFound,
            ReservationNotFound,
            GrantNotFound,
            GrantVoided,
            EntitlementNotFound,
            EntitlementSuperseded,
            RowChanged,
            MoveNotAlone,
            TooManyTogether { limit: 1 },
            PlanNotFound(text()),
            PlanNotHeld(text()),
            PlanArchived(text()),
            PlanConflict { held: text() },
            IdempotencyConflict,
            SessionConflict { held: 1 },
            AlreadyCommitted(text()),
            AlreadyReleased,
            OccurredAtOutOfRange,
            InventoryBelowZero { total: text() },
            NotInventory(text()),
            NotConcurrent(text()),
            UseAcquireLease(text()),
            NotGrantable(text()),
            NotCorrectable(text()),
            TooManyScopes { limit: 1 },
            TooDeep { limit: 1 },
            ParentHasNoChildren(text()),
            UnknownCode {
                field,
                value: text(),
            },
            Taken { field },
            QuantityOverflow,
            Catalogue(text()),
            CatalogueChanged { held: 1 },
            LookupsChanged { held: 1 },
        ];
        for refusal in &all {
            match refusal {
                BadValue { .. } | NotPositive { .. } | TooManyDecimals { .. } => {}
                UnitNotAllowed { .. } | AccountNotFound | ParentNotFound => {}
                UnknownResourceType(_) | EventNotFound | ReservationNotFound => {}
                GrantVoided | EntitlementNotFound | EntitlementSuperseded => {}
                RowChanged | MoveNotAlone | TooManyTogether { .. } => {}
                GrantNotFound | PlanNotFound(_) | PlanNotHeld(_) | PlanArchived(_) => {}
                PlanConflict { .. } | IdempotencyConflict | SessionConflict { .. } => {}
                AlreadyCommitted(_) | AlreadyReleased | OccurredAtOutOfRange => {}
                InventoryBelowZero { .. } | NotInventory(_) | NotConcurrent(_) => {}
                UseAcquireLease(_) | NotGrantable(_) | NotCorrectable(_) => {}
                TooManyScopes { .. } | TooDeep { .. } | ParentHasNoChildren(_) => {}
                UnknownCode { .. } | Taken { .. } | QuantityOverflow => {}
                Catalogue(_) | CatalogueChanged { .. } | LookupsChanged { .. } => {}
            }
        }
        all
    }

    #[test]
    fn every_refusal_has_a_row() {
        for refusal in refusals() {
            let row = ErrorCode::find(refusal.code());
            assert!(
                row.is_some_and(|row| (400..500).contains(&row.status)),
                "{}",
                refusal.code()
            );
        }
    }

    #[test]
    fn every_fault_of_the_engine_has_a_row() {
        let faults = [
            (EngineError::Busy, "busy", 503),
            (EngineError::Closed, "shutting_down", 503),
            (
                EngineError::Internal("secret".into()),
                "internal_error",
                500,
            ),
            (
                StoreError::Unavailable("secret".into(), None).into(),
                "store_unavailable",
                503,
            ),
            (
                StoreError::Again("secret".into()).into(),
                "store_unavailable",
                503,
            ),
            (
                StoreError::Damaged("secret".into()).into(),
                "internal_error",
                500,
            ),
            (
                StoreError::Owned("secret".into()).into(),
                "internal_error",
                500,
            ),
            (
                StoreError::Internal("secret".into(), None).into(),
                "internal_error",
                500,
            ),
        ];
        for (fault, code, status) in faults {
            let error = ApiError::from(fault);
            assert_eq!((error.code(), error.status().as_u16()), (code, status));
            assert!(ErrorCode::find(code).is_some());
            assert!(!error.to_json().contains("secret"));
        }
    }

    #[test]
    fn the_body_has_four_keys_always() {
        assert_eq!(
            ApiError::new("busy", "b").to_json(),
            r#"{"code":"busy","message":"b","details":null,"hint":null}"#
        );
    }
}
