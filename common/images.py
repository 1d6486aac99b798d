"""Pictures that people send: what they are is found out by decoding, and nothing but the picture goes on."""

import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import Invalid

LIMIT_BYTES = 10 * 1024 * 1024
LIMIT_PIXELS = 50_000_000
_LONGEST_SIDE = 1024
_QUALITY = 85
# What cameras and screens make. Named, so that no decoder of a rare format ever meets a stranger's bytes.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_WHITE = (255, 255, 255)


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
    if len(data) > LIMIT_BYTES:
        raise _refused(f"The picture is larger than {LIMIT_BYTES // 1024 // 1024} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Known from the head; decoding is what a bomb waits for.
            if image.width * image.height > LIMIT_PIXELS:
                raise _refused(f"The picture has more than {LIMIT_PIXELS // 1_000_000} megapixels.")
            # A JPEG is decoded at an eighth, a quarter or a half where that is enough.
            image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image.load()
            return _jpeg(image)
    except Image.DecompressionBombError as error:
        raise _refused(f"The picture has more than {LIMIT_PIXELS // 1_000_000} megapixels.") from error
    except UnidentifiedImageError as error:
        raise _refused("This is no picture that we know: send a JPEG, PNG, WebP, GIF, BMP or TIFF.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
        # What decoders raise at a picture that is cut off or made up.
        raise _refused("The picture is damaged.") from error


def _jpeg(image: Image.Image) -> CleanImage:
    upright = ImageOps.exif_transpose(image)
    small = ImageOps.contain(upright, (_LONGEST_SIDE, _LONGEST_SIDE)) if max(upright.size) > _LONGEST_SIDE else upright
    # What shines through is seen on white, as parts are photographed.
    shown = Image.new("RGB", small.size, _WHITE)
    shown.paste(small.convert("RGBA"), mask=small.convert("RGBA").getchannel("A"))
    out = io.BytesIO()
    shown.save(out, "JPEG", quality=_QUALITY)
    return CleanImage(jpeg=out.getvalue(), width=shown.width, height=shown.height)


def _refused(message: str) -> Invalid:
    return Invalid(message, errors={"/image": [message]})
