//! Clients: rows and queries.

mod list;

use chrono::TimeDelta;
use diesel::prelude::*;

use super::connection::MultiBackend;
use super::dialect::{on_each, one_of, update_kept};
use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::listing::Weight;
use super::moment_type::Time;
use super::schema::{clients, job_attachments};
use super::{Outcome, Tx, new_id, swapped};
use crate::lifecycle;

pub use list::{beyond_columns, list};

/// How often a poll is noted: the stamp is for "is it alive", not for a log. `[DEFAULT] client_down_time` is at least
/// twice that.
const SEEN_EVERY: TimeDelta = TimeDelta::seconds(30);

/// A row of `clients`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Client {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub client_id: String,
    pub config_id: Option<String>,
    pub description: Option<String>,
    pub uuid: String,
    pub hostname: Option<String>,
    pub supported_actions: Json,
    pub supported_modes: Json,
    pub supported_storages: Json,
    pub supported_engines: Json,
    pub is_central: bool,
    pub last_seen_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

impl Weight for Client {
    fn row_id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> usize {
        let lists = [
            &self.supported_actions,
            &self.supported_modes,
            &self.supported_storages,
            &self.supported_engines,
        ];
        lists.map(|list| list.text().len()).iter().sum()
    }
}

/// What a scheduler says of itself when it registers.
#[derive(Debug, Clone)]
pub struct ClientSpec {
    /// The name it gives itself.
    pub client_id: String,
    /// The host it runs on.
    pub hostname: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// The blueprint's `config_id`.
    pub config_id: Option<String>,
    /// An id it brings.
    pub uuid: Option<String>,
    /// Whether it serves every project.
    pub is_central: bool,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// What a scheduler can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // four lists of words of the contract's vocabularies
pub struct Capabilities {
    pub actions: Vec<String>,
    pub modes: Vec<String>,
    pub storages: Vec<String>,
    pub engines: Vec<String>,
}

/// A change of a client; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = clients)]
#[allow(missing_docs)] // the columns
pub struct ClientChange {
    pub config_id: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub hostname: Option<Option<String>>,
    pub supported_actions: Option<Json>,
    pub supported_modes: Option<Json>,
    pub supported_storages: Option<Json>,
    pub supported_engines: Option<Json>,
}

impl ClientChange {
    /// The client as it is after the change.
    fn of(&self, client: &Client) -> Client {
        fn changed<T: Clone>(stored: &T, change: &Option<T>) -> T {
            change.as_ref().unwrap_or(stored).clone()
        }
        Client {
            config_id: changed(&client.config_id, &self.config_id),
            description: changed(&client.description, &self.description),
            hostname: changed(&client.hostname, &self.hostname),
            supported_actions: changed(&client.supported_actions, &self.supported_actions),
            supported_modes: changed(&client.supported_modes, &self.supported_modes),
            supported_storages: changed(&client.supported_storages, &self.supported_storages),
            supported_engines: changed(&client.supported_engines, &self.supported_engines),
            ..client.clone()
        }
    }
}

/// What became of a registration.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// A new row.
    Created,
    /// The client was there, and may have been updated.
    Known,
    /// The name belongs to another project's central client.
    Taken,
    /// The id it brought is another client's.
    IdTaken,
}

