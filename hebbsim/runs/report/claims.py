"""The claims of the paper, findings about them, and how a verdict is reached."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hebbsim.config import read_toml

#: Whether a finding supports the claim (yes), contradicts it (no), supports it in some of its cases
#: (part), or is inconclusive (open). None: it is shown but not judged.
Judgement = Literal["yes", "no", "part", "open"]


@dataclass(frozen=True)
class Claim:
    """A claim of Singh (2026), paraphrased; from ``claims.toml``.

    Attributes
    ----------
    key : str
    title, text : str
        A short title, and one sentence.
    experiments : tuple of str
        Experiments that can test it.
    rule : str
        Criterion by which a measurement supports it.

    Examples
    --------
    >>> CLAIMS["C1"].experiments
    ('roles',)
    """

    key: str
    title: str
    text: str
    experiments: tuple[str, ...]
    rule: str


CLAIMS = {
    key: Claim(key, **{**about, "experiments": tuple(about["experiments"])})
    for key, about in read_toml(Path(__file__).with_name("claims.toml"), "the claims").items()
}


@dataclass(frozen=True)
class Finding:
    """A measurement of one run about one claim.

    Attributes
    ----------
    claim : str
        Key of `CLAIMS`.
    measure : str
        Description of the measurement.
    mean, low, high : float or None
        Value with its 95 % interval; a finding that counts cases has `text` instead.
    n : int
        Number of repetitions.
    over : str
        Kind of repetitions, such as ``seeds`` or ``sentences``.
    unit : str
    bound : float or None
        Value with which it is compared.
    judgement : {"yes", "no", "part", "open"} or None
    text : str
        The value as text, instead of numbers.

    Examples
    --------
    >>> Finding("C1", "accuracy / BiGRU", 0.95, 0.946, 0.953, 900, "sentences", bound=0.96).value
    '0.950 (0.946 to 0.953)'
    """

    claim: str
    measure: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    over: str = "seeds"
    unit: str = "fraction"
    bound: float | None = None
    judgement: Judgement | None = None
    text: str = ""

    @property
    def value(self) -> str:
        """The value as text."""
        if self.mean is None:
            return self.text
        if self.low is None or self.high is None:
            return number(self.mean, self.unit)
        low, high = number(self.low, self.unit), number(self.high, self.unit)
        return f"{number(self.mean, self.unit)} ({low} to {high})"

    @property
    def repeated(self) -> str:
        """The repetitions, such as ``5 seeds``."""
        if not self.n:
            return ""
        return f"{self.n:,} {self.over if self.n != 1 else self.over.removesuffix('s')}"


def number(value: float, unit: str = "fraction") -> str:
    """Format a value with a number of digits that suits its unit.

    >>> number(0.95), number(2640.4, "sentences"), number(318.84, "bits"), number(-0.0001)
    ('0.950', '2,640', '318.8', '0.000')
    """
    if unit in ("sentences", "tokens"):
        return f"{value:,.0f}"
    digits = 3 if abs(value) < 10 else 1
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.") else text.replace("-", "\u2212")


def at_least(low: float | None, high: float | None, bound: float) -> Judgement:
    """Judge from its interval whether a value is at least a bound.

    >>> at_least(0.97, 0.98, 0.96), at_least(0.94, 0.95, 0.96), at_least(0.95, 0.97, 0.96)
    ('yes', 'no', 'open')
    >>> at_least(None, None, 0.96)  # the spread of one value is unknown
    'open'
    """
    if low is None or high is None or not math.isfinite(low + high):
        return "open"
    return "yes" if low >= bound else "no" if high < bound else "open"


def below(low: float | None, high: float | None, bound: float) -> Judgement:
    """Judge from its interval whether a value is below a bound.

    >>> below(0.1, 0.2, 0.5), below(0.5, 0.6, 0.5), below(0.4, 0.6, 0.5)
    ('yes', 'no', 'open')
    """
    opposite: dict[Judgement, Judgement] = {"yes": "no", "no": "yes"}
    found = at_least(low, high, bound)
    return opposite.get(found, found)


def counted(ahead: int, of: int) -> Judgement:
    """Judge a claim about several cases, `ahead` of which support it.

    >>> counted(3, 3), counted(0, 3), counted(1, 3), counted(0, 0)
    ('yes', 'no', 'part', 'open')
    """
    if not of:
        return "open"
    return "yes" if ahead == of else "part" if ahead else "no"


#: Verdicts on a claim, by key.
VERDICTS = {
    "holds": "holds",
    "part": "holds in part",
    "fails": "does not hold",
    "open": "not decided",
    "absent": "no run given",
}


def verdict(findings: Iterable[Finding], runs_given: bool) -> str:
    """The verdict on a claim, a key of `VERDICTS`, from all findings about it.

    Inconclusive findings are ignored.

    >>> def found(judgement):
    ...     return Finding("C1", "", judgement=judgement)
    >>> verdict([found("yes"), found("open")], True), verdict([found("yes"), found("no")], True)
    ('holds', 'part')
    >>> verdict([found("no"), found(None)], True), verdict([], True), verdict([], False)
    ('fails', 'open', 'absent')
    """
    judged = {finding.judgement for finding in findings} - {None, "open"}
    if not judged:
        return "open" if runs_given else "absent"
    return "holds" if judged == {"yes"} else "fails" if judged == {"no"} else "part"
