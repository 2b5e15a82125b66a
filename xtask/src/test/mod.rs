//! `cargo xtask test`: everything that must hold before a change is good.
//!
//! Here is the order and the sum; `tally` counts, `rust` runs cargo's checks and tests, `browser` runs Playwright. A
//! step that fails does not stop the others, so one run tells everything. To add a kind of test: a variant of `Step`
//! and an arm in `Step::run`.

mod browser;
mod rust;
mod tally;

use std::time::Instant;

use tally::Tally;

use crate::{
    outcome::{Outcome, Stop},
    site::{self, Profile},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Format,
    Lint,
    /// Not a test, but part of what is tested: the size limit lives there, and the server's tests ask for assets.
    Site,
    Unit,
    Browser,
}

/// Cheap checks first; the wasm before the tests that serve it.
const STEPS: [Step; 5] = [Step::Format, Step::Lint, Step::Site, Step::Unit, Step::Browser];

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "fmt",
            Self::Lint => "lint",
            Self::Site => "site",
            Self::Unit => "unit",
            Self::Browser => "browser",
        }
    }

    fn run(self, profile: Profile) -> Outcome<Tally> {
        match self {
            Self::Format => rust::format(),
            Self::Lint => rust::lint(),
            Self::Site => site::build(profile).map(|()| Tally::default()),
            Self::Unit => rust::unit(),
            Self::Browser => browser::run(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the closing line is this command's answer")]
pub(crate) fn run(args: &[String]) -> Outcome {
    let (steps, profile) = options(args)?;
    let mut sum = Tally::default();
    let mut lines = Vec::new();
    for step in steps {
        eprintln!("\n== {}", step.name());
        let started = Instant::now();
        let tally = step.run(profile).unwrap_or_else(|problem| {
            eprintln!("error: {}", problem.sentence());
            Tally { failed: 1, ..Tally::default() }
        });
        lines.push(format!("{:8} {:5.0} s  {tally}", step.name(), started.elapsed().as_secs_f64()));
        let no_site = step == Step::Site && tally.failed > 0;
        sum += tally;
        if no_site {
            eprintln!("error: what follows would test the pages of an older build, and was left out");
            break;
        }
    }
    eprintln!("\n{}\n", lines.join("\n"));
    println!("{sum}");
    if sum.failed == 0 { Ok(()) } else { Err(Stop::Counted) }
}

fn options(args: &[String]) -> Outcome<(Vec<Step>, Profile)> {
    let mut only = Vec::new();
    let mut profile = Profile::Release;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dev" => profile = Profile::Debug,
            "--only" => {
                let name = args.next().ok_or_else(|| Stop::Usage("`--only` needs a name".into()))?;
                let step = STEPS.into_iter().find(|step| step.name() == name && *step != Step::Site);
                only.push(step.ok_or_else(|| Stop::Usage(format!("there are no tests named `{name}`")))?);
            }
            other => return Err(Stop::Usage(format!("`{other}` is not understood here"))),
        }
    }
    let needs_site = only.contains(&Step::Unit) || only.contains(&Step::Browser);
    let wanted = |step: &Step| only.is_empty() || only.contains(step) || (*step == Step::Site && needs_site);
    Ok((STEPS.into_iter().filter(wanted).collect(), profile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Option<String> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (steps, _) = options(&args).ok()?;
        Some(steps.iter().map(|step| step.name()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn only_picks_steps_in_order_with_what_they_need() {
        assert_eq!(names(&[]).as_deref(), Some("fmt lint site unit browser"));
        assert_eq!(names(&["--only", "lint", "--only", "fmt"]).as_deref(), Some("fmt lint"));
        assert_eq!(names(&["--only", "browser", "--dev"]).as_deref(), Some("site browser"));
        assert_eq!(names(&["--only", "nothing"]), None);
        assert_eq!(names(&["--only"]), None);
    }
}
