//! Prints the API's description, as `docs/openapi.json` holds it.
#![allow(clippy::print_stdout, reason = "it prints")]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", mec_http::openapi().to_pretty_json()?);
    Ok(())
}
