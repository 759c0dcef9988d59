"""Says what is wrong with the OpenAPI document on standard input by the specification's own schema, one a line."""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

problems = list(OpenAPIV31SpecValidator(json.load(sys.stdin)).iter_errors())
for problem in problems:
    print("/".join(map(str, problem.absolute_path)), problem.message[:300])
sys.exit(1 if problems else 0)
