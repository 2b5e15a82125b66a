//! The HTML around the pages.

use leptos::{attr::custom::custom_attribute, prelude::*};
use leptos_meta::MetaTags;

use crate::{App, rpc::ssr, viewer::Theme};

/// The whole document. The theme comes from the cookie, so that there is no flash of the wrong one.
#[expect(clippy::needless_pass_by_value, reason = "the form leptos asks for")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = use_context::<http::request::Parts>().map(|p| ssr::theme(&p)).unwrap_or_default();
    let folder = options.site_pkg_dir.clone();
    let file = |name: &str| format!("/{folder}/{name}");
    let style = file(&format!("{}.css", options.output_name));
    let (light, dark) = match theme {
        Theme::System => ("(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"),
        Theme::Light => ("all", "not all"),
        Theme::Dark => ("not all", "all"),
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.as_str()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="theme-color" {..custom_attribute("media", light)} content="#F7F8F8" />
                <meta name="theme-color" {..custom_attribute("media", dark)} content="#0E1113" />
                <link rel="icon" type="image/svg+xml" href=file("favicon.svg") />
                <link rel="stylesheet" href=style />
                <HydrationScripts options=options.clone() />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
