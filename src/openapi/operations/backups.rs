//! Backups.

use front::http::Method::{Delete, Patch, Post};

use super::Group;
use crate::document::backups::{BACKUP, BACKUP_CREATED, BACKUP_DOCUMENT, BACKUP_PATCH, COLLECTION};
use crate::openapi::operation::Operation;

pub fn group() -> Group {
    const LIST: &str = "/backups";
    const ONE: &str = "/backups/{backup_id}";
    Group {
        name: "Backups",
        description: "What exists in storage, as the agents report it.",
        operations: vec![
            Operation::list("list_backups", &COLLECTION, &BACKUP_DOCUMENT).searches(),
            Operation::project(Post, LIST, "create_backup").takes(&BACKUP).creates(&BACKUP_CREATED),
            Operation::show(ONE, "show_backup", &BACKUP_DOCUMENT),
            Operation::change(Patch, ONE, "update_backup")
                .about("The outcome must be a backup as it could be entered, else the answer is a 400.")
                .takes(&BACKUP_PATCH)
                .answers(200, "The whole backup.", &BACKUP_DOCUMENT)
                .tagged(),
            Operation::change(Delete, ONE, "delete_backup")
                .about("The entry, not what is in storage. 404 for one that is not there.")
                .no_content("It is gone."),
        ],
    }
}
