//! oslo.config itself and this service read the same files, and must get the same values.

use std::io::Write;
use std::process::{Command, Stdio};

use freezer_api::config::{self, Options};
use oslo_config::Effective;
use oslo_config::option::Value;
use serde_json::{Value as Json, json};

/// Hand-written cases. Each is a list of files, the strongest last.
const CASES: &[&[&str]] = &[
    &[""],
    &["[DEFAULT]\ndebug = true\n"],
    &["[DEFAULT]\ndebug: TRUE\nbind_port:80"],
    &["debug = true"],
    &["[default]\ndebug = true"],
    &["[Default]\ndebug = nonsense"],
    &["[DEFAULT]\ndebug = 5"],
    &["[DEFAULT]\ndebug ="],
    &["[DEFAULT]\ndebug = true # comment"],
    &["[DEFAULT]\ndebug = on\n   # no comment"],
    &["[DEFAULT]\n  debug = on"],
    &["[DEFAULT]\ndebug\n"],
    &["[DEFAULT]\n= on\n"],
    &["[DEFAULT]\nDEBUG = on\n"],
    &["[DEFAULT]\nbind-port = 80\n"],
    &["[DEFAULT]\nbind_port = 65536\n"],
    &["[DEFAULT]\nbind_port = -1\n"],
    &["[DEFAULT]\nbind_port = ' 80 '\n"],
    &["[DEFAULT]\nbind_port = 0x50\n"],
    &["[DEFAULT]\nbind_port = \"80\"\n"],
    &["[DEFAULT]\nbind_port = 80\nbind_port = 81\n"],
    &["[DEFAULT]\nlog_file = \"a b \"\nlog_dir = '\n"],
    &["[DEFAULT]\nlog_file = \"a\nlog_dir = a\"\n"],
    &["[DEFAULT]\nlog_file = 'a\"\nlog_dir = \"\"a\"\"\n"],
    &["[DEFAULT]\nlog_file = a\n b\n\tc  \nlog_dir = =:=\n"],
    &["[DEFAULT]\nlog_file = \"a\n b\"\n"],
    &["[DEFAULT]\nlog_file = a\n\n b\n"],
    &["[DEFAULT]\nlog_file = a\n# x\n b\n"],
    &["[DEFAULT]\nlog_file = a\r\n b\r\nlog_dir = c\r\n"],
    &["[DEFAULT]\rlog_file = a\rlog_dir = c\r"],
    &["[DEFAULT]\nlog_file = a;b\n;log_file = c\n#log_file = d\n"],
    &["[DEFAULT]\nlog_file = \u{e9}\u{a0}\n"],
    &["\u{feff}[DEFAULT]\nlog_file = a\n"],
    &["[DEFAULT]\nlogfile = a\n"],
    &["[DEFAULT]\nlogfile = a\nlog_file = b\n"],
    &["[DEFAULT]\nlog_file = a\nlogfile = b\n"],
    &["[DEFAULT]\nlog_file = a\n", "[DEFAULT]\nlogfile = b\n"],
    &["[DEFAULT]\nlogfile = a\n", "[DEFAULT]\nlog_file = b\n"],
    &["[DEFAULT]\ndefault_log_levels = a=WARN, b=INFO,\n"],
    &["[DEFAULT]\ndefault_log_levels =\n  a=WARN,\n  b=INFO,,\n"],
    &["[DEFAULT]\ndefault_log_levels = a=WARN\ndefault_log_levels = b=WARN\n"],
    &["[DEFAULT] \nlog_file = a\n"],
    &["[DEFAULT] # x\nlog_file = a\n"],
    &["[DEFAULT\nlog_file = a\n"],
    &["[]\nlog_file = a\n"],
    &["[ DEFAULT ]\nlog_file = a\n"],
    &["[DATABASE]\nconnection = a\n[database]\nmax_retries = 5\n[Database]\nmysql_sql_mode =\n"],
    &["[DATABASE]\nsql_connection = a\n"],
    &["[DEFAULT]\nsql_connection = a\n[sql]\nconnection = b\n"],
    &["[database]\nmax_retries = -2\n"],
    &["[database]\nmax_retries = +7\n"],
    &["[database]\nmax_retries = 1.0\n"],
    &["[DEFAULT]\nsqlite_synchronous = no\n[database]\nsqlite_synchronous = maybe\n"],
    &["[keystone_authtoken]\nuser-name = a\n"],
    &["[keystone_authtoken]\nuser_name = a\nuser-name = b\n"],
    &["[keystone_authtoken]\nusername = a\nuser-name = b\n"],
    &["[keystone_authtoken]\nservice_token_roles = ,a,, b ,\n"],
    &["[keystone_authtoken]\nservice_token_roles =\n"],
    &["[oslo_policy]\npolicy_dirs = a\npolicy_dirs = b,c\n"],
    &["[oslo_policy]\npolicy_dirs = a\n", "[oslo_policy]\npolicy_dirs = b\npolicy_dirs = c\n"],
    &["[oslo_policy]\npolicy_dirs =\n"],
    &["[oslo_policy]\nremote_timeout = 1e1\n"],
    &["[oslo_policy]\nremote_timeout = .5\n"],
    &["[oslo_policy]\nremote_timeout = -.5\n"],
    &["[oslo_policy]\nremote_timeout = 5 s\n"],
    &["[nothing]\nx = y\n[DEFAULT]\nnothing = 5\n"],
    &["[DEFAULT]\nlog_dir = /var\nlog_file = $log_dir/x-${bind_port}-$debug\n"],
    &["[DEFAULT]\nlog_dir = $database.connection|${oslo_policy.policy_dirs}|$oslo_policy.remote_timeout\n"],
    &["[DEFAULT]\nlog_dir = $DEFAULT.debug\n"],
    &["[DEFAULT]\nlog_dir = $database\n"],
    &["[DEFAULT]\nlog_dir = $log_file.\n"],
    &["[DEFAULT]\nlog_dir = $Debug\n"],
    &["[DEFAULT]\nlog_dir = x$log_file-y\n"],
    &["[DEFAULT]\nlog_dir = $DATABASE.connection\n"],
    &["[DEFAULT]\nlog_dir = $logfile\nlogfile = x\n"],
    &["[DEFAULT]\nlog_dir = $default_log_levels\ndefault_log_levels = a=b, c=d\n"],
    &["[keystone_authtoken]\npassword = a$$b\\$c$5$ ${ ${x $-\n"],
    &["[keystone_authtoken]\npassword = a$b\n"],
    &["[keystone_authtoken]\npassword = ${a b}\n"],
    &["[keystone_authtoken]\npassword = $$$username\nusername = $debug\n[DEFAULT]\ndebug = yes\n"],
    &["[keystone_authtoken]\npassword = $connection\n"],
    &["[keystone_authtoken]\npassword = $log_dir\n[DEFAULT]\nlog_dir = $log_file\nlog_file = end\n"],
    &["[keystone_authtoken]\npassword = $password\n"],
    &["[DEFAULT]\nlog_dir = $log_file\nlog_file = $log_dir\n"],
    &["[DEFAULT]\nlog_dir = $bind_port\nbind_port = x\n"],
    &["[oslo_policy]\npolicy_dirs = $policy_file\npolicy_dirs = $$x\n"],
    &["[DEFAULT]\nbind_port = 8${database.max_retries}\n"],
    &["[DEFAULT]\ndebug = true\nlog_file = a\n", "[DEFAULT]\ndebug = false\n", "[DEFAULT]\nlog_dir = b"],
];

