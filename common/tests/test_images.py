"""Only the picture itself goes on: upright, small, without what a camera wrote beside it; anything else is refused."""

import io
import struct
import zlib

import pytest
from PIL import Image

from common.errors import Invalid
from common.images import LIMIT_BYTES, clean


def _picture(size: tuple[int, int] = (640, 480), kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    image = Image.new(mode, size, 120 if mode in ("L", "I;16", "P") else None)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _with_camera(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    image = Image.new("RGB", (600, 400), (255, 255, 255))
    image.paste((255, 0, 0), (0, 0, 300, 400))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"at home")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_takes_what_cameras_and_screens_make(kind: str) -> None:
    cleaned = clean(_picture(kind=kind))
    with Image.open(io.BytesIO(cleaned.jpeg)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (640, 480), "RGB")
    assert (cleaned.width, cleaned.height) == (640, 480)


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "LA", "1", "I;16"])
def test_takes_every_kind_of_color(mode: str) -> None:
    assert clean(_picture(kind="PNG", mode=mode)).width == 640


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_keeps_the_grays_of_a_deep_picture(kind: str) -> None:
    deep = Image.new("I;16", (256, 16))
    deep.putdata([column * 257 for _row in range(16) for column in range(256)])
    out = io.BytesIO()
    deep.save(out, kind)
    with Image.open(io.BytesIO(clean(out.getvalue()).jpeg)) as image:
        grays = [image.convert("L").getpixel((column, 8)) for column in (0, 64, 128, 200, 255)]
    assert grays == pytest.approx([0, 64, 128, 200, 255], abs=4)


def test_takes_a_cmyk_picture() -> None:
    assert clean(_picture(mode="CMYK")).width == 640


def test_shrinks_to_the_longest_side() -> None:
    cleaned = clean(_picture(size=(4000, 1000)))
    assert (cleaned.width, cleaned.height) == (1024, 256)


def test_turns_upright_and_forgets_the_camera() -> None:
    cleaned = clean(_with_camera(orientation=6))
    with Image.open(io.BytesIO(cleaned.jpeg)) as image:
        assert image.size == (400, 600)
        top, bottom = image.getpixel((200, 50)), image.getpixel((200, 550))
        assert not image.getexif()
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[1] < 60 < bottom[1]
    for trace in (b"Exif", b"SecretCam", b"at home", b"GPS"):
        assert trace not in cleaned.jpeg


def test_takes_the_first_frame_of_an_animated_one() -> None:
    frames = [Image.new("RGB", (50, 50), color) for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(clean(out.getvalue()).jpeg)) as image:
        pixel = image.getpixel((25, 25))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[1] < 100


def test_shows_what_shines_through_on_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(clean(out.getvalue()).jpeg)) as image:
        assert image.getpixel((10, 10)) == (255, 255, 255)


def test_gives_the_same_for_the_same() -> None:
    picture = _with_camera(orientation=3)
    assert clean(picture) == clean(picture)


def _png_head(width: int, height: int) -> bytes:
    """Answer a PNG that says that it is that large, and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("data", "says"), [
    (b"", "no picture"),
    (b"hello", "no picture"),
    (b"%PDF-1.4\n" + b"x" * 500, "no picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
    (b"\xff\xd8\xff\xe0" + b"\0" * 20, "no picture"),
    (_png_head(9000, 6000), "50 megapixels"),
    (_png_head(60_000, 60_000), "50 megapixels"),
    (_png_head(100, 100), "damaged"),
    (_picture()[:900], "damaged"),
    (_picture(kind="TIFF", mode="F"), "no picture"),
    (b"\0" * (LIMIT_BYTES + 1), "10 MB"),
])  # fmt: skip
def test_refuses_anything_else_and_says_why(data: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says) as refused:
        clean(data)
    assert list(refused.value.errors) == ["/image"]


def test_survives_pictures_that_are_broken_anywhere() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = _picture(size=(60, 40), kind=kind)
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            broken = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
            for data in (whole[:place], broken):
                try:
                    clean(data)
                except Invalid:
                    continue
