"""Pictures that come from outside: what they are is found out by decoding, and nothing but the picture goes on."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from common.errors import Invalid

LIMIT_BYTES = 10 * 1024 * 1024
LIMIT_PIXELS = 50_000_000
_LONGEST_SIDE = 1024
_QUALITY = 85
# What cameras and screens make. Named, so that no decoder of a rare format ever meets a stranger's bytes.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_WHITE = (255, 255, 255)
# Of a picture that lists show: WebP's, and how much of a side the color in its corner takes.
_WEBP_QUALITY, _CORNER = 82, 0.3
_EDGE = (148, 163, 184)


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A picture as JPEG, upright, at most 1,024 pixels long, without anything that a camera wrote beside it."""

    jpeg: bytes
    width: int
    height: int


def clean(data: bytes) -> CleanImage:
    """Answer the picture, of an animated one the first frame. Raises Invalid, which says what is wrong with it.

    The same bytes always give the same JPEG, so that its hash can stand for it.
    """
    with _opened(data, limit_bytes=LIMIT_BYTES, limit_pixels=LIMIT_PIXELS, longest=_LONGEST_SIDE) as image:
        shown = _on_white(image, _LONGEST_SIDE)
        out = io.BytesIO()
        shown.save(out, "JPEG", quality=_QUALITY)
        return CleanImage(jpeg=out.getvalue(), width=shown.width, height=shown.height)


def squares(
    data: bytes, *, sides: Iterable[int], limit_bytes: int, limit_pixels: int, corner: str = ""
) -> dict[int, bytes]:
    """Answer the picture as a WebP of each side, in the middle of a white square, as `clean` with all else.

    `corner`: RGB in six hexadecimal digits that a corner of it shows. Raises Invalid, which says what is wrong with it.
    """
    wanted = sorted(sides)
    with _opened(data, limit_bytes=limit_bytes, limit_pixels=limit_pixels, longest=wanted[-1]) as image:
        shown = _on_white(image, wanted[-1])
        return {side: _square(shown, side, corner) for side in wanted}


@contextmanager
def _opened(data: bytes, *, limit_bytes: int, limit_pixels: int, longest: int) -> Iterator[Image.Image]:
    """Have a picture decoded, of an animated one the first frame; raises Invalid for what is none, or too large."""
    if len(data) > limit_bytes:
        raise _refused(f"The picture is larger than {limit_bytes // 1024 // 1024} MB.")
    too_large = f"The picture has more than {limit_pixels // 1_000_000} megapixels."
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Known from the head; decoding is what a bomb waits for.
            if image.width * image.height > limit_pixels:
                raise _refused(too_large)
            # A JPEG is decoded at an eighth, a quarter or a half where that is enough.
            image.draft("RGB", (longest, longest))
            image.load()
            yield image
    except Image.DecompressionBombError as error:
        raise _refused(too_large) from error
    except UnidentifiedImageError as error:
        raise _refused("This is no picture that we know: send a JPEG, PNG, WebP, GIF, BMP or TIFF.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
        # What decoders raise at a picture that is cut off or made up.
        raise _refused("The picture is damaged.") from error


def _on_white(image: Image.Image, longest: int) -> Image.Image:
    """Answer it upright and at most so long; what shines through is seen on white, as parts are photographed."""
    upright = ImageOps.exif_transpose(_in_256_grays(image))
    small = ImageOps.contain(upright, (longest, longest)) if max(upright.size) > longest else upright
    shown = Image.new("RGB", small.size, _WHITE)
    shown.paste(small.convert("RGBA"), mask=small.convert("RGBA").getchannel("A"))
    return shown


def _in_256_grays(image: Image.Image) -> Image.Image:
    """Answer a picture of 65,536 grays in 256: what is above is cut off otherwise, which leaves a white square."""
    if image.mode == "F":
        raise _refused("This is no picture that we know: it has fractions for colors.")
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda gray: gray * (1 / 256)).convert("L")


def _square(shown: Image.Image, side: int, corner: str) -> bytes:
    # A small one is made twice as large at most, and stands in the middle.
    longest = min(side, 2 * max(shown.size))
    small = ImageOps.contain(shown, (longest, longest))
    square = Image.new("RGB", (side, side), _WHITE)
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    if corner:
        begin, width = round(side * (1 - _CORNER)), max(1, side // 96)
        ImageDraw.Draw(square).rounded_rectangle(
            (begin, begin, side - 1, side - 1), radius=side // 16, fill=f"#{corner}", outline=_EDGE, width=width
        )
    out = io.BytesIO()
    square.save(out, "WEBP", quality=_WEBP_QUALITY, method=4)
    return out.getvalue()


def _refused(message: str) -> Invalid:
    return Invalid(message, errors={"/image": [message]})
