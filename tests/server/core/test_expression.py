"""Expressions: what compiles where, what is refused with which sentence, and what it may cost."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cel_expr_python import cel

from interlock_server.core.expression import (
    TEXT_MAX,
    ExpressionFault,
    Gives,
    compile_expression,
    evaluate,
    is_true,
    seconds,
    steps_of,
)
from interlock_server.core.expression_cost import COST_MAX, ROUNDS_MAX, bound, weigh
from interlock_server.core.expression_tree import read_tree
from interlock_server.core.vocabulary import variable
from interlock_server.core.vocabulary.variable import HOLD_ON_SUBMIT, PRECONDITION

NOON = 1_764_000_000_000
HOUR = 3_600_000

PLACES = {
    name: place
    for name, place in vars(variable).items()
    if name.isupper() and not name.startswith("_") and isinstance(place, type(HOLD_ON_SUBMIT))
}


def call(status, return_code=None, result=None):
    return {"status": status, "return_code": return_code, "result": result}


VALUES = {
    "job": {
        "id": 7,
        "definition": "invoices",
        "queue": "night",
        "priority": 50,
        "parameters": {"region": "EU-north", "n": 3, "amount": 2.5, "none": None, "list": [1, 2]},
        "labels": {"env": "prod", "team": "billing"},
        "status": "Scheduled",
        "start_time": NOON + HOUR,
        "submitted_by": "ann",
        "return_code": None,
        "restarts": 0,
    },
    "old_status": "New",
    "new_status": "Scheduled",
    "now": NOON,
    "windows": {"month-end": True, "nights": False},
    "chain": {"id": 9, "definition": "close", "parameters": {"full": True}, "iteration": 2},
    "steps": {
        "load": {
            "status": "Completed",
            "calls": {"a": call("Completed", 0), "b": call("Completed", 4, {"rows": 12})},
        },
        "check": {"status": "Error", "calls": {"a": call("Error", 1)}},
    },
    "step": "check",
    "run_again": True,
}


def chain_of(count, calls=1):
    each = {f"c{number}": call("Completed", 0) for number in range(calls)}
    return {
        "steps": {f"s{number}": {"status": "Completed", "calls": each} for number in range(count)}
    }


def parameters(**values):
    return {"job": {"parameters": values}}


def refusal(text, variables=HOLD_ON_SUBMIT, **options):
    with pytest.raises(ExpressionFault) as caught:
        compile_expression(text, variables=variables, **options)
    return str(caught.value)


def failure(text, values=VALUES, variables=HOLD_ON_SUBMIT):
    compiled = compile_expression(text, variables=variables)
    with pytest.raises(ExpressionFault) as caught:
        evaluate(compiled, values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("place", "text", "expected"),
    [
        ("HOLD_ON_SUBMIT", "job.priority < 60 && job.labels.env == 'prod'", True),
        ("HOLD_ON_SUBMIT", "!windows['month-end']", False),
        ("HOLD_ON_SUBMIT", "job.parameters.region.startsWith('EU')", True),
        ("HOLD_ON_SUBMIT", r"job.parameters.region.matches('^[A-Z]{2}-\\w+$')", True),
        ("HOLD_ON_SUBMIT", "'owner' in job.labels", False),
        ("HOLD_ON_SUBMIT", "has(job.parameters.n) && job.parameters.n + 1 == 4", True),
        ("HOLD_ON_SUBMIT", "job.parameters.amount == 2.5 && job.parameters.none == null", True),
        ("HOLD_ON_SUBMIT", "job.parameters.n == 3.0", True),
        ("HOLD_ON_SUBMIT", "job.submitted_by in ['ann', 'bob']", True),
        ("HOLD_ON_SUBMIT", "job.labels.exists(k, k == 'team' && job.labels[k] == 'x')", False),
        ("HOLD_ON_SUBMIT", "job.parameters.list.exists_one(n, n > 1)", True),
        ("ON_CHANGE", "old_status == 'New' && new_status == 'Scheduled'", True),
        ("PRE_RUNNING", "windows['month-end'] && job.restarts == 0", True),
        ("POST_RUNNING", "job.return_code == 4", False),
        ("POST_RUNNING", "job.return_code != null && job.return_code > 3", False),
        ("WAIT_EVENT", "now.getHours('Europe/Berlin') == 17", True),
        ("WAIT_EVENT", "job.start_time - now == duration('1h')", True),
        ("PRECONDITION", "run_again", True),
        ("PRECONDITION", "chain.iteration < 3 && chain.parameters.full", True),
        ("PRECONDITION", "steps['load'].calls['b'].return_code in [0, 4]", True),
        ("PRECONDITION", "steps.load.calls.b.result.rows > 10", True),
        ("PRECONDITION", "steps.all(s, steps[s].status in ['Completed', 'Skipped'])", False),
        ("PRECONDITION", "steps.exists(s, steps[s].calls.exists(c, c == 'b'))", True),
        ("HANDLER", "steps[step].calls.a.return_code == 1", True),
        ("RUNTIME_LIMIT", "job.priority > 80 ? 60 : 600", 600),
        ("RUNTIME_LIMIT", "duration('90m')", 5400.0),
    ],
)
def test_an_expression_of_each_place_gives_what_it_says(place, text, expected):
    assert evaluate(text, VALUES, variables=PLACES[place]) == expected


def test_every_variable_of_every_place_can_be_read():
    for place in PLACES.values():
        for name in place:
            text = "windows['nights']" if name == "windows" else f"{name} == {name}"
            assert evaluate(text, VALUES, variables=place) in {True, False}


def test_times_are_milliseconds_on_both_sides():
    assert evaluate("now", VALUES, variables=HOLD_ON_SUBMIT) == NOON
    assert evaluate("job.start_time + duration('1.5s')", VALUES, variables=HOLD_ON_SUBMIT) == (
        NOON + HOUR + 1_500
    )


def test_null_can_be_given_as_often_as_one_likes():
    compiled = compile_expression("job.parameters.none", variables=HOLD_ON_SUBMIT)
    before = sys.getrefcount(None)

    for _ in range(1_000):
        assert evaluate(compiled, VALUES) is None

    assert sys.getrefcount(None) > before - 500


def test_what_is_read_is_known_by_variable_and_key():
    compiled = compile_expression(
        "windows['a'] || windows.b || 'x' in steps || steps.y.status == chain.parameters.z",
        variables=PRECONDITION,
    )

    assert dict(compiled.reads) == {
        "chain.parameters": frozenset({"z"}),
        "steps": frozenset({"x", "y"}),
        "windows": frozenset({"a", "b"}),
    }
    whole = compile_expression(
        "steps.y.status == 'Error' && size(steps) > 1", variables=PRECONDITION
    )
    assert dict(whole.reads) == {"steps": None}


def test_the_name_of_an_element_hides_a_variable():
    compiled = compile_expression(
        "chain.parameters.all(steps, steps.startsWith('f'))", variables=PRECONDITION
    )

    assert dict(compiled.reads) == {"chain.parameters": None}


def test_only_what_is_read_has_to_be_there_and_is_looked_at():
    values = {"job": {"parameters": {"good": 1, "bad": object()}}}

    assert is_true("job.parameters.good == 1", values, variables=HOLD_ON_SUBMIT)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("job.prioritty > 1", "undeclared reference to 'job.prioritty' at line 1, column 4; "),
        ("job", "undeclared reference to 'job' at line 1, column 1; variables: job.definition, "),
        ("true &&\n  steps", "undeclared reference to 'steps' at line 2, column 3; variables: "),
        ("job.priority == 'high'", "overload for '_==_' applied to '(int, string)' at line 1, "),
        ("job.foo(1)", "undeclared reference to "),
        ("1 +* 2", "extraneous input '*' at line 1, column 4"),
        ("", "mismatched input '<EOF>' at line 1, column 1"),
        ("'open", "token recognition error at: ''open' at line 1, column 1"),
        ("has(job.id)", "job.id is always there; has is for keys of maps, as in has(a.b)"),
        ("windows[job.queue]", "windows is read by names that are written, as in windows['a']"),
        ("windows.exists(w, windows[w])", "windows is read by names that are written, as in"),
        ("job.queue.matches(job.queue)", "the pattern of matches is not written out"),
        ("job.queue.matches('(')", "the pattern '(' is refused: missing ): ("),
        ("google.protobuf.Int64Value{value: 1} == 1", "it makes a google.protobuf.Int64Value"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text, problem):
    sentence = refusal(text)

    assert sentence.startswith(f"expected an expression, but {text!r} does not compile: ")
    assert problem in sentence


def test_what_a_place_needs_is_known_when_it_compiles():
    assert refusal("job.queue", gives=Gives.CONDITION) == (
        "expected 'job.queue' to give true or false, but it gives string"
    )
    assert refusal("job.id == 1", gives=Gives.NUMBER) == (
        "expected 'job.id == 1' to give a number or a duration, but it gives bool"
    )
    unknown = compile_expression("job.parameters.n", variables=HOLD_ON_SUBMIT, gives=Gives.NUMBER)
    assert seconds(unknown, VALUES) == 3.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("job.labels.owner == 'a'", 'there is no key "owner"; has(a.b) tells whether there is one'),
        ("job.return_code > 3", "No matching overloads found : _>_(null_type, int64)"),
        ("job.parameters.region * 2", "No matching overloads found : _*_(string, int64)"),
        ("job.parameters.list[5] == 1", "Index error: index=5 size=2"),
        ("job.id / (job.id - 7)", "divide by zero"),
        ("9223372036854775807 + job.id", "integer overflow"),
        ("job.labels", "it gives a map"),
        ("type(job.id)", "it gives a type"),
    ],
)
def test_a_failure_says_which_expression_and_why(text, sentence):
    assert failure(text) == f"{text!r} cannot be evaluated: {sentence}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "there is no value for job.id"),
        ({"job": {}}, "there is no value for job.id"),
        ({"job": None}, "there is no value for job.id"),
        ({"job": {"id": "7"}}, "job.id has a str, and is a int"),
        ({"job": {"id": True}}, "job.id has a bool, and is a int"),
        ({"job": {"id": None}}, "job.id has a NoneType, and is a int"),
        ({"job": {"id": 2**63}}, f"job.id has {2**63}, which is no 64-bit number"),
    ],
)
def test_a_value_that_is_missing_or_of_another_type_is_refused(values, sentence):
    assert failure("job.id == 7", values) == f"'job.id == 7' cannot be evaluated: {sentence}"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (object(), "has a object, which is no JSON"),
        ((1, 2), "has a tuple, which is no JSON"),
        ({1: 2}, "has the key 1, which is no text"),
        ("\ud800", "has text with half a character"),
        ([-(2**64)], "which is no 64-bit number"),
    ],
)
def test_a_value_that_is_no_json_is_refused(value, sentence):
    assert sentence in failure("job.parameters.a == 1", parameters(a=value))


def test_a_time_that_no_calendar_has_is_refused():
    assert "now is no time" in failure("now == now", {"now": 10**18})


def test_only_true_is_true():
    with pytest.raises(ExpressionFault, match="to be true or false, but it gives int 3"):
        is_true("job.parameters.n", VALUES, variables=HOLD_ON_SUBMIT)


@pytest.mark.parametrize("text", ["-1", "1.0 / 0.0", "0.0 / 0.0", "true", "'5'", "null"])
def test_what_is_no_time_span_is_refused(text):
    with pytest.raises(ExpressionFault, match="to give seconds, 0 or more, but it gives"):
        seconds(text, {}, variables=HOLD_ON_SUBMIT)


def test_a_time_span_is_a_number_of_seconds_or_a_duration():
    assert seconds("job.priority * 2", VALUES, variables=HOLD_ON_SUBMIT) == 100.0
    assert seconds("duration('90m')", VALUES, variables=HOLD_ON_SUBMIT) == 5_400.0


def test_the_same_text_compiles_once_for_a_place():
    first = compile_expression("job.id == 1", variables=HOLD_ON_SUBMIT)

    assert compile_expression("job.id == 1", variables=dict(HOLD_ON_SUBMIT)) is first
    assert compile_expression("job.id == 1", variables=variable.ON_CHANGE) is not first


# --- hostile --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400 + "1" + ")" * 400,
        "[" * 400 + "1" + "]" * 400,
        "1" + "+1" * 900,
        "job.parameters" + ".a" * 900,
        "[1].all(x, " * 150,
        "(" * TEXT_MAX,
    ],
)
def test_what_is_nested_deep_is_refused_and_no_stack_overflows(text):
    assert "is nested too deep" in refusal(text)


def test_a_long_expression_is_refused_unread():
    assert refusal("1" * (TEXT_MAX + 1)) == (
        f"expected an expression of at most {TEXT_MAX} characters, but it has {TEXT_MAX + 1}"
    )
    assert "has half a character" in refusal("'\ud800' == ''")


@pytest.mark.parametrize("macro", ["map", "filter"])
def test_nothing_that_makes_lists_exists(macro):
    assert f"there is no {macro} here; use all, exists or exists_one" in refusal(
        f"['x'].{macro}(a, a + a).{macro}(b, b + b) == []"
    )


def test_loops_are_nested_at_most_twice():
    over = "job.parameters.list"

    assert "nested deeper than 2" in refusal(
        f"{over}.all(a, {over}.all(b, {over}.all(c, a + b + c > 0)))"
    )


@pytest.mark.parametrize("over", ["(a == [1] ? a : [2])", "(a + a)", "[a][0]", "dyn([1] + a)"])
def test_a_loop_over_what_has_no_known_size_is_refused(over):
    assert "a loop goes over a variable, a part of one, or a list" in refusal(
        f"[[1]].all(a, {over}.all(b, true))"
    )


@pytest.mark.parametrize("pattern", [r"\\pL{100}", "(.{0,30}x){30}", "((a{99}){9}){9}"])
def test_a_pattern_that_is_large_is_refused_before_it_is_compiled(pattern):
    assert "is refused: " in refusal(f"job.queue.matches('{pattern}')")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("job.parameters.a.all(x, job.parameters.a.all(y, x != y))", parameters(a=[0] * 300)),
        ("job.parameters.a.all(x, x in job.parameters.a)", parameters(a=["x"] * 1_000)),
        ("job.parameters.a.all(x, job.parameters.a == [x])", parameters(a=[0] * 1_000)),
        (
            "job.parameters.a.all(x, job.parameters.b == 'x')",
            parameters(a=[0] * 3_000, b="x" * 9_999),
        ),
        ("job.parameters.b.contains(job.parameters.a)", parameters(a="x" * 90_000, b="x" * 99_000)),
        ("job.parameters.a.matches('(.*a.{12}b.*)+')", parameters(a="a" * 20_000)),
        ("job.parameters.a == 'x'", parameters(a="x" * 10_000_000)),
        ("job.parameters.a == []", parameters(a=[[0] * 100] * 2_000)),
        (
            "'x' == " + "+".join(["job.parameters.a"] * 25),
            parameters(a="x" * 200_000),
        ),
        (
            "[0,0,0,0,0,0,0,0].all(x, job.parameters.a[x].all(y, y == 0))",
            parameters(a=[[0] * 9_000]),
        ),
    ],
)
def test_what_costs_too_much_is_refused_before_it_is_evaluated(text, values):
    assert "allowed" in (sentence := failure(text, values)) or "more than" in sentence


def test_a_value_that_is_nested_deep_is_refused():
    value: list[object] = []
    for _ in range(10_000):
        value = [value]

    assert "is nested deeper than 32" in failure("job.parameters.a == 1", parameters(a=value))


def test_rounds_are_counted_as_the_library_counts_them():
    text = "job.parameters.a.all(x, true)"

    assert evaluate(text, parameters(a=[0] * ROUNDS_MAX), variables=HOLD_ON_SUBMIT)
    assert f"{ROUNDS_MAX + 1} rounds, and {ROUNDS_MAX} are allowed" in failure(
        text, parameters(a=[0] * (ROUNDS_MAX + 1))
    )


@pytest.mark.parametrize(
    ("text", "small", "large", "factor"),
    [
        ("job.parameters.a.all(x, x == 0)", [0] * 10, [0] * 1_000, 100),
        ("job.parameters.a.all(x, job.parameters.a.all(y, x == y))", [0] * 4, [0] * 40, 100),
    ],
)
def test_the_bound_grows_with_the_rounds(text, small, large, factor):
    compiled = compile_expression(text, variables=HOLD_ON_SUBMIT)

    ratio = steps_of(compiled, parameters(a=large)) / steps_of(compiled, parameters(a=small))

    assert factor * 0.5 < ratio


def test_the_bound_is_no_less_than_what_a_count_by_hand_finds():
    # For each x: the element, the zero and the comparison, and four nodes that the loop adds.
    compiled = compile_expression("job.parameters.a.all(x, x == 0)", variables=HOLD_ON_SUBMIT)

    assert steps_of(compiled, parameters(a=[0] * 1_000)) >= 7 * 1_000


def test_a_chain_of_hundreds_of_steps_is_no_hostile_one():
    every_step = "steps.all(s, steps[s].status in ['Completed', 'Skipped'])"
    every_call = "steps.all(s, steps[s].calls.all(c, steps[s].calls[c].status == 'Completed'))"

    for text in (every_step, every_call):
        compiled = compile_expression(text, variables=PRECONDITION)
        values = chain_of(400, calls=2)
        assert steps_of(compiled, values) <= COST_MAX
        assert is_true(compiled, values)


@pytest.mark.parametrize(
    "text",
    [
        # Each may meet the same entries in every round of the outer loop, so rounds multiply.
        "steps.all(x, steps.all(y, true))",
        "steps.all(x, dyn(steps['[x]']).all(y, true))",
        "steps.all(x, dyn(steps[step]).all(y, true))",
        "steps.names.all(x, dyn(steps[x]).all(y, true))",
        "[steps, steps, steps, steps, steps].all(x, x.all(y, true))",
    ],
)
def test_only_parts_that_differ_in_each_round_are_counted_once(text):
    compiled = compile_expression(text, variables=variable.HANDLER)
    names = [f"s{number}" for number in range(49)]
    values = {"steps": {name: {} for name in names} | {"names": names}, "step": "s1"}

    assert steps_of(compiled, values) > 5 * 50 * 5


TREE = {f"k{number}": [f"k{number % 3}"] * number for number in range(20)}


@pytest.mark.parametrize(
    "text",
    [
        "a.all(x, tick(1))",
        "a.all(x, tick(1) && a[x].all(y, tick(1)))",
        "a.all(x, tick(1) && a.all(y, tick(1)))",
        "a.all(x, tick(1) && a['k19'].all(y, tick(1)))",
        "a.k19.all(x, tick(1) && a[x].all(y, tick(1)))",
        "a.k19.all(x, tick(1) && dyn(a[x]).all(y, tick(1)))",
        "a.all(x, tick(1)) && a.all(x, tick(1))",
        "[a, a, a].all(x, tick(1) && x.all(y, tick(1)))",
        "[1, 2, 3].all(x, tick(1) && [4, 5].all(y, tick(1)))",
        "{'a': 1, 'b': 2}.all(x, tick(1))",
        "[a.k19 + a.k18].all(x, tick(1) && x.all(y, tick(1)))",
        "a.exists_one(x, tick(1) && a[x].exists_one(y, tick(1)))",
    ],
)
def test_the_library_has_no_more_rounds_than_the_bound(text):
    ticks: list[int] = []

    def count(one):
        ticks.append(one)
        return True

    tick = cel.Overload(
        "tick_int",
        return_type=cel.Type.BOOL,
        parameters=[cel.Type.INT],
        impl=count,
    )
    kind = "map<string, list<string>>"
    program = cel.NewEnv(
        variables={"a": cel.Type(kind)}, functions=[cel.FunctionDecl("tick", [tick])]
    ).compile(text)

    value = program.eval(data={"a": TREE})
    _, rounds = bound(text, weigh(text, read_tree(program.serialize()), {"a"}), {"a": TREE})

    assert value.type() == cel.Type.BOOL
    assert 0 < len(ticks) <= rounds


def test_parts_of_what_is_written_are_as_large_as_they_are_written():
    numbers = ",".join("1" * 100)
    text = f"[[{numbers}], [{numbers}]].all(x, x.all(y, y == 1))"

    assert steps_of(compile_expression(text, variables={}), {}) > 200 * 7
    assert is_true(text, {}, variables={})


def test_a_refusal_does_not_depend_on_where_the_loop_would_have_ended():
    text = "job.labels.exists(k, k == 'k0') && true"
    values = {"job": {"labels": {f"k{number}": "" for number in range(ROUNDS_MAX + 1)}}}

    assert "allowed" in failure(text, values)


def test_another_process_gives_the_same(tmp_path):
    program = (
        "from interlock_server.core.expression import *\n"
        "from interlock_server.core.vocabulary.variable import PRECONDITION\n"
        "steps = {c: {'status': 'Completed', 'n': n} for n, c in enumerate('zyxwvutsrq')}\n"
        "texts = ['steps.exists(s, steps[s].n == 4 || steps[s].missing)',\n"
        "  'steps.all(s, steps[s].n != 4 && steps[s].n / 0 == 1)',\n"
        "  'steps.exists_one(s, steps[s].n == 4)', 'steps == steps', 'steps.a', 'steps.all(']\n"
        "for text in texts:\n"
        "  try: print(evaluate(text, {'steps': steps}, variables=PRECONDITION))\n"
        "  except ExpressionFault as fault: print(fault)\n"
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
        ).stdout
        for _ in range(3)
    }

    assert len(said) == 1
    assert said.pop().splitlines()[:4] == ["True", "False", "True", "True"]
