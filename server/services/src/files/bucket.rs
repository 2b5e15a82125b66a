//! A bucket of an S3-compatible service. The usual `AWS_*` variables say where it is and who asks.

use std::time::Duration;

use object_store::{
    BackoffConfig, ClientConfigKey, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey},
    multipart::MultipartStore,
    path::Path,
    signer::{SignedUrlOptions, Signer},
};
use serde::Deserialize;

use super::storage::StorageError;

/// Whoever waits for a file is told soon that the service is away, and may try again.
const CONNECT: Duration = Duration::from_secs(5);
/// For an answer, and for each piece of one; a large file as a whole may take as long as it does.
const ANSWER: Duration = Duration::from_secs(30);
const RETRIES: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) s3: AmazonS3,
    http: reqwest::Client,
}

/// An upload in parts that was neither completed nor given up.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Begun {
    key: String,
    upload_id: String,
}

#[derive(Debug, Deserialize)]
struct AllBegun {
    #[serde(rename = "Upload", default)]
    uploads: Vec<Begun>,
}

impl Begun {
    pub(super) fn path(&self) -> Option<Path> {
        Path::parse(&self.key).ok()
    }
}

impl Bucket {
    pub(super) fn open(name: &str) -> Result<Self, StorageError> {
        // Which TLS it is: nobody else says so, and without it the client cannot be made. Done once is done.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let limit = |key, time: Duration| (AmazonS3ConfigKey::Client(key), format!("{}s", time.as_secs()));
        let limits = [
            limit(ClientConfigKey::ConnectTimeout, CONNECT),
            limit(ClientConfigKey::ReadTimeout, ANSWER),
            limit(ClientConfigKey::Timeout, Duration::from_hours(24)),
        ];
        let builder = AmazonS3Builder::from_env().with_bucket_name(name);
        let builder = limits.into_iter().fold(builder, |b, (key, value)| b.with_config(key, value));
        let said = |key| builder.get_config_value(&key).unwrap_or_default();
        let plain = said(AmazonS3ConfigKey::Endpoint).starts_with("http://");
        if plain && said(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp)) != "true" {
            return Err(StorageError::Plain);
        }
        let retry = RetryConfig {
            backoff: BackoffConfig { max_backoff: Duration::from_secs(1), ..BackoffConfig::default() },
            max_retries: RETRIES,
            retry_timeout: CONNECT,
        };
        // One by one: not every service understands a list of what is to be deleted.
        let s3 = builder.with_retry(retry).with_disable_bulk_delete(true).build()?;
        let http = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER).build();
        Ok(Self { s3, http: http.map_err(failed)? })
    }

    /// Uploads in parts under `prefix` that are neither completed nor given up, up to a thousand. `object_store` does not
    /// list them, but signs the request.
    pub(super) async fn begun(&self, prefix: &str) -> object_store::Result<Vec<Begun>> {
        let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let options = SignedUrlOptions::new().with_query([("uploads", ""), ("prefix", &*folder)]);
        let url = self.s3.signed_url_opts(http::Method::GET, &Path::default(), ANSWER, &options).await?;
        let answer = self.http.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let text = answer.text().await.map_err(failed)?;
        let all: AllBegun = quick_xml::de::from_str(&text).map_err(told)?;
        Ok(all.uploads)
    }

    /// Gives one of them up: its parts go.
    pub(super) async fn give_up(&self, begun: &Begun) -> object_store::Result<()> {
        match self.s3.abort_multipart(&Path::parse(&begun.key)?, &begun.upload_id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(e),
        }
    }
}

/// Without its URL, which holds a signature.
fn failed(e: reqwest::Error) -> object_store::Error {
    told(e.without_url())
}

fn told(e: impl std::error::Error + Send + Sync + 'static) -> object_store::Error {
    object_store::Error::Generic { store: "S3", source: Box::new(e) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_read() {
        let none = "<?xml version=\"1.0\"?><ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>";
        assert!(quick_xml::de::from_str::<AllBegun>(none).unwrap().uploads.is_empty());
        let two = "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Upload><Key>a/1</Key>\
                   <UploadId>x&amp;y</UploadId><Initiated>now</Initiated></Upload><IsTruncated>false</IsTruncated>\
                   <Upload><Key>b</Key><UploadId>z</UploadId></Upload></ListMultipartUploadsResult>";
        let two: AllBegun = quick_xml::de::from_str(two).unwrap();
        let ids: Vec<_> = two.uploads.iter().map(|u| (&*u.key, &*u.upload_id)).collect();
        assert_eq!(ids, [("a/1", "x&y"), ("b", "z")]);
    }
}