/// Registers a client, or updates what a registered one says of itself (contract, api-v2 §5).
pub fn register(tx: &mut Tx<'_>, project: &str, user: &str, spec: &ClientSpec) -> Outcome<Registered> {
    let Some(known) = look_up(tx, project, spec)? else {
        tx.expect_room()?;
        return insert(tx, project, user, spec);
    };
    if known.project_id != project {
        return Ok(Registered::Taken);
    }
    let capabilities = spec.capabilities.clone();
    let lists: [Json; 4] =
        [capabilities.actions, capabilities.modes, capabilities.storages, capabilities.engines]
            .map(Json::from);
    let same = [
        &known.supported_actions,
        &known.supported_modes,
        &known.supported_storages,
        &known.supported_engines,
    ]
    .into_iter()
    .eq(lists.iter())
        && known.description == spec.description;
    if same {
        return Ok(Registered::Known);
    }
    let [actions, modes, storages, engines] = lists;
    swapped(
        diesel::update(
            clients::table.filter(clients::id.eq(&known.id)).filter(clients::version.eq(known.version)),
        )
        .set((
            clients::description.eq(spec.description.clone()),
            clients::supported_actions.eq(actions),
            clients::supported_modes.eq(modes),
            clients::supported_storages.eq(storages),
            clients::supported_engines.eq(engines),
            clients::updated_at.eq(tx.now),
            clients::version.eq(known.version + 1),
        ))
        .execute(tx.connection)?,
    )?;
    Ok(Registered::Known)
}

/// Changes a client that nobody else has changed meanwhile; returns it as it is now. What changes nothing is not
/// written. `None`: there is another central client of this name on the host it would move to.
pub fn update(tx: &mut Tx<'_>, client: &Client, change: ClientChange) -> Outcome<Option<Client>> {
    let changed = change.of(client);
    if changed == *client {
        return Ok(Some(changed));
    }
    if client.is_central && changed.hostname != client.hostname {
        let hosts: Vec<Option<String>> = clients::table
            .filter(clients::client_id.eq(&client.client_id))
            .filter(clients::is_central.eq(true))
            .filter(clients::id.ne(&client.id))
            .select(clients::hostname)
            .load(tx.connection)?;
        if hosts.contains(&changed.hostname) {
            return Ok(None);
        }
    }
    let changed = Client { updated_at: tx.now, version: client.version + 1, ..changed };
    swapped(
        diesel::update(
            clients::table.filter(clients::id.eq(&client.id)).filter(clients::version.eq(client.version)),
        )
        .set((change, clients::updated_at.eq(changed.updated_at), clients::version.eq(changed.version)))
        .execute(tx.connection)?,
    )?;
    Ok(Some(changed))
}

/// The row a registration is about: a private client's is in its project or any central one of that name, a
/// central client's has the same name and host in any project.
fn look_up(tx: &mut Tx<'_>, project: &str, spec: &ClientSpec) -> Outcome<Option<Client>> {
    if !spec.is_central {
        return by_name(tx, project, &spec.client_id);
    }
    let central: Option<Client> = clients::table
        .filter(clients::client_id.eq(&spec.client_id))
        .filter(clients::is_central.eq(true))
        .filter(match &spec.hostname {
            Some(hostname) => Box::new(clients::hostname.eq(hostname.clone()))
                as Box<
                    dyn BoxableExpression<
                            clients::table,
                            MultiBackend,
                            SqlType = diesel::sql_types::Nullable<diesel::sql_types::Bool>,
                        >,
                >,
            None => Box::new(clients::hostname.is_null().nullable()),
        })
        .select(Client::as_select())
        .first(tx.connection)
        .optional()?;
    match central {
        Some(client) => Ok(Some(client)),
        None => own(tx, project, &spec.client_id),
    }
}

