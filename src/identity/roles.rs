//! OpenStack's four default roles, and which of them imply others.

use clap::ValueEnum;

/// A role that can be given on a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// May do everything, in every project where the policy says `role:admin`.
    Admin,
    /// May use the project: what an operator of backups and a scheduler need.
    Member,
    /// May look.
    Reader,
    /// One service to another; a central scheduler.
    Service,
}

impl Role {
    /// The role's name, as policies and tokens write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Reader => "reader",
            Self::Service => "service",
        }
    }
}

/// The given roles with those they imply, as Keystone's bootstrap sets them up: admin implies member, member implies
/// reader, and `service` implies none. Without duplicates, in the order admin, member, reader, then the others.
pub(super) fn with_implied(given: &[String]) -> Vec<String> {
    const LADDER: [&str; 3] = ["admin", "member", "reader"];
    let top = LADDER.iter().position(|rung| given.iter().any(|role| role == rung));
    let implied = LADDER.iter().skip(top.unwrap_or(LADDER.len())).map(|rung| (*rung).to_owned());
    let others = given.iter().filter(|role| !LADDER.contains(&role.as_str())).cloned();
    implied.chain(others).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn roles_imply_what_is_below_them() {
        let with_implied = |given: &[&str]| {
            let given: Vec<_> = given.iter().map(|role| (*role).to_owned()).collect();
            super::with_implied(&given).join(" ")
        };
        assert_eq!(with_implied(&["admin"]), "admin member reader");
        assert_eq!(with_implied(&["member", "service"]), "member reader service");
        assert_eq!(with_implied(&["reader", "member"]), "member reader");
        assert_eq!(with_implied(&["service"]), "service");
        assert_eq!(with_implied(&[]), "");
    }
}
