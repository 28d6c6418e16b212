//! A bucket in memory; `tests/services` asks a server that speaks S3.

use object_store::PutPayload;
use object_store::memory::InMemory;

use super::*;

async fn put(store: &dyn ObjectStore, path: &str, text: &'static str) {
    store
        .put_opts(&Path::from(path), PutPayload::from_static(text.as_bytes()), Default::default())
        .await
        .unwrap();
}

fn read(file: File) -> String {
    std::io::read_to_string(file).unwrap()
}

/// What every bucket must do.
async fn asked(bucket: &Bucket) {
    let store = bucket.store.clone();
    for (path, text) in
        [("crm/a.csv", "one"), ("crm/day/b.csv", "two"), ("other/c.csv", "three"), ("done/a.csv", "before")]
    {
        put(store.as_ref(), path, text).await;
    }
    let mut files = bucket.list().await.unwrap();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.csv", "day/b.csv"], "below the prefix, and nothing of the archive");
    assert_eq!(files[0].bytes, 3);
    assert_eq!(read(bucket.open(&files[0], 100).await.unwrap().unwrap()), "one");
    assert!(bucket.open(&files[0], 2).await.is_err(), "longer than allowed");

    put(store.as_ref(), "crm/a.csv", "one anew").await;
    assert!(bucket.open(&files[0], 100).await.unwrap().is_none(), "it is another one by now");
    for name in ["a.csv", "day/b.csv", "a.csv"] {
        bucket.archive(name).await.unwrap();
    }
    assert!(bucket.list().await.unwrap().is_empty());
    let archived = async |path: &str| {
        let got = store.get_opts(&Path::from(path), GetOptions::default()).await.unwrap();
        String::from_utf8(got.bytes().await.unwrap().to_vec()).unwrap()
    };
    assert_eq!(archived("done/a.csv").await, "before", "nothing is written over");
    assert_eq!(archived("done/a.csv.2").await, "one anew");
    assert_eq!(archived("done/day/b.csv").await, "two");
    assert!(bucket.open(&files[1], 100).await.unwrap().is_none(), "what is gone is not there");
}

#[tokio::test]
async fn a_bucket_in_memory_is_a_place() {
    asked(&Bucket::over(Arc::new(InMemory::new()), "memory:///", Path::from("crm"), Some("done"))).await;
}

#[test]
fn secrets_and_addresses_that_cannot_be_are_refused() {
    let options = |name: &str| BTreeMap::from([(name.to_owned(), "canary".to_owned())]);
    for name in ["secret_access_key", "aws_session_token", "sas_token", "access_key_id"] {
        let refused = Bucket::open("s3://bucket", None, &options(name)).unwrap_err().to_string();
        assert!(refused.contains("do not belong") && !refused.contains("canary"), "{refused}");
    }
    let itself = Bucket::open("memory:///crm", Some("crm"), &BTreeMap::new()).unwrap_err();
    assert!(itself.message.contains("`place.archive`"), "{itself}");
    for address in ["bucket", "s3://user:canary@bucket/x", "s3://bucket?canary=1", "ftp://host/x"] {
        let refused = Bucket::open(address, None, &BTreeMap::new()).unwrap_err().to_string();
        assert!(refused.contains("bucket") && !refused.contains("canary"), "{address}: {refused}");
    }
}
