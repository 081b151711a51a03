"""Reports: claims, measurements and verdicts from finished runs."""

from hebbsim.runs.report.build import Report, build_report
from hebbsim.runs.report.claims import CLAIMS, Claim, Finding
from hebbsim.runs.report.page import write_report

__all__ = ["CLAIMS", "Claim", "Finding", "Report", "build_report", "write_report"]
