//! Secrets in files of their own, named by `<NAME>_FILE`.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::wrong::Warning;

/// The largest secret that is read from a file, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What a file holds, without the end of its last line.
///
/// # Errors
/// A sentence with the path.
pub fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    // A byte more than there may be tells that there are too many.
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{shown} has more than {MAX_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// A warning where every user of the machine can read a file that holds a secret.
pub fn exposed(path: &Path) -> Option<Warning> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = fs::metadata(path).ok()?.mode() & 0o777;
        if mode & 0o004 != 0 {
            let shown = path.display();
            let says = format!(
                "{shown} holds a secret and has mode {mode:04o}: every user of the machine can read it"
            );
            return Some(Warning::new(says, format!("chmod 600 {shown}")));
        }
    }
    None
}
