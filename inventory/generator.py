"""Stock as real stores have it, of any size and the same again for the same seed: for the bench, the demo and tests.

Real part numbers and their names, a few of which make most of the lots, as everywhere; colors as often as they are met;
quantities and prices with the long tails that stores have; and the oddities that importing has to live with.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from uuid import UUID

from catalog import colors
from inventory.formats.base import Lot

# Category: number and name, two blanks or a line between them, the commonest first.
_PARTS = """
Plate|3023 Plate 1 x 2;3024 Plate 1 x 1;3710 Plate 1 x 4;3623 Plate 1 x 3;3666 Plate 1 x 6;3460 Plate 1 x 8;4477 Plate 1 x 10
Plate|60479 Plate 1 x 12;3022 Plate 2 x 2;3021 Plate 2 x 3;3020 Plate 2 x 4;3795 Plate 2 x 6;3034 Plate 2 x 8;3832 Plate 2 x 10
Plate|2445 Plate 2 x 12;91988 Plate 2 x 14;4282 Plate 2 x 16;11212 Plate 3 x 3;3031 Plate 4 x 4;3032 Plate 4 x 6;3035 Plate 4 x 8
Plate|3030 Plate 4 x 10;3029 Plate 4 x 12;3958 Plate 6 x 6;3036 Plate 6 x 8;3033 Plate 6 x 10;3028 Plate 6 x 12;3456 Plate 6 x 14
Plate|3027 Plate 6 x 16;3026 Plate 6 x 24;41539 Plate 8 x 8;92438 Plate 8 x 16;91405 Plate 16 x 16;2420 Plate 2 x 2 Corner
Plate, Modified|3794b Plate, Modified 1 x 2 with 1 Stud with Groove (Jumper);15573 Plate, Modified 1 x 2 with 1 Stud, Jumper
Plate, Modified|87580 Plate, Modified 2 x 2 with Groove and 1 Stud in Center;32028 Plate, Modified 1 x 2 with Door Rail
Plate, Modified|4085d Plate, Modified 1 x 1 with U Clip Thick;60897 Plate, Modified 1 x 1 with U Clip;61252 Plate, Modified 1 x 1 with U Clip Horizontal
Plate, Modified|48336 Plate, Modified 1 x 2 with Bar Handle on Side;60478 Plate, Modified 1 x 2 with Bar Handle on End
Plate, Modified|2540 Plate, Modified 1 x 2 with Bar Handle on Side - Free Ends;11476 Plate, Modified 1 x 2 with U Clip on Side
Plate, Modified|92280 Plate, Modified 1 x 2 with U Clips on Top;4081b Plate, Modified 1 x 1 with Light Attachment - Thick Ring
Plate, Modified|26047 Plate, Modified 1 x 1 Rounded with Handle;49668 Plate, Modified 1 x 1 with Tooth Horizontal
Plate, Modified|15070 Plate, Modified 1 x 1 with Tooth Vertical;41769 Wedge, Plate 4 x 2 Right;41770 Wedge, Plate 4 x 2 Left
Plate, Modified|18674 Plate, Round 2 x 2 with Rounded Bottom (Boat Stud);99781 Bracket 1 x 2 - 1 x 2;99780 Bracket 1 x 2 - 1 x 2 Inverted
Plate, Modified|44728 Bracket 1 x 2 - 2 x 2;99207 Bracket 1 x 2 - 2 x 2 Inverted;2436b Bracket 1 x 2 - 1 x 4 with Rounded Corners
Plate, Round|4073 Plate, Round 1 x 1;6141 Plate, Round 1 x 1 Straight Side;4032 Plate, Round 2 x 2 with Axle Hole;85861 Plate, Round 1 x 1 with Open Stud
Plate, Round|60474 Plate, Round 4 x 4 with Hole;11213 Plate, Round 6 x 6 with Hole;24246 Tile, Round 1 x 1 Half Circle Extended;33291 Plate, Round 1 x 1 with Flower Edge
Brick|3005 Brick 1 x 1;3004 Brick 1 x 2;3622 Brick 1 x 3;3010 Brick 1 x 4;3009 Brick 1 x 6;3008 Brick 1 x 8;6111 Brick 1 x 10;6112 Brick 1 x 12
Brick|2465 Brick 1 x 16;3003 Brick 2 x 2;3002 Brick 2 x 3;3001 Brick 2 x 4;2456 Brick 2 x 6;3007 Brick 2 x 8;3006 Brick 2 x 10;2357 Brick 2 x 2 Corner
Brick|2356 Brick 4 x 6;14716 Brick 1 x 1 x 3;3245b Brick 1 x 2 x 2 with Inside Axle Holder;22886 Brick 1 x 2 x 3;2453b Brick 1 x 1 x 5 with Solid Stud
Brick, Modified|87087 Brick, Modified 1 x 1 with Stud on Side;47905 Brick, Modified 1 x 1 with Studs on 2 Sides, Opposite
Brick, Modified|4070 Brick, Modified 1 x 1 with Headlight;11211 Brick, Modified 1 x 2 with Studs on 1 Side;30414 Brick, Modified 1 x 4 with Studs on Side
Brick, Modified|98283 Brick, Modified 1 x 2 with Masonry Profile;2877 Brick, Modified 1 x 2 with Grille;4733 Brick, Modified 1 x 1 with Studs on 4 Sides
Brick, Modified|52107 Brick, Modified 1 x 2 with Studs on 2 Sides;30136 Brick, Modified 1 x 2 Log;30137 Brick, Modified 1 x 4 Log;26604 Brick, Modified 1 x 1 with Studs on 2 Sides, Adjacent
Brick, Round|3062b Brick, Round 1 x 1 Open Stud;3941 Brick, Round 2 x 2 with Axle Hole;30367c Brick, Round 2 x 2 Dome Top;87081 Brick, Round 4 x 4 with Holes
Brick, Arch|4490 Arch 1 x 3;3659 Arch 1 x 4;3455 Arch 1 x 6;15254 Arch 1 x 6 x 2;6091 Arch 1 x 3 x 2 Curved Top;6005 Arch 1 x 3 x 2;92903 Arch 1 x 3 x 2 Inverted
Tile|3070b Tile 1 x 1 with Groove;3069b Tile 1 x 2 with Groove;63864 Tile 1 x 3;2431 Tile 1 x 4;6636 Tile 1 x 6;4162 Tile 1 x 8;3068b Tile 2 x 2 with Groove
Tile|26603 Tile 2 x 3;87079 Tile 2 x 4;69729 Tile 2 x 6;1751 Tile 4 x 4;10202 Tile 6 x 6 with Bottom Tubes;90498 Tile 8 x 16 with Bottom Tubes;14719 Tile 2 x 2 Corner
Tile, Round|98138 Tile, Round 1 x 1;14769 Tile, Round 2 x 2 with Bottom Stud Holder;25269 Tile, Round 1 x 1 Quarter;67095 Tile, Round 3 x 3;27507 Tile, Round 4 x 4 Quarter
Tile, Modified|2412b Tile, Modified 1 x 2 Grille with Bottom Groove;2432 Tile, Modified 1 x 2 with Handle;2555 Tile, Modified 1 x 1 with Clip
Tile, Modified|33909 Tile, Modified 2 x 2 with Studs on Edge;15068 Slope, Curved 2 x 2 x 2/3;22385 Tile, Modified 2 x 3 Pentagonal;35649 Tile, Modified 2 x 2 Pentagonal
Slope|54200 Slope 30 1 x 1 x 2/3;85984 Slope 30 1 x 2 x 2/3;3040 Slope 45 2 x 1;3039 Slope 45 2 x 2;3038 Slope 45 2 x 3;3037 Slope 45 2 x 4
Slope|3298 Slope 33 3 x 2;3297 Slope 33 3 x 4;4286 Slope 33 3 x 1;60481 Slope 65 2 x 1 x 2;3678b Slope 65 2 x 2 x 2 with Bottom Tube;4460b Slope 75 2 x 1 x 3
Slope|3684c Slope 75 2 x 2 x 3 - Solid Studs;3049d Slope 45 2 x 1 Double / Inverted;3044c Slope 45 2 x 1 Double;35464 Slope 45 1 x 1 Double;3048c Slope 45 1 x 2 Triple
Slope, Inverted|3665 Slope, Inverted 45 2 x 1;3660 Slope, Inverted 45 2 x 2;4287b Slope, Inverted 33 3 x 1;3747b Slope, Inverted 33 3 x 2;13548 Slope, Inverted 45 1 x 2 Double
Slope, Curved|11477 Slope, Curved 2 x 1 x 2/3;50950 Slope, Curved 3 x 1;61678 Slope, Curved 4 x 1;93273 Slope, Curved 4 x 1 Double;24201 Slope, Curved 2 x 1 Inverted
Slope, Curved|93606 Slope, Curved 4 x 2;88930 Slope, Curved 2 x 4 x 2/3;6191 Brick, Modified 1 x 4 x 1 1/3 with Curved Top;37352 Slope, Curved 1 x 2;29119 Slope, Curved 2 x 1 Right;29120 Slope, Curved 2 x 1 Left
Technic, Pin|2780 Technic, Pin with Friction Ridges Lengthwise and Center Slots;3673 Technic, Pin without Friction;6558 Technic, Pin 3L with Friction Ridges
Technic, Pin|43093 Technic, Axle 1L with Pin with Friction Ridges;3749 Technic, Axle 1L with Pin without Friction;4274 Technic, Pin 1/2;32054 Technic, Pin 3L with Stop Bush
Technic, Pin|32556 Technic, Pin 3L without Friction;87082 Technic, Pin 3L Double with Center Pin Hole;65304 Technic, Pin 2L with Friction Ridges and Axle Hole;15100 Technic, Pin with Pin Hole
Technic, Axle|32062 Technic, Axle 2L Notched;4519 Technic, Axle 3L;3705 Technic, Axle 4L;32073 Technic, Axle 5L;3706 Technic, Axle 6L;44294 Technic, Axle 7L;3707 Technic, Axle 8L
Technic, Axle|60485 Technic, Axle 9L;3737 Technic, Axle 10L;3708 Technic, Axle 12L;24316 Technic, Axle 3L with Stop;87083 Technic, Axle 4L with Stop;15462 Technic, Axle 5L with Stop;55013 Technic, Axle 8L with Stop
Technic, Axle|3713 Technic, Bush;32123b Technic, Bush 1/2 Smooth with Axle Hole Semi-Reduced;6587 Technic, Axle 3L with Stud;59426 Technic, Axle 5.5L with Stop
Technic, Liftarm|43857 Technic, Liftarm Thick 1 x 2;32523 Technic, Liftarm Thick 1 x 3;32316 Technic, Liftarm Thick 1 x 5;32524 Technic, Liftarm Thick 1 x 7;40490 Technic, Liftarm Thick 1 x 9
Technic, Liftarm|32525 Technic, Liftarm Thick 1 x 11;41239 Technic, Liftarm Thick 1 x 13;32278 Technic, Liftarm Thick 1 x 15;60483 Technic, Liftarm Thick 1 x 2 with Axle Hole;32140 Technic, Liftarm L-Shape Thick 2 x 4
Technic, Liftarm|32526 Technic, Liftarm L-Shape Thick 3 x 5;60484 Technic, Liftarm T-Shape Thick 3 x 3;32348 Technic, Liftarm Bent Thick 1 x 7;32271 Technic, Liftarm Bent Thick 1 x 9;6629 Technic, Liftarm Bent Thick 1 x 9 (6 - 4);32009 Technic, Liftarm Double Bent Thick 1 x 11.5
Technic, Liftarm|64179 Technic, Frame Thick 5 x 7 Open Center;64178 Technic, Frame Thick 5 x 11 Open Center;6632 Technic, Liftarm Thin 1 x 3;32449 Technic, Liftarm Thin 1 x 4;41677 Technic, Liftarm Thin 1 x 2;11478 Technic, Liftarm Thin 1 x 5
Technic, Connector|32039 Technic, Axle Connector with Axle Hole;32013 Technic, Axle and Pin Connector Angled #1;32034 Technic, Axle and Pin Connector Angled #2;32016 Technic, Axle and Pin Connector Angled #3
Technic, Connector|32192 Technic, Axle and Pin Connector Angled #4;32015 Technic, Axle and Pin Connector Angled #5;32014 Technic, Axle and Pin Connector Angled #6;6536 Technic, Axle and Pin Connector Perpendicular
Technic, Connector|32184 Technic, Axle and Pin Connector Perpendicular 3L with Center Pin Hole;32291 Technic, Axle and Pin Connector Perpendicular Double;42003 Technic, Axle and Pin Connector Perpendicular 3L with 2 Pin Holes
Technic, Connector|62462 Technic, Pin Connector Round 2L with Slot;75535 Technic, Pin Connector Round 2L without Slot;59443 Technic, Axle Connector 2L Smooth;87408 Technic, Pin Connector Toggle Joint Smooth Double
Technic, Brick|3700 Technic, Brick 1 x 2 with Hole;3701 Technic, Brick 1 x 4 with Holes;3894 Technic, Brick 1 x 6 with Holes;3702 Technic, Brick 1 x 8 with Holes;2730 Technic, Brick 1 x 10 with Holes;3895 Technic, Brick 1 x 12 with Holes
Technic, Brick|3703 Technic, Brick 1 x 16 with Holes;6541 Technic, Brick 1 x 1 with Hole;32000 Technic, Brick 1 x 2 with Holes;32064c Technic, Brick 1 x 2 with Axle Hole;3709b Technic, Plate 2 x 4 with 3 Holes;3738 Technic, Plate 2 x 8 with 7 Holes
Technic, Gear|3647 Technic, Gear 8 Tooth;10928 Technic, Gear 8 Tooth Reinforced;94925 Technic, Gear 16 Tooth;3648b Technic, Gear 24 Tooth;3649 Technic, Gear 40 Tooth;32270 Technic, Gear 12 Tooth Double Bevel;32269 Technic, Gear 20 Tooth Double Bevel
Technic, Gear|32498 Technic, Gear 36 Tooth Double Bevel;6589 Technic, Gear 12 Tooth Bevel;4716 Technic, Gear Worm Screw, Long;3743 Technic, Gear Rack 1 x 4;18946 Technic, Gear 16 Tooth with Clutch
Bar|30374 Bar 4L (Lightsaber Blade / Wand);87994 Bar 3L;63965 Bar 6L with Stop Ring;48729b Bar 1L with Clip Mechanical Claw - Cut Edges;11090 Bar Holder with Clip;3957 Antenna 4H;2714 Bar 7.6L with Stop;98549 Minifigure, Weapon Hilt Symmetric
Hinge|3937 Hinge Brick 1 x 2 Base;3938 Hinge Brick 1 x 2 Top Plate;44301 Hinge Plate 1 x 2 Locking with 1 Finger on End;44302 Hinge Plate 1 x 2 Locking with 2 Fingers on End;2429 Hinge Plate 1 x 4 Swivel Base;2430 Hinge Plate 1 x 4 Swivel Top
Wheel|4624 Wheel 8mm D. x 6mm;3641 Tire 15mm D. x 6mm Offset Tread Small;6014b Wheel 11mm D. x 12mm, Hole Notched for Wheels Holder Pin;87697 Tire 21mm D. x 12mm - Offset Tread Small Wide;55981 Wheel 18mm D. x 14mm;56145 Wheel 30.4mm D. x 20mm;44309 Tire 43.2 x 22 ZR
Wheel|4600 Plate, Modified 2 x 2 with Wheels Holder;6157 Plate, Modified 2 x 2 with Wheels Holder Wide;42610 Wheel 11mm D. x 8mm with Center Groove;50944 Wheel 11mm D. x 6mm with 5 Spokes;50951 Tire 14mm D. x 6mm Solid Smooth;50861 Tire 21 x 6 ZR
Window|60592 Window 1 x 2 x 2 Flat Front;60593 Window 1 x 2 x 3 Flat Front;60594 Window 1 x 4 x 3;60601 Glass for Window 1 x 2 x 2 Flat Front;60603 Glass for Window 1 x 4 x 3 - Opening;60596 Door, Frame 1 x 4 x 6 with 2 Holes on Top and Bottom;60621 Door 1 x 4 x 6 with 4 Panes
Panel|4865b Panel 1 x 2 x 1 with Rounded Corners;23950 Panel 1 x 3 x 1;30413 Panel 1 x 4 x 1;87552 Panel 1 x 2 x 2 with Side Supports - Hollow Studs;60581 Panel 1 x 4 x 3 with Side Supports - Hollow Studs;87544 Panel 1 x 2 x 3 with Side Supports
Wedge|51739 Wedge, Plate 2 x 4;43722 Wedge, Plate 3 x 2 Right;43723 Wedge, Plate 3 x 2 Left;50373 Wedge 3 x 4 with Stud Notches;41767 Wedge 4 x 2 Right;41768 Wedge 4 x 2 Left;54383 Wedge, Plate 6 x 3 Right;54384 Wedge, Plate 6 x 3 Left
Plant|6255 Plant Leaves 4 x 3;2417 Plant Leaves 6 x 5;2423 Plant Leaves 4 x 3 - Small;3741 Plant Flower Stem;32607 Plant Plate, Round 1 x 1 with 3 Leaves;24866 Plate, Round 1 x 1 with Flower Edge, 5 Petals;30176 Plant Leaves Bamboo
Minifigure, Utensil|3899 Minifigure, Utensil Cup;2343 Minifigure, Utensil Goblet;4529 Minifigure, Utensil Loudhailer;30162 Minifigure, Utensil Binoculars;6246 Minifigure, Utensil Tool Spanner;2342 Minifigure, Utensil Control Panel;4349 Minifigure, Utensil Camera
Minifigure, Headgear|3842 Minifigure, Headgear Helmet Space;2446 Minifigure, Headgear Helmet Motorcycle (Standard);2447 Minifigure, Visor Standard;3833 Minifigure, Headgear Helmet Construction;4485 Minifigure, Headgear Cap;3901 Minifigure, Hair Male
"""

_SETS = """
10265-1 Ford Mustang;21309-1 NASA Apollo Saturn V;42083-1 Bugatti Chiron;75192-1 Millennium Falcon;10497-1 Galaxy Explorer
31120-1 Medieval Castle;21330-1 Home Alone;60337-1 Express Passenger Train;10270-1 Bookshop;10281-1 Bonsai Tree;40567-1 Forest Hideout
6080-1 King's Castle;6285-1 Black Seas Barracuda;497-1 Galaxy Explorer;4558-1 Metroliner;8880-1 Super Car;6989-1 Mega Core Magnetizer
"""
_MINIFIGS = """
sp001 Classic Space - White with Airtanks;sp005 Classic Space - Red with Airtanks;cas001 Knight with Cape;sw0001a Battle Droid Tan
sw0010 Darth Vader;hp001 Harry Potter;cty0001 Fireman;pi001 Captain Redbeard;njo001 Jay;col001 Tribal Hunter;adv001 Sam Sinister
"""
_OTHERS = """
GEAR|854090 Key Chain;853914 Magnet Set;5005358 Minifigure Factory Cup
BOOK|b18other01 The Brick Book;5005737 Builder's Guide
CATALOG|c84de Large German 1984;c92uk Medium English 1992
INSTRUCTION|6080-1 King's Castle;8880-1 Super Car;10265-1 Ford Mustang
BOX|6285-1 Black Seas Barracuda;75192-1 Millennium Falcon
"""

# BrickLink's ids, the color met most often first, with how often out of a thousand.
_COLORS = (
    (11, 170), (86, 120), (1, 105), (85, 95), (5, 75), (3, 48), (7, 45), (2, 44), (88, 42), (63, 28), (12, 26), (59, 22),
    (6, 20), (69, 20), (120, 18), (4, 17), (155, 12), (36, 11), (156, 10), (34, 10), (80, 10), (68, 8), (110, 7),
    (115, 7), (48, 5), (17, 5), (14, 5), (15, 5), (23, 4), (47, 4), (89, 4), (65, 3), (9, 3), (10, 3), (150, 2), (40, 2),
    (95, 2), (96, 1), (42, 1),
)  # fmt: skip
_WORDS = (
    "slightly scratched", "very good condition", "<b>new</b> & unused", "from set 10265", "Kratzer, sonst gut",
    "légèrement jauni", "no cracks", "minor play wear", "2 with tooth marks", "aus Nichtraucherhaushalt", "ex-display",
    "«comme neuf»", "stored dark & dry", "from <i>sealed</i> bag", "ＬＥＧＯ正規品", "🧱 sorted by hand",
)  # fmt: skip
_FREE_REMARKS = ("Box 7, left", "upstairs", "to be sorted", "Kiste 3 / Fach B", "=SUM(A1:A3)", "@desk", "ask Jörg", "?")
_BUYERS = ("brickfan77", "steine_jan", "legolas", "moc-builder")

_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
_SHARE_OF_DUPLICATES = 0.03


@cache
def _parts() -> tuple[list[tuple[str, str, str]], list[float]]:
    """Answer parts as (number, name, category), and how often each is met, summed up: the second half as often, …"""
    bases = [
        (number, name, category)
        for row in _PARTS.split("\n")
        if row
        for category, listed in [row.split("|")]
        for number, _, name in (entry.partition(" ") for entry in listed.split(";"))
    ]
    prints = [
        (f"{number.rstrip('bcd')}pb{place:03}", f"{name} with {what} Pattern", category)
        for number, name, category in bases
        if number in ("3069b", "3068b", "2431", "3070b", "87079", "98138", "14769", "3001", "3004", "3010")
        for place, what in enumerate(("Gauge", "Arrow", "Black Grille", "Keyboard", "Red Cross", "'POLICE'"), start=1)
    ]
    found = bases + prints
    order = random.Random(3001)  # noqa: S311  # which parts are met most is no secret
    order.shuffle(found)
    return found, list(accumulate(1 / (place + 12) ** 0.9 for place in range(len(found))))


@cache
def _color_weights() -> tuple[list[int], list[float]]:
    return [color_id for color_id, _ in _COLORS], list(accumulate(float(often) for _, often in _COLORS))


def _entries(listed: str) -> list[tuple[str, str]]:
    return [
        (number, name)
        for row in listed.split("\n")
        if row
        for number, _, name in (entry.partition(" ") for entry in row.split(";"))
    ]


def lots(count: int, *, seed: int = 1, currency: str = "EUR") -> Iterator[Lot]:
    """Answer `count` lots, one at a time; the same ones for the same seed."""
    maker = _Maker(seed, currency)
    recent: list[Lot] = []
    for place in range(count):
        if recent and maker.chance(_SHARE_OF_DUPLICATES):
            lot = maker.duplicate(maker.choice(recent), place)
        else:
            lot = maker.lot(place)
        recent.append(lot)
        if len(recent) > 500:  # noqa: PLR2004  # enough to choose from
            del recent[:250]
        yield lot


def drifted(made: Iterable[Lot], *, share: float = 0.1, seed: int = 2) -> Iterator[Lot]:
    """Answer the lots as they are some weeks later: a share of them with another quantity, price, place or text."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for lot in made:
        if dice.random() >= share:
            yield lot
            continue
        kind = dice.random()
        if kind < 0.5:  # noqa: PLR2004  # half of what changes is sold
            yield replace(lot, qty_available=max(0, lot.qty_available - dice.randint(1, 5)) or lot.qty_available + 7)
        elif kind < 0.8:  # noqa: PLR2004  # then prices
            factor = Decimal(dice.choice(("1.10", "0.90", "1.25")))
            price = (lot.unit_price * factor).quantize(Decimal("0.001"))
            yield replace(lot, unit_price=price if price != lot.unit_price else price + Decimal("0.01"), tier_prices=())
        elif kind < 0.95:  # noqa: PLR2004  # then places
            yield replace(lot, remarks=f"Z-{dice.randint(1, 40):02}-{dice.randint(1, 9)}")
        else:
            yield replace(lot, description=f"{lot.description} (checked)".strip()[:5000])


