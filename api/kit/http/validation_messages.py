"""What people read about an input that does not validate: one sentence that says what to do.

Pydantic's own messages name its types ("Value should have at least 1 item after validation"), and
some repeat a part of the input. Codes stay Pydantic's error types, which clients branch on.
"""

from collections.abc import Mapping
from typing import Any, Final

# By the error type of Pydantic; the fields in braces are those of its context.
_BY_TYPE: Final = {
    "missing": "This is required.",
    "extra_forbidden": "Unknown field. Remove it.",
    "string_type": "Send a string.",
    "string_unicode": "Send well-formed Unicode.",
    "int_type": "Send a whole number.",
    "int_parsing": "Send a whole number.",
    "int_from_float": "Send a whole number.",
    "int_parsing_size": "Send a smaller number.",
    "bool_type": "Send true or false.",
    "bool_parsing": "Send true or false.",
    "list_type": "Send a list.",
    "model_type": "Send a JSON object.",
    "model_attributes_type": "Send a JSON object.",
    "dict_type": "Send a JSON object.",
    "uuid_type": "Send a UUID, such as 0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60.",
    "uuid_parsing": "Send a UUID, such as 0198f2c5-6f7a-7c3e-9d2b-3a1f5e8c7b60.",
    "datetime_parsing": "Send a time, such as 2026-04-01T12:00:00Z.",
    "datetime_from_date_parsing": "Send a time, such as 2026-04-01T12:00:00Z.",
    "greater_than_equal": "Send a number of at least {ge}.",
    "less_than_equal": "Send a number of at most {le}.",
    "enum": "Send one of {expected}.",
    "literal_error": "Send one of {expected}.",
    "url_parsing": "Send a complete web address, such as https://example.com/picture.png.",
}
# By the pattern: what it allows, in words. A test finds patterns that are not here.
_BY_PATTERN: Final = {
    r"\S": "Write at least one visible character.",
    r"^[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*$": (
        "Use the letters a to z and digits, with single - or _ between them."
    ),
    r"^[a-z0-9]+(?:-[a-z0-9]+)*$": (
        "Use the lower-case letters a to z and digits, with single - between them."
    ),
    r"^[A-Za-z0-9-]+$": "Use the letters a to z, digits and -.",
    r"^[\x21-\x7e]+$": "Use visible ASCII characters, without spaces.",
    r"^[^\s,#/?&]+$": "Remove spaces and the characters , # / ? and &.",
    r"^https?://[\x21-\x7e]+$": (
        "Start with http:// or https://, and use ASCII characters without spaces."
    ),
    r"^[^\x00-\x1f\x7f]+$": "Remove the control characters.",
}
_EMAIL: Final = "Send an e-mail address, such as lee@example.com."
_EMPTY: Final = "This must not be empty."


def describe_fault(kind: str, context: Mapping[str, Any], message: str) -> str:
    """Return the sentence for one error of Pydantic: its type, its context and its message.

    The message itself is what our own validators said, and of kinds that are not listed here.
    """
    match kind:
        case "string_too_short" | "too_short":
            return _describe_minimum(context)
        case "string_too_long" | "too_long":
            return f"Send at most {context['max_length']:,} {_name_unit(context)}."
        case "string_pattern_mismatch":
            return _BY_PATTERN.get(context["pattern"], message)
        case "value_error" if "reason" in context:
            return _EMAIL
        case _ if kind in _BY_TYPE:
            return _BY_TYPE[kind].format_map(context)
    return message.removeprefix("Value error, ")


def _describe_minimum(context: Mapping[str, Any]) -> str:
    minimum = context["min_length"]
    return _EMPTY if minimum == 1 else f"Send at least {minimum:,} {_name_unit(context)}."


def _name_unit(context: Mapping[str, Any]) -> str:
    # Pydantic has the same error for a text that is measured behind a validator.
    return "items" if context.get("field_type") == "List" else "characters"
