"""Take the pictures of this folder: python figures/demo/take.py [NAME ...]

Starts ``hebbsim demo`` and looks at it in Debian's chromium (or that of ``HEBBSIM_CHROMIUM``)
through playwright. A picture is a size, a link to a state of the page, and what is then pressed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
PROJECTOR, PHONE = (1280, 720), (390, 844)
SENTENCE = "the+captain+was+sending+a+short+poem+to+chloe+."
#: By name: the size of the window, the state as the address holds it, keys or what to click.
PICTURES = {
    "explore": (PROJECTOR, f"text={SENTENCE}&noise=10&at=9", ()),
    "weights": (PROJECTOR, "lesson=2&step=1", ("r",)),
    "follow": (PROJECTOR, f"text={SENTENCE}&noise=10&tab=follow&at=9", ("#pour",) * 5),
    "swap": (PROJECTOR, "text=the+sailor+chased+the+captain+.&tab=swap&at=5", ()),
    "selection": (
        PROJECTOR, "text=the+captain+was+sending+a+short+poem+.&noise=10&tab=selection&at=7", (),
    ),
    "content": (PROJECTOR, "lesson=4&step=3", ("r",)),
    "phone": (PHONE, f"text={SENTENCE}&at=2", ()),
}  # fmt: skip
SETTLED = (
    "window.hebbsim && hebbsim.state.reading && !hebbsim.state.waiting"
    " && !hebbsim.state.pending.reading && !hebbsim.state.pending.survival"
)


def main(names: list[str]) -> None:
    chromium = os.environ.get("HEBBSIM_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium, or set HEBBSIM_CHROMIUM")
    if unknown := set(names) - set(PICTURES):
        sys.exit(f"no picture {', '.join(sorted(unknown))}; choose from {', '.join(PICTURES)}")
    command = [sys.executable, "-m", "hebbsim", "demo", "--no-browser", "--no-bigru", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            take(server.stdout.readline().strip(), names or list(PICTURES), chromium)
        finally:
            server.terminate()


def take(url: str, names: list[str], chromium: str) -> None:
    """Take pictures of the page at an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in names:
            (width, height), state, pressed = PICTURES[name]
            page = browser.new_page(
                viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            page.set_default_timeout(600_000)
            page.goto(f"{url}#{state}")
            _settle(page)
            for one in pressed:
                page.click(one) if one.startswith("#") else page.keyboard.press(one)
                _settle(page)
            page.mouse.move(0, 0)
            _save(page.screenshot(), HERE / f"{name}.png")
            page.close()
        browser.close()


def _save(png: bytes, path: Path) -> None:
    """In 256 colours: the page has few, and a file a third of the size."""
    Image.open(BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def _settle(page: Page) -> None:
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(400)  # what is drawn when the readings are there


if __name__ == "__main__":
    main(sys.argv[1:])
