"""Claims, measurements and verdicts side by side, from finished runs."""

from __future__ import annotations

from hebbsim.report.build import Report, build_report, write_report
from hebbsim.report.claims import CLAIMS, Claim, Finding
from hebbsim.report.evidence import evidence_of

__all__ = [
    "CLAIMS",
    "Claim",
    "Finding",
    "Report",
    "build_report",
    "evidence_of",
    "write_report",
]
