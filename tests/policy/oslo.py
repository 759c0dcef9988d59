"""What oslo.policy decides, for the tests to compare with.

    oslo.py language            writes rule sets, questions about them and oslo.policy's answers
    oslo.py files DIRECTORY     makes configurations below the directory, and writes questions and answers;
                                the service's table of rules comes on standard input

All is JSON, one object a line. The cases are random, but the same in each run.
"""
import json
import logging
import os
import random
import sys

import yaml
from oslo_config import cfg
from oslo_policy import policy

SETS = 300
CONFIGURATIONS = 60

NAMES = ["r0", "r1", "r2", "r3", "r4", "r5"]
ROLES = ["admin", "Admin", "member", "READER", "100%%", "%(role)s", "%(missing)s", "%(n)d", "", "a:b", "x(y)", "100%"]
KINDS = [
    "project_id", "user_id", "is_admin", "domain_id", "roles", "n", "missing", "token.user.id", "token.groups.name",
    "token.missing.id", "token.groups", "user_id.id", "domain_id.id", "token.groups.name.id", "list", "float",
    "True", "False", "None", "'p1'", '"p1"', "5", "-5", "+5", "5.0", "-0.5", ".5", "1e3",
    "true", "foo-bar", "class", "a..b", "1a", "01", "", "'open", "%(n)s", "Role", "RULE",
]
MATCHES = [
    "%(project_id)s", "%(user.id)s", "%(missing)s", "%(flag)s", "%(nothing)s", "%(n)s", "%(n)d", "%(project_id)d",
    "p1", "p2", "u1", "True", "False", "None", "5", "-5", "5.0", "10", "1000.0", "member", "admin", "it's", "its",
    "aA", "a\\n", "100%", "100%%", "%(project_id)s%(n)s", "%(project_id)-4s|", "%(project_id).1s", "%(project_id)r",
    "g2", "", "%", "%(", "%(project_id)", "a(b)", "%(odd(key))s", "[1,", "1.5",
]
WORDS = ["nonsense", "'quoted'", '"quoted"', "'a':'a'", "()", "(", ")", "or", "and", "not", "@@", "!!"]
BLANKS = [" ", " ", " ", "  ", "\t", "\n", "\u00a0"]

CREDENTIALS = [
    {
        "domain_id": None, "float": 1.5, "is_admin": False, "list": [1, "p1", None, ["x"]], "n": 5, "project_id": "p1",
        "roles": ["member", "reader"],
        "token": {"groups": [{"name": "g1"}, {"name": "g2"}], "user": {"id": "u1"}}, "user_id": "u1",
    },
    {
        "domain_id": "d1", "is_admin": True, "list": [], "n": -5, "project_id": "p2", "roles": ["Admin"],
        "token": {"groups": [], "user": {}}, "user_id": "u2",
    },
    {"roles": []},
    {"user_id": "u1"},
]
TARGETS = [
    {"flag": True, "n": 5, "nothing": None, "odd(key)": "odd", "project_id": "p1", "role": "Member", "user.id": "u1"},
    {"flag": False, "n": -5, "project_id": "p2", "role": "admin", "user.id": "u2"},
    {},
]


def check(rng):
    kind = rng.choices(["rule", "role", "generic", "all", "none", "word"], [5, 6, 8, 1, 1, 1])[0]
    if kind == "rule":
        return "rule:" + rng.choice(NAMES + ["default", "unknown"])
    if kind == "role":
        return "role:" + rng.choice(ROLES)
    if kind == "generic":
        return rng.choice(KINDS) + ":" + rng.choice(MATCHES)
    return {"all": "@", "none": "!"}.get(kind) or rng.choice(WORDS)


def expression(rng, depth):
    shape = rng.random()
    if depth == 0 or shape < 0.3:
        return [check(rng)]
    word = lambda w: rng.choice([w, w, w.upper(), w.title()])
    if shape < 0.45:
        return [word("not")] + expression(rng, depth - 1)
    if shape < 0.65:
        inner = expression(rng, depth - 1)
        if rng.random() < 0.3:
            return ["("] + inner + [")"]
        return ["(" + inner[0]] + inner[1:-1] + [inner[-1] + ")"] if len(inner) > 1 else ["(" + inner[0] + ")"]
    joined = expression(rng, depth - 1)
    for _ in range(rng.randint(1, 3)):
        joined += [word(rng.choice(["and", "or"]))] + expression(rng, depth - 1)
    return joined


