//! What a page reads: asked for on the server while the page is written, in the browser when one navigates.
//!
//! One resource and one transition for everything: each further type of them is several kilobytes of the browser's code.

use std::sync::Arc;

use domain::ApiError;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

use crate::call::{Ask, answer, parse};

/// The JSON that was answered; nothing when nothing was asked.
type Answer = Option<Result<String, ApiError>>;

#[derive(Clone, Copy)]
pub(crate) struct Read(Resource<Answer>);

impl Read {
    /// Asks `ask`, and again whenever that changes.
    pub(crate) fn new(ask: impl Fn() -> Option<Ask> + Send + Sync + 'static) -> Self {
        Self::boxed(Box::new(ask))
    }

    /// Asks once.
    pub(crate) fn once(ask: Ask) -> Self {
        Self::boxed(Box::new(move || Some(ask.clone())))
    }

    fn boxed(ask: Box<dyn Fn() -> Option<Ask> + Send + Sync>) -> Self {
        Self(Resource::new_blocking(ask, |ask: Option<Ask>| async move {
            match ask {
                Some(ask) => Some(answer(ask).await),
                None => None,
            }
        }))
    }

    pub(crate) fn refetch(self) {
        self.0.refetch();
    }

    /// The page's main content, or what went wrong instead.
    pub(crate) fn page<T: DeserializeOwned>(self, show: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView {
        let wrong = |e: ApiError| view! { <p class="card message">{e.message}</p> }.into_any();
        let waiting = || view! { <div class="card waiting-list" aria-busy="true"></div> }.into_any();
        self.view(waiting, move |answer| answer.map(|a| a.map_or_else(wrong, &show)))
    }

    /// A part that is there only when something is asked.
    pub(crate) fn part<T: DeserializeOwned>(
        self,
        show: impl Fn(Result<T, ApiError>) -> AnyView + Send + Sync + 'static,
    ) -> AnyView {
        self.view(|| ().into_any(), move |answer| answer.map(&show))
    }

    fn view<T: DeserializeOwned>(
        self,
        waiting: fn() -> AnyView,
        show: impl Fn(Option<Result<T, ApiError>>) -> Option<AnyView> + Send + Sync + 'static,
    ) -> AnyView {
        let show = move |answer: Answer| show(answer.map(|a| a.and_then(|text| parse(&text))));
        self.erased(waiting, Arc::new(show))
    }

    fn erased(self, waiting: fn() -> AnyView, show: Arc<dyn Fn(Answer) -> Option<AnyView> + Send + Sync>) -> AnyView {
        view! {
            <Transition fallback=waiting>
                {move || {
                    let show = Arc::clone(&show);
                    Suspend::new(async move { show(self.0.await) })
                }}
            </Transition>
        }
        .into_any()
    }
}