class _Maker:
    def __init__(self, seed: int, currency: str) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self._currency = currency
        self._sets = _entries(_SETS)
        self._minifigs = _entries(_MINIFIGS)
        self._others = [
            (kind, number, name)
            for row in _OTHERS.split("\n")
            if row
            for kind, listed in [row.split("|")]
            for number, name in _entries(listed)
        ]

    def chance(self, share: float) -> bool:
        """Tell whether it happens this time."""
        return self._dice.random() < share

    def choice(self, among: list[Lot]) -> Lot:
        """Answer one of them."""
        return self._dice.choice(among)

    def duplicate(self, lot: Lot, place: int) -> Lot:
        """Answer another lot of the same thing, elsewhere and at another price."""
        price = (lot.unit_price * Decimal("1.1")).quantize(Decimal("0.001")) + Decimal("0.01")
        return replace(
            lot,
            id=self._id(),
            qty_available=self._quantity(),
            unit_price=price,
            tier_prices=(),
            remarks=self._remarks(),
            bricklink_lot_id=self._lot_id(place),
        )

    def lot(self, place: int) -> Lot:
        """Answer a lot."""
        dice = self._dice
        kind, number, name, category, color_id = self._thing()
        is_new = self.chance(0.62)
        price = self._price(kind)
        added = _NEWEST - timedelta(seconds=dice.randint(0, 6 * 365 * 86_400))
        color = colors.get(color_id)
        has_room = self.chance(0.04)
        completeness = None
        if kind == "SET":
            completeness = dice.choice(("COMPLETE", "INCOMPLETE", "SEALED") if is_new else ("COMPLETE", "INCOMPLETE"))
        return Lot(
            id=self._id(),
            item_type=kind,
            item_no=number,
            item_name=name,
            category_name=category,
            color_id=color_id,
            color_name=color.name if color else "",
            condition="NEW" if is_new else "USED",
            completeness=completeness,
            sub_condition=None,
            qty_available=self._quantity() if kind == "PART" else max(1, self._quantity() // 40),
            qty_reserved=0,
            unit_price=price,
            currency=self._currency,
            cost_basis=(price * Decimal("0.4")).quantize(Decimal("0.001")) if self.chance(0.3) else None,
            sale_percent=dice.choice((5, 10, 15, 20, 30)) if self.chance(0.05) else 0,
            bulk=dice.choice((2, 5, 10, 25)) if self.chance(0.04) else 1,
            tier_prices=self._tiers(price) if self.chance(0.06) else (),
            description=dice.choice(_WORDS) if self.chance(0.15) else "",
            remarks=self._remarks(),
            is_retain=self.chance(0.08),
            is_stock_room=has_room,
            stock_room_id=dice.choice("ABC") if has_room else "",
            weight_grams=None,
            low_stock_threshold=None,
            reserved_for=dice.choice(_BUYERS) if self.chance(0.002) else "",
            acquired_from="",
            date_added=added,
            last_sold_at=self._sold(added) if self.chance(0.4) else None,
            bricklink_lot_id=self._lot_id(place),
            locations=(),
            extra={},
        )

    def _thing(self) -> tuple[str, str, str, str, int | None]:
        dice = self._dice
        kind = dice.random()
        if kind < 0.92:  # noqa: PLR2004  # most of every store
            parts, weights = _parts()
            number, name, category = dice.choices(parts, cum_weights=weights)[0]
            ids, often = _color_weights()
            return "PART", number, name, category, dice.choices(ids, cum_weights=often)[0]
        if kind < 0.96:  # noqa: PLR2004  # then minifigures
            number, name = dice.choice(self._minifigs)
            return "MINIFIG", number, name, "Minifigures", None
        if kind < 0.985:  # noqa: PLR2004  # then sets
            number, name = dice.choice(self._sets)
            return "SET", number, name, "Sets", None
        kind_of, number, name = dice.choice(self._others)
        return kind_of, number, name, "Other", None

    def _id(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _lot_id(self, place: int) -> int:
        # BrickLink counts over all its stores, so a store's numbers ascend with gaps.
        return 100_000_000 + place * 37 + self._dice.randrange(37)

    def _quantity(self) -> int:
        return max(1, min(50_000, round(self._dice.lognormvariate(2.3, 1.5))))

    def _price(self, kind: str) -> Decimal:
        price = self._dice.lognormvariate(-2.3, 1.1) if kind == "PART" else self._dice.lognormvariate(1.5, 0.9)
        return Decimal(round(min(30.0, max(0.01, price)) * 1000)) / 1000

    def _tiers(self, price: Decimal) -> tuple[tuple[int, Decimal], ...]:
        start = self._dice.choice((10, 25, 50, 100))
        steps = self._dice.randint(1, 3)
        return tuple(
            (start * 2**step, max(Decimal("0.001"), (price * (100 - 5 * (step + 1)) / 100).quantize(Decimal("0.001"))))
            for step in range(steps)
        )

    def _remarks(self) -> str:
        dice = self._dice
        kind = dice.random()
        if kind < 0.8:  # noqa: PLR2004  # most sellers write the place here
            return f"{dice.choice('ABCDEFGH')}-{dice.randint(1, 60):02}-{dice.randint(1, 9)}"
        return dice.choice(_FREE_REMARKS) if kind < 0.9 else ""  # noqa: PLR2004  # some write other things

    def _sold(self, added: datetime) -> datetime:
        return added + timedelta(seconds=self._dice.randint(0, max(1, int((_NEWEST - added).total_seconds()))))
