"""Build the application: its routes, and the state that they share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .. import __version__
from ..classifier import Classifier
from . import camera_stream, inbox_routes, openapi, page
from .answers import Answers
from .body import Bodies
from .guard import Guard, refused
from .limits import Limits
from .metrics import Metrics
from .pictures import check_preprocess, pictures_of
from .refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from .access import Access
    from .camera import Camera
    from .inbox import Inbox
    from .workers import Workers

__all__ = ["Service", "application"]

_NO_CAMERA = "this service has no camera; start it with --camera"
_ABSENT = {  # routes of services that have more
    camera_stream.PATH: _NO_CAMERA,
    camera_stream.READING: _NO_CAMERA,
    inbox_routes.PATH: "this service has no inbox; start it with --inbox DIR",
}
_CLASSIFY = ("preprocess", "image")  # parameters of the query
_READ = ()


@dataclass
class Service:
    """What serves: everything that requests share.

    Attributes:
        classifier: answers all of them; its self-test has passed.
        sha256: of its file.
        access: who may ask.
        workers: the threads in which pictures are answered.
        limits: of a request, and of all together.
        debug: print where an error comes from.
        stopping: whether the service is about to end.
        camera: what is before the service's camera, if it has one.
        inbox: where pictures are kept to train with, if it has one.
    """

    classifier: Classifier
    sha256: str
    access: Access
    workers: Workers
    limits: Limits = field(default_factory=Limits)
    debug: bool = False
    stopping: bool = False
    camera: Camera | None = None
    inbox: Inbox | None = None

    @property
    def file(self) -> str:
        """The name of the model file, without its folders, which are nobody's business."""
        return self.classifier.file.name if self.classifier.file else ""


def application(service: Service) -> ASGIApp:
    """Return the application: the routes of every service, and those of its camera and its inbox."""
    model = {
        "file": service.file,
        "sha256": service.sha256,
        "engine": service.classifier.engine_name,
        "version": __version__,
    }
    metrics = Metrics(lambda: service.workers.waiting, model)
    routes: list[Route] = []
    if service.camera:
        reader = service.camera.reader
        metrics.camera(lambda: reader.came, lambda: reader.dropped)
        routes += camera_stream.routes(service.camera, service)
    bodies = Bodies(service.limits)
    if service.inbox:
        routes += inbox_routes.routes(service.inbox, service, bodies)
    handlers = _Handlers(
        service,
        metrics,
        bodies,
        {
            **model,
            "camera": service.camera is not None,
            "inbox": service.inbox is not None,
        },
    )
    every = [
        Route("/", handlers.page),
        Route("/v1/model", handlers.model),
        Route("/v1/classify", handlers.classify, methods=["POST"]),
        Route("/v1/read", handlers.read, methods=["POST"]),
        Route("/healthz", handlers.alive),
        Route("/readyz", handlers.ready),
        Route("/metrics", handlers.metrics),
        Route("/openapi.json", handlers.openapi),
        *routes,
    ]
    paths = [route.path for route in every]
    exceptions: dict[Any, Any] = {RefusalError: _refuse, HTTPException: partial(_refuse_route, paths)}
    app = Starlette(routes=every)
    app.router.redirect_slashes = False
    # Without Starlette's own answer to faults, which prints a traceback.
    app.middleware_stack = ExceptionMiddleware(app.router, exceptions)
    return Guard(
        app,
        access=service.access,
        metrics=metrics,
        routes=paths,
        is_stopping=lambda: service.stopping,
        debug=service.debug,
    )


class _Handlers:
    """Answer the requests for each path."""

    def __init__(self, service: Service, metrics: Metrics, bodies: Bodies, model: Mapping[str, Any]) -> None:
        self._service, self._metrics, self._bodies = service, metrics, bodies
        self._answers = Answers(service.classifier, metrics.step)
        contract = service.classifier.contract
        described = {**model, "payload_sha256": contract.payload.sha256}
        self._model = {**described, "contract": json.loads(contract.to_json())}
        self._openapi = openapi.document(
            service.limits,
            with_token=service.access.token is not None,
            with_camera=service.camera is not None,
            with_inbox=service.inbox is not None,
        )

    async def page(self, request: Request) -> Response:
        text = page.finished()
        return HTMLResponse(text, headers={"Content-Security-Policy": page.policy(text)})

    async def model(self, request: Request) -> Response:
        return JSONResponse(self._model)

    async def alive(self, request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(self, request: Request) -> Response:
        if self._service.stopping:
            raise RefusalError(503, "the service is stopping")
        return JSONResponse({"ready": True})

    async def metrics(self, request: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": self._metrics.content_type})

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(self._openapi)

    async def classify(self, request: Request) -> Response:
        query = _query(request, _CLASSIFY)
        preprocess, image = query.get("preprocess", "auto"), query.get("image", "0")
        check_preprocess(preprocess)
        if image not in ("0", "1"):
            raise RefusalError(400, "image is 1, for the image that the network saw, or 0")
        return await self._answered(
            request, lambda take, deadline: self._answers.classify(take, preprocess, image == "1", deadline)
        )

    async def read(self, request: Request) -> Response:
        _query(request, _READ)
        return await self._answered(request, self._answers.read)

    async def _answered(self, request: Request, answer: Callable[[Any, float], dict[str, Any]]) -> Response:
        """Answer the pictures in the body of a request, encoded in the thread that answered them."""
        async with self._bodies.of(request) as body:
            take = await pictures_of(request, body, self._service.limits)
            encoded = await self._service.workers.run(
                lambda deadline: json.dumps(answer(take, deadline), allow_nan=False).encode()
            )
        return Response(encoded, media_type="application/json")


def _query(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters of the query, of which no other may be there, and none twice."""
    found = request.query_params.multi_items()
    names = [name for name, _ in found]
    if not set(names) <= set(known) or len(set(names)) < len(names):
        expected = f"expected {' and '.join(known)}, each at most once" if known else "expected none"
        raise RefusalError(400, f"the address has parameters that are not offered; {expected}")
    return dict(found)


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, RefusalError)
    return refused(refusal)


async def _refuse_route(paths: list[str], request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        told = f"{request.method[:20]!a} is not for this address; send {allowed}"
    else:
        told = _ABSENT.get(request.url.path, f"there is nothing at this address; the addresses are {', '.join(paths)}")
    return refused(RefusalError(error.status_code, told, error.headers))
