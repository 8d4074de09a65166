"""Rules as CSV (RFC 4180): a header, then one rule a line."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from api.kit.http.problem_responses import MAX_ERRORS, describe_error
from api.kit.problems import ValidationFailed
from api.screening.schemas import RuleCreate
from models import ScreeningRule

# One MiB holds about as many rules as a forum can have.
MAX_BYTES = 1024 * 1024
COLUMNS = ("kind", "value", "action", "note", "is_enabled")
_REQUIRED = {"kind", "value", "action"}
_FLAGS = {"": True, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def format_rules(rules: Iterable[ScreeningRule]) -> str:
    """Return rules as a file that `parse_rules` reads again."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for rule in rules:
        enabled = str(rule.is_enabled).lower()
        writer.writerow((rule.kind.value, rule.value, rule.action.value, rule.note, enabled))
    return file.getvalue()


def parse_rules(content: bytes) -> list[tuple[int, RuleCreate]]:
    """Return the rules of a file, each with the number of its line. Raises ValidationFailed."""
    try:
        text = content.decode("utf-8-sig")
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [name.strip().lower() for name in next(rows, [])]
        _check_header(header)
        rules, errors = [], []
        for row in rows:
            if not any(row):
                continue
            try:
                rules.append((rows.line_num, _to_rule(header, row)))
            except ValidationError as error:
                errors += [
                    describe_error(
                        ("body", f"line {rows.line_num}", *one["loc"]), one["type"], one["msg"]
                    )
                    for one in error.errors(include_url=False, include_input=False)
                ]
            if len(errors) >= MAX_ERRORS:
                break
    except (UnicodeDecodeError, csv.Error) as error:
        detail = "Send CSV in UTF-8, with quotes around values that contain commas or quotes."
        raise ValidationFailed(errors=[describe_error(("body",), "invalid_csv", detail)]) from error
    if errors:
        raise ValidationFailed(errors=errors[:MAX_ERRORS])
    return rules


def _check_header(header: list[str]) -> None:
    if set(header) - set(COLUMNS) or _REQUIRED - set(header) or len(set(header)) < len(header):
        detail = f"Begin with a line that names the columns: {','.join(COLUMNS)}."
        raise ValidationFailed(errors=[describe_error(("body", "line 1"), "invalid_csv", detail)])


def _to_rule(header: list[str], row: list[str]) -> RuleCreate:
    values: dict[str, Any] = dict(zip(header, row, strict=False))
    if len(row) > len(header):
        values["more values than columns"] = True
    flag = values.pop("is_enabled", "").strip().lower()
    values["is_enabled"] = _FLAGS.get(flag, flag)
    for name in ("kind", "action"):
        values[name] = values.get(name, "").strip().lower()
    return RuleCreate.model_validate(values)
