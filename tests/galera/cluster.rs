//! Three nodes, and the invariants that hold on all of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::node::{Node, Ports};
use crate::process::{free_ports, wait_for};

const USERS: &str = "CREATE DATABASE freezer;\n\
                     CREATE USER freezer@'%' IDENTIFIED BY 'freezer';\n\
                     GRANT ALL ON *.* TO freezer@'%';\n\
                     CREATE USER haproxy_check@'%';\n";

pub struct Cluster {
    pub nodes: [Node; 3],
}

impl Cluster {
    pub fn start(scratch: &Path) -> Self {
        let clients = free_ports::<3>();
        let group = free_ports::<3>();
        let (missed, all) = (free_ports::<3>(), free_ports::<3>());
        let addresses = group.map(|port| format!("127.0.0.1:{port}")).join(",");
        let mut nodes = [0, 1, 2].map(|n| {
            let ports = Ports { clients: clients[n], group: group[n], missed: missed[n], all: all[n] };
            Node::new(scratch, &format!("db{}", n + 1), ports, &addresses)
        });
        nodes[0].found(USERS);
        nodes[1].join();
        nodes[2].join();
        let cluster = Self { nodes };
        cluster.await_whole();
        cluster
    }

    /// Waits until each node sees all three and is in sync.
    #[track_caller]
    pub fn await_whole(&self) {
        wait_for("the cluster is whole", Duration::from_secs(60), || {
            self.nodes.iter().all(|node| node.is_synced() && node.status("wsrep_cluster_size") == 3)
        });
    }

    /// The number of transactions that Galera rolled back because of a write on another node: before the commit, and at
    /// certification.
    pub fn conflicts(&self) -> u64 {
        let each =
            |node: &Node| node.status("wsrep_local_bf_aborts") + node.status("wsrep_local_cert_failures");
        self.nodes.iter().map(each).sum()
    }

    /// Tables that Galera does not support: without InnoDB or a primary key.
    pub fn tables_without_key(&self) -> String {
        self.nodes[0].sql(
            "SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.table_constraints c \
             ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.constraint_type = 'PRIMARY KEY' \
             WHERE t.table_schema = 'freezer' AND (c.table_name IS NULL OR t.engine <> 'InnoDB')",
        )
    }

    /// Rows without their parent, for each foreign key, on each node.
    pub fn orphans(&self) -> Vec<String> {
        let keys = self.nodes[0].sql(
            "SELECT table_name, referenced_table_name, GROUP_CONCAT(CONCAT('p.', referenced_column_name, ' = c.', \
             column_name) SEPARATOR ' AND '), GROUP_CONCAT(CONCAT('c.', column_name, ' IS NOT NULL') SEPARATOR ' AND ') \
             FROM information_schema.key_column_usage WHERE table_schema = 'freezer' AND referenced_table_name IS NOT NULL \
             GROUP BY constraint_name, table_name, referenced_table_name",
        );
        assert!(keys.lines().count() > 5, "{keys}");
        let mut found = Vec::new();
        for key in keys.lines() {
            let [child, parent, same, set] = key.split('\t').collect::<Vec<_>>()[..] else { panic!("{key}") };
            let sql = format!(
                "SELECT COUNT(*) FROM {child} c WHERE {set} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {same})"
            );
            for node in &self.nodes {
                let count = node.sql(&sql);
                if count.trim() != "0" {
                    found.push(format!(
                        "{}: {} rows of {child} without their {parent}",
                        node.name,
                        count.trim()
                    ));
                }
            }
        }
        found
    }

    /// Tables that differ between nodes.
    pub fn disagreements(&self) -> Vec<String> {
        let tables = self.nodes[0].sql("SHOW TABLES");
        let all = tables.split_whitespace().collect::<Vec<_>>().join(", ");
        let sums = self.nodes.each_ref().map(|node| node.sql(&format!("CHECKSUM TABLE {all}")));
        let lines: Vec<Vec<&str>> = sums.iter().map(|sum| sum.lines().collect()).collect();
        (0..lines[0].len())
            .filter(|n| lines.iter().any(|sum| sum.get(*n) != lines[0].get(*n)))
            .map(|n| lines[0][n].to_owned())
            .collect()
    }

    /// The ids of a table on each node.
    pub fn ids(&self, table: &str) -> [BTreeSet<String>; 3] {
        let sql = format!("SELECT id FROM {table}");
        self.nodes.each_ref().map(|node| node.sql(&sql).lines().map(str::to_owned).collect())
    }
}
