//! The service: what `keyvalue.thrift` promises, kept in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, stream};
use tchannel_rt::{ErrorCode, MethodError, Stream, StreamError};
use tokio::sync::broadcast;

tchannel_rt::include_thrift!("keyvalue");
pub use keyvalue::{Change, KeyValue, KeyValueClient, KeyValueGetThrows, NotFound};

/// Values by key, and whoever watches them.
#[derive(Debug)]
pub struct Memory {
    values: Mutex<BTreeMap<String, String>>,
    changes: broadcast::Sender<Change>,
}

impl Default for Memory {
    fn default() -> Self {
        let values = Mutex::default();
        // A watcher may be this many changes behind.
        let (changes, _) = broadcast::channel(1000);
        Self { values, changes }
    }
}

impl KeyValue for Memory {
    async fn get(&self, key: String) -> Result<String, MethodError<KeyValueGetThrows>> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(values.get(&key).cloned().ok_or(NotFound { key })?)
    }

    async fn put(&self, key: String, value: String) -> Result<(), MethodError> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(key.clone(), value.clone());
        // That nobody watches is no error.
        let _ = self.changes.send(Change { key, value });
        Ok(())
    }

    async fn watch(
        &self,
        prefix: String,
    ) -> Result<impl Stream<Item = Result<Change, StreamError>>, MethodError> {
        let changes = stream::unfold(self.changes.subscribe(), |mut changes| async {
            let change = changes.recv().await;
            let slow = |_| StreamError::new(ErrorCode::Busy, "changes came faster than you read");
            Some((change.map_err(slow), changes))
        });
        Ok(changes.filter(move |change| {
            let is_wanted = change
                .as_ref()
                .map_or(true, |it| it.key.starts_with(&prefix));
            std::future::ready(is_wanted)
        }))
    }
}
