//! Pages for people who are not signed in that the server alone writes: their HTML stays as it came, and their forms
//! are plain. Nothing of them is in the browser's code, so links to them, and from them, are `rel="external"`: a real load.

use leptos::prelude::*;

use crate::components::frame::Door;

#[component]
pub(crate) fn Forgot() -> impl IntoView {
    // From the server's own escaping renderer, never from data.
    view! { <Door title="Forgotten password"><div inner_html=html()></div></Door> }
}

#[component]
pub(crate) fn Code() -> impl IntoView {
    view! { <Door title="Enter your code"><div inner_html=html()></div></Door> }
}

#[cfg(feature = "ssr")]
fn html() -> String {
    crate::written::outside()
}

/// The browser finds it in the page.
#[cfg(not(feature = "ssr"))]
fn html() -> String {
    String::new()
}
