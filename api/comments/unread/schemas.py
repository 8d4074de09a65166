"""What responses say about what was read."""

from typing import Annotated

from pydantic import Field

# New comments that are counted.
MAX_NEW_COMMENTS = 100

ReadVersion = Annotated[
    int | None,
    Field(
        description="The version up to which you have read the thread; null if you never said so."
    ),
]
NewCommentCount = Annotated[
    int | None,
    Field(
        description="Number of comments that others have published since then, at most 100; null "
        "if you never said what you read.",
        ge=0,
        le=MAX_NEW_COMMENTS,
    ),
]
