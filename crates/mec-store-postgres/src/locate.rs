//! Finding the accounts that references name.

use mec_core::Namespace;
use mec_store::{Locator, Place};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::Connection;
use crate::error::Fault;
use crate::sql;
use crate::values::Columns;

type Read<T> = Result<T, Fault>;

/// Finds what references name, a kind of reference in one question.
pub(crate) async fn locate(
    connection: &Connection,
    references: &[(Namespace, Locator)],
) -> Read<Vec<Option<Place>>> {
    let mut places = vec![None; references.len()];
    let by_id: [(&'static str, fn(&Locator) -> Option<Uuid>); 6] = [
        (sql::ACCOUNT_LOCATE_BY_ID, |of| match of {
            Locator::Account(id) => Some(*id),
            _ => None,
        }),
        (sql::ACCOUNT_LOCATE_BY_LEASE, |of| match of {
            Locator::Lease(id) => Some(*id),
            _ => None,
        }),
        (sql::ACCOUNT_LOCATE_BY_RESERVATION, |of| match of {
            Locator::Reservation(id) => Some(*id),
            _ => None,
        }),
        (sql::ACCOUNT_LOCATE_BY_EVENT, |of| match of {
            Locator::Event(id) => Some(*id),
            _ => None,
        }),
        (sql::ACCOUNT_LOCATE_BY_GRANT, |of| match of {
            Locator::Grant(id) => Some(*id),
            _ => None,
        }),
        (sql::ACCOUNT_LOCATE_BY_ENTITLEMENT, |of| match of {
            Locator::Entitlement(id) => Some(*id),
            _ => None,
        }),
    ];
    for (sql, pick) in by_id {
        let asked = references.iter().enumerate();
        let asked: Vec<_> = asked
            .filter_map(|(at, (namespace, of))| Some((at, namespace.as_str(), pick(of)?)))
            .collect();
        if !asked.is_empty() {
            let (ats, namespaces, ids) = columns(&asked);
            let found = connection.all(sql, &[&namespaces, &ids]).await?;
            take_in(&mut places, &ats, &found)?;
        }
    }
    for sql in [
        sql::ACCOUNT_LOCATE_BY_EXTERNAL_ID,
        sql::ACCOUNT_LOCATE_BY_PROVIDER_ID,
    ] {
        let asked: Vec<_> = references
            .iter()
            .enumerate()
            .filter(|(at, _)| places.get(*at).is_some_and(Option::is_none))
            .filter_map(|(at, (namespace, of))| match of {
                Locator::External(id) => Some((at, namespace.as_str(), id.as_str())),
                _ => None,
            })
            .collect();
        if !asked.is_empty() {
            let (ats, namespaces, ids) = columns(&asked);
            let found = connection.all(sql, &[&namespaces, &ids]).await?;
            take_in(&mut places, &ats, &found)?;
        }
    }
    Ok(places)
}

fn columns<'a, T: Copy>(asked: &[(usize, &'a str, T)]) -> (Vec<usize>, Vec<&'a str>, Vec<T>) {
    let ats = asked.iter().map(|(at, _, _)| *at).collect();
    let namespaces = asked.iter().map(|(_, namespace, _)| *namespace).collect();
    let ids = asked.iter().map(|(_, _, id)| *id).collect();
    (ats, namespaces, ids)
}

fn take_in(places: &mut [Option<Place>], ats: &[usize], found: &[Row]) -> Read<()> {
    for row in found {
        let place = Place {
            account: row.read(1)?,
            tree: row.read(2)?,
        };
        // Places are counted from 1.
        let asked: usize = row.number::<usize>(0)?.saturating_sub(1);
        if let Some(slot) = ats.get(asked).and_then(|at| places.get_mut(*at)) {
            *slot = Some(place);
        }
    }
    Ok(())
}
