//! The file in which refused rows are told.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::private;

/// Refused rows; the file is made with the first of them.
pub struct Refusals {
    path: PathBuf,
    file: Option<csv::Writer<File>>,
}

impl Refusals {
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    pub fn add(&mut self, row: u64, key: &str, code: &str, message: &str) -> Result<()> {
        let path = self.path.display();
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = csv::Writer::from_path(&self.path)
                    .with_context(|| format!("{path} cannot be written"))?;
                file.write_record(["row", "idempotency_key", "code", "message"])?;
                self.file.insert(file)
            }
        };
        file.write_record([&row.to_string(), key, code, message])
            .with_context(|| format!("{path} cannot be written"))
    }

    /// Writes all to the disk; the path where rows were refused. Where none were, what an earlier run
    /// told of the same file is out of date and goes.
    pub fn finish(mut self) -> Result<Option<PathBuf>> {
        let path = self.path.display();
        match &mut self.file {
            Some(file) => file
                .flush()
                .with_context(|| format!("{path} cannot be written"))?,
            None => {
                private::remove(&self.path)
                    .with_context(|| format!("{path} is out of date and cannot be removed"))?;
                return Ok(None);
            }
        }
        Ok(Some(self.path))
    }
}
