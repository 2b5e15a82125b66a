//! The pages of Rollcall: one crate, compiled for the server (feature `ssr`) and for the browser (feature `hydrate`).
//!
//! - `routes`: which page is whose; the one table the server's gate and the router share.
//! - `rpc`: server functions, a thin door onto the services. `request`: what the server tells us of a request.
//! - `pages`: one file a page that the browser takes over. `written`: one a page that the server writes alone.
//!   `components`: what several pages use. `text`: every sentence shown.
//! - `live`: the browser's socket, what it reports, and the model of the people on screen.
//! - `clock`: time as the browser shows it; nothing reads a clock while rendering.
//!
//! No rules live here: those are in `domain`. No I/O either: that is `services`.
//!
//! To add a page that lives (a socket, signals): a file in `pages`, a line in `app.rs`, a line in `routes::PAGES`. To
//! add one of lists and forms: a file in `written`, a line there, a line in `routes::WRITTEN`.

#![expect(unreachable_pub, reason = "leptos's component macro makes public what is `pub(crate)`")]

#[cfg(not(erase_components))]
compile_error!("build inside the workspace: `.cargo/config.toml` sets a cfg that server and browser must share");

mod app;
mod call;
mod clock;
mod components;
mod live;
mod pages;
#[cfg(feature = "ssr")]
pub mod request;
pub mod routes;
pub mod rpc;
#[cfg(feature = "ssr")]
mod shell;
mod text;
mod viewer;
#[cfg(feature = "ssr")]
pub mod written;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::shell;