fn insert(tx: &mut Tx<'_>, project: &str, user: &str, spec: &ClientSpec) -> Outcome<Registered> {
    let id = spec.uuid.clone().unwrap_or_else(new_id);
    let taken = diesel::select(diesel::dsl::exists(clients::table.filter(clients::id.eq(&id))));
    if taken.get_result(tx.connection)? {
        return Ok(Registered::IdTaken);
    }
    let capabilities = spec.capabilities.clone();
    let client = Client {
        uuid: id.clone(),
        id,
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        client_id: spec.client_id.clone(),
        config_id: spec.config_id.clone(),
        description: spec.description.clone(),
        hostname: spec.hostname.clone(),
        supported_actions: capabilities.actions.into(),
        supported_modes: capabilities.modes.into(),
        supported_storages: capabilities.storages.into(),
        supported_engines: capabilities.engines.into(),
        is_central: spec.is_central,
        last_seen_at: None,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    diesel::insert_into(clients::table).values(client).execute(tx.connection)?;
    Ok(Registered::Created)
}

/// The client of that name in the project.
pub fn own(tx: &mut Tx<'_>, project: &str, name: &str) -> Outcome<Option<Client>> {
    Ok(clients::table
        .filter(clients::project_id.eq(project))
        .filter(clients::client_id.eq(name))
        .select(Client::as_select())
        .first(tx.connection)
        .optional()?)
}

/// The client of that name that the project sees: its own, else a central one (the oldest, if there are more).
pub fn by_name(tx: &mut Tx<'_>, project: &str, name: &str) -> Outcome<Option<Client>> {
    if let Some(client) = own(tx, project, name)? {
        return Ok(Some(client));
    }
    Ok(clients::table
        .filter(clients::client_id.eq(name))
        .filter(clients::is_central.eq(true))
        .order((clients::created_at, clients::id))
        .select(Client::as_select())
        .first(tx.connection)
        .optional()?)
}

/// The client that the project sees under that name, or else in the row of that id.
pub fn by_name_or_uuid(tx: &mut Tx<'_>, project: &str, word: &str) -> Outcome<Option<Client>> {
    if let Some(client) = by_name(tx, project, word)? {
        return Ok(Some(client));
    }
    Ok(by_row(tx, word)?.filter(|client| client.is_central || client.project_id == project))
}

/// The rows of the clients that the project calls by these names or uuids: its own, and every central one.
pub fn rows_called(tx: &mut Tx<'_>, project: &str, words: Vec<String>) -> Outcome<Vec<String>> {
    let seen = || clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true));
    // What can be no id is not compared with one: MySQL would refuse to.
    let ids: Vec<String> = words.iter().filter(|word| super::is_id(word)).cloned().collect();
    let named = clients::table.filter(clients::client_id.eq_any(words)).filter(seen()).select(clients::id);
    let mut rows: Vec<String> = named.load(tx.connection)?;
    let by_id = clients::table.filter(clients::id.eq_any(ids)).filter(seen()).select(clients::id);
    rows.extend(by_id.load::<String>(tx.connection)?);
    Ok(rows)
}

/// The client of that row.
pub fn by_row(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<Client>> {
    Ok(clients::table.find(id).select(Client::as_select()).first(tx.connection).optional()?)
}

/// The jobs that are attached to a client, oldest first.
pub fn attached_jobs(tx: &mut Tx<'_>, client: &str) -> Outcome<Vec<JobAttachment>> {
    Ok(job_attachments::table
        .filter(job_attachments::client_id.eq(client))
        .order((job_attachments::created_at, job_attachments::id))
        .select(JobAttachment::as_select())
        .load(tx.connection)?)
}

/// Deletes a client that nobody has changed since it was read, and that no job is attached to any more; the foreign key
/// sees to that.
pub fn delete(tx: &mut Tx<'_>, client: &Client) -> Outcome<()> {
    let as_read =
        clients::table.filter(clients::id.eq(&client.id)).filter(clients::version.eq(client.version));
    swapped(diesel::delete(as_read).execute(tx.connection)?)
}

/// Whether a poll at `now` is to be noted in the row.
pub fn is_stamp_due(last_seen_at: Option<Time>, now: Time) -> bool {
    !last_seen_at.is_some_and(|seen| lifecycle::is_recent(now - seen, SEEN_EVERY))
}

/// Notes that these clients (rows) have polled. Not a change of the resource, so the version stays.
pub fn stamp_seen(tx: &mut Tx<'_>, ids: &[String]) -> Outcome<()> {
    let (seen, rows) = (clients::last_seen_at.eq(Some(tx.now)), one_of(clients::id, ids.to_vec()));
    on_each!(tx.connection, c => update_kept(clients::table, seen, rows).execute(c))?;
    Ok(())
}
