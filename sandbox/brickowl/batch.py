"""Many calls in one: each is answered as it would be alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.brickowl.call import Call, OwlError, Rows, error_body
from sandbox.faults import Fault

_MOST = 50
Ask = Callable[[Call, str], Any]


def make(ask: Ask) -> Callable[[Call], Any]:
    """Answer the handler; `ask` answers one call of an endpoint by name, with all its checks."""

    def batch(call: Call) -> Any:
        wanted = _requests(call)
        fault = call.request.fault_of("batch_partial")
        answers = []
        for place, (name, method, arguments) in enumerate(wanted, start=1):
            status = 200
            try:
                if fault is not None and place % max(1, int(fault.options.get("every", 2))) == 0:
                    body = _failed(fault)
                else:
                    inner = replace(
                        call, arguments=arguments,
                        request=replace(call.request, method=method, fault=None, path=f"/v1/{name}"),
                    )  # fmt: skip
                    body = ask(inner, name)
                    if isinstance(body, Rows):
                        body = json.loads(b"[" + b",".join(body.rows) + b"]")
            except OwlError as error:
                status, body = error.status, error_body(error, call.world.switches)
            answers.append({"endpoint": name, "status_code": status, "body": body})
        if call.world.switches["bo.batch_shape"] == "responses":
            return {"responses": answers}
        return [answer["body"] for answer in answers]

    return batch


def _failed(fault: Fault) -> Any:
    """Answer what one that fails says: that it is done, where it fails without a word."""
    if fault.options.get("silently"):
        return {"status": "success"}
    raise OwlError("Internal error, please try again", 500)


def _requests(call: Call) -> list[tuple[str, str, dict[str, str]]]:
    """Read the calls: name, method and arguments of each."""
    try:
        sent = json.loads(call.needed("requests"))["requests"]
        found = []
        for row in sent:
            parameters = row.get("params") or [{}]
            (given,) = parameters if isinstance(parameters, list) else [parameters]
            arguments = {str(name): _text(value) for name, value in given.items()}
            found.append((str(row["endpoint"]), str(row.get("request_method", "GET")).upper(), arguments))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise OwlError("Invalid requests") from None
    if not 1 <= len(found) <= _MOST:
        raise OwlError(f"Between 1 and {_MOST} requests are allowed")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)
