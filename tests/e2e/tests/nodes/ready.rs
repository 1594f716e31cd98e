//! Whether a node says of itself that it can be sent requests.

use crate::client::Client;
use crate::world::{World, until};

#[test]
fn a_node_whose_database_is_gone_is_up_and_not_ready_until_it_is_back() {
    let world = World::of_its_own();
    let node = world.node();
    let client = Client::new("");
    let page = |path: &str| client.page(&node.server.address, path).unwrap();
    let ready = page("/ready");
    assert_eq!(ready.status, 200, "{ready:?}");
    assert_eq!(ready.body["checks"]["store"], "up", "{ready:?}");
    world.postgres.halt().unwrap();
    until("the node is not ready", || page("/ready").status == 503);
    let told = page("/ready");
    assert!(told.retry_after, "{told:?}");
    assert_eq!(told.body["status"], "not_ready", "{told:?}");
    let expected = serde_json::json!({ "store": "down", "journal": "up", "shutdown": "no" });
    assert_eq!(told.body["checks"], expected);
    assert_eq!(page("/health").status, 200);
    world.postgres.resume().unwrap();
    until("the node is ready", || page("/ready").status == 200);
}
