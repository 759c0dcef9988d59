//! Resolves the projects of rows that have none.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{Staging, failed};
use crate::import::Result;
use crate::import::plan::Mapping;

/// The tables whose rows are in a project of their own: clients, actions, reports, sessions, jobs, backups.
const OWNED: &str = "kind IN (0, 1, 2, 3, 4, 7)";

impl Staging {
    /// Gives every row without a project the one that the operator says, or else the one that its name or its user's
    /// clients say. What remains without one is quarantined.
    pub(in crate::import) fn resolve_projects(&mut self, mapping: &Mapping) -> Result<()> {
        for (user, project) in &mapping.projects {
            diesel::sql_query("INSERT OR REPLACE INTO mapped (user, project) VALUES (?, ?)")
                .bind::<Text, _>(user)
                .bind::<Text, _>(project)
                .execute(&mut self.connection)
                .map_err(|error| failed(&error))?;
        }
        let without = format!("project IS NULL AND {OWNED}");
        self.execute(&format!(
            "UPDATE staged SET project = (SELECT m.project FROM mapped m WHERE m.user = staged.user), is_given = 1
             WHERE {without} AND user IN (SELECT user FROM mapped);
             UPDATE staged SET project = hint, is_given = 1 WHERE {without} AND hint IS NOT NULL;
             CREATE TABLE homes AS SELECT user, MIN(project) AS project FROM staged
             WHERE kind = 0 AND state = 0 AND project IS NOT NULL GROUP BY user HAVING MIN(project) = MAX(project);
             CREATE UNIQUE INDEX homes_user ON homes (user);
             UPDATE staged SET project = (SELECT h.project FROM homes h WHERE h.user = staged.user), is_given = 1
             WHERE {without} AND user IN (SELECT user FROM homes);
             DROP TABLE homes;
             UPDATE staged SET project = (SELECT a.project FROM staged a WHERE a.kind = 1 AND a.id = staged.parent LIMIT 1)
             WHERE kind = 2 AND project IS NULL"
        ))?;
        if let Some(project) = &mapping.default_project {
            diesel::sql_query(format!("UPDATE staged SET project = ?, is_given = 1 WHERE {without}"))
                .bind::<Text, _>(project)
                .execute(&mut self.connection)
                .map_err(|error| failed(&error))?;
        }
        // A project of another form is none of Keystone's; the column is ASCII.
        self.execute(&format!(
            "UPDATE staged SET fate = 2, reason = 'no-project'
             WHERE fate = 0 AND state = 0 AND {OWNED} AND kind <> 2
             AND (project IS NULL OR length(project) > 64 OR project GLOB '*[^a-zA-Z0-9_-]*')"
        ))
    }
}
