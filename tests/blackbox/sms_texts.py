"""Texts that are hard to cut into SMS."""

import random

GSM7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
EXTENSION = "^{}\\[~]|€\f"
OTHER = "`çáíóúêã“”–—\tяжш漢字かな한글עבריתعربىไทยกำ₹"
CLUSTERS = [
    "\r\n", "\n\r", "e\u0301", "a\u0308\u0301", "n\u0303\u0323", "คำ", "กิ์", "क्ष", "त्र", "नि", "தமி", "각", "ᄀ\u1161\u11a8",
    "😀", "👍🏽", "❤️", "👩‍👩‍👧‍👦", "👩🏾‍🚀", "🏳️‍🌈", "🇧🇷", "🇧🇷🇩🇪", "1️⃣", "☎️", "𝔘", "𠀀", "\ufeff", "\u00a0", "\u200b",
]


def texts(seed, count):
    dice = random.Random(seed)
    return [text(dice) for _ in range(count)]


def text(dice):
    """A few runs of one kind each; its length lies near where a part ends more often than not."""
    kinds = dice.sample([GSM7, EXTENSION, OTHER, CLUSTERS], dice.choice([1, 1, 2, 3, 4]))
    room = dice.choice([5, 67, 70, 134, 153, 160, 306, 400]) + dice.randint(-3, 3)
    pieces = []
    while room > 0:
        run = dice.randint(1, dice.choice([3, 30, 160]))
        kind = dice.choice(kinds)
        pieces += [dice.choice(kind) for _ in range(min(run, room))]
        room -= run
    return "".join(pieces)
