//! The browser's entry: takes over the page the server rendered. Everything else lives in `app`.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's script when the wasm has arrived.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
