//! Lists of actions.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::{Action, find};
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{self, Listing, Query, empty_document, listing, load_page};
use crate::store::owners::{self, Noun};
use crate::store::page::Page;
use crate::store::schema::actions;
use crate::store::search::{Search, is_word};
use crate::store::{Outcome, Tx};

listing! {
    /// The keys of the list of actions.
    KEYS: actions, Action, |action| action.created_at;
    action_id: Id = id, "The action's id.", at("/action_id"), searched(is_word);
    action: Text = action, "What is to be done.", at("/freezer_action/action"), searched(is_word),
        sorting(|action| action.spec.action.operand());
    mode: Text = mode, "What it works on.", nullable(), sorting(|action| action.spec.mode.operand());
    backup_name: Text = backup_name, "The name of the backup.", nullable(),
        at("/freezer_action/backup_name"), searched(is_word),
        sorting(|action| action.spec.backup_name.operand());
}

/// A page of a project's actions.
///
/// As the next chunk of a scan, the page begins after the row `after` instead of the marker.
///
/// # Errors
/// 400 for a marker that is none of them.
pub fn list(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
    after: Option<&Action>,
) -> Outcome<Listing<Action>> {
    let (query, search) = asked;
    let is_light =
        KEYS.residual(search).is_empty() && !query.wants("freezer_action") && !query.wants("timeout");
    let marked = owners::marked(tx, Noun::Action, project, query, after, find)?;
    let matching = || KEYS.matching(actions::table.into_boxed::<MultiBackend>(), project, asked);
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |part, (limit, offset), budget| {
            let rows = part.of(matching()?).limit(limit).offset(offset);
            let (nothing, no_text) = (empty_document(tx.connection), || sql::<Nullable<Text>>("NULL"));
            Ok(
                load_page!(tx, budget, rows, limit, actions[metadata, src_file, container, restore_abs_path, log_file],
                    Action::as_select(), if is_light => (
                    actions::id,
                    actions::project_id,
                    actions::user_id,
                    (
                        actions::action,
                        actions::mode,
                        no_text(),
                        actions::backup_name,
                        no_text(),
                        no_text(),
                        actions::priority,
                        actions::max_retries,
                        actions::max_retries_interval,
                        actions::mandatory,
                        actions::timeout,
                        no_text(),
                        nothing,
                    ),
                    actions::created_at,
                    actions::updated_at,
                    actions::version,
                )),
            )
        },
    )?;
    listing::count_with(query, page, rows, !KEYS.residual(search).is_empty(), || {
        Ok(matching()?.count().get_result(tx.connection)?)
    })
}
