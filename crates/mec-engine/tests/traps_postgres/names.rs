//! Names that another node passes on, and groups that meet what another node did.

use mec_core::ops::account::CreateAccount;
use mec_core::ops::move_account::MoveAccount;
use mec_core::ops::update_account::UpdateAccount;
use mec_core::{Command, Refusal};
use mec_engine::{End, EngineError, Request, Target};
use uuid::Uuid;

use super::world::{Node, World, consume, request};

fn rename(account: Uuid, external_id: Option<&str>) -> Request {
    let update = UpdateAccount {
        external_id: Some(external_id.map(Into::into)),
        ..UpdateAccount::default()
    };
    request(
        Target::Account(account),
        None,
        Command::UpdateAccount(update),
    )
}

fn create(external_id: &str) -> Request {
    let account_id = Uuid::now_v7();
    let create = CreateAccount {
        account_id,
        account_type: "organization".into(),
        parent: None,
        external_id: Some(external_id.into()),
        display_name: None,
        email: None,
        timezone: None,
        metadata: Default::default(),
        status: mec_core::account::AccountStatus::Active,
    };
    request(
        Target::NewTree(account_id),
        None,
        Command::CreateAccount(create),
    )
}

fn move_to(account: Uuid, parent: Uuid) -> Request {
    let to = MoveAccount {
        new_parent: Some(parent),
    };
    request(Target::Account(account), None, Command::MoveAccount(to))
}

/// A command that names its account by an external id.
fn consume_by(external_id: &str, key: &str) -> Request {
    Request {
        target: Target::External(external_id.into()),
        ..consume(Uuid::nil(), key)
    }
}

async fn together(node: &Node, requests: Vec<Request>) -> usize {
    let done = node.0.call_together(requests, End::Commit).await;
    done.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_passed_on_elsewhere_names_its_new_account() {
    let world = World::new();
    let late = world.node_that_looks_rarely().await;
    let other = world.node().await;
    let [a, b] = [late.account(None).await, late.account(None).await];
    late.call(rename(a, Some("x"))).await.unwrap();
    let told = late.call(consume_by("x", "1")).await.unwrap();
    assert_eq!(told.account, Some(a));

    let passed = vec![rename(a, Some("y")), rename(b, Some("x"))];
    assert_eq!(together(&other, passed).await, 2);
    // Beside another command of the tree that the name belonged to, and then alone.
    let both = vec![consume_by("x", "2"), consume(a, "3")];
    let told = late.calls_all(both).await.unwrap();
    let accounts: Vec<_> = told.into_iter().map(|told| told.unwrap().account).collect();
    assert_eq!(accounts, [Some(b), Some(a)]);
    let told = late.call(consume_by("y", "4")).await.unwrap();
    assert_eq!(told.account, Some(a));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_finds_an_account_that_has_moved_elsewhere() {
    let world = World::new();
    let late = world.node_that_looks_rarely().await;
    let other = world.node().await;
    let [a, b] = [late.account(None).await, late.account(None).await];
    let child = late.account(Some(a)).await;
    late.call(consume(child, "1")).await.unwrap();
    other.call(move_to(child, b)).await.unwrap();
    let requests = vec![consume(child, "2"), consume(a, "3")];
    assert_eq!(together(&late, requests).await, 2);
    let used = [late.used(a).await, late.used(b).await];
    assert_eq!(used, [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_groups_that_take_a_name_at_once_one_is_told_whose_fault_it_is() {
    let world = World::new();
    let nodes = [world.node().await, world.node().await];
    for round in 0..10 {
        let name = format!("name-{round}");
        let groups: Vec<_> = nodes
            .iter()
            .map(|node| {
                let other = create(&format!("{name}-{}", Uuid::now_v7()));
                let group = vec![other, create(&name)];
                let node = node.clone();
                tokio::spawn(async move { node.0.call_together(group, End::Commit).await })
            })
            .collect();
        let mut done = 0;
        for group in groups {
            match group.await.unwrap() {
                Ok(_) => done += 1,
                Err(told) => {
                    let refused = Refusal::Taken {
                        field: "external_id",
                    };
                    assert!(matches!(told.error, EngineError::Refused(why) if why == refused));
                    assert_eq!(told.index, Some(1));
                }
            }
        }
        assert_eq!(done, 1);
    }
    let mut world = world;
    let told = world.told("SELECT count(*) FROM mec.accounts");
    assert_eq!(told, "20");
}
