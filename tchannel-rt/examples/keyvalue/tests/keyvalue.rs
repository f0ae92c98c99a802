//! The service and its client in one process, without sockets: all else is as between machines.

use example_keyvalue::{Change, KeyValue, KeyValueClient, KeyValueGetThrows, Memory, NotFound};
use tchannel_rt::{MethodError, in_process};

fn store() -> KeyValueClient {
    KeyValueClient::with(in_process(Memory::default().into_service()))
}

#[tokio::test]
async fn what_was_put_is_got() {
    let store = store();
    store.put("colour", "green").await.unwrap();
    assert_eq!(store.get("colour").await.unwrap(), "green");
}

#[tokio::test]
async fn a_key_without_a_value_is_not_found() {
    let error = store().get("colour").await.unwrap_err();
    let MethodError::Exception(KeyValueGetThrows::NotFound(NotFound { key })) = error else {
        panic!("another error: {error}");
    };
    assert_eq!(key, "colour");
}

#[tokio::test]
async fn changes_are_seen_by_whoever_watches_their_keys() {
    let store = store();
    let mut changes = store.watch("col").await.unwrap();
    store.put("size", "large").await.unwrap();
    store.put("colour", "green").await.unwrap();
    let expected = Change {
        key: "colour".into(),
        value: "green".into(),
    };
    assert_eq!(changes.message().await.unwrap(), Some(expected));
}