def text(rng):
    words = expression(rng, rng.randint(0, 3))
    if rng.random() < 0.1:
        at = rng.randrange(len(words))
        words[at:at + 1] = rng.choice([[], [words[at]] * 2, [rng.choice(WORDS)]])
    out = ""
    for word in words:
        out += (rng.choice(BLANKS) if out else "") + word
    return out


def rule(rng):
    shape = rng.random()
    if shape < 0.85:
        return text(rng)
    if shape < 0.9:
        return rng.choice(["", None, [], [[]], [""], " "])
    inner = lambda: [check(rng) for _ in range(rng.randint(0, 3))]
    return [rng.choice([check(rng), inner(), inner()]) for _ in range(rng.randint(1, 3))]


def written(rng, rules):
    return rng.choice([
        lambda: json.dumps(rules),
        lambda: json.dumps(rules, indent=4),
        lambda: yaml.safe_dump(rules),
        lambda: yaml.safe_dump(rules, default_flow_style=False, width=40, default_style='"'),
    ])()


def answer(enforcer, name, target, credentials):
    try:
        return "yes" if enforcer.enforce(name, target, dict(credentials)) else "no"
    except Exception:
        return "error"


def language():
    conf = cfg.ConfigOpts()
    conf([])
    rng = random.Random(20260601)
    for _ in range(SETS):
        names = rng.sample(NAMES, rng.randint(1, len(NAMES))) + ["default"] * (rng.random() < 0.4)
        content = written(rng, {name: rule(rng) for name in names})
        rules = policy.Rules.load(content, "default")
        enforcer = policy.Enforcer(conf, rules=rules, use_conf=False)
        questions = []
        for name in names + ["unknown"]:
            for credentials in rng.sample(CREDENTIALS, 3):
                target = rng.choice(TARGETS)
                questions.append({
                    "rule": name, "target": target, "credentials": credentials,
                    "answer": answer(enforcer, name, target, credentials),
                })
        shown = {name: str(rules[name]) for name in names}
        print(json.dumps({"text": content, "shown": shown, "questions": questions}))


def files(root):
    table = json.load(sys.stdin)
    defaults = [
        policy.RuleDefault(entry["name"], entry["check"], scope_types=entry["scopes"]) for entry in table
    ]
    cloud_wide = {entry["name"] for entry in table if entry["is_cloud_wide"]}
    names = [entry["name"] for entry in table]
    rng = random.Random(6)

    def put(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        overrides = rng.sample(names, 6) + rng.sample(["mine", "default", "jobs:get", "admin_or_owner"], 2)
        rules = {
            name: rng.choice([
                "", "!", "role:operator", "rule:mine", "role:member", "rule:admin_or_owner", "project_id:%(project_id)s",
                "role:operator and project_id:%(project_id)s", "not role:operator", "nonsense", ["role:operator"],
            ])
            for name in overrides
        }
        with open(path, "w") as file:
            file.write(written(rng, rules))

    for number in range(CONFIGURATIONS):
        directory = os.path.join(root, str(number))
        os.makedirs(directory)
        if rng.random() < 0.7:
            put(os.path.join(directory, "policy.yaml"))
        if rng.random() < 0.8:
            some = rng.sample(["10-a.yaml", "9.json", "B", "a.yaml", "a-b.yaml", "z~", ".hidden.yaml", "sub/in.yaml"], 4)
            for name in some:
                put(os.path.join(directory, "policy.d", name))
        config_file = os.path.join(directory, "freezer-api.conf")
        open(config_file, "w").close()
        conf = cfg.ConfigOpts()
        conf(["--config-file", config_file], project="none-such")
        enforcer = policy.Enforcer(conf)
        enforcer.register_defaults(defaults)
        questions = []
        for name in names + ["mine", "unknown"]:
            roles = rng.sample(["admin", "member", "reader", "service", "operator", "Operator"], rng.randint(0, 2))
            scopes = [("project_id", "p1"), ("project_id", "p1"), ("project_id", "p2"), ("domain_id", "d")]
            # oslo.policy knows no scope of rules that it does not know; the service never asks for those.
            scope = rng.choice(scopes if name in names else scopes[:3])
            credentials = {
                "user_id": "u", "roles": roles, "project_id": None, "domain_id": None, scope[0]: scope[1],
            }
            target = {} if name in cloud_wide else {"project_id": "p1"}
            questions.append({
                "rule": name, "roles": roles, scope[0]: scope[1], "answer": answer(enforcer, name, target, credentials),
            })
        print(json.dumps({"directory": directory, "questions": questions}))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    if sys.argv[1] == "language":
        language()
    else:
        files(sys.argv[2])
