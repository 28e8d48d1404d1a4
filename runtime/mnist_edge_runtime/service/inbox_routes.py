"""Keep pictures to train with in the inbox of a service: store them, count them, and take one back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import BlankError, InputError, describe
from .inbox import FullError, Inbox, TooLargeError
from .pictures import Picture, pictures_of
from .refusal import RefusalError, check_time

if TYPE_CHECKING:
    from starlette.requests import Request

    from .app import Service
    from .body import Bodies

__all__ = ["PATH", "routes"]

PATH = "/v1/inbox"
_STATUSES: dict[type[Exception], int] = {FullError: 507, TooLargeError: 413}


def routes(inbox: Inbox, service: Service, bodies: Bodies) -> tuple[Route, ...]:
    """Return the routes of a service with an inbox; `bodies` are all that are in memory."""
    in_turn = threading.Lock()  # two large pictures would fill a small board's memory

    async def keep(request: Request) -> Response:
        name = _only(request, "class")
        try:
            inbox.folder_of(name)
        except InputError as error:
            raise RefusalError(400, str(error)) from None
        async with bodies.of(request) as body:
            take = await pictures_of(request, body, service.limits)

            def store(deadline: float) -> dict[str, Any]:
                found = take()
                if found.preprocess is not None:
                    raise RefusalError(400, "pictures are kept as they are; leave preprocess out")
                with in_turn:
                    kept = [*_each(found.pictures, lambda picture: _keep(inbox, picture, name), deadline)]
                    return {"kept": kept, "inbox": inbox.state()}

            return JSONResponse(await service.workers.run(store))

    async def state(request: Request) -> Response:
        _only(request, None)
        return JSONResponse(await service.workers.run(lambda deadline: inbox.state()))

    async def remove(request: Request) -> Response:
        name = _only(request, "name")
        if name is None:
            raise RefusalError(400, "name the picture that is to be removed: ?name=NAME.png")
        if not await service.workers.run(lambda deadline: inbox.remove(name)):
            raise RefusalError(404, "there is no picture of this name that this service has kept, or it was moved")
        return JSONResponse({"removed": name, "inbox": await service.workers.run(lambda deadline: inbox.state())})

    handlers = {"POST": keep, "DELETE": remove}

    async def answer(request: Request) -> Response:
        return await handlers.get(request.method, state)(request)

    return (Route(PATH, answer, methods=["GET", *handlers]),)


def _only(request: Request, known: str | None) -> str | None:
    """Return the one parameter that the query may have, once."""
    found = request.query_params.multi_items()
    if len(found) > 1 or any(name != known for name, _ in found):
        expected = f"expected {known} at most, once" if known else "expected none"
        raise RefusalError(400, f"the address has parameters that are not offered; {expected}")
    return found[0][1] if found else None


def _keep(inbox: Inbox, picture: Picture, name: str | None) -> dict[str, Any]:
    named = {} if picture.name is None else {"file": picture.name}
    kept = inbox.keep(picture.load(False), name)
    moved = {} if kept.moved_from is None else {"moved_from": kept.moved_from}
    return {**named, "class": kept.label, "name": kept.name, **moved}


def _each(
    pictures: list[Picture], keep: Callable[[Picture], dict[str, Any]], deadline: float
) -> Iterator[dict[str, Any]]:
    for picture in pictures:
        check_time(deadline)
        try:
            yield keep(picture)
        except (InputError, OSError, MemoryError) as error:
            told = describe(error)[0] if not isinstance(error, BlankError) else f"{error}; it is not kept"
            if len(pictures) == 1:
                status = 507 if isinstance(error, OSError) else _STATUSES.get(type(error), 422)
                raise RefusalError(status, told) from None
            yield {**({} if picture.name is None else {"file": picture.name}), "error": told}
