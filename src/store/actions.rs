//! Actions: rows and queries.

mod list;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::engine::dialect;
use super::listing::Weight;
use super::schema::{action_attachments, action_reports, actions, jobs};
use super::types::json::Json;
use super::types::time::Time;
use super::versioned::{bump, bump_all, lookups};
use super::{Outcome, Tx, expect_one_row};
pub use list::{KEYS, list};

/// A row of `actions`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = actions, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Action {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    #[diesel(embed)]
    pub spec: ActionSpec,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

/// The content of an action, without its id and owner.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = actions, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns
pub struct ActionSpec {
    pub action: String,
    pub mode: Option<String>,
    pub src_file: Option<String>,
    pub backup_name: Option<String>,
    pub container: Option<String>,
    pub restore_abs_path: Option<String>,
    pub priority: Option<i32>,
    pub max_retries: i32,
    pub max_retries_interval: i32,
    pub mandatory: bool,
    pub timeout: Option<i32>,
    pub log_file: Option<String>,
    pub metadata: Json,
}

/// The value of a column that is a member of the `freezer_action`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Member<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(i32),
}

impl ActionSpec {
    /// The members of the `freezer_action` that have columns, in alphabetical order.
    pub fn members(&self) -> [(&'static str, Option<Member<'_>>); 9] {
        fn text(text: &Option<String>) -> Option<Member<'_>> {
            text.as_deref().map(Member::Text)
        }
        [
            ("action", Some(Member::Text(&self.action))),
            ("backup_name", text(&self.backup_name)),
            ("container", text(&self.container)),
            ("log_file", text(&self.log_file)),
            ("mode", text(&self.mode)),
            ("path_to_backup", text(&self.src_file)),
            ("priority", self.priority.map(Member::Number)),
            ("restore_abs_path", text(&self.restore_abs_path)),
            ("timeout", self.timeout.map(Member::Number)),
        ]
    }

    /// The `freezer_action` that the client sent: the metadata with the values of the columns.
    pub fn freezer_action(&self) -> Map<String, Value> {
        let mut object = self.metadata.object();
        let columns = self.members().into_iter().filter_map(|(key, member)| Some((key.to_owned(), member?)));
        object.extend(columns.map(|(key, member)| (key, json!(member))));
        object
    }

    /// The size of its large columns, in bytes.
    pub fn weight(&self) -> usize {
        let texts = [&self.src_file, &self.container, &self.restore_abs_path, &self.log_file];
        self.metadata.text().len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

impl Weight for Action {
    fn row_id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> usize {
        self.spec.weight()
    }
}

/// A new action under `id`, which must be free; [`insert_all`] writes it.
pub fn new(tx: &Tx<'_>, project: &str, user: &str, id: &str, spec: ActionSpec) -> Action {
    Action {
        id: id.to_owned(),
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        spec,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    }
}

/// Writes new actions.
pub fn insert_all(tx: &mut Tx<'_>, actions: &[Action]) -> Outcome<()> {
    Ok(dialect::insert_rows!(tx.connection, actions::table, actions)?)
}

lookups!(actions: Action { find, exists_in_other_project, is_taken });

/// The actions of these ids in the project, in no particular order.
pub fn find_all(tx: &mut Tx<'_>, project: &str, ids: Vec<String>) -> Outcome<Vec<Action>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(actions::table
        .filter(actions::id.eq_any(ids))
        .filter(actions::project_id.eq(project))
        .select(Action::as_select())
        .load(tx.connection)?)
}

/// Changes the content of an action and returns its version.
pub fn update(tx: &mut Tx<'_>, action: &Action, spec: ActionSpec) -> Outcome<i32> {
    if spec == action.spec {
        return Ok(action.version);
    }
    bump!(tx, actions, action, spec)
}

/// Deletes an action and its places in jobs; its reports stay, without the reference. With a version in `seen`, it is
/// deleted only if it still has this version.
pub fn delete(tx: &mut Tx<'_>, project: &str, id: &str, seen: Option<i32>) -> Outcome<()> {
    let places: Vec<(String, String)> = action_attachments::table
        .filter(action_attachments::project_id.eq(project))
        .filter(action_attachments::action_id.eq(id))
        .select((action_attachments::id, action_attachments::job_id))
        .load(tx.connection)?;
    let (places, job_ids): (Vec<String>, Vec<String>) = places.into_iter().unzip();
    if !places.is_empty() {
        bump_all!(tx, jobs, jobs::id.eq_any(job_ids))?;
        super::action_attachments::delete(tx, project, places)?;
    }
    diesel::update(
        action_reports::table
            .filter(action_reports::project_id.eq(project))
            .filter(action_reports::action_id.eq(id)),
    )
    .set(action_reports::action_id.eq(None::<String>))
    .execute(tx.connection)?;
    let action = actions::table.filter(actions::id.eq(id)).filter(actions::project_id.eq(project));
    match seen {
        Some(version) => expect_one_row(
            diesel::delete(action.filter(actions::version.eq(version))).execute(tx.connection)?,
        ),
        None => {
            diesel::delete(action).execute(tx.connection)?;
            Ok(())
        }
    }
}
