//! One set of icons, drawn for us: 16 px, a stroke of 1.5, the colour of the text around them.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "ssr"), expect(dead_code, reason = "some are on pages that the server writes alone"))]
pub(crate) enum Icon {
    Home,
    Account,
    Devices,
    Overview,
    Live,
    People,
    Groups,
    Sessions,
    Traffic,
    Mail,
    Bell,
    Files,
    Audit,
    Settings,
    More,
    SignOut,
    Help,
    System,
    Sun,
    Moon,
    Refresh,
    Pause,
    Play,
    Close,
    Desktop,
    Phone,
    Tablet,
    Program,
    Older,
    Newer,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "M2 7.5 8 2.5l6 5M3.5 6.5v7h9v-7M6.5 13.5v-4h3v4",
            Self::Account => {
                "M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8zM2.5 14c.4-2.700 2.600-4 5.500-4s5.100 1.300 5.500 4"
            }
            Self::Devices => "M1.500 3h10v7h-10zM4 13h4M12.500 6h2v7h-4v-2",
            Self::Overview => "M2.500 13.500v-4h3v4zM6.500 13.500v-11h3v11zM10.500 13.500v-7h3v7z",
            Self::Live => "M1.500 8h3l2-5 3.200 10 2-5h2.800",
            Self::People => {
                "M6 7.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM1.500 13.500c.3-2.400 2-3.700 4.500-3.700s4.200 1.300 4.500 3.700M10.500 2.700a2.500 2.500 0 0 1 0 4.600M12 10.100c1.500.5 2.300 1.700 2.500 3.400"
            }
            Self::Groups => {
                "M2.500 13.500v-10h6v10M8.500 6.500h5v7M1 13.500h14M5 6h1M5 8.500h1M5 11h1M11 9h.500M11 11h.500"
            }
            Self::Sessions => "M2 3.500h12v9H2zM2 6.500h12M5 9.500h3",
            Self::Traffic => "M2 2.500v11h12M4.500 10.500l3-4 2.500 2 3.500-5",
            Self::Mail => "M1.500 3.500h13v9h-13zM1.500 4l6.500 5 6.500-5",
            Self::Bell => "M3 11.500h10c-1-1-1.500-2-1.500-5a3.500 3.500 0 0 0-7 0c0 3-.5 4-1.500 5zM6.500 13.500h3",
            Self::Files => "M1.500 13v-10h5l1.500 2h6.500v8z",
            Self::Audit => "M3.500 1.500h6l3 3v10h-9zM9.500 1.500v3h3M6 8h4M6 11h4",
            Self::Settings => {
                "M1.500 4.500h7M12.500 4.500h2M10.500 2.500v4M1.500 11.500h2M7.500 11.500h7M5.500 9.500v4"
            }
            Self::More => "M2 4h12M2 8h12M2 12h12",
            Self::SignOut => "M6.500 2.500h-4v11h4M10 5l3 3-3 3M13 8H6",
            Self::Help => {
                "M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM6 6.200c0-2.600 4-2.600 4 0 0 1.600-2 1.700-2 3.300M8 11.600v.1"
            }
            Self::System => "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM8 2v12M8 5h5.200M8 8h6M8 11h5.200",
            Self::Sun => {
                "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1.100 1.100M11.900 11.900 13 13M13 3l-1.100 1.100M4.100 11.900 3 13"
            }
            Self::Moon => "M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7z",
            Self::Refresh => "M13.500 8A5.500 5.500 0 1 1 11.700 3.900M13.500 1.500v3h-3",
            Self::Pause => "M5.500 3v10M10.500 3v10",
            Self::Play => "M5 3l8 5-8 5z",
            Self::Close => "M3.500 3.500l9 9M12.500 3.500l-9 9",
            Self::Desktop => "M1.500 3h13v8h-13zM5.500 14h5M8 11v3",
            Self::Phone => "M4.500 1.500h7v13h-7zM7.500 12.200h1",
            Self::Tablet => "M3 1.500h10v13H3zM7.500 12.200h1",
            Self::Program => "M1.500 3h13v10h-13zM4 6l2 2-2 2M8 10h3.500",
            Self::Older => "M6 3l5 5-5 5",
            Self::Newer => "M10 3 5 8l5 5",
        }
    }
}

/// An icon; what it means is said by the text or the label beside it.
#[component]
pub(crate) fn Glyph(icon: Icon) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d=icon.path() />
        </svg>
    }
}

/// The mark: somebody is here.
#[component]
pub(crate) fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 18 18" width="18" height="18" aria-hidden="true">
            <circle class="ring" cx="9" cy="9" r="7.5" />
            <circle class="dot" cx="9" cy="9" r="3.5" />
        </svg>
    }
}
