//! Where an address is: country and city, from an .mmdb file. Nothing is fetched, and nothing is stored: a place goes
//! with the address it is looked up for.

use std::{net::IpAddr, path::Path, sync::Arc};

use maxminddb::{Reader, geoip2};

/// Why the place file is of no use.
#[derive(Debug, thiserror::Error)]
#[error(
    "the place file {path} cannot be used: {why}; put a City or Country file in MaxMind's .mmdb format there, or unset \
         ROLLCALL_GEOIP_FILE"
)]
pub struct PlaceError {
    path: String,
    why: String,
}

/// The file, held in memory; a cheap clone. Without one nobody is anywhere.
#[derive(Clone, Default)]
pub struct Places(Option<Arc<Reader<Vec<u8>>>>);

impl Places {
    /// Reads the file, as it is now: a newer one counts from the next start.
    pub fn open(path: Option<&Path>) -> Result<Self, PlaceError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let wrong = |why: String| PlaceError { path: path.display().to_string(), why };
        let reader = Reader::open_readfile(path).map_err(|e| wrong(e.to_string()))?;
        let kind = reader.metadata().database_type.clone();
        if !kind.contains("City") && !kind.contains("Country") {
            return Err(wrong(format!("it is of type {kind}, which has no places")));
        }
        Ok(Self(Some(Arc::new(reader))))
    }

    /// `Berlin, Germany`, or what is known of it.
    pub fn of(&self, ip: &str) -> Option<String> {
        let address: IpAddr = ip.parse().ok()?;
        // A damaged record is no reason to show nothing else.
        let found = self.0.as_ref()?.lookup(address.to_canonical()).ok()?;
        let place: geoip2::City<'_> = found.decode().ok()??;
        let names = [place.city.names.english, place.country.names.english];
        let known: Vec<&str> = names.into_iter().flatten().collect();
        (!known.is_empty()).then(|| known.join(", "))
    }

    /// When the file was made, in seconds since 1970, and what it calls itself.
    pub fn made(&self) -> Option<(u64, String)> {
        self.0.as_ref().map(|r| (r.metadata().build_epoch, r.metadata().database_type.clone()))
    }
}
