//! The demo service `keyvalue`: typed methods by a Thrift file, over a map in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::stream;
use tchannel_rt::{MethodError, Stream, StreamError, Streaming};

pub(super) use generated::keyvalue::KeyValue;
use generated::keyvalue::{
    Entry, Full, KeyValueGetThrows, KeyValueLoadThrows, KeyValuePutThrows, NotFound,
};

mod generated {
    tchannel_rt::include_thrift!("keyvalue");
}

/// Texts by key, at most [`ENTRIES_MAX`] of them.
#[derive(Debug)]
pub(super) struct Store {
    texts: Mutex<BTreeMap<String, String>>,
}

/// Keys that the store takes; anybody may call it.
const ENTRIES_MAX: usize = 1000;

impl Store {
    /// With something to find.
    pub(super) fn new() -> Self {
        let colour = ("colour".to_owned(), "green".to_owned());
        Self {
            texts: Mutex::new(BTreeMap::from([colour])),
        }
    }

    fn texts(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, key: String, value: String) -> Result<(), Full> {
        let mut texts = self.texts();
        if texts.len() == ENTRIES_MAX && !texts.contains_key(&key) {
            let limit = ENTRIES_MAX.try_into().unwrap_or(i32::MAX);
            return Err(Full { limit });
        }
        texts.insert(key, value);
        Ok(())
    }
}

impl KeyValue for Store {
    async fn get(&self, key: String) -> Result<String, MethodError<KeyValueGetThrows>> {
        let found = self.texts().get(&key).cloned();
        Ok(found.ok_or(NotFound { key })?)
    }

    async fn put(&self, key: String, value: String) -> Result<(), MethodError<KeyValuePutThrows>> {
        Ok(self.insert(key, value)?)
    }

    async fn scan(&self) -> Result<impl Stream<Item = Result<Entry, StreamError>>, MethodError> {
        let texts = self.texts().clone().into_iter();
        Ok(stream::iter(
            texts.map(|(key, value)| Ok(Entry { key, value })),
        ))
    }

    async fn load(
        &self,
        mut entries: Streaming<Entry>,
    ) -> Result<i32, MethodError<KeyValueLoadThrows>> {
        let mut count = 0;
        while let Some(Entry { key, value }) = entries.message().await? {
            self.insert(key, value)?;
            count += 1;
        }
        Ok(count)
    }
}
