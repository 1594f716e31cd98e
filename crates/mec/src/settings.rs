//! Settings from flags and from the environment, one struct per concern. A wrong value stops the start with
//! a sentence that names the setting as the environment does.

mod connections;
mod freshness;
mod limits;
mod queries;
mod rates;

use std::ops::RangeInclusive;

use clap::{Args, Command};

pub use connections::Connections;
pub use freshness::Freshness;
pub use limits::Limits;
pub use queries::Queries;
pub use rates::Rates;

/// Reads a whole number within bounds.
fn whole(
    setting: &'static str,
    bounds: RangeInclusive<u64>,
    unit: &'static str,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            format!("{setting} is a whole number of {unit} from {least} to {most}")
        })
    }
}

/// Settings as they are without any flag: from the environment, else the defaults.
pub fn from_environment<T: Args>() -> Result<T, clap::Error> {
    let command = T::augment_args(Command::new("mec"));
    T::from_arg_matches(&command.try_get_matches_from(["mec"])?)
}

#[cfg(test)]
fn parsed<T: Args>(flags: &[&str]) -> Result<T, String> {
    let command = T::augment_args(Command::new("mec"));
    let matches = command.try_get_matches_from([&["mec"], flags].concat());
    let matches = matches.map_err(|error| error.to_string())?;
    T::from_arg_matches(&matches).map_err(|error| error.to_string())
}
