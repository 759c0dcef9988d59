//! The plan: for each row of the source, which rows of ours it becomes. It asks the staging file, and never the target.

use std::collections::BTreeMap;

use super::Result;
use super::staging::Staging;
use super::unit::{Note, Unit, Verdict};
use crate::store::moment_type::Time;

/// What the operator says of rows without a project.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Projects by user (`--project-map`).
    pub projects: BTreeMap<String, String>,
    /// The project of what no other rule gives one (`--default-project`).
    pub default_project: Option<String>,
}

/// Makes the plan, batch by batch, in the order of the foreign keys.
pub struct Planner {}

impl Planner {
    /// A plan for what was staged; `now` stands for times that the source does not have.
    ///
    /// # Errors
    /// The staging file cannot be used.
    pub fn new(_staging: Staging, _mapping: Mapping, _now: Time) -> Result<Self> {
        todo!()
    }

    /// What is to be said of the source as a whole: projects with rows of several users (`many-users`).
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn remarks(&mut self) -> Result<Vec<Note>> {
        todo!()
    }

    /// Up to 500 units of one table, none twice; `None` at the end. [`Planner::settle`] has to be called for every unit
    /// of a batch before the next one.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn next(&mut self) -> Result<Option<Vec<Unit>>> {
        todo!()
    }

    /// Notes what the target said of a unit, so that no later row refers to one that is not there. `None` for a unit that
    /// was not to be written.
    ///
    /// # Errors
    /// As [`Planner::new`].
    pub fn settle(&mut self, _unit: &Unit, _verdict: Option<&Verdict>) -> Result<()> {
        todo!()
    }
}
