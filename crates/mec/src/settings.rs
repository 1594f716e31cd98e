//! Settings, one struct per concern. They come from flags, else from the environment, else from the settings
//! file, else they have defaults. A wrong value stops the start with a sentence that names the setting as the
//! environment does, and where it stands.

mod check;
mod connections;
mod document;
mod file;
mod freshness;
mod keys;
mod layers;
mod limits;
mod logs;
mod metrics;
mod queries;
mod rates;
mod read;
mod risks;
mod secret_file;
mod tokens;
mod transport;
mod values;
mod wrong;

use std::ops::RangeInclusive;

#[cfg(test)]
use clap::{Args, Command};

pub use check::check;
pub use connections::Connections;
pub use document::{default_file, table};
pub use freshness::Freshness;
pub use keys::Keys;
pub use layers::{Environment, Origin};
pub use limits::Limits;
pub use logs::{LogFormat, Logs, SecurityTo};
pub use metrics::Metrics;
pub use queries::Queries;
pub use rates::Rates;
pub use read::{ConfigFile, Settings, read};
pub use tokens::{JwtSecret, Tokens};
pub use transport::Transport;
pub use values::{Value, Values};

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

#[cfg(test)]
fn parsed<T: Args>(flags: &[&str]) -> Result<T, String> {
    let command = T::augment_args(Command::new("mec"));
    let matches = command.try_get_matches_from([&["mec"], flags].concat());
    let matches = matches.map_err(|error| error.to_string())?;
    T::from_arg_matches(&matches).map_err(|error| error.to_string())
}
