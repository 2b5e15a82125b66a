//! Shows a page that the server alone writes (`crate::written`). Its HTML stays as it came; when one goes on, and when
//! one of its forms is sent, a script asks for the next (`frontend/agent/written.mjs`). None of these pages weighs
//! anything in the browser's code.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use crate::{
    components::{frame::Page, status::said, sudo::sudo},
    routes::is_written,
};

/// What the script offers.
mod script {
    use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

    #[wasm_bindgen(raw_module = "./agent/written.mjs")]
    extern "C" {
        pub(super) fn begin(told: JsValue);
        pub(super) fn show(path: &str, search: &str);
    }
}

#[component]
pub(crate) fn Written() -> impl IntoView {
    let (title, html) = first();
    // Read once more when the document around the page is written, which is after the page is done with.
    let title = ArcRwSignal::new(title);
    let shown = title.clone();
    view! { <Page title=move || shown.get()>{part(title, html, is_written)}</Page> }
}

/// What the server wrote, on a page or as a part of one: those that `ours` knows.
pub(super) fn part(title: ArcRwSignal<String>, html: String, ours: fn(&str) -> bool) -> impl IntoView {
    let (sudo, said) = (sudo(), said());
    let location = use_location();
    Effect::new(move |begun: Option<()>| {
        let (path, search) = (location.pathname.get(), location.search.get());
        if begun.is_none() {
            let title = title.clone();
            let told =
                Closure::<dyn Fn(String, JsValue)>::new(move |event: String, what: JsValue| match event.as_str() {
                    "title" => {
                        let _ = title.try_set(what.as_string().unwrap_or_default());
                    }
                    "said" => said.say(what.as_string().unwrap_or_default()),
                    _ => sudo.ask(Callback::new(move |()| {
                        let _ = what.unchecked_ref::<js_sys::Function>().call0(&JsValue::NULL);
                    })),
                });
            script::begin(told.into_js_value());
        }
        // Whoever leaves for a page of another kind is told of it here as well.
        if ours(&path) {
            script::show(&path, &search);
        }
    });
    // From the server's own escaping renderer, never from data.
    view! { <div id="written" inner_html=html></div> }
}

/// Title and HTML, as the server wrote them for this request.
#[cfg(feature = "ssr")]
pub(super) fn first() -> (String, String) {
    let page =
        use_context::<http::request::Parts>().and_then(|p| p.extensions.get::<crate::written::Written>().cloned());
    page.map(|p| (p.title, p.html)).unwrap_or_default()
}

/// The browser finds both in the page, or keeps the title of the page before until the next has come.
#[cfg(not(feature = "ssr"))]
pub(super) fn first() -> (String, String) {
    let title = crate::components::keys::element("h1").and_then(|h| h.text_content());
    (title.unwrap_or_default(), String::new())
}
