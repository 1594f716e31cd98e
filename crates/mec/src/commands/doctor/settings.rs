//! The settings: what a server with them would not start with, and what it would warn of.

use super::Findings;
use crate::serve::ServeArgs;
use crate::settings::Settings;

pub fn look(settings: &Settings, findings: &mut Findings) {
    let wrong = match settings.of::<ServeArgs>() {
        Ok(args) => settings.all_wrong(&args),
        Err(error) => vec![error.to_string()],
    };
    if wrong.is_empty() {
        let file = settings
            .file
            .as_ref()
            .map(|file| format!(", with {}", file.display()));
        let told = format!("a server would start with them{}", file.unwrap_or_default());
        findings.ok("settings", told);
    }
    for sentence in wrong {
        findings.fail("settings", sentence, "`mec serve` does not start with it");
    }
    for warning in settings.all_warnings() {
        findings.warn("settings", warning.says, warning.remedy);
    }
    let secret = match settings.values.text("JWT_SECRET") {
        Some(_) => "JWT_SECRET signs tokens",
        None => "JWT_SECRET is not set: the data folder's own secret signs tokens",
    };
    findings.ok("settings", secret);
}
