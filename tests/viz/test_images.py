"""The page of small images, and the PNG files in it."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tensorgrad._errors import ShapeError
from tensorgrad.viz import image_grid, png


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a PNG file without row filters, every checksum tested; an independent reader."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth == 8 and rest == [0, 0, 0]
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


class Page(HTMLParser):
    """Collects the tags, the images and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        if data.strip() and self.tags[-1] != "style":
            self.words.append(data.strip())

    def pixels(self, index: int) -> np.ndarray:
        kind, _, data = (self.images[index]["src"] or "").partition(",")
        assert kind == "data:image/png;base64"
        return decoded(base64.b64decode(data))


@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, max_side=9)
        | st.tuples(*[st.integers(1, 5)] * 2, st.integers(1, 4)),
    )
)
def test_png_files_hold_the_same_pixels(pixels: np.ndarray) -> None:
    found = decoded(png(pixels))
    assert (found == (pixels if pixels.ndim == 3 else pixels[..., None])).all()


def test_views_are_written_like_copies() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)[::-1, ::2].T
    assert png(pixels) == png(pixels.copy())


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 2)), np.zeros(3, np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros((0, 2), np.uint8)],
)
def test_png_refuses_other_arrays(pixels: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="give uint8"):
        png(pixels)


def test_the_page_shows_each_image_with_its_caption() -> None:
    images = np.arange(32.0).reshape(2, 4, 4)
    page = Page(
        image_grid(
            images, ["3 read as 9 (87 %)", "1 read as 7 (51 %)"], columns=2, title="Wrong", note="2 of 9"
        )
    )
    assert page.words == ["Wrong", "Wrong", "2 of 9", "3 read as 9 (87 %)", "1 read as 7 (51 %)"]
    assert [image["alt"] for image in page.images] == page.words[3:]
    # One scale for all images: the lowest value of all is black, the highest white.
    grey = np.rint(images * 255 / 31)
    for index in range(2):
        assert (page.pixels(index)[..., 0] == grey[index]).all()


def test_limits_clip_and_missing_values_are_transparent() -> None:
    image = np.array([[-5.0, 0.0, 8.0], [np.nan, np.inf, -np.inf]])
    page = Page(image_grid([image], ["x"], low=0.0, high=16.0))
    assert page.pixels(0)[..., 0].tolist() == [[0, 0, 128], [0, 255, 0]]
    assert page.pixels(0)[..., 1].tolist() == [[255, 255, 255], [0, 255, 255]]


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
def test_an_image_of_one_value_is_drawn(value: float) -> None:
    assert Page(image_grid([np.full((2, 2), value)], ["flat"])).pixels(0).shape[:2] == (2, 2)


def test_images_may_differ_in_size_and_be_none_at_all() -> None:
    page = Page(image_grid([np.eye(3), np.ones((2, 5))], ["a", "b"]))
    assert [page.pixels(i).shape for i in range(2)] == [(3, 3, 1), (2, 5, 1)]
    assert Page(image_grid([], [], title="None wrong")).words == ["None wrong", "None wrong"]


def test_captions_are_inert_and_nothing_is_loaded_from_elsewhere() -> None:
    text = '<script>alert("1")</script>]]>&\x00\u202e\'🚀'
    made = image_grid([np.eye(2)], [text], title=text, note=text)
    page = Page(made)
    assert "script" not in page.tags and page.images[0]["alt"] == page.words[-1]
    assert page.words[-1].startswith('<script>alert("1")</script>]]>&')
    assert not re.search(r"https?:|href|url\(|@import|<link|\bon\w+=", made)
    assert "\x00" not in made and "\u202e" not in made
    assert "prefers-color-scheme:dark" in made and "image-rendering:pixelated" in made


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ShapeError, match="image 1 has shape"):
        image_grid([np.eye(2), np.ones(3)], ["a", "b"])
    with pytest.raises(ShapeError, match="2 images and 1 captions"):
        image_grid([np.eye(2)] * 2, ["a"])
    with pytest.raises(ValueError, match="columns is 0"):
        image_grid([np.eye(2)], ["a"], columns=0)
