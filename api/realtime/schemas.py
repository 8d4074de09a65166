"""Response models of realtime."""

from pydantic import Field

from api.kit.http.schemas import Output


class TicketRead(Output):
    """A ticket that opens one stream."""

    ticket: str = Field(
        description="Send it as the query parameter `ticket` of a stream, once.",
        examples=["pal_st_AZjyxW96..."],
    )
    expires_in: int = Field(description="Seconds until it expires unused.", examples=[60])
