//! Clients: rows and queries.

mod list;

use chrono::TimeDelta;
use diesel::prelude::*;

use super::engine::connection::MultiBackend;
use super::engine::dialect::{cached_update, in_list, on_each};
use super::job_attachments::JobAttachment;
use super::listing::Weight;
use super::schema::{clients, job_attachments};
use super::types::json::Json;
use super::types::time::Time;
use super::versioned::{bump, change, lookups, remove};
use super::{Outcome, Tx, new_id};
use crate::lifecycle;

pub use list::{KEYS, STATES, list};

/// The shortest time between two stamps of a client that polls. The stamp shows whether a client is up, and is no log of
/// polls; `[DEFAULT] client_down_time` is at least twice this.
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

/// What a scheduler sends when it registers.
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
    /// The id that it asks for, if any.
    pub uuid: Option<String>,
    /// Whether it serves every project.
    pub is_central: bool,
    /// Its capabilities.
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

change! {
    /// A change of a client; `None` keeps a column.
    pub struct ClientChange of clients: Client {
        config_id: Option<String>,
        description: Option<String>,
        hostname: Option<String>,
        supported_actions: Json,
        supported_modes: Json,
        supported_storages: Json,
        supported_engines: Json,
    }
}

/// The result of a registration.
#[derive(Debug, PartialEq, Eq)]
pub enum Registration {
    /// A new row.
    Created,
    /// The client exists already, and was updated if it had changed.
    Known,
    /// The name belongs to another project's central client.
    Taken,
    /// The id that it asked for belongs to another client.
    IdTaken,
}

/// Registers a client, or updates its description and capabilities if it is registered (contract, api-v2 §5).
pub fn register(tx: &mut Tx<'_>, project: &str, user: &str, spec: &ClientSpec) -> Outcome<Registration> {
    let Some(known) = look_up(tx, project, spec)? else {
        tx.expect_room()?;
        return insert(tx, project, user, spec);
    };
    if known.project_id != project {
        return Ok(Registration::Taken);
    }
    let Capabilities { actions, modes, storages, engines } = spec.capabilities.clone();
    let change = ClientChange {
        description: Some(spec.description.clone()),
        supported_actions: Some(actions.into()),
        supported_modes: Some(modes.into()),
        supported_storages: Some(storages.into()),
        supported_engines: Some(engines.into()),
        ..ClientChange::default()
    };
    update(tx, &known, change)?;
    Ok(Registration::Known)
}

/// Changes a client if its version is still the same, and returns it. An empty change is not written. `None`: another
/// central client of this name is on the new host.
pub fn update(tx: &mut Tx<'_>, client: &Client, change: ClientChange) -> Outcome<Option<Client>> {
    let change = change.without_repeats(client);
    if change.is_empty() {
        return Ok(Some(client.clone()));
    }
    if client.is_central
        && let Some(hostname) = &change.hostname
    {
        let hosts: Vec<Option<String>> = clients::table
            .filter(clients::client_id.eq(&client.client_id))
            .filter(clients::is_central.eq(true))
            .filter(clients::id.ne(&client.id))
            .select(clients::hostname)
            .load(tx.connection)?;
        if hosts.contains(hostname) {
            return Ok(None);
        }
    }
    bump!(tx, clients, client, &change)?;
    Ok(Some(change.applied_to(client, tx.now)))
}

/// The row that a registration refers to. For a private client it is the client of this name in its project, or else any
/// central one; for a central client, the one with the same name and host in any project.
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

fn insert(tx: &mut Tx<'_>, project: &str, user: &str, spec: &ClientSpec) -> Outcome<Registration> {
    let id = spec.uuid.clone().unwrap_or_else(new_id);
    if is_taken(tx, &id)? {
        return Ok(Registration::IdTaken);
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
    Ok(Registration::Created)
}

/// The project's own client of this name.
pub fn own(tx: &mut Tx<'_>, project: &str, name: &str) -> Outcome<Option<Client>> {
    Ok(clients::table
        .filter(clients::project_id.eq(project))
        .filter(clients::client_id.eq(name))
        .select(Client::as_select())
        .first(tx.connection)
        .optional()?)
}

/// The client of this name that the project sees: its own, or else the oldest central one.
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

/// The client that the project sees under this name, or else under this id.
pub fn by_name_or_uuid(tx: &mut Tx<'_>, project: &str, word: &str) -> Outcome<Option<Client>> {
    if let Some(client) = by_name(tx, project, word)? {
        return Ok(Some(client));
    }
    Ok(by_id(tx, word)?.filter(|client| client.is_central || client.project_id == project))
}

/// The ids of the clients with these names or ids that the project sees: its own, and every central one.
pub fn rows_called(tx: &mut Tx<'_>, project: &str, words: Vec<String>) -> Outcome<Vec<String>> {
    let seen = || clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true));
    // MySQL refuses to compare other text with an id.
    let ids: Vec<String> = words.iter().filter(|word| super::is_id(word)).cloned().collect();
    let named = clients::table.filter(clients::client_id.eq_any(words)).filter(seen()).select(clients::id);
    let mut rows: Vec<String> = named.load(tx.connection)?;
    let by_id = clients::table.filter(clients::id.eq_any(ids)).filter(seen()).select(clients::id);
    rows.extend(by_id.load::<String>(tx.connection)?);
    Ok(rows)
}

lookups!(clients: Client { is_taken });

/// The client of this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<Client>> {
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

/// Deletes a client if its version is still the same. The foreign key refuses it while a job is attached.
pub fn delete(tx: &mut Tx<'_>, client: &Client) -> Outcome<()> {
    remove!(tx, clients, client)
}

/// Whether a poll at `now` has to be stamped.
pub fn is_stamp_due(last_seen_at: Option<Time>, now: Time) -> bool {
    !last_seen_at.is_some_and(|seen| lifecycle::is_recent(now - seen, SEEN_EVERY))
}

/// Stamps these clients, which have polled. The version stays, because a stamp is no change of the resource.
pub fn stamp_seen(tx: &mut Tx<'_>, ids: &[String]) -> Outcome<()> {
    let (seen, rows) = (clients::last_seen_at.eq(Some(tx.now)), in_list(clients::id, ids.to_vec()));
    on_each!(tx.connection, c => cached_update(clients::table, seen, rows).execute(c))?;
    Ok(())
}
