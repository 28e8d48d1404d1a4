"""The live picture of `serve --camera`, through sockets; a stand-in for a Pi's camera program shows 7 for ever."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mnist_edge_runtime.service.stability import STABLE

from .conftest import Running

Jpeg = Callable[..., bytes]
Start = Callable[..., Running]


@pytest.fixture
def with_camera(start: Start, tmp_path: Path, number_jpeg: Jpeg) -> Callable[..., Running]:
    """Return the function that starts a service with a camera."""
    (tmp_path / "7.jpg").write_bytes(number_jpeg("7"))
    program = tmp_path / "rpicam-vid"
    program.write_text(f"#!/bin/sh\nwhile cat {tmp_path}/7.jpg; do sleep 0.02; done\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return lambda *arguments: start("--network", "small", *arguments, "--camera", environment=environment)


def part(response: http.client.HTTPResponse) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of the next part."""
    assert response.readline() == b"--frame\r\n"
    return rest_of_part(response)


def parts(response: http.client.HTTPResponse) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield the parts up to the end."""
    while response.readline() == b"--frame\r\n":
        yield rest_of_part(response)


def rest_of_part(response: http.client.HTTPResponse) -> tuple[dict[str, str], bytes]:
    headers = {}
    while line := response.readline().decode().strip():
        name, _, value = line.partition(": ")
        headers[name] = value
    body = response.read(int(headers["Content-Length"]))
    assert response.readline() == b"\r\n"
    return headers, body


def test_viewers_share_the_camera_and_see_what_is_read(with_camera: Callable[..., Running], number_jpeg: Jpeg) -> None:
    running = with_camera()
    connections = [running.connection() for _ in range(2)]
    for connection in connections:
        connection.request("GET", "/v1/camera")
    responses = [connection.getresponse() for connection in connections]
    last = 0
    for _ in range(6):
        headers, body = part(responses[0])
        reading = json.loads(headers["X-Reading"])
        assert (headers["Content-Type"], body) == ("image/jpeg", number_jpeg("7"))
        assert (reading["text"], reading["accepted"]) == ("7", True)
        assert reading["frame"] > last
        last = reading["frame"]
    assert part(responses[1])[1] == number_jpeg("7")
    assert responses[0].getheader("Content-Type") == "multipart/x-mixed-replace; boundary=frame"
    assert running.ask("GET", "/v1/model").json["camera"] is True
    newest = running.ask("GET", "/v1/reading").json
    assert (newest["text"], newest["accepted"]) == ("7", True)
    assert newest["camera"]["source"] == "rpicam-vid"
    assert newest["camera"]["frames"] >= last
    assert b"\nmnist_edge_camera_dropped " in running.ask("GET", "/metrics").body
    assert running.ask("HEAD", "/v1/camera").status == 200

    running.process.terminate()

    assert running.ended()[0] == 0  # though both look on
    for connection in connections:
        connection.close()


def test_only_so_many_look_on_and_a_place_is_free_again(with_camera: Callable[..., Running]) -> None:
    running = with_camera()
    connections = [running.connection() for _ in range(9)]
    for connection in connections:
        connection.request("GET", "/v1/camera")
    responses = [connection.getresponse() for connection in connections]
    (refused,) = (response for response in responses if response.status == 429)
    assert json.loads(refused.read())["error"].startswith("8 viewers look at the camera already")

    viewer = next(response for response in responses if response.status == 200)
    viewer.close()
    connections[responses.index(viewer)].close()

    while running.ask("GET", "/v1/reading").status == 200:  # asked until the connection is seen to have ended
        again = running.connection()
        again.request("GET", "/v1/camera")
        status = again.getresponse().status
        again.close()
        if status == 200:
            break
    for connection in connections:
        connection.close()


def test_the_camera_needs_the_token_too(with_camera: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file-itself\n")
    running = with_camera("--token-file", tmp_path / "token")

    assert running.ask("GET", "/v1/camera").status == 401
    assert running.ask("GET", "/v1/reading").status == 401
    headers = {"Authorization": "Bearer of-the-file-itself"}
    assert running.ask("GET", "/v1/reading", headers=headers).status == 200


def test_a_camera_that_has_ended_is_told_and_pictures_are_answered(
    start: Start, tmp_path: Path, number_jpeg: Jpeg
) -> None:
    (tmp_path / "film").mkdir()
    for number in range(STABLE):
        (tmp_path / "film" / f"{number}.jpg").write_bytes(number_jpeg("7"))
    running = start("--network", "small", "--camera", tmp_path / "film")
    connection = running.connection()
    connection.request("GET", "/v1/camera")
    shown = [json.loads(headers["X-Reading"]) for headers, _ in parts(connection.getresponse())]
    connection.close()
    assert shown[-1]["ended"] == "film: there are no more frames"
    assert [each["ended"] for each in shown[:-1]] == [None] * (len(shown) - 1)

    reading = running.ask("GET", "/v1/reading").json
    assert (reading["text"], reading["accepted"], reading["camera"]["ended"]) == ("7", True, shown[-1]["ended"])
    again = running.ask("GET", "/v1/camera")  # the last frame, once
    assert (again.status, again.body.count(b"X-Reading: "), again.body.count(b"\xff\xd8\xff")) == (200, 1, 1)
    assert json.loads(again.body.partition(b"X-Reading: ")[2].partition(b"\r\n")[0])["stable"]["text"] == "7"
    assert running.ask("POST", "/v1/classify", number_jpeg("7")).json["predictions"][0]["label"] == "7"


def test_without_a_camera_there_is_nothing_at_its_address(running: Running) -> None:
    for path in ("/v1/camera", "/v1/reading"):
        answer = running.ask("GET", path)
        assert (answer.status, answer.error) == (404, "this service has no camera; start it with --camera")
    assert running.ask("GET", "/v1/model").json["camera"] is False
