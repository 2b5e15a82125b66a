//! Charts, drawn on the server as SVG. Each stands beside a table that says the same in words, and is read without eyes
//! and by keyboard: a line by a slider that goes through its steps, a bar as a row of its table.

mod bars;
mod line;

pub(super) use self::{
    bars::{Bar, Bars},
    line::Line,
};
