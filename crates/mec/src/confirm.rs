//! Asking before what cannot be taken back.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 1_024;

/// Asks on the terminal, and fails where the answer is no. Where nobody can be asked nothing is done.
pub fn confirm(question: &str) -> Result<()> {
    let input = io::stdin();
    if !input.is_terminal() {
        bail!("{question} Nobody can be asked here: say --yes");
    }
    if !agreed(question, input.lock(), io::stderr())? {
        bail!("nothing was changed");
    }
    Ok(())
}

fn agreed(question: &str, input: impl BufRead, mut output: impl Write) -> io::Result<bool> {
    write!(output, "{question} [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    input.take(MAX_ANSWER_BYTES).read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::agreed;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in [
            ("y\n", true),
            ("YES\n", true),
            (" yes ", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yess\n", false),
            ("no\ny\n", false),
        ] {
            let mut asked = Vec::new();
            let told = agreed("Really?", answer.as_bytes(), &mut asked).unwrap();
            assert_eq!(told, expected, "{answer:?}");
            assert_eq!(asked, b"Really? [y/N] ");
        }
    }
}
