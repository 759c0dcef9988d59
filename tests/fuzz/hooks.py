"""What JSON Schema has no words for."""

import re

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.openapi.checks import RejectedPositiveData

# Beyond this a number's neighbours are more than 1 apart, and it is no longer clear which integer is meant.
EXACT = 2**53

# Conditions that hold.
CONDITIONS = {"If-Match": "*", "If-None-Match": '"none"'}

# Parameters of lists that do not go with each of the others, or not with any value.
LONERS = ("marker", "all_projects", "with_count")

# Why a request may be refused that is as the description wants it.
REASONS = re.compile(
    "marker .* is none of these|marker must be the id of an item, and goes without an offset"
    "|The filters may have 100 values together"
    "|with_count does not go with a search for keys inside the documents"
    "|The jobs of all projects are listed by"
    "|[a-z-]+ are filtered by query parameters, not in the body"
    "|An attachment's (job|action) cannot be changed"
    "|A run that succeeded leaves no log"
    "|A search has at most 100 conditions and words"  # in all of its parts together
    "|At /(job_schedule|schedule)/schedule_[a-z_]+: this value must be "  # what a scheduler can arm
    "|At /job_actions/[0-9]+/freezer_action/(action|mode): this value must be one of "  # other words only by id
    "|At /time_stamp: this value must be seconds "  # digits as text, and missing while the backup is not finished
    "|job_id not found in session|[Rr]equested tag value too high"  # 400 in Freezer's API, not 422
)


# What a failure says of a parameter that breaks its schema.
PARAMETER = re.compile("parameter `([^`]+)` in query")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, AcceptedNegativeData):
        # A parameter without a value is as if it was not there.
        broken = PARAMETER.findall(str(failure.message))
        return not broken or any(case.query.get(name) not in ("", [""]) for name in broken)
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 400:
        return True
    return not REASONS.match(response.json().get("description", ""))


@schemathesis.hook
def before_call(context, case, kwargs):
    if isinstance(case.meta.phase.data, CoveragePhaseData):
        in_the_way_of_nothing(case)
    if case.meta.generation.mode.is_positive:
        for part in ("body", "query"):
            given = getattr(case, part)
            wanted = written(given)
            if repr(wanted) != repr(given):  # 1.0 == 1
                setattr(case, part, wanted)


def in_the_way_of_nothing(case):
    """The coverage phase asks about one thing at a time: what else is in the request is to be what is accepted."""
    tested = case.meta.phase.data.parameter
    for name, value in CONDITIONS.items():
        # It thinks that no header can have quotes, and takes an empty one.
        if name != tested and case.headers.get(name) == "":
            case.headers[name] = value
    for name in LONERS:
        if name != tested:
            case.query.pop(name, None)


def written(value):
    """As the API wants it, and no schema can say: integers without a fraction, and text without NUL."""
    if isinstance(value, dict):
        return {written(key): written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, str):
        return value.replace("\0", "0")
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


@schemathesis.deserializer("application/json-home")
def home_document(context, response):
    return response.json()


@schemathesis.deserializer("text/html", "application/octet-stream")
def text(context, response):
    return response.content.decode(errors="replace")
