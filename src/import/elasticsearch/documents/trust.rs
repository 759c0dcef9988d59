//! Trusts, which no release has written to Elasticsearch, and which are read all the same.

use super::{Content, Unreadable, business_id, unreadable};
use crate::import::elasticsearch::fields::Fields;
use crate::import::legacy::{Body, Trust};

pub fn read(fields: &mut Fields, id: Option<&str>) -> Result<Content, Unreadable> {
    let id = business_id(fields, "id", id)?;
    match (fields.word("job_id"), fields.word("trust_id")) {
        (Some(job_id), Some(trust_id)) => {
            let trustor_user_id = fields.text("trustor_user_id").unwrap_or_default();
            Ok(Content { id, created: None, body: Body::Trust(Trust { job_id, trust_id, trustor_user_id }) })
        }
        _ => unreadable(fields, "bad-json", "A trust has a `job_id` and a `trust_id`."),
    }
}
