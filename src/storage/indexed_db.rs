//! IndexedDB behind [`Storage`]: one database, a store for the journal's entries by number, a store for the rest by name.

use std::cell::Cell;
use std::rc::Rc;

use indexed_db_futures::database::Database;
use indexed_db_futures::error::OpenDbError;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{Transaction, TransactionMode};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use super::{Storage, StorageError, Stored};

/// Version of the stores' layout.
const VERSION: u8 = 1;
const JOURNAL: &str = "journal";
const REST: &str = "rest";
const HEADER: &str = "header";
const REACHED: &str = "reached";
const SNAPSHOT: &str = "snapshot";

/// An open database.
pub struct IndexedDb {
    database: Database,
}

impl IndexedDb {
    /// Opens (or makes) the database. `blocked` is called if another tab is in the way; opening goes on when it closes.
    pub async fn open(name: &str, blocked: impl Fn() + 'static) -> Result<Self, StorageError> {
        let was_blocked = Rc::new(Cell::new(false));
        let seen = Rc::clone(&was_blocked);
        let request = Database::open(name)
            .with_version(VERSION)
            .with_on_blocked(move |_| {
                seen.set(true);
                blocked();
                Ok(())
            })
            .with_on_upgrade_needed(|_, database| {
                database.create_object_store(JOURNAL).build()?;
                database.create_object_store(REST).build()?;
                Ok(())
            });
        match request.await {
            Ok(database) => Ok(Self { database }),
            Err(OpenDbError::VersionZero) => Err(StorageError::Failed("version zero".to_owned())),
            Err(_) if was_blocked.get() => Err(StorageError::Blocked),
            Err(error) => {
                let text = error.to_string();
                // VersionError: "The requested version (1) is less than the existing version (2)."
                if text.contains("less than the existing version") {
                    Err(StorageError::Newer)
                } else {
                    Err(StorageError::Unavailable(text))
                }
            }
        }
    }

    /// Deletes the database with all that is kept; waits for tabs that hold it open.
    pub async fn forget(name: &str) -> Result<(), StorageError> {
        let request = Database::delete_by_name(name);
        request
            .map_err(|error| StorageError::Failed(error.to_string()))?
            .await
            .map_err(|error| StorageError::Failed(error.to_string()))
    }

    fn write(&self) -> Result<Transaction<'_>, StorageError> {
        let stores = [JOURNAL, REST];
        self.database
            .transaction(stores)
            .with_mode(TransactionMode::Readwrite)
            .build()
            .map_err(failed)
    }
}

impl Storage for IndexedDb {
    async fn load(&self) -> Result<Stored, StorageError> {
        let transaction = self.database.transaction([JOURNAL, REST]).build().map_err(failed)?;
        let journal = transaction.object_store(JOURNAL).map_err(failed)?;
        let rest = transaction.object_store(REST).map_err(failed)?;
        let entries =
            journal.get_all::<JsValue>().primitive().map_err(failed)?.await.map_err(failed)?;
        let entries = entries
            .map(|entry| entry.map(|entry| bytes(&entry)))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let mut named = [None, None, None];
        for (value, name) in named.iter_mut().zip([HEADER, REACHED, SNAPSHOT]) {
            let found: Option<JsValue> =
                rest.get(name).primitive().map_err(failed)?.await.map_err(failed)?;
            *value = found.map(|found| bytes(&found));
        }
        let [header, reached, snapshot] = named;
        Ok(Stored { header, entries, reached, snapshot })
    }

    async fn begin(&self, header: &[u8]) -> Result<(), StorageError> {
        let transaction = self.write()?;
        let journal = transaction.object_store(JOURNAL).map_err(failed)?;
        journal.clear().map_err(failed)?;
        let rest = transaction.object_store(REST).map_err(failed)?;
        rest.clear().map_err(failed)?;
        rest.put(value(header)).with_key(HEADER).without_key_type().build().map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn append(&self, first: u32, entries: &[Vec<u8>]) -> Result<(), StorageError> {
        let transaction = self.write()?;
        let journal = transaction.object_store(JOURNAL).map_err(failed)?;
        for (number, entry) in (first..).zip(entries) {
            journal
                .put(value(entry))
                .with_key(number)
                .without_key_type()
                .build()
                .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn note_reached(&self, reached: &[u8]) -> Result<(), StorageError> {
        self.put(REACHED, reached).await
    }

    async fn save_snapshot(&self, snapshot: &[u8]) -> Result<(), StorageError> {
        self.put(SNAPSHOT, snapshot).await
    }
}

impl IndexedDb {
    async fn put(&self, name: &str, data: &[u8]) -> Result<(), StorageError> {
        let transaction = self.write()?;
        let rest = transaction.object_store(REST).map_err(failed)?;
        rest.put(value(data)).with_key(name).without_key_type().build().map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }
}

fn value(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}

/// The browser's error in our terms. A full disk has a name of its own; the rest keeps the browser's words.
fn failed(error: indexed_db_futures::error::Error) -> StorageError {
    let name = match &error {
        indexed_db_futures::error::Error::DomException(exception) => {
            let exception: &JsValue = exception.as_ref();
            Reflect::get(exception, &"name".into())
                .ok()
                .and_then(|name| name.as_string())
                .unwrap_or_default()
        }
        _ => String::new(),
    };
    if name == "QuotaExceededError" {
        StorageError::QuotaExceeded
    } else {
        StorageError::Failed(error.to_string())
    }
}
