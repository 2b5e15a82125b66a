//! The settings in force, as everybody shares them.

use std::sync::{Arc, PoisonError, RwLock};

use domain::settings::{Given, Settings, Stored};

/// The settings in force now; a cheap clone. To be read where they are used, and not kept.
#[derive(Clone, Debug)]
pub struct Present {
    given: Arc<Given>,
    /// A std lock, held for the count of a reference.
    now: Arc<RwLock<Arc<Settings>>>,
}

impl Present {
    pub(crate) fn new(given: Given, stored: &Stored) -> Self {
        let settings = given.with(stored).0;
        Self { given: Arc::new(given), now: Arc::new(RwLock::new(Arc::new(settings))) }
    }

    pub fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put(&self, settings: Arc<Settings>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(crate) fn given(&self) -> &Given {
        &self.given
    }
}
