"""Splits plain text into sentences and words, in any script.

Words are tokenized as in the Universal Dependencies treebanks of English (clitics and hyphens
separate, straight quotes), so that text and treebank share their word types. In other scripts,
word boundaries (combining marks, joiners) follow Unicode Standard Annex 29, by the package regex.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import regex

_UNIFY = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "‛": "'", "`": "'", "„": "“", "«": "“", "»": "”", "—": " -- ",
     "–": "-", "…": "..."}
)  # fmt: skip
#: Invisible characters: soft hyphens, zero-width spaces, direction marks.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
_UNIFY |= _INVISIBLE
_BLANKS = re.compile("[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_CLITIC = r"(?:[sSdDmM]|[rR][eE]|[vV][eE]|[lL][lL])\b"
_ABC, _CAPITALS = "A-Za-zÀ-ÖØ-öø-žΆ-ώЀ-ӿ", "A-HJ-ZÀ-ÖØ-ÞČĆĐŁŘŚŠŞŹŻŽİΆ-ΫЀ-Я"  # "I" is a word
_TITLES = (
    "Mr Mrs Ms Messrs Dr Prof St Ste Rev Hon Sen Rep Gov Gen Col Maj Capt Cmdr Lt Sgt Pres Mt Ft "
    "Vol Fig Nos Op mr mrs ms dr prof st vs cf approx "
    "Sra Srta Dra Dott Hr bzw ggf evtl"  # Spanish, Italian, German
)
_ABBREVIATIONS = (
    "Jr Sr Inc Corp Co Ltd Bros etc ca Ave Blvd Rd Dept Univ Jan Feb Mar Apr Aug Sept Sep Oct "
    "Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri jr sr inc"
)


def _pattern(word: str) -> str:
    """Regular expression of a token; `word` is that of a run of letters."""
    return (
        r"(?:https?://|www\.)[^\s<>\"]*[\w/]|[\w.+-]+@\w[\w-]*(?:\.\w+)+"  # addresses
        r"|<unk>|<<|>>|[:;=]-?[()DP](?!\w)"
        rf"|[nN]'[tT]\b|'{_CLITIC}|'(?:em|tis|twas|til|cause)\b"
        rf"|(?:[{_ABC}]\.){{2,}}|[{_CAPITALS}]\.(?=\s+\S)"  # U.S., e.g., initials
        r"|[aädhouvz]\.(?:(?=\s[aähTBU]\.)|(?<=[duo]\.\s[aäh]\.))"  # German: z. B., d. h.
        rf"|(?:{'|'.join(f'{_TITLES} {_ABBREVIATIONS}'.split())})\.(?=\W)"
        r"|[nN]o\.(?=\s*\d)"
        r"|\d[\d.,]*(?=(?:[kKmM]|[aApP][mM])\b)|\d\w*(?:[.,:/٫٬]\d\w*)*"
        r"|(?:[gG]on|[wW]an)(?=na\b)|[gG]ot(?=ta\b)|[cC]an(?=not\b)"
        r"|(?:e|E|[nN]on|[cC]o|[pP]re|[pP]ost|[rR]e|[sS]emi|[mM]ulti|[mM]id|[eE]x|[aA]nti)-[A-Za-z]+"
        rf"|{word}(?:'(?!{_CLITIC}|[tT]\b)\w+)*"
        r"(?::(?<=[A-Z][A-Z]:)[a-zäö]{1,5}\b)?"  # Finnish: EU:n
        r"|\.+|-+|[!?]+|\*+|=+|_+|"
    )


_TOKEN = re.compile(_pattern(r"[^\W_]+") + r"\S")

# The same for all scripts. Those without spaces between words are split into characters.
_NO_BLANKS = r"\p{Han}\p{Hiragana}\p{lb=SA}"
_LETTER = (
    r"[[॰\p{L}\p{N}\p{WB=ALetter}\p{WB=Hebrew_Letter}\p{WB=Numeric}\p{WB=Extend}\p{WB=ZWJ}]"
    rf"--[_{_NO_BLANKS}]]"
)
_KANA = r"[\p{Katakana}\p{WB=Katakana}]"
_IN_WORD = r"[\p{WB=MidLetter}--[:]]"  # the dot of Catalan, the gershayim of Hebrew
_GERSHAYIM = r"(?<=\p{Hebrew})\"(?=\p{Hebrew})"  # as most keyboards write it
_TOKEN_OF_ANY = regex.compile(
    rf"(?V1)(?=[{_NO_BLANKS}])\X\p{{M}}*|{_KANA}[{_KANA}\p{{WB=Extend}}]*|"
    r"(?=\p{Tibetan})[\p{L}\p{M}]+[་༌]?|"  # a syllable with the mark at its end
    + _pattern(rf"{_LETTER}+(?:(?:{_IN_WORD}|{_GERSHAYIM}){_LETTER}+)*").replace(r"\w", _LETTER)
    + r"[\p{STerm}--[.]]+|(?!\s)\X"
)
_TOKEN_OF_SEGMENTED = regex.compile(
    _TOKEN_OF_ANY.pattern.replace(r"\X\p{M}*", rf"[{_NO_BLANKS}\p{{M}}]+", 1)
)
_NEEDS_ANY = regex.compile(
    rf"(?V1)[\p{{M}}\p{{Join_Control}}\p{{RI}}\p{{Emoji_Modifier}}\p{{WB=Hebrew_Letter}}"
    rf"\p{{Katakana}}{_NO_BLANKS}{_IN_WORD}[\p{{STerm}}--[.!?]][\p{{WB=ALetter}}--\w]]"
)
#: Letters of scripts without spaces between words.
UNSPACED = regex.compile(rf"(?V1)[{_NO_BLANKS}]")
_END = regex.compile(r"[\p{STerm}׃།༎]")
#: Marks that end a sentence after letters of some scripts.
_END_AFTER = {
    ";": regex.compile(r"\p{Greek}"),  # a question mark
    ":": regex.compile(r"\p{Armenian}"),  # typed for ։
    "|": regex.compile(r"[\p{Devanagari}\p{Bengali}\p{Oriya}\p{Gurmukhi}\p{Gujarati}]"),  # for ।
}
_CLOSER = regex.compile(r"[\p{Pe}\p{Pf}།༎]")

_NO_END = frozenset(f"{word}." for word in _TITLES.split())
_QUOTES = frozenset('"“”')  # German closes with “
# Marks that open where English closes, in »German« and ”Swedish”, and one that closes.
_OPENING, _CLOSING = re.compile(r"(?<!\S)[”»](?=\w)"), re.compile(r"(?<=\S)«(?!\w)")
_GOING_ON = frozenset([",", "--", "，", "、", "،"])
# German, after an ordinal number.
_MONTHS = frozenset(
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember "
    "Jahrhundert Jahrhunderts".split()
)
# Words that begin a sentence far more often than they begin a name.
_STARTERS = frozenset(
    "The A An This That These Those He She It They We You There Here In On At By For From With As "
    "After Before When While Where If But And So Or Yet However His Her Its Their Our My What Why "
    "How Who Not No All Some Many Most One Then Now Although Though Since Because".split()
)


def split_text(text: str, *, lower: bool = True) -> list[list[str]]:
    """Split one paragraph into sentences, each a list of words.

    Text that is tokenized already is kept, except that WikiText marks (``@-@``, ``@,@``) and
    quotes are normalized.

    >>> split_text("Mr. Hill can’t come. “Why?” she asked.")
    [['mr.', 'hill', 'ca', "n't", 'come', '.'], ['"', 'why', '?', '"', 'she', 'asked', '.']]
    """
    tokenize = _TOKEN.findall
    ascii_alone = text.isascii()
    if not ascii_alone:
        segmented = "\u200b" in text and is_segmented(text)
        if segmented:
            text = text.replace("\u200b", " ")
        if "”" in text or "»" in text:
            text = _CLOSING.sub("”", _OPENING.sub("“", text))
        text = unicodedata.normalize("NFC", text.translate(_UNIFY))
        if _NEEDS_ANY.search(text):
            segmented = segmented or is_segmented(text)
            tokenize = (_TOKEN_OF_SEGMENTED if segmented else _TOKEN_OF_ANY).findall
        if "፡" in text:  # between words in Ethiopic script, and twice for a full stop
            text = text.replace("፡፡", "።").replace("፡", " ")
    if "@" in text:
        text = text.replace(" @-@ ", " - ").replace(" @,@ ", ",").replace(" @.@ ", ".")
    if "''" in text or "``" in text:
        text = text.replace("''", '"').replace("``", '"')
    if " . ." in text:
        text = re.sub(r"(?: \.){2,}", " ...", text)
    if "n't" in text or "N'T" in text:
        text = text.replace("n't", " n't").replace("N'T", " N'T")
    tokens = tokenize(text)
    words = [lowered(token) for token in tokens] if lower else tokens
    if "“" in text or "”" in text:
        words = ['"' if word in "“”" else word for word in words]
    ends = _sentence_ends(tokens, cased=not text.islower(), ascii_alone=ascii_alone)
    return [words[a:b] for a, b in pairwise([0, *ends])]


def is_segmented(text: str) -> bool:
    """Whether the words of a script without blanks are parted after all, in most of a text.

    Blanks part them in corpora of Chinese, zero-width spaces in Khmer.

    >>> is_segmented("我 喜欢 喝茶 。"), is_segmented("我喜欢喝茶。 你呢？ 好！")
    (True, False)
    """
    parts = text.replace("\u200b", " ").split()
    longest = 8 if "\u200b" in text else 3  # letters, on average
    sizes = [len(part) for part in parts if UNSPACED.search(part)]
    return max(len(parts) / 2, 2) < len(sizes) > sum(sizes) / longest


def _may_end(token: str, before: str) -> bool:
    """Whether a sentence may end with a token, in any script."""
    last = token[-1]
    if last.isascii():
        return last in ".!?" or (
            token in _END_AFTER and _END_AFTER[token].match(before[-1]) is not None
        )
    return _END.match(last) is not None


def _sentence_ends(tokens: Sequence[str], *, cased: bool, ascii_alone: bool) -> list[int]:
    """Position after the last word of every sentence."""
    ends: list[int] = []
    start, n = 0, len(tokens)
    quotes = [i for i, token in enumerate(tokens) if token in _QUOTES]
    if ascii_alone:
        at_ends = [i for i, token in enumerate(tokens) if token[-1] in ".!?"]
    else:
        at_ends = [i for i, token in enumerate(tokens) if _may_end(token, tokens[i - 1])]
    for at in at_ends:
        if at < start:
            continue
        token, end = tokens[at], at + 1
        while (
            end < n
            and (
                _CLOSER.match(tokens[end])
                # A quote that opens as well as closes does the latter if it is second of a pair:
                # of all before it, since a quotation may hold several sentences. Apostrophes are
                # quotes, too, but not always.
                or (tokens[end] in _QUOTES and bisect_left(quotes, end) % 2)
                or (tokens[end] == "'" and tokens[start:end].count("'") % 2)
            )
        ):
            end += 1
        following = tokens[end] if end < n else ""
        if token[0].isalpha():  # an abbreviation
            over = token not in _NO_END and following in _STARTERS and len(token) > 2
        elif token == ".":  # but not that of an abbreviation in Cyrillic script, or of a date
            day = tokens[at - 1]
            dated = following in _MONTHS and day.isdigit() and len(day) < 3
            over = not (dated or (cased and "а" <= following[:1] <= "џ"))
        else:  # ellipses, exclamation and question marks may occur inside a sentence
            inside = cased and token.isascii() and following[:1].islower()
            over = not inside and following not in _GOING_ON
        if over:
            ends.append(end)
            start = end
    if start < n:
        ends.append(n)
    return ends


def lowered(word: str) -> str:
    """Lower-case a word; the Turkish İ becomes i, without the dot that Unicode adds.

    >>> lowered("İyi")
    'iyi'
    """
    return word.lower().replace("i\u0307", "i")


def normal(word: str) -> str:
    """Normalize a word: composed characters, without invisible ones, single spaces.

    Case is preserved.

    >>> normal("10 \u00a0000"), normal("ba\u200bker"), normal("e\u0301te\u0301") == "\u00e9t\u00e9"
    ('10 000', 'baker', True)
    """
    if word.isascii() and word.isprintable():  # no tab and no line break
        return _BLANKS.sub(" ", word).strip() if " " in word else word
    word = unicodedata.normalize("NFC", word.translate(_INVISIBLE))
    return _BLANKS.sub(" ", word).strip(" ")


def scripts(forms: Iterable[str]) -> dict[str, float]:
    """Share of letters by script (Unicode name), in descending order.

    Variants of a letter (full-width, superscript, mathematical) count as the letter. Modifier
    letters belong to no script.

    >>> scripts(["word", "слово", "2"])
    {'Cyrillic': 0.5555555555555556, 'Latin': 0.4444444444444444}
    """
    found: Counter[str] = Counter()
    for letter, count in Counter(unicodedata.normalize("NFKC", " ".join(forms))).items():
        if letter.isalpha() and unicodedata.category(letter) != "Lm":
            name = unicodedata.name(letter, "unnamed").split()[0].capitalize()
            found["Han" if name == "Cjk" else name] += count
    return {name: count / found.total() for name, count in found.most_common()}