/// Fragments that are combined at random.
const PIECES: &[&str] = &[
    "[DEFAULT]",
    "[default]",
    "[DATABASE]",
    "[database]",
    "[Keystone_authtoken]",
    "[oslo_policy]",
    "[x]",
    "\n",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\n ",
    "\n\t",
    "\n# c",
    "\n\n",
    "debug",
    "bind_port",
    "log_file",
    "log_dir",
    "logfile",
    "connection",
    "sql_connection",
    "max_retries",
    "username",
    "user-name",
    "password",
    "policy_dirs",
    "remote_timeout",
    "default_log_levels",
    " = ",
    "=",
    ":",
    " : ",
    "true",
    "no",
    "5",
    "-1",
    " 7 ",
    "0.5",
    "text",
    "a,b,",
    "\"q\"",
    "'",
    "\"",
    "$debug",
    "${log_dir}",
    "$database.max_retries",
    "$$",
    "\\$",
    "$nothing",
    "#",
    ";",
    " ",
    "$",
];

fn read(texts: &[String]) -> Option<Effective> {
    let directory = tempfile::tempdir().unwrap();
    let config_file = texts.iter().enumerate().map(|(number, text)| {
        let path = directory.path().join(format!("{number}.conf"));
        std::fs::write(&path, text).unwrap();
        path
    });
    config::load(&Options { config_file: config_file.collect(), ..Options::default() }, None).ok()
}

fn json(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Text(text)) => json!(text),
        Some(Value::Bool(value)) => json!(value),
        Some(Value::Int(number)) => json!(number),
        Some(Value::Float(number)) => json!(number),
        Some(Value::List(items)) => json!(items),
    }
}

/// A pseudo-random number generator with a fixed seed.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 1_u64;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn the_real_oslo_config_gets_the_same_values() {
    let mut cases: Vec<Vec<String>> =
        CASES.iter().map(|case| case.iter().map(|text| (*text).to_owned()).collect()).collect();
    let mut number = numbers();
    for _ in 0..600 {
        let mut text = String::from("[DEFAULT]\n");
        for _ in 0..number(8) {
            for _ in 0..=number(6) {
                text.push_str(PIECES[number(PIECES.len())]);
            }
            text.push('\n');
        }
        cases.push(vec![text]);
    }

    let python = std::env::var("FREEZER_TEST_PYTHON")
        .expect("FREEZER_TEST_PYTHON is not set: run scripts/test, which sets it");
    let mut oslo = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/oslo.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    oslo.stdin.take().unwrap().write_all(json!(cases).to_string().as_bytes()).unwrap();
    let output = oslo.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();

    let (mut accepted, mut differences) = (0, Vec::new());
    for (case, answer) in cases.iter().zip(&answers) {
        let ours = read(case);
        let Some(values) = answer.as_array() else {
            if ours.is_some() {
                differences.push(format!("oslo.config refuses {case:?}"));
            }
            continue;
        };
        let Some(ours) = ours else {
            differences.push(format!("oslo.config takes {case:?}"));
            continue;
        };
        accepted += 1;
        for value in values {
            let (group, name) = (value[0].as_str().unwrap(), value[1].as_str().unwrap());
            let setting = ours
                .settings
                .iter()
                .find(|setting| setting.group == group && setting.opt.name == name)
                .unwrap();
            // An empty number means the default here, and None in oslo.config.
            if value[2].is_null() && matches!(setting.value, Some(Value::Int(_) | Value::Float(_))) {
                continue;
            }
            let (ours, theirs) = (json(setting.value.as_ref()), &value[2]);
            let same = ours == *theirs || (ours.is_f64() && ours.as_f64() == theirs.as_f64());
            if !same {
                differences.push(format!("[{group}] {name}: {ours}, and not {theirs}, of {case:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(accepted > 100, "{accepted}");
}
