//! Rows of a file, one at a time.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, anyhow};
use serde_json::value::RawValue;

use super::Format;
use super::bounded::{Allowance, Bounded, MAX_ROW_BYTES};
use super::columns::{Columns, Place};

/// One row: its number, from 1 (the line of NDJSON, the record below the heading of CSV), and its values
/// or what is wrong with it.
pub struct Row {
    pub number: u64,
    pub values: Result<Vec<(Place, String)>, String>,
}

/// The rows of a file.
pub struct Rows<'c, R: Read> {
    number: u64,
    source: Source<'c, R>,
}

enum Source<'c, R: Read> {
    Csv {
        records: csv::Reader<Bounded<R>>,
        allowance: Allowance,
        places: Vec<Place>,
    },
    Ndjson {
        lines: BufReader<R>,
        columns: &'c Columns,
    },
}

impl<'c, R: Read> Rows<'c, R> {
    pub fn open(inner: R, format: Format, columns: &'c Columns) -> Result<Self> {
        let source = match format {
            Format::Ndjson => Source::Ndjson {
                lines: BufReader::new(inner),
                columns,
            },
            Format::Csv => {
                let allowance = Allowance::new();
                let bounded = Bounded {
                    inner,
                    allowance: allowance.clone(),
                };
                let mut records = csv::ReaderBuilder::new()
                    .flexible(true)
                    .from_reader(bounded);
                let heading = records.headers().context("its heading cannot be read")?;
                let places = heading.iter().map(|column| {
                    let column = column.trim_start_matches('\u{feff}').trim();
                    columns.place_of(column).map_err(|why| anyhow!(why))
                });
                let places = places.collect::<Result<Vec<_>>>()?;
                Source::Csv {
                    records,
                    allowance,
                    places,
                }
            }
        };
        Ok(Self { number: 0, source })
    }

    /// The next row; none at the end. An error where the file cannot be read on.
    pub fn next(&mut self) -> Result<Option<Row>> {
        let values = match &mut self.source {
            Source::Csv {
                records,
                allowance,
                places,
            } => {
                allowance.renew();
                let mut record = csv::StringRecord::new();
                match records.read_record(&mut record) {
                    Ok(false) => return Ok(None),
                    Ok(true) => of_record(&record, places),
                    Err(error) if error.is_io_error() => {
                        let number = self.number + 1;
                        return Err(error).with_context(|| format!("row {number} cannot be read"));
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
            Source::Ndjson { lines, columns } => match next_line(lines, &mut self.number)? {
                None => return Ok(None),
                Some(line) => line.and_then(|line| of_line(&line, columns)),
            },
        };
        self.number += 1;
        Ok(Some(Row {
            number: self.number,
            values,
        }))
    }
}

fn of_record(record: &csv::StringRecord, places: &[Place]) -> Result<Vec<(Place, String)>, String> {
    if record.len() != places.len() {
        return Err(format!(
            "the row has {} values, the heading {}",
            record.len(),
            places.len()
        ));
    }
    let values = places.iter().zip(record);
    Ok(values
        .map(|(place, value)| (place.clone(), value.trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect())
}

/// The next line that is not empty, within its bound; the rest of a longer one is thrown away. Counts
/// the empty ones.
fn next_line<R: Read>(
    lines: &mut BufReader<R>,
    passed: &mut u64,
) -> Result<Option<Result<Vec<u8>, String>>> {
    loop {
        let mut line = Vec::new();
        let bound = u64::try_from(MAX_ROW_BYTES).unwrap_or(u64::MAX);
        let read = lines
            .by_ref()
            .take(bound + 1)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if read > MAX_ROW_BYTES && !line.ends_with(b"\n") {
            lines.skip_until(b'\n')?;
            let why = format!("the row is longer than {MAX_ROW_BYTES} bytes");
            return Ok(Some(Err(why)));
        }
        let is_empty = line.iter().all(u8::is_ascii_whitespace);
        if !is_empty {
            return Ok(Some(Ok(line)));
        }
        *passed += 1;
    }
}

fn of_line(line: &[u8], columns: &Columns) -> Result<Vec<(Place, String)>, String> {
    let object: HashMap<String, &RawValue> =
        serde_json::from_slice(line).map_err(|error| format!("no JSON object: {error}"))?;
    let mut values = Vec::with_capacity(object.len());
    for (name, value) in object {
        if name == "details" && value.get().starts_with('{') {
            let details: HashMap<String, &RawValue> =
                serde_json::from_str(value.get()).map_err(|error| error.to_string())?;
            for (key, value) in details {
                let text = text_of(&key, value)?;
                values.extend(text.map(|text| (Place::Detail(key), text)));
            }
            continue;
        }
        let place = columns.place_of(&name)?;
        if place == Place::Nowhere {
            continue;
        }
        let text = text_of(&name, value)?;
        values.extend(text.map(|text| (place, text)));
    }
    Ok(values)
}

/// A value as text with all its digits; none for null.
fn text_of(name: &str, value: &RawValue) -> Result<Option<String>, String> {
    match value.get().as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => serde_json::from_str(value.get()).map_err(|error| error.to_string()),
        Some(b'{' | b'[') | None => Err(format!("{name}: a text, number or boolean is expected")),
        Some(_) => Ok(Some(value.get().to_owned())),
    }
}
