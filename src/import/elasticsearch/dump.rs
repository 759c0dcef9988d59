//! Files with documents.

mod files;
mod input;
mod items;
mod pieces;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use input::Input;
use items::Items;

use super::delivery::Delivery;
use super::kinds::Kinds;
use super::total::Expected;
use super::{Options, edited};
use crate::import::legacy::{Row, Table};
use crate::import::{Description, Result, Source};

/// Dumps, read one after the other.
pub struct Dump {
    inputs: Vec<Input>,
    kinds: Kinds,
    expected: Expected,
    skip_unknown: bool,
    description: Description,
}

impl Dump {
    /// Looks at the beginning of each file.
    pub fn open(named: &[String], options: &Options, kinds: Kinds, expected: Expected) -> Result<Self> {
        let (streams, names): (Vec<String>, Vec<String>) =
            named.iter().cloned().partition(|name| name == "-");
        let mut inputs: Vec<Input> = files::all(&names)?.iter().map(|path| Input::file(path)).collect();
        if !streams.is_empty() {
            inputs.push(Input::stream("standard input", std::io::stdin())?);
        }
        Self::from_inputs(inputs, options.skip_unknown, kinds, expected)
    }

    /// A dump of these inputs.
    pub fn from_inputs(
        mut inputs: Vec<Input>,
        skip_unknown: bool,
        kinds: Kinds,
        expected: Expected,
    ) -> Result<Self> {
        let mut description = Description::default();
        description.lines.push("documents of Elasticsearch, from files".to_owned());
        for input in &mut inputs {
            let name = input.name.clone();
            let size = input.size().map(|size| format!(", {size} bytes")).unwrap_or_default();
            match input.peek(|first| first.map(items::form))? {
                None => description.warnings.push(format!("{name} has no document.")),
                Some(Ok(form)) => description.lines.push(format!("{name}{size}: {form}")),
                Some(Err(sentence)) => return Err(format!("{name} is {sentence}.").into()),
            }
        }
        Ok(Self { inputs, kinds, expected, skip_unknown, description })
    }
}

impl Source for Dump {
    fn describe(&mut self) -> Result<Description> {
        Ok(self.description.clone())
    }

    fn read(&mut self, sink: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let mut delivery = Delivery::new(sink, self.skip_unknown);
        for input in &mut self.inputs {
            let mut pieces = input.open()?;
            let mut items = Items::new(&input.name, &self.kinds, &mut delivery);
            while let Some(piece) =
                pieces.next().map_err(|error| format!("Cannot read {}: {error}.", input.name))?
            {
                items.add(&piece)?;
            }
            items.finish()?;
        }
        self.expected.check(delivery.read)
    }

    /// A file does not say how many documents it is to have; `--expect` does, which [`Source::read`] has compared.
    fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        Ok(BTreeMap::new())
    }

    fn row(&mut self, table: Table, id: &str, raw: Value) -> std::result::Result<Row, String> {
        edited::row(&self.kinds, table, id, raw)
    }
}
