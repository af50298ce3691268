//! The page's parts that need a browser, in a dedicated worker as in the product: `cargo xtask test wasm`.
#![cfg(target_arch = "wasm32")]

use kafka_playground::browser::{clock, is_page, lock};
use kafka_playground::storage::{IndexedDb, Storage, StorageError, Stored};
use playground::story;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A name that no other test uses.
fn name() -> String {
    format!("test-{}", clock::entropy())
}

async fn open(name: &str) -> IndexedDb {
    IndexedDb::open(name, || {}).await.expect("the database opens")
}

#[wasm_bindgen_test]
fn a_worker_is_not_a_page() {
    assert!(!is_page());
}

#[wasm_bindgen_test]
async fn what_was_kept_comes_back_in_order() -> Result<(), StorageErrorText> {
    let name = name();
    let storage = open(&name).await;
    assert_eq!(storage.load().await?, Stored::default());
    storage.begin(b"header").await?;
    storage.append(0, &[b"first".to_vec(), b"second".to_vec()]).await?;
    storage.append(2, &[b"third".to_vec()]).await?;
    storage.note_reached(b"reached").await?;
    storage.save_snapshot(b"snapshot").await?;
    drop(storage);
    let expected = Stored {
        header: Some(b"header".to_vec()),
        entries: vec![b"first".to_vec(), b"second".to_vec(), b"third".to_vec()],
        reached: Some(b"reached".to_vec()),
        snapshot: Some(b"snapshot".to_vec()),
    };
    assert_eq!(open(&name).await.load().await?, expected);
    Ok(())
}

#[wasm_bindgen_test]
async fn a_new_session_forgets_the_one_before() -> Result<(), StorageErrorText> {
    let storage = open(&name()).await;
    storage.begin(b"old").await?;
    storage.append(0, &[b"entry".to_vec()]).await?;
    storage.save_snapshot(b"snapshot").await?;
    storage.begin(b"new").await?;
    assert_eq!(
        storage.load().await?,
        Stored { header: Some(b"new".to_vec()), ..Stored::default() }
    );
    Ok(())
}

#[wasm_bindgen_test]
async fn one_of_two_has_the_lock() {
    let name = name();
    let held = lock::take(&name, false).await.expect("it is free");
    assert!(lock::take(&name, false).await.is_none());
    drop(held);
    assert!(lock::take(&name, true).await.is_some());
}

/// `cargo xtask test wasm` says what the same story comes to natively; without it two runs here have to agree.
#[wasm_bindgen_test]
fn a_story_in_wasm_ends_as_it_does_natively() {
    let ours = story::digest(story::SEED);
    let expected = option_env!("NATIVE_DIGEST")
        .map_or_else(|| story::digest(story::SEED), |text| text.parse().expect("a number"));
    assert_eq!(ours, expected);
}

/// A storage error as a test's failure.
#[derive(Debug)]
struct StorageErrorText(String);

impl From<StorageError> for StorageErrorText {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

impl From<StorageErrorText> for wasm_bindgen::JsValue {
    fn from(error: StorageErrorText) -> Self {
        error.0.into()
    }
}
