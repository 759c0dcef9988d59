//! Rows that HTTP does not show: a trust without a Keystone, the columns of reports, and the counts after a delete.

use diesel::prelude::*;
use freezer_api::store::reports::ActionReport;
use freezer_api::store::schema::{
    action_attachments, action_reports, backups, clients, job_attachments, job_trusts, jobs, sessions,
};

use crate::api::{Api, Caller};

impl Caller<'_> {
    /// Stores a trust for the job, as if a Keystone had made it.
    pub fn store_trust(&self, job: &str, trust: &str) {
        let now = freezer_api::store::now();
        diesel::update(jobs::table.find(job))
            .set(jobs::has_trust.eq(true))
            .execute(&mut self.api.database())
            .unwrap();
        diesel::insert_into(job_trusts::table)
            .values((
                job_trusts::id.eq(uuid::Uuid::new_v4().simple().to_string()),
                job_trusts::project_id.eq(&self.project),
                job_trusts::user_id.eq(&self.user),
                job_trusts::job_id.eq(job),
                job_trusts::trust_id.eq(trust),
                job_trusts::trustor_user_id.eq("trustor"),
                job_trusts::created_at.eq(now),
                job_trusts::updated_at.eq(now),
            ))
            .execute(&mut self.api.database())
            .unwrap();
    }

    /// The project's history, oldest run first.
    pub fn reports(&self) -> Vec<ActionReport> {
        action_reports::table
            .filter(action_reports::project_id.eq(&self.project))
            .order((action_reports::report_date, action_reports::id))
            .select(ActionReport::as_select())
            .load(&mut self.api.database())
            .unwrap()
    }

    pub fn rows(&self) -> Rows {
        Rows::count(self.api, &self.project)
    }
}

/// The number of rows that a project has in the tables that refer to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    pub clients: i64,
    pub jobs: i64,
    pub action_attachments: i64,
    pub job_attachments: i64,
    pub sessions: i64,
    pub trusts: i64,
    pub reports: i64,
    pub backups: i64,
}

impl Rows {
    pub fn count(api: &Api, project: &str) -> Self {
        let mut connection = api.database();
        macro_rules! count {
            ($table:ident) => {
                $table::table
                    .filter($table::project_id.eq(project))
                    .count()
                    .get_result(&mut connection)
                    .unwrap()
            };
        }
        Self {
            clients: count!(clients),
            jobs: count!(jobs),
            action_attachments: count!(action_attachments),
            job_attachments: count!(job_attachments),
            sessions: count!(sessions),
            trusts: count!(job_trusts),
            reports: count!(action_reports),
            backups: count!(backups),
        }
    }
}
