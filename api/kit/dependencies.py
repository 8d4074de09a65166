"""What routes ask FastAPI for: the services, a unit of work, a reading session."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.kit.db.database import DatabaseUnavailable
from api.kit.db.unit_of_work import UnitOfWork
from api.kit.problems import declares
from api.kit.services import Services


def services_of(request: Request) -> Services:
    """Return the services of the process that answers this request."""
    services: Services = request.app.state.services
    return services


async def get_services(request: Request) -> Services:
    """Give a route the services. Dependencies call `services_of`: each level of them costs time."""
    return services_of(request)


@declares(DatabaseUnavailable)
async def open_unit_of_work(request: Request) -> AsyncIterator[UnitOfWork]:
    """Give a writing route its unit of work."""
    async with services_of(request).unit_of_work() as uow:
        yield uow


@declares(DatabaseUnavailable)
async def open_read_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Give a reading route its session."""
    async with services_of(request).database.read_session() as session:
        yield session


ServicesDep = Annotated[Services, Depends(get_services)]
# scope="function": the commit happens before the response is sent. With FastAPI's default scope a
# failed commit would already have been answered 200.
UowDep = Annotated[UnitOfWork, Depends(open_unit_of_work, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(open_read_session, scope="function")]
